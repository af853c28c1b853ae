/** What a progress bar adds to each round of a loop. */
import { tqdm } from 'metheus/progress';
import { type Case, expectEqual, type Size, type Subject } from '../case.js';
import { DEPENDENT_ADD } from './limits.js';

/** A terminal that takes everything and shows nothing. */
const file = { write: () => true, isTTY: true, columns: 80 };

const ITEMS = 500_000;

/** Loops for one measurement: many, because a loop that is entered once is optimized in the middle, if at all. */
function passesOf({ quick }: Size): number {
  return quick ? 4 : 10;
}

/** Twice the same, since a loop that has met both an array and a bar is optimized for neither. */
function sumBare(items: readonly number[]): number {
  let sum = 0;
  for (const item of items) sum += item;
  return sum;
}

function sumWithBar(items: readonly number[]): number {
  let sum = 0;
  for (const item of tqdm(items, { file })) sum += item;
  return sum;
}

function sumWithUpdates(items: readonly number[]): number {
  let sum = 0;
  const bar = tqdm(null, { total: items.length, file });
  for (const item of items) {
    sum += item;
    bar.update(1);
  }
  bar.close();
  return sum;
}

function overBareLoop(loop: (items: readonly number[]) => number, size: Size): Subject {
  const items = Array.from({ length: ITEMS }, (_, i) => i & 1023);
  let bare = Number.POSITIVE_INFINITY;
  const nanoseconds = (work: (items: readonly number[]) => number) => {
    const passes = passesOf(size);
    const start = performance.now();
    for (let i = 0; i < passes; i++) work(items);
    return ((performance.now() - start) * 1e6) / (passes * ITEMS);
  };
  return {
    check() {
      // Short loops first: a loop that is optimized while it runs may be optimized badly, and stays so.
      const few = items.slice(0, 1000);
      for (let i = 0; i < 1000; i++) expectEqual('sum', loop(few), sumBare(few));
      expectEqual('sum', loop(items), sumBare(items));
    },
    run() {
      // The least of all, so that an interruption of this loop does not count in favour of the other one.
      bare = Math.min(bare, nanoseconds(sumBare));
      return nanoseconds(loop) - bare;
    },
  };
}

export const PROGRESS: readonly Case[] = [
  {
    group: 'progress',
    name: 'tqdm over an array, per iteration over the bare loop',
    unit: 'ns',
    ours: (size) => overBareLoop(sumWithBar, size),
    limitedBy: DEPENDENT_ADD,
  },
  {
    group: 'progress',
    name: 'bar.update(1), per call over the bare loop',
    unit: 'ns',
    ours: (size) => overBareLoop(sumWithUpdates, size),
    limitedBy: DEPENDENT_ADD,
  },
];
