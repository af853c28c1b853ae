/** Bars of tasks that run at the same time: whole screens. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import xterm from '@xterm/headless';
import type { Bar } from 'metheus/progress';
import type { LiveBar, LiveBars } from '#metheus/progress/screen/live-bars.js';
import { Terminal } from '#metheus/progress/screen/terminal.js';
import { FakeFile, fakeTqdm } from '../fakes.js';

/** A screen that the test can read, bars that are named by their description, and steps that tasks wait for. */
function parallel() {
  const fake = fakeTqdm();
  const screen = new xterm.Terminal({ cols: 80, rows: 24, convertEol: true, allowProposedApi: true });
  const bars = new Map<string, Bar>();
  const waiting = new Map<string, () => void>();
  return {
    ...fake,
    bars,
    /** Returns the descriptions in the rows of the screen, up to the last row that is not empty. */
    async rows(): Promise<string[]> {
      await new Promise<void>((resolve) => screen.write(fake.stderr.take(), resolve));
      const { active } = screen.buffer;
      const rows = Array.from({ length: active.length }, (_, row) =>
        active.getLine(row)!.translateToString().trimEnd(),
      );
      return rows.slice(0, rows.findLastIndex((row) => row !== '') + 1).map((row) => row.split(':')[0]!);
    },
    open(desc: string): Bar {
      const bar = fake.tqdm(null, { desc, total: 2, leave: false, barFormat: '{desc}' });
      bars.set(desc, bar);
      return bar;
    },
    /** Waits until the test calls `go(step)`. */
    step: (step: string) => new Promise<void>((resolve) => waiting.set(step, resolve)),
    async go(step: string): Promise<void> {
      waiting.get(step)!();
      await turn();
    },
  };
}

/** Opens a bar of a real terminal in this row, and closes it so that its line stays above the others. */
function closeInRow(row: number, live: LiveBars): void {
  const terminal = Terminal.of(Object.assign(new FakeFile(), { columns: 80, rows: 24, on() {} }));
  const none = () => {};
  const methods = {
    clear: none,
    refresh: none,
    rescue: none,
    sample: none,
    abandon: none,
    describe: () => ({}),
  };
  const bar: LiveBar = { terminal, row, rows: 24, ...methods };
  live.add(bar, true);
  live.remove(bar, true);
}

const OUTER = { desc: 'Map', barFormat: '{desc}', leave: false };

describe('bars of parallel tasks', () => {
  it('keep their rows when their neighbours end', async () => {
    const { tqdm, rows, open, step, go } = parallel();
    const mapped = tqdm.map(
      ['a', 'b', 'c'],
      async (name) => {
        for (const part of ['1', '2']) {
          using _bar = open(name + part);
          await step(name + part);
        }
      },
      { ...OUTER, concurrency: 2 },
    );
    await turn();
    assert.deepEqual(await rows(), ['Map', 'a1', 'b1']);
    await go('a1');
    assert.deepEqual(await rows(), ['Map', 'a2', 'b1']);
    await go('b1');
    await go('a2');
    // The third task is where the first one was.
    assert.deepEqual(await rows(), ['Map', 'c1', 'b2']);
    await go('b2');
    await go('c1');
    assert.deepEqual(await rows(), ['Map', 'c2']);
    await go('c2');
    await mapped;
    assert.deepEqual(await rows(), []);
  });

  it('keep their rows from other bars while the map runs', async () => {
    const { tqdm, rows, open, step, go } = parallel();
    const mapped = tqdm.map(
      ['a', 'b'],
      async (name) => {
        open(`${name}1`).close();
        await step(name);
        const bar = open(`${name}2`);
        await step(name);
        bar.close();
      },
      OUTER,
    );
    await turn();
    const stranger = open('Stranger');
    assert.deepEqual(await rows(), ['Map', '', '', 'Stranger']);
    await go('a');
    await go('b');
    assert.deepEqual(await rows(), ['Map', 'a2', 'b2', 'Stranger']);
    await go('a');
    await go('b');
    await mapped;
    stranger.close();
    // All rows are free again.
    const last = open('Last');
    assert.equal((await rows())[0], 'Last');
    last.close();
  });

  it('stand below the bar of their map, also when a row above is free', async () => {
    const { tqdm, rows, open, step, go } = parallel();
    const above = open('Above');
    const mapped = tqdm.map(
      [1],
      async () => {
        above.close();
        using _outer = open('Outer');
        using _inner = open('Inner');
        await step('inside');
      },
      OUTER,
    );
    await turn();
    assert.deepEqual(await rows(), ['', 'Map', 'Outer', 'Inner']);
    await go('inside');
    await mapped;
  });

  it('stand below the bar of their own map, also for maps in maps', async () => {
    const { tqdm, rows, open, step, go } = parallel();
    const inner = (name: string) =>
      tqdm.map(
        ['1', '2'],
        async (part) => {
          using _bar = open(name + part);
          await step(name + part);
        },
        { ...OUTER, desc: name },
      );
    const mapped = tqdm.map(['a', 'b'], inner, OUTER);
    await turn();
    assert.deepEqual(await rows(), ['Map', 'a', 'b', 'a1', 'a2', 'b1', 'b2']);
    await go('a1');
    await go('a2');
    assert.deepEqual(await rows(), ['Map', '', 'b', '', '', 'b1', 'b2']);
    await go('b1');
    await go('b2');
    await mapped;
  });

  it('release their rows after an error, each when its task is over', async () => {
    const { tqdm, rows, open, step, go } = parallel();
    const mapped = tqdm.map(
      ['slow', 'bad'],
      async (name) => {
        using _bar = open(name);
        await step(name);
        if (name === 'bad') throw new Error('bad');
      },
      OUTER,
    );
    await turn();
    assert.deepEqual(await rows(), ['Map', 'slow', 'bad']);
    const failed = assert.rejects(mapped, /bad/);
    await go('bad');
    await failed;
    const [first, third] = [open('First'), open('Third')];
    assert.deepEqual(await rows(), ['First', 'slow', 'Third']);
    await go('slow');
    const second = open('Second');
    assert.deepEqual(await rows(), ['First', 'Second', 'Third']);
    for (const bar of [first, second, third]) bar.close();
  });

  it('take no row when they are not drawn, and the first row below a map that is not drawn', async () => {
    const { tqdm, rows, open, step, go } = parallel();
    const mapped = tqdm.map(
      [1],
      async () => {
        tqdm(null, { disable: true });
        using _bar = open('Seen');
        await step('seen');
      },
      { ...OUTER, disable: true },
    );
    await turn();
    assert.deepEqual(await rows(), ['Seen']);
    await go('seen');
    await mapped;
  });

  it('take any row and keep none when their map is over', async () => {
    const { tqdm, live, rows, open, step, go } = parallel();
    let late: Promise<void> | undefined;
    await tqdm.map(
      [1],
      async () => {
        late = step('late').then(() => open('Late').close());
      },
      OUTER,
    );
    // Another map keeps contexts alive.
    const mapped = tqdm.map([1], () => step('on'), OUTER);
    await turn();
    await go('late');
    await late;
    assert.equal(live.freeRow(), 1);
    assert.equal((await rows())[0], 'Map');
    await go('on');
    await mapped;
  });

  it('move up when a row above is gone', async () => {
    const { tqdm, live, bars, open, step, go } = parallel();
    const mapped = tqdm.map(
      ['a', 'b', 'c'],
      async (name) => {
        open(`${name}1`).close();
        await step(name);
        open(`${name}2`);
      },
      OUTER,
    );
    await turn();
    // The line of the second task's bar stays above all bars: its row is gone, the third is the second now.
    closeInRow(2, live);
    for (const name of ['c', 'b', 'a']) await go(name);
    await mapped;
    assert.deepEqual(
      ['a2', 'b2', 'c2'].map((name) => bars.get(name)!.position),
      [1, 3, 2],
    );
  });

  it('do not affect the rows of another screen', async () => {
    const one = parallel();
    const other = fakeTqdm({ stderr: new FakeFile() });
    await one.tqdm.map(
      [1],
      () => {
        other.tqdm(null, { desc: 'Other', leave: false });
        assert.equal(other.live.freeRow(), 1);
        assert.equal(one.live.freeRow(), 1);
      },
      OUTER,
    );
  });
});
