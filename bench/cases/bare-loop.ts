/** The time that a bar adds to each round of a loop: the difference of two loops. */
import { expectEqual, type Size, type Subject } from '../case.js';

/** A terminal that discards its input. */
export const file = { write: () => true, isTTY: true, columns: 80 };

export const ITEMS = 500_000;

/** A loop that adds up all items. */
export type Sum = (items: readonly number[]) => number;

/** Two functions, since V8 optimizes a loop that has met both an array and a bar for neither. */
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

/** Number of loops of one measurement. A loop that is entered once is optimized while it runs, if at all. */
function passesOf({ quick }: Size): number {
  return quick ? 4 : 10;
}

export function overBareLoop({ loop, bare = sumBare, count = ITEMS }: Loops, size: Size): Subject {
  const items = Array.from({ length: count }, (_, i) => i & 1023);
  let fastest = Number.POSITIVE_INFINITY;
  const nanoseconds = (work: Sum) => {
    const passes = passesOf(size);
    const start = performance.now();
    for (let i = 0; i < passes; i++) work(items);
    return ((performance.now() - start) * 1e6) / (passes * count);
  };
  return {
    check() {
      // Short loops come first: a loop that is optimized while it runs may be optimized badly, and stays so.
      const few = items.slice(0, 1000);
      const loops = count === ITEMS ? 1000 : 10;
      for (let i = 0; i < loops; i++) expectEqual('sum', loop(few), bare(few));
      expectEqual('sum', loop(items), bare(items));
    },
    run() {
      // The minimum of all runs, so that an interruption of the bare loop does not favour the other one.
      fastest = Math.min(fastest, nanoseconds(bare));
      return nanoseconds(loop) - fastest;
    },
  };
}
