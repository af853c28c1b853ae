/** Thousands of open bars: free rows are found without a search through all bars, with the same result. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Bar } from '#metheus/progress/bar/bar.js';
import { fakeTqdm } from '../fakes.js';

// A fixed seed generates the same cases in every run.
fc.configureGlobal({ seed: 20_261_127 });

const COUNT = 10_000;

/** Returns the processor time in milliseconds that a function takes. */
function cost(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

describe('many open bars', () => {
  for (const output of ['lines', 'terminal'] as const) {
    it(`have a constant cost for each bar: ${output}`, () => {
      const { tqdm } = fakeTqdm();
      const bars: Bar[] = [];
      const open = () => {
        for (let i = 0; i < COUNT / 10; i += 1) bars.push(tqdm(null, { output, ncols: 0, leave: false }));
      };
      const costs = Array.from({ length: 10 }, () => cost(open));
      assert.deepEqual(
        bars.map(({ position }) => position),
        Array.from({ length: COUNT }, (_, row) => row),
      );
      // With a search through all bars, the last thousand cost nineteen times as much as the first.
      const last = Math.min(...costs.slice(5));
      assert.ok(last < 4 * Math.max(costs[0]!, 5), `${costs}`);
      for (const bar of bars) bar.close();
    });
  }

  it('close at a constant cost for each bar on a terminal', () => {
    const { tqdm } = fakeTqdm();
    const file = Object.assign(new EventEmitter(), { isTTY: true, columns: 80, rows: 24, write: () => true });
    const bars = Array.from({ length: COUNT }, () => tqdm(null, { file, ncols: 0 }));
    const costs = Array.from({ length: 10 }, () =>
      cost(() => {
        for (const bar of bars.splice(0, COUNT / 10)) bar.close();
      }),
    );
    // If each bar moved all others, or were drawn with them, the first thousand would cost ten times as much as the last.
    const first = Math.min(...costs.slice(0, 5));
    const last = Math.min(...costs.slice(5));
    assert.ok(first < 4 * Math.max(last, 5), `${costs}`);
  });
});

describe('rows', () => {
  it('on a screen that has become larger are given to the bars below it', () => {
    const { tqdm, live } = fakeTqdm();
    const file = Object.assign(new EventEmitter(), { isTTY: true, columns: 80, rows: 5, write: () => true });
    const bars = Array.from({ length: 20 }, () => tqdm(null, { file, ncols: 0, dynamicNcols: true }));
    // The screen has four rows for bars. Each bar that closes gives one to the first bar below it.
    for (const bar of bars.splice(0, 10)) bar.close();
    assert.deepEqual(
      bars.slice(0, 4).map(({ position }) => position),
      [0, 1, 2, 3],
    );
    file.rows = 12;
    file.emit('resize');
    live.sample();
    assert.deepEqual(
      bars.map(({ position }) => position),
      Array.from({ length: 10 }, (_, row) => row),
    );
    for (const bar of bars) bar.close();
  });

  it('are the first free ones, and are given to bars below the screen when they become free', () => {
    const step = fc.tuple(fc.constantFrom('open', 'open', 'open', 'fixed', 'close'), fc.nat(30));
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
        const { tqdm } = fakeTqdm();
        const rows = 5;
        const bars: { readonly bar: Bar; readonly isFixed: boolean; row: number }[] = [];
        for (const [what, which] of steps) {
          if (what !== 'close' || bars.length === 0) {
            const taken = new Set(bars.map(({ row }) => row));
            let row = 0;
            while (taken.has(row)) row += 1;
            const isFixed = what === 'fixed' && which > 0;
            if (isFixed) row = which;
            const position = isFixed ? which : null;
            bars.push({ bar: tqdm(null, { nrows: rows, ncols: 0, leave: false, position }), isFixed, row });
          } else {
            const [closed] = bars.splice(which % bars.length, 1);
            closed!.bar.close();
            const below = bars.filter((bar) => !bar.isFixed && bar.row >= rows - 1);
            const first = below.sort((a, b) => a.row - b.row)[0];
            if (first !== undefined) first.row = closed!.row;
          }
          assert.deepEqual(
            bars.map(({ bar }) => bar.position),
            bars.map(({ row }) => row),
          );
        }
        for (const { bar } of bars) bar.close();
      }),
    );
  });
});
