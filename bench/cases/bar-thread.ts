/** Worker thread of `progress-thread.ts`, whose bars the main thread draws. */
import { parentPort, workerData } from 'node:worker_threads';
import { TqdmPromProxy } from 'metheus/progress';
import type { Size } from '../case.js';
import { overBareLoop } from './bare-loop.js';

export interface ThreadData {
  /** The name of the proxies of both threads. */
  readonly name: string;
  readonly size: Size;
}

/** The next step. */
export type ThreadRequest = 'check' | 'run';

/** Nanoseconds of one update, and the number of updates so far. */
export interface ThreadAnswer {
  readonly measured: number;
  readonly updates: number;
}

const { name, size } = workerData as ThreadData;
const { tqdm } = new TqdmPromProxy({ name });
let updates = 0;

function sumWithUpdates(items: readonly number[]): number {
  let sum = 0;
  const bar = tqdm(null, { total: items.length, output: 'terminal' });
  for (const item of items) {
    sum += item;
    bar.update(1);
  }
  bar.close();
  updates += items.length;
  return sum;
}

const { check, run } = overBareLoop({ loop: sumWithUpdates }, size);

parentPort!.on('message', async (request: ThreadRequest) => {
  const measured = request === 'run' ? await run() : Number.NaN;
  if (request === 'check') await check();
  parentPort!.postMessage({ measured, updates } satisfies ThreadAnswer);
});
