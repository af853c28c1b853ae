/** Bars in which nothing is counted: their times on a terminal, and their lines in a log. */

import '../controlled-clock.js';
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { stopClocks } from '../controlled-clock.js';
import { FakeFile, fakeTqdm } from '../fakes.js';

// The module is loaded after the clocks can be stopped.
const { systemClock } = await import('#metheus/progress/bar/clock.js');

/** A terminal that keeps what is written. */
class Screen extends EventEmitter {
  readonly isTTY = true;
  readonly columns = 80;
  readonly rows = 10;
  #written = '';

  write(text: string): boolean {
    this.#written += text;
    return true;
  }

  /** Returns the newest line since the last call; undefined if nothing was written. */
  line(): string | undefined {
    const line = this.#written.split('\u001b[K').at(-1);
    const isEmpty = this.#written === '';
    this.#written = '';
    return isEmpty ? undefined : stripVTControlCharacters(line ?? '').trim();
  }
}

function start(t: TestContext) {
  const advance = stopClocks(t);
  const { tqdm, live } = fakeTqdm({ clock: systemClock });
  const file = new Screen();
  /** Lets seconds pass, and what happens each second happen. */
  const pass = (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      advance(1);
      live.sample();
    }
  };
  return { tqdm, live, file, advance, pass };
}

const OPTIONS = { total: 10, barFormat: '{n} {elapsed}<{remaining}' } as const;

describe('an idle bar on a terminal', () => {
  it('shows the elapsed time each second, and less remaining time until the next unit is overdue', (t) => {
    const { tqdm, file, advance, pass } = start(t);
    const bar = tqdm(null, { ...OPTIONS, file });
    t.after(() => bar.close());
    assert.equal(file.line(), '0 00:00<?');
    for (const n of [1, 2]) {
      advance(5);
      bar.update();
      assert.equal(file.line(), `${n} 00:${n === 1 ? '05' : '10'}<00:${n === 1 ? '45' : '40'}`);
    }
    pass(1);
    assert.equal(file.line(), '2 00:11<00:39');
    pass(3);
    assert.equal(file.line(), '2 00:14<00:36');
    pass(1);
    assert.equal(file.line(), '2 00:15<00:35');
    pass(45);
    const [elapsed, remaining] = file.line()!.split(' ')[1]!.split('<');
    assert.equal(elapsed, '01:00');
    // After 50 seconds without a unit, the seven units after the next take longer than before.
    assert.ok(remaining! > '00:35', remaining);
    advance(1);
    bar.update();
    assert.match(file.line()!, /^3 01:01<0\d:\d\d$/);
  });

  it('shows the rounds of a loop that no frame has shown yet', (t) => {
    const { tqdm, file, pass } = start(t);
    for (const i of tqdm(3, { ...OPTIONS, total: 3, file })) {
      if (i === 2) {
        pass(2);
        assert.equal(file.line()!.split(' ')[0], '2');
      }
    }
  });

  it('is not drawn where the screen shows no frame of it', (t) => {
    const { tqdm, file, pass } = start(t);
    const bar = tqdm(null, { ...OPTIONS, delay: 100, file });
    t.after(() => bar.close());
    pass(3);
    assert.equal(file.line(), undefined);
    bar.refresh();
    assert.equal(file.line(), '0 00:03<?');
    bar.clear();
    file.line();
    pass(3);
    assert.equal(file.line(), undefined);
    bar.display('text of the program');
    assert.equal(file.line(), 'text of the program');
    pass(3);
    assert.equal(file.line(), undefined);
    bar.refresh();
    assert.equal(file.line(), '0 00:09<?');
    bar.close();
    file.line();
    pass(3);
    assert.equal(file.line(), undefined);
  });

  it('is drawn only by its updates with `tick: false`, with a custom clock, and in other files', (t) => {
    const { tqdm, file, pass, live } = start(t);
    const bar = tqdm(null, { ...OPTIONS, file, tick: false });
    const plain = new FakeFile(false);
    const inFile = tqdm(null, { ...OPTIONS, file: plain });
    const custom = fakeTqdm({ live });
    const fake = tqdm(null, { ...OPTIONS, file: new Screen(), tick: false });
    const screen = new Screen();
    const controlled = custom.tqdm(null, { ...OPTIONS, file: screen });
    t.after(() => {
      for (const open of [bar, inFile, fake, controlled]) open.close();
    });
    file.line();
    plain.take();
    screen.line();
    custom.clock.tick(3);
    pass(3);
    assert.deepEqual([file.line(), plain.take(), screen.line()], [undefined, '', undefined]);
  });
});

describe('an idle bar in a log', () => {
  it('writes a line after a minute of silence', (t) => {
    const { tqdm, pass } = start(t);
    const file = new FakeFile(false);
    const bars = ['outer', 'inner'].map((desc) =>
      tqdm(null, { ...OPTIONS, barFormat: '{desc} {elapsed}', desc, file, output: 'lines' }),
    );
    t.after(() => {
      for (const bar of bars) bar.close();
    });
    pass(59);
    assert.equal(file.take(), '');
    pass(1);
    assert.equal(file.take(), 'outer 01:00\n');
    pass(59);
    assert.equal(file.take(), '');
    pass(1);
    assert.equal(file.take(), 'outer 02:00\n');
    pass(20);
    bars[1]!.update();
    assert.equal(file.take(), 'inner 02:20\n');
    pass(59);
    assert.equal(file.take(), '');
    pass(1);
    assert.equal(file.take(), 'outer 03:20\n');
  });

  it('keeps to a longer `mininterval`, and to `tick: false`', (t) => {
    const { tqdm, pass } = start(t);
    const file = new FakeFile(false);
    const open = (options: object) =>
      tqdm(null, { file, output: 'lines', barFormat: '{elapsed}', ...options });
    const silent = open({ tick: false });
    pass(100);
    assert.equal(file.take(), '');
    silent.close();
    file.take();
    const slow = open({ mininterval: 90 });
    t.after(() => slow.close());
    pass(89);
    assert.equal(file.take(), '');
    pass(1);
    assert.equal(file.take(), '01:30\n');
  });
});
