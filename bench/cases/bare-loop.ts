/** What something adds to each round of a loop: the difference of two loops. */
import { expectEqual, type Size, type Subject } from '../case.js';

/** A terminal that takes everything and shows nothing. */
export const file = { write: () => true, isTTY: true, columns: 80 };

export const ITEMS = 500_000;

/** A loop over all items, which it adds up. */
export type Sum = (items: readonly number[]) => number;

/** Two functions, since a loop that has met both an array and a bar is optimized for neither. */
function sumBare(items: readonly number[]): number {
  let sum = 0;
  for (const item of items) sum += item;
  return sum;
}

export interface Loops {
  readonly loop: Sum;
  readonly bare?: Sum;
  readonly count?: number;
}

/** Loops for one measurement: many, because a loop that is entered once is optimized in the middle, if at all. */
function passesOf({ quick }: Size): number {
  return quick ? 4 : 10;
}

export function overBareLoop({ loop, bare = sumBare, count = ITEMS }: Loops, size: Size): Subject {
  const items = Array.from({ length: count }, (_, i) => i & 1023);
  let least = Number.POSITIVE_INFINITY;
  const nanoseconds = (work: Sum) => {
    const passes = passesOf(size);
    const start = performance.now();
    for (let i = 0; i < passes; i++) work(items);
    return ((performance.now() - start) * 1e6) / (passes * count);
  };
  return {
    check() {
      // Short loops first: a loop that is optimized while it runs may be optimized badly, and stays so.
      const few = items.slice(0, 1000);
      const loops = count === ITEMS ? 1000 : 10;
      for (let i = 0; i < loops; i++) expectEqual('sum', loop(few), bare(few));
      expectEqual('sum', loop(items), bare(items));
    },
    run() {
      // The least of all, so that an interruption of this loop does not count in favour of the other one.
      least = Math.min(least, nanoseconds(bare));
      return nanoseconds(loop) - least;
    },
  };
}
