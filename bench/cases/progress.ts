/** What a progress bar adds to each round of a loop. */
import { tqdm } from 'metheus/progress';
import { type Case, expectEqual, type Size, type Subject } from '../case.js';
import { DEPENDENT_ADD } from './limits.js';
import { LOOPS, pythonTqdm, UPDATES } from './progress-rivals.js';

/** A terminal that takes everything and shows nothing. */
const file = { write: () => true, isTTY: true, columns: 80 };

const ITEMS = 500_000;
/** For those that need a microsecond and more for each. */
const FEWER_ITEMS = 20_000;

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

type Sum = (items: readonly number[]) => number;

function overBareLoop(loop: Sum, size: Size, count = ITEMS): Subject {
  const items = Array.from({ length: count }, (_, i) => i & 1023);
  let bare = Number.POSITIVE_INFINITY;
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
      for (let i = 0; i < loops; i++) expectEqual('sum', loop(few), sumBare(few));
      expectEqual('sum', loop(items), sumBare(items));
    },
    run() {
      // The least of all, so that an interruption of this loop does not count in favour of the other one.
      bare = Math.min(bare, nanoseconds(sumBare));
      return nanoseconds(loop) - bare;
    },
  };
}

function rivals(sums: Readonly<Record<string, () => Sum>>, python: 'loop' | 'update') {
  const packages = Object.entries(sums).map(([name, load]) => [
    name,
    (size: Size) => overBareLoop(load(), size, FEWER_ITEMS),
  ]);
  return { 'python3-tqdm': pythonTqdm(python), ...Object.fromEntries(packages) };
}

export const PROGRESS: readonly Case[] = [
  {
    group: 'progress',
    name: 'tqdm over an array, per iteration over the bare loop',
    unit: 'ns',
    ours: (size) => overBareLoop(sumWithBar, size),
    rivals: rivals(LOOPS, 'loop'),
    limitedBy: DEPENDENT_ADD,
  },
  {
    group: 'progress',
    name: 'bar.update(1), per call over the bare loop',
    unit: 'ns',
    ours: (size) => overBareLoop(sumWithUpdates, size),
    rivals: rivals(UPDATES, 'update'),
    limitedBy: DEPENDENT_ADD,
  },
];
