/** Bars of a worker thread, which the main thread draws and publishes. */
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { CollectorRegistry, generateMetrics } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';
import { type Case, expectEqual, type Size, type Subject } from '../case.js';
import { sumOf } from '../workload/exposition-samples.js';
import type { ThreadAnswer, ThreadData, ThreadRequest } from './bar-thread.js';
import { ITEMS } from './bare-loop.js';
import { DEPENDENT_ADD } from './limits.js';

const NAME = 'bench';
/** Longer than the 100 ms between two frames. */
const DRAWN_MS = 10_000;

function moving(size: Size): Subject {
  let drawn = '';
  const screen = new Writable({
    write(text: Buffer, _encoding, callback) {
      drawn += text.toString();
      callback();
    },
  });
  Object.defineProperty(process, 'stderr', { value: Object.assign(screen, { isTTY: true, columns: 80 }) });
  const registry = new CollectorRegistry({ scope: 'bench' });
  registry.register(new TqdmPromProxy({ name: NAME }));
  const workerData: ThreadData = { name: NAME, size };
  const worker = new Worker(new URL('./bar-thread.js', import.meta.url), { workerData });
  const ask = async (request: ThreadRequest): Promise<ThreadAnswer> => {
    worker.postMessage(request);
    const [answer] = await once(worker, 'message');
    drawn = drawn.slice(-1000);
    return answer;
  };
  return {
    async check() {
      const { updates } = await ask('check');
      const lines = (await generateMetrics(registry)).split('\n');
      const completed = lines.filter((line) => line.startsWith('progress_completed_total{'));
      expectEqual('published', sumOf(completed.join('\n')), updates);
      const start = performance.now();
      while (!drawn.includes(`${ITEMS}/${ITEMS}`)) {
        if (performance.now() - start > DRAWN_MS) throw new Error('the last frame was not drawn');
        await sleep(20);
      }
    },
    run: async () => (await ask('run')).measured,
  };
}

export const CASES: readonly Case[] = [
  {
    group: 'progress',
    name: 'bar.update(1) in a worker thread, published, and drawn by its parent',
    unit: 'ns',
    ours: moving,
    limitedBy: DEPENDENT_ADD,
  },
];
