/** The time that a progress bar adds to each round of a loop. */
import { tqdm, trange } from 'metheus/progress';
import type { Case, Size } from '../case.js';
import { file, overBareLoop, type Sum } from './bare-loop.js';
import { DEPENDENT_ADD } from './limits.js';
import { LOOPS, pythonTqdm, UPDATES } from './other-progress-bars.js';

/** Number of rounds for packages that need a microsecond or more for each. */
const FEWER_ITEMS = 20_000;

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

function sumRange(items: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < items.length; i++) sum += i;
  return sum;
}

function sumWithTrange(items: readonly number[]): number {
  let sum = 0;
  for (const i of trange(items.length, { file })) sum += i;
  return sum;
}

function rivals(sums: Readonly<Record<string, () => Sum>>, python: 'loop' | 'update') {
  const packages = Object.entries(sums).map(([name, load]) => [
    name,
    (size: Size) => overBareLoop({ loop: load(), count: FEWER_ITEMS }, size),
  ]);
  return { 'python3-tqdm': pythonTqdm(python), ...Object.fromEntries(packages) };
}

export const CASES: readonly Case[] = [
  {
    group: 'progress',
    name: 'tqdm over an array, per iteration over the bare loop',
    unit: 'ns',
    ours: (size) => overBareLoop({ loop: sumWithBar }, size),
    rivals: rivals(LOOPS, 'loop'),
    limitedBy: DEPENDENT_ADD,
    slow: 'peers',
    target: { max: 6 },
  },
  {
    group: 'progress',
    name: 'trange, per iteration over the bare loop',
    unit: 'ns',
    ours: (size) => overBareLoop({ loop: sumWithTrange, bare: sumRange }, size),
    limitedBy: DEPENDENT_ADD,
    target: { max: 6 },
  },
  {
    group: 'progress',
    name: 'bar.update(1), per call over the bare loop',
    unit: 'ns',
    ours: (size) => overBareLoop({ loop: sumWithUpdates }, size),
    rivals: rivals(UPDATES, 'update'),
    limitedBy: DEPENDENT_ADD,
    slow: 'peers',
    target: { max: 5 },
  },
];
