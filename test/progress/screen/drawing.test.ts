/** Whole frames: rows, writing above bars, hidden rows, screens, lines, broken terminals. */

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it, mock } from 'node:test';
import { COMPLETED, FAILED, FINISHED, INCOMPLETE } from '#metheus/progress/bar/record.js';
import { closeOpenBars } from '#metheus/progress/screen/live-bars.js';
import { FakeFile, fakeTqdm } from '../fakes.js';

const UP = '\u001b[A';

describe('rows', () => {
  it('nested bars stand below each other and give their rows back', () => {
    const { tqdm, stderr } = fakeTqdm();
    const options = { ncols: 0, mininterval: 1000 };
    for (const _ of tqdm(2, { desc: 'outer', ...options })) {
      for (const _ of tqdm(1, { desc: 'inner', leave: false, ...options }));
    }
    const inner = `\n\rinner:   0% 0/1 [00:00<?, ?it/s]${UP}\n\r${' '.repeat(32)}${UP}`;
    assert.equal(
      stderr.take(),
      `\router:   0% 0/2 [00:00<?, ?it/s]${inner}${inner}\router: 100% 2/2 [00:00<?, ?it/s]\n`,
    );
  });

  it('leave: null keeps the bar of the first row only', () => {
    const { tqdm, stderr } = fakeTqdm();
    const first = tqdm(null, { leave: null, ncols: 0, total: 1 });
    const second = tqdm(null, { leave: null, ncols: 0, total: 1 });
    stderr.take();
    second.close();
    assert.equal(stderr.take(), `\n\r${' '.repeat(25)}${UP}`);
    first.close();
    assert.equal(stderr.take(), '\r  0% 0/1 [00:00<?, ?it/s]\n');
  });

  it('a bar without room is indicated, and moves up when there is room', () => {
    const { tqdm, stderr } = fakeTqdm();
    const bars = ['a', 'b', 'c', 'd'].map((desc) => tqdm(null, { desc, nrows: 3, ncols: 0, total: 1 }));
    assert.equal(
      stderr.take(),
      `\ra:   0% 0/1 [00:00<?, ?it/s]\n\rb:   0% 0/1 [00:00<?, ?it/s]${UP}\n\n\r ... (more hidden) ...${UP}${UP}`,
    );
    bars[1]!.close();
    stderr.take();
    bars[2]!.refresh();
    assert.equal(stderr.take(), `\n\rc:   0% 0/1 [00:00<?, ?it/s]${UP}`);
    assert.equal(bars[3]!.display(), false);
  });

  it('write prints above all bars', () => {
    const { tqdm, stderr, stdout } = fakeTqdm();
    const file = new FakeFile();
    tqdm(null, { ncols: 0, total: 1 });
    tqdm(null, { ncols: 0, total: 2 });
    tqdm(null, { file, position: 0 });
    stderr.take();
    file.take();
    tqdm.write('hello');
    assert.equal(stdout.take(), 'hello\n');
    const blank = ' '.repeat(25);
    assert.equal(
      stderr.take(),
      `\r${blank}\r\n\r${blank}\r${UP}\r  0% 0/1 [00:00<?, ?it/s]\n\r  0% 0/2 [00:00<?, ?it/s]${UP}`,
    );
    assert.equal(file.take(), '');
    tqdm.write('there', { file, end: '' });
    assert.equal(file.take(), `\r${' '.repeat(18)}\rthere\r0it [00:00, ?it/s]`);
  });
});

describe('the screen', () => {
  it('gives columns and rows to bars on standard streams', () => {
    const { tqdm, stderr } = fakeTqdm();
    Object.assign(stderr, { columns: 40, rows: 2 });
    tqdm(null, { total: 4 });
    assert.equal(stderr.take(), '\r  0%|             | 0/4 [00:00<?, ?it/s]');
    const file = Object.assign(new FakeFile(), { columns: 40, rows: 2 });
    tqdm(null, { total: 4, file });
    assert.equal(file.take(), `\n\r  0%|          | 0/4 [00:00<?, ?it/s]${UP}`);
  });

  it('is read again with dynamicNcols', () => {
    const { tqdm } = fakeTqdm();
    const file = Object.assign(new FakeFile(), { columns: 30, rows: 10 });
    const bar = tqdm(null, { total: 4, file, dynamicNcols: true });
    file.take();
    file.columns = 36;
    bar.refresh();
    assert.equal(file.take(), '\r  0%|         | 0/4 [00:00<?, ?it/s]');
  });

  it('has the size of COLUMNS and LINES when the terminal reports none', () => {
    const { tqdm, stderr } = fakeTqdm({ env: { COLUMNS: '41', LINES: '25' } });
    assert.deepEqual([tqdm().formatDict.ncols, tqdm().formatDict.nrows], [40, 24]);
    stderr.take();
  });
});

describe('a log', () => {
  it('gets complete lines, ten seconds apart, and the last one', () => {
    const stderr = new FakeFile(false);
    const { tqdm, clock } = fakeTqdm({ stderr });
    const lines: string[] = [];
    for (const _ of tqdm(25, { desc: 'import' })) {
      clock.tick(1);
      const line = stderr.take();
      if (line !== '') lines.push(line);
    }
    assert.deepEqual(lines, [
      'import:  40%|████      | 10/25 [00:10<00:15,  1.00it/s]\n',
      'import:  80%|████████  | 20/25 [00:20<00:05,  1.00it/s]\n',
    ]);
    assert.equal(stderr.take(), 'import: 100%|██████████| 25/25 [00:25<00:00,  1.00it/s]\n');
  });

  it('is not filled by refreshes, nested bars that do not stay, or write', () => {
    const stderr = new FakeFile(false);
    const { tqdm, stdout } = fakeTqdm({ stderr });
    const bar = tqdm(null, { total: 3, mininterval: 60 });
    for (let i = 0; i < 3; i += 1) bar.setDescription(`step ${i}`);
    for (const _ of tqdm(3, { leave: false }));
    tqdm.write('text');
    assert.equal(stderr.take(), '');
    assert.equal(stdout.take(), 'text\n');
    bar.close();
    assert.equal(stderr.take(), 'step 2:   0%|          | 0/3 [00:00<?, ?it/s]\n');
  });

  it('gets the last line of a bar with leave: false if it has a line of that bar', () => {
    const stderr = new FakeFile(false);
    const { tqdm, clock } = fakeTqdm({ stderr });
    const bar = tqdm(null, { total: 3, leave: false });
    clock.tick(11);
    bar.update(2);
    assert.equal(stderr.take(), ' 67%|██████▋   | 2/3 [00:11<00:05,  5.50s/it]\n');
    clock.tick(1);
    bar.update();
    bar.close();
    assert.equal(stderr.take(), '100%|██████████| 3/3 [00:12<00:00,  4.00s/it]\n');
  });

  it('gets lines if it is a standard stream, given as the option file or not', () => {
    const log = new FakeFile(false);
    for (const given of [{ stdout: log }, { stderr: log }, { stdout: log, env: { CI: 'true' } }]) {
      fakeTqdm(given).tqdm(null, { file: log, total: 1 }).close();
      assert.equal(log.take(), '  0%|          | 0/1 [00:00<?, ?it/s]\n');
    }
    const terminal = new FakeFile(true);
    const options = { file: terminal, total: 1, ncols: 0 };
    fakeTqdm({ stdout: terminal, env: { CI: 'true' } })
      .tqdm(null, options)
      .close();
    assert.equal(terminal.take(), '  0% 0/1 [00:00<?, ?it/s]\n');
    fakeTqdm({ stdout: terminal }).tqdm(null, options).close();
    assert.equal(terminal.take(), `${'\r  0% 0/1 [00:00<?, ?it/s]'.repeat(2)}\n`);
  });

  it('gets frames when the file is named', () => {
    const { tqdm } = fakeTqdm();
    const file = new FakeFile(false);
    tqdm(null, { file, total: 1 });
    assert.equal(file.take(), '\r  0%|          | 0/1 [00:00<?, ?it/s]');
    tqdm(null, { file, disable: null });
    assert.equal(file.take(), '');
  });
});

describe('a postfix that cannot be converted to text', () => {
  const broken = {
    toString() {
      throw new Error('no text');
    },
  };

  it('is left out with one warning, and no loop and no close fails', async () => {
    const { tqdm, clock, stderr, records } = fakeTqdm();
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(warning.message);
    process.on('warning', listen);
    const bar = tqdm(3, { mininterval: 0, ncols: 0 });
    bar.postfix = broken;
    for (const _ of bar) clock.tick(1);
    await new Promise(setImmediate);
    process.off('warning', listen);
    assert.ok(stderr.take().endsWith('\r100% 3/3 [00:03<00:00,  1.00it/s]\n'));
    assert.deepEqual([records[0]!.cell(COMPLETED), records[0]!.cell(FINISHED)], [3, 1]);
    assert.deepEqual(warnings, [
      'A progress bar cannot make its line (no text): it is drawn without postfix, counting goes on.',
    ]);
  });

  it('is null or text in JSON', () => {
    const { tqdm, stderr } = fakeTqdm();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const shown = [10n, circle, { toJSON: broken.toString, toString: broken.toString }].map((postfix) => {
      const bar = tqdm(null, { output: 'json' });
      bar.postfix = postfix;
      bar.close();
      return JSON.parse(stderr.take().trim().split('\n').at(-1)!).postfix;
    });
    assert.deepEqual(shown, ['10', '[object Object]', null]);
  });

  it('makes setPostfix throw, and changes nothing', () => {
    const { tqdm } = fakeTqdm();
    const bar = tqdm(null);
    bar.setPostfix({ loss: 1 });
    assert.throws(() => bar.setPostfix({ loss: broken }), /no text/);
    assert.equal(bar.postfix, 'loss=1');
  });
});

describe('a broken terminal', () => {
  it('stops the drawing with one warning, and does not stop the counting', async () => {
    const { tqdm, clock, records } = fakeTqdm();
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(warning.message);
    process.on('warning', listen);
    let writes = 0;
    const file = {
      isTTY: true,
      write() {
        writes += 1;
        throw new Error('EPIPE');
      },
    };
    for (const _ of tqdm(5, { file, mininterval: 0 })) clock.tick(1);
    for (const _ of tqdm(5, { file, mininterval: 0 })) clock.tick(1);
    tqdm.write('text', { file });
    await new Promise(setImmediate);
    process.off('warning', listen);
    assert.equal(writes, 1);
    assert.deepEqual(warnings, ['A progress bar cannot write (EPIPE): drawing stops, counting goes on.']);
    assert.deepEqual(
      records.map((record) => [record.cell(COMPLETED), record.cell(FINISHED)]),
      [
        [5, 1],
        [5, 1],
      ],
    );
  });

  it('may be a stream that fails later, or that was closed', () => {
    const { tqdm } = fakeTqdm();
    class Pipe extends EventEmitter {
      isTTY = true;
      destroyed = false;
      text = '';
      write(text: string) {
        this.text += text;
      }
    }
    const failing = new Pipe();
    const bar = tqdm(null, { file: failing, ncols: 0, total: 1 });
    failing.emit('error', new Error('EPIPE'));
    bar.close();
    assert.equal(failing.text, '\r  0% 0/1 [00:00<?, ?it/s]');
    const closed = new Pipe();
    closed.destroyed = true;
    tqdm(null, { file: closed }).close();
    assert.equal(closed.text, '');
  });
});

describe('the monitor', () => {
  it('rescues a bar that waits for too many units', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const { tqdm, clock, stderr } = fakeTqdm();
      const bar = tqdm(null, { miniters: 1000, ncols: 0, maxinterval: 5 });
      bar.update(3);
      clock.tick(4);
      mock.timers.tick(10_000);
      stderr.take();
      clock.tick(4);
      mock.timers.tick(10_000);
      assert.equal(stderr.take(), '\r3it [00:08,  2.67s/it]');
      bar.update(1);
      assert.equal(stderr.take(), '\r4it [00:08,  2.00s/it]');
      bar.close();
    } finally {
      mock.timers.reset();
    }
  });

  it('closes open bars when the process ends', () => {
    const { tqdm, records, stderr } = fakeTqdm();
    closeOpenBars(0);
    const listeners = process.listenerCount('exit');
    tqdm(null, { ncols: 0, total: 1 });
    stderr.take();
    closeOpenBars(1);
    assert.equal(stderr.take(), '\r  0% 0/1 [00:00<?, ?it/s]\n');
    assert.equal(records[0]!.cell(FAILED), 1);
    assert.equal(process.listenerCount('exit'), listeners);
    tqdm(null, { ncols: 0, total: 1 });
    assert.ok(process.listenerCount('exit') > listeners);
    closeOpenBars(0);
    assert.equal(records[1]!.cell(INCOMPLETE), 1);
  });
});
