/** A worker thread that counts without a pause, and reports each count. */
import { parentPort, workerData } from 'node:worker_threads';
import { createCounter } from 'metheus';

const { told, i } = workerData as { told: Int32Array; i: number };
const ticks = createCounter('ticks_total', 'Ticks.');
const kinds = createCounter('kinds_total', 'Ticks by kind.', { requiredLabels: ['kind'] });
parentPort!.postMessage('ready');
for (let n = 0; ; n++) {
  ticks.inc();
  kinds.labels({ kind: String(n % 50) }).inc();
  Atomics.add(told, i, 1);
}
