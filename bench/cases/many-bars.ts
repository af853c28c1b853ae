/** Thousands of bars: opened, updated in turn, and closed one by one. */
import { EventEmitter } from 'node:events';
import { type Bar, tqdm } from 'metheus/progress';
import { type Case, expectEqual, perRound, type Size, type Subject } from '../case.js';
import { file } from './bare-loop.js';

const MANY = 10_000;
const IN_TURN = 1000;
/** Cells between two counts, so that each is in a cache line of its own. */
const STRIDE = 16;

/** Returns a terminal that discards its input, and on which bars have rows. */
function terminal() {
  return Object.assign(new EventEmitter(), { isTTY: true, columns: 80, rows: 24, write: () => true });
}

function open(count: number, on: typeof file): Bar[] {
  return Array.from({ length: count }, (_, i) => tqdm(null, { desc: `Bar ${i}`, total: 10, file: on }));
}

/** Returns the processor time of a function in milliseconds. */
function processorTime(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Measures the opening of many bars, or their closing. */
function opening(on: typeof file, measures: 'opening' | 'closing'): Subject {
  return {
    check() {
      const bars = open(30, on);
      expectEqual('row', bars[29]!.position, 29);
      for (const bar of bars) bar.close();
      const [next] = open(1, on);
      expectEqual('row', next!.position, 0);
      next!.close();
    },
    run() {
      let bars: Bar[] = [];
      const times = {
        opening: processorTime(() => {
          bars = open(MANY, on);
        }),
        closing: processorTime(() => {
          for (const bar of bars) bar.close();
        }),
      };
      return times[measures];
    },
  };
}

function updatesInTurn(size: Size): Subject {
  const bars = Array.from({ length: IN_TURN }, () => tqdm(null, { total: 1e12, output: 'none' }));
  const loop = (rounds: number) => {
    let next = 0;
    for (let i = 0; i < rounds; i++) {
      bars[next]!.update(1);
      next = next + 1 === bars.length ? 0 : next + 1;
    }
  };
  return {
    check() {
      loop(IN_TURN * 3);
      for (const bar of bars) expectEqual('n', bar.n, 3);
    },
    run: perRound(loop, size),
  };
}

/** The memory that an update reads and writes: an object for the bar, its numbers, its record and its cells. */
class Counted {
  readonly numbers: { readonly record: { readonly page: Float64Array; readonly offset: number }; n: number };

  constructor(page: Float64Array, offset: number) {
    this.numbers = { record: { page, offset }, n: 0.5 };
  }
}

function plainObjectsInTurn(size: Size): Subject {
  const page = new Float64Array(IN_TURN * STRIDE);
  const thresholds = new Float64Array(IN_TURN).fill(Number.POSITIVE_INFINITY);
  const objects = Array.from({ length: IN_TURN }, (_, i) => new Counted(page, i * STRIDE));
  let reached = 0;
  const loop = (rounds: number) => {
    let next = 0;
    for (let i = 0; i < rounds; i++) {
      const { numbers } = objects[next]!;
      const { record } = numbers;
      record.page[record.offset]! -= -1;
      numbers.n -= -1;
      if (numbers.n >= thresholds[next]!) reached += 1;
      next = next + 1 === objects.length ? 0 : next + 1;
    }
  };
  return {
    check() {
      loop(IN_TURN);
      expectEqual('count', page[0]!, 1);
      expectEqual('thresholds', reached, 0);
    },
    run: perRound(loop, size),
  };
}

export const CASES: readonly Case[] = [
  {
    group: 'progress',
    name: 'opening 10,000 bars that are drawn as lines, processor time',
    unit: 'ms',
    ours: () => opening({ ...file, isTTY: false }, 'opening'),
    target: { max: 100 },
    slow: true,
  },
  {
    group: 'progress',
    name: 'opening 10,000 bars on a terminal, processor time',
    unit: 'ms',
    ours: () => opening(terminal(), 'opening'),
    target: { max: 100 },
    slow: true,
  },
  {
    group: 'progress',
    name: 'closing 10,000 bars on a terminal one by one, each with a line that stays, processor time',
    unit: 'ms',
    ours: () => opening(terminal(), 'closing'),
    slow: true,
  },
  {
    group: 'progress',
    name: 'bar.update(1) on 1,000 bars in turn; limit: 1,000 objects with the same memory',
    unit: 'ns',
    ours: updatesInTurn,
    limit: plainObjectsInTurn,
  },
];
