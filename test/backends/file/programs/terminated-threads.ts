/** Starts worker threads that count, and terminates each at random: `terminated-threads.js <directory> <threads>`. */
import { Worker } from 'node:worker_threads';
import { createCounter, generateMetrics, loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';

const [, , directory, count] = process.argv;
await loadBackend(MultiProcessFileBackend, { directory: directory! });
const finished = createCounter('finished_total', 'Threads that are gone.');
const module = new URL('./continuous-thread.js', import.meta.url);
/** The count that each thread has reported after counting. */
const told = new Int32Array(new SharedArrayBuffer(4 * Number(count)));
let next = 0;

async function terminateSome(): Promise<void> {
  while (next < Number(count)) {
    const i = next++;
    const worker = new Worker(module, { workerData: { told, i } });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    if (i % 4 > 0) await new Promise((resolve) => worker.once('message', resolve));
    // From before the package is loaded to the middle of counting.
    await new Promise((resolve) => setTimeout(resolve, (i * 3) % 7));
    void worker.terminate();
    await exited;
    finished.inc();
    if (i % 50 === 0) await generateMetrics();
  }
}

await Promise.all([terminateSome(), terminateSome()]);
process.send!(told.reduce((a, b) => a + b, 0));
process.disconnect();
