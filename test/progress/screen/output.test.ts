/** Outputs of a bar: frames, lines, JSON, nothing; colours; redirection; signals. */

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it, mock, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BarOptions } from '#metheus/progress/bar/bar-options.js';
import { hasColours, outputMode } from '#metheus/progress/bar/output.js';
import { COMPLETED } from '#metheus/progress/bar/record.js';
import { FakeFile, fakeTqdm } from '../fakes.js';

describe('the output', () => {
  it('is chosen by the file and the environment', () => {
    const auto = { output: 'auto', isNamed: false, isTTY: true, env: {} } as const;
    assert.equal(outputMode(auto), 'terminal');
    assert.equal(outputMode({ ...auto, isTTY: false }), 'lines');
    assert.equal(outputMode({ ...auto, isTTY: false, isNamed: true }), 'terminal');
    assert.equal(outputMode({ ...auto, env: { CI: 'true' } }), 'lines');
    assert.equal(outputMode({ ...auto, env: { CI: 'false' } }), 'terminal');
    assert.equal(outputMode({ ...auto, env: { TERM: 'dumb' } }), 'lines');
    assert.equal(outputMode({ ...auto, output: 'json' }), 'json');
  });

  it('can be chosen by the option, or by TQDM_OUTPUT', () => {
    const written = (options: BarOptions, env = {}) => {
      const { tqdm, stderr, records } = fakeTqdm({ env });
      tqdm(null, { ncols: 0, ...options }).close();
      assert.equal(records[0]!.cell(COMPLETED), 0);
      return stderr.take();
    };
    assert.equal(written({}), '\r0it [00:00, ?it/s]\r0it [00:00, ?it/s]\n');
    assert.equal(written({ output: 'lines' }), '0it [00:00, ?it/s]\n');
    assert.equal(written({ output: 'none' }), '');
    assert.equal(written({}, { TQDM_OUTPUT: 'lines' }), '0it [00:00, ?it/s]\n');
    assert.equal(written({ output: 'none' }, { TQDM_OUTPUT: 'lines' }), '');
    assert.equal(written({}, { TQDM_OUTPUT: 'film' }), '\r0it [00:00, ?it/s]\r0it [00:00, ?it/s]\n');
    assert.throws(() => written({ output: 'film' as 'json' }), {
      code: 'METHEUS_INVALID_BAR_OPTION',
      message: /'film', expected one of auto, terminal, lines, json, none/,
    });
  });

  it('none does not affect counting', () => {
    const { tqdm, records } = fakeTqdm();
    for (const _ of tqdm(5, { output: 'none' }));
    assert.equal(records[0]!.cell(COMPLETED), 5);
  });
});

describe('JSON lines', () => {
  it('are written at the start, every second, and at the end', () => {
    const { tqdm, clock, stderr } = fakeTqdm();
    const lines = () =>
      stderr
        .take()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    const bar = tqdm(null, { output: 'json', desc: 'load', total: 40, unit: 'B', leave: false });
    const [first] = lines();
    const numbers = {
      desc: 'load',
      n: 0,
      total: 40,
      unit: 'B',
      elapsed: 0,
      rate: null,
      eta: null,
      postfix: null,
    };
    const start = { time: '2023-11-14T22:30:00.000Z', bar: first.bar, state: 'started', ...numbers };
    assert.deepEqual(first, start);
    clock.tick(0.5);
    bar.update(5);
    assert.deepEqual(lines(), []);
    clock.tick(0.75);
    bar.update(5);
    const running = { n: 10, elapsed: 1.25, rate: 7.72727, eta: 3.882 };
    assert.deepEqual(lines(), [{ ...start, ...running, time: '2023-11-14T22:30:01.250Z', state: 'running' }]);
    bar.setPostfix({ loss: 0.5 }, false);
    bar.fail(new Error('full'));
    const [last] = lines();
    assert.deepEqual([last.state, last.n, last.postfix, last.bar], ['failed', 10, 'loss=0.5', first.bar]);
    assert.equal(last.error, 'Error');
    tqdm(null, { output: 'json' }).close();
    assert.deepEqual(
      lines().map(({ state, total, bar: number }) => [state, total, number]),
      [
        ['started', null, first.bar + 1],
        ['finished', null, first.bar + 1],
      ],
    );
  });
});

describe('colours', () => {
  it('are enabled for frames, unless the environment decides otherwise', () => {
    const terminal = { isNamed: false, isTTY: true };
    const log = { isNamed: false, isTTY: false };
    assert.equal(hasColours({ ...terminal, env: {} }), true);
    assert.equal(hasColours({ ...terminal, env: { NO_COLOR: '' } }), true);
    assert.equal(hasColours({ ...terminal, env: { NO_COLOR: '1' } }), false);
    assert.equal(hasColours({ ...terminal, env: { FORCE_COLOR: '0' } }), false);
    assert.equal(hasColours({ ...log, env: {} }), false);
    assert.equal(hasColours({ ...log, env: { FORCE_COLOR: '1' } }), true);
    assert.equal(hasColours({ ...log, env: { FORCE_COLOR: '', NO_COLOR: '1' } }), true);
  });

  it('appear in the line only when enabled', () => {
    const line = (env: Record<string, string>) =>
      fakeTqdm({ env }).tqdm(null, { total: 2, colour: 'red' }).toString();
    assert.ok(line({}).includes('\u001b[31m'));
    assert.ok(!line({ NO_COLOR: '1' }).includes('\u001b'));
  });
});

describe('the taskbar', () => {
  it('shows percentages on a terminal, and is cleared', () => {
    const { tqdm } = fakeTqdm();
    const taskbar = (file: FakeFile, total?: number) => {
      const bar = tqdm(null, { file, taskbar: true, total, mininterval: 0, barFormat: '' });
      bar.update(1);
      bar.close();
      return file
        .take()
        .split('\u001b')
        .filter((part) => part.startsWith(']9;4'));
    };
    assert.deepEqual(taskbar(new FakeFile(), 3), [']9;4;1;0', ']9;4;1;33', ']9;4;0;0']);
    assert.deepEqual(taskbar(new FakeFile()), [']9;4;3;0', ']9;4;0;0']);
    assert.deepEqual(taskbar(new FakeFile(false), 3), []);
  });
});

describe('redirect', () => {
  it('prints above the bars, and restores the streams', () => {
    const { tqdm, stdout, stderr } = fakeTqdm();
    tqdm(null, { ncols: 0, total: 1 });
    stderr.take();
    const before = Object.getOwnPropertyDescriptors(stdout);
    const first = tqdm.redirect();
    const second = tqdm.redirect();
    assert.equal(stdout.write('hello\n'), true);
    stderr.write('there\n');
    const blank = `\r${' '.repeat(25)}\r`;
    const frame = '\r  0% 0/1 [00:00<?, ?it/s]';
    assert.equal(stdout.take(), 'hello\n');
    assert.equal(stderr.take(), `${blank}${frame}${blank}there\n${frame}`);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    stdout.write('again');
    assert.equal(stderr.take(), blank + frame);
    second[Symbol.dispose]();
    assert.deepEqual(Object.getOwnPropertyDescriptors(stdout), before);
    stdout.write('quiet');
    assert.equal(stderr.take(), '');
  });

  it('does not touch a later replacement of write, nor streams that are not terminals', () => {
    const stdout = new FakeFile(false);
    const { tqdm, stderr } = fakeTqdm({ stdout });
    const redirection = tqdm.redirect();
    assert.ok(!Object.hasOwn(stdout, 'write'));
    const redirected = stderr.write;
    const theirs = (text: string) => redirected.call(stderr, `<${text}>`);
    stderr.write = theirs;
    redirection[Symbol.dispose]();
    assert.equal(stderr.write, theirs);
    stderr.write('text');
    assert.equal(stderr.take(), '<text>');
  });

  it('does not touch a stdout that is not a terminal, whose errors reach the program', () => {
    const stdout = Object.assign(new EventEmitter(), { write: () => true });
    const stderr = Object.assign(new EventEmitter(), {
      isTTY: true,
      columns: 40,
      rows: 9,
      write: () => true,
    });
    const { tqdm } = fakeTqdm({ stdout, stderr });
    const before = stderr.write;
    const bar = tqdm(null, { total: 1 });
    assert.notEqual(stderr.write, before);
    stderr.write();
    bar.close();
    assert.equal(stderr.write, before);
    assert.equal(stdout.listenerCount('error'), 0);
  });

  it('rethrows the error of a broken stream, after drawing the bars again', () => {
    const { tqdm, stdout, stderr } = fakeTqdm();
    tqdm(null, { ncols: 0 });
    stdout.write = () => {
      throw new Error('EPIPE');
    };
    using _ = tqdm.redirect();
    stderr.take();
    assert.throws(() => stdout.write('text'), { message: 'EPIPE' });
    assert.ok(stderr.take().endsWith('\r0it [00:00, ?it/s]'));
  });
});

describe('externalWriteMode', () => {
  it('returns the result of the function, and draws the bars again after it', async () => {
    const { tqdm, stderr } = fakeTqdm();
    tqdm(null, { ncols: 0 });
    stderr.take();
    const blank = `\r${' '.repeat(18)}\r`;
    const frame = '\r0it [00:00, ?it/s]';
    assert.equal(
      tqdm.externalWriteMode(() => stderr.take()),
      blank,
    );
    assert.equal(stderr.take(), frame);
    const failing = () => {
      throw new Error('theirs');
    };
    assert.throws(() => tqdm.externalWriteMode(failing), { message: 'theirs' });
    assert.equal(stderr.take(), blank + frame);
    const later = tqdm.externalWriteMode(async () => 5);
    assert.equal(stderr.take(), blank);
    assert.equal(await later, 5);
    assert.equal(stderr.take(), frame);
    {
      using _ = tqdm.externalWriteMode();
      assert.equal(stderr.take(), blank);
    }
    assert.equal(stderr.take(), frame);
  });
});

describe('a stream with a slow reader', () => {
  it('misses frames, and gets the last', () => {
    const { tqdm, clock } = fakeTqdm();
    const file = Object.assign(new FakeFile(), { writableNeedDrain: true });
    const bar = tqdm(null, { file, ncols: 0, total: 9 });
    clock.tick(1);
    bar.update(5);
    assert.equal(file.take(), '');
    bar.close();
    assert.equal(file.take(), '\r 56% 5/9 [00:01<00:00,  5.00it/s]\n');
  });
});

/** Lets the event loop turn, and so due timers run. */
const turn = () => sleep(5);

describe('signals', () => {
  it('are listened to only while a bar is on a screen', async () => {
    const { tqdm } = fakeTqdm();
    const screen = Object.assign(new EventEmitter(), {
      isTTY: true,
      columns: 40,
      rows: 10,
      write: () => true,
    });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGTSTP', 'SIGCONT'];
    const counts = () => signals.map((signal) => process.listenerCount(signal));
    const before = counts();
    tqdm(null, { file: new FakeFile() });
    assert.deepEqual(counts(), before);
    const bars = [tqdm(null, { file: screen }), tqdm(null, { file: screen })];
    // The loop has to turn once: while it is blocked, signals would never reach their listeners.
    assert.deepEqual(counts(), before);
    await turn();
    assert.deepEqual(
      counts(),
      before.map((count) => count + 1),
    );
    assert.equal(screen.listenerCount('resize'), 1);
    for (const bar of bars) bar.close();
    assert.deepEqual(counts(), before);
    assert.equal(screen.listenerCount('resize'), 0);
  });
});

describe('Ctrl-Z', () => {
  async function stoppable(t: TestContext) {
    const { tqdm, clock } = fakeTqdm();
    let written = '';
    const screen = Object.assign(new EventEmitter(), {
      isTTY: true,
      columns: 40,
      rows: 10,
      write(text: string) {
        written += text;
        return true;
      },
    });
    const take = () => {
      const taken = written;
      written = '';
      return taken;
    };
    const bars = ['a', 'b'].map((desc) => tqdm(null, { desc, file: screen, barFormat: '{desc}{n}' }));
    t.after(() => {
      for (const bar of bars) bar.close();
    });
    const kills: unknown[] = [];
    t.mock.method(process, 'kill', (...given: unknown[]) => kills.push(...given, take()));
    await turn();
    return { clock, bars, kills, take };
  }
  const frame = (text: string) => `\u001b[?7l${text}\u001b[1A\r\u001b[?7h`;

  it('stops with the cursor below the bars, which are drawn again from there', async (t) => {
    const { clock, bars, kills, take } = await stoppable(t);
    take();
    const listening = () => process.listenerCount('SIGTSTP');
    assert.equal(listening(), 1);
    process.emit('SIGTSTP', 'SIGTSTP');
    assert.deepEqual(kills, [process.pid, 'SIGTSTP', '\n\n']);
    assert.equal(take(), frame('\r\u001b[Ka0\n\r\u001b[Kb0'));
    clock.tick(1);
    bars[1]!.update();
    assert.equal(take(), frame('\n\r\u001b[Kb1'));
  });

  it('is left to a program that handles it', async (t) => {
    const { kills, take } = await stoppable(t);
    const handle = t.mock.fn();
    process.on('SIGTSTP', handle);
    t.after(() => process.off('SIGTSTP', handle));
    take();
    process.emit('SIGTSTP', 'SIGTSTP');
    assert.deepEqual([kills, take(), handle.mock.callCount()], [[], '\n\n', 1]);
  });

  it('of another process: SIGCONT draws the bars again', async (t) => {
    const { take } = await stoppable(t);
    take();
    process.emit('SIGCONT', 'SIGCONT');
    assert.equal(take(), frame('\r\u001b[Ka0\n\r\u001b[Kb0'));
  });
});

describe('tqdm.monitorInterval', () => {
  it('is ten by default, any number, or 0 to disable the monitor', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const { tqdm, clock, stderr } = fakeTqdm();
      assert.equal(tqdm.monitorInterval, 10);
      const drawnAfter = (seconds: number) => {
        using _ = tqdm(null, { miniters: 1000, ncols: 0, maxinterval: 1 });
        stderr.take();
        clock.tick(seconds);
        mock.timers.tick(seconds * 1000);
        return stderr.take() !== '';
      };
      assert.equal(drawnAfter(9), false);
      assert.equal(drawnAfter(10), true);
      tqdm.monitorInterval = 2;
      assert.equal(drawnAfter(2), true);
      tqdm.monitorInterval = 0;
      assert.equal(drawnAfter(100), false);
    } finally {
      mock.timers.reset();
    }
  });
});
