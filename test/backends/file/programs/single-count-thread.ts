/** A worker thread that counts once in `exits_total`, reports that and keeps running. */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { createCounter, generateMetrics } from 'metheus';

createCounter('exits_total', 'Moments.', { requiredLabels: ['at'] })
  .labels({ at: String(workerData) })
  .inc();
await generateMetrics();
const loaded = Object.keys(createRequire(import.meta.url).cache);
parentPort!.postMessage({ koffi: loaded.some((path) => path.includes('koffi')) });
setInterval(() => {}, 1000);
