/** What a progress bar adds to each round of a loop. */
import { tqdm } from 'metheus/progress';
import { type Case, expectEqual, type Size, type Subject } from '../case.js';
import { DEPENDENT_ADD } from './limits.js';

/** A terminal that takes everything and shows nothing. */
const file = { write: () => true, isTTY: true, columns: 80 };

function itemsOf({ quick }: Size): number[] {
  return Array.from({ length: quick ? 1_000_000 : 5_000_000 }, (_, i) => i & 1023);
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
  const items = itemsOf(size);
  let bare = Number.POSITIVE_INFINITY;
  const nanoseconds = (work: () => void) => {
    const start = performance.now();
    work();
    return ((performance.now() - start) * 1e6) / items.length;
  };
  return {
    check() {
      expectEqual('sum', loop(items), sumBare(items));
    },
    run() {
      // The least of all, so that an interruption of this loop does not count in favour of the other one.
      bare = Math.min(
        bare,
        nanoseconds(() => sumBare(items)),
      );
      return nanoseconds(() => loop(items)) - bare;
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
