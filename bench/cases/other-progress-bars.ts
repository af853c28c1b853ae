/** Other progress bars, each used as its own documentation shows, on a terminal that discards its input. */
import { execFileSync } from 'node:child_process';
import type { Size, Subject } from '../case.js';
import { loadModule, PYTHON } from '../peers.js';

const stream = {
  isTTY: true,
  columns: 80,
  write: () => true,
  cursorTo: () => true,
  clearLine: () => true,
  on: () => stream,
  once: () => stream,
};

type Sum = (items: readonly number[]) => number;

interface CliProgress {
  SingleBar: new (
    options: object,
  ) => { start(total: number, n: number): void; increment(): void; stop(): void };
}
type Progress = new (format: string, options: object) => { tick(): void };
interface TsTqdm {
  tqdm(items: readonly number[]): Iterable<number>;
}
interface ConsoleTqdm {
  tqdm(items: readonly number[], options: object): Iterable<number>;
  TqdmProgress: new (options: object) => { render(): void; update(): void; close(): void };
}

/** Bars that wrap a loop, by package name. */
export const LOOPS: Readonly<Record<string, () => Sum>> = {
  'ts-tqdm': () => {
    const { tqdm } = loadModule('ts-tqdm') as TsTqdm;
    return (items) => {
      // The package writes to `process.stdout` only, and draws in every round.
      const { write } = process.stdout;
      process.stdout.write = () => true;
      let sum = 0;
      for (const item of tqdm(items)) sum += item;
      process.stdout.write = write;
      return sum;
    };
  },
  'node-console-progress-bar-tqdm': () => {
    const { tqdm } = loadModule('node-console-progress-bar-tqdm') as ConsoleTqdm;
    return (items) => {
      let sum = 0;
      for (const item of tqdm(items, { stream })) sum += item;
      return sum;
    };
  },
};

/** Bars that are moved by calls, by package name. */
export const UPDATES: Readonly<Record<string, () => Sum>> = {
  'cli-progress': () => {
    const { SingleBar } = loadModule('cli-progress') as CliProgress;
    return (items) => {
      const bar = new SingleBar({ stream });
      bar.start(items.length, 0);
      const sum = sumWith(items, () => bar.increment());
      bar.stop();
      return sum;
    };
  },
  progress: () => {
    const Bar = loadModule('progress') as Progress;
    return (items) => {
      const bar = new Bar(':bar', { total: items.length, stream });
      return sumWith(items, () => bar.tick());
    };
  },
  'node-console-progress-bar-tqdm': () => {
    const { TqdmProgress } = loadModule('node-console-progress-bar-tqdm') as ConsoleTqdm;
    return (items) => {
      const bar = new TqdmProgress({ total: items.length, stream });
      bar.render();
      const sum = sumWith(items, () => bar.update());
      bar.close();
      return sum;
    };
  },
};

function sumWith(items: readonly number[], update: () => void): number {
  let sum = 0;
  for (const item of items) {
    sum += item;
    update();
  }
  return sum;
}

const SCRIPT = `
import os, sys, time
from tqdm import tqdm
items = [i & 1023 for i in range(200000)]
out = open(os.devnull, 'w')
def bare():
    total = 0
    for item in items: total += item
    return total
def loop():
    total = 0
    for item in tqdm(items, file=out, ncols=80): total += item
    return total
def update():
    total = 0
    with tqdm(total=len(items), file=out, ncols=80) as bar:
        for item in items:
            total += item
            bar.update(1)
    return total
work = {'loop': loop, 'update': update}[sys.argv[1]]
assert work() == bare()
def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
print((seconds(work) - min(seconds(bare) for _ in range(3))) / len(items) * 1e9)
`;

/** Python's tqdm, measured by a Python program. */
export function pythonTqdm(work: 'loop' | 'update'): (size: Size) => Subject {
  const run = () => Number(execFileSync(PYTHON, ['-c', SCRIPT, work], { encoding: 'utf8' }));
  return () => ({ check: () => {}, run });
}
