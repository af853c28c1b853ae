/** Counts as late as possible: `late-writer.js <directory> <how to end>`. */
import { Worker } from 'node:worker_threads';
import { createCounter, loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';

const [, , directory, how] = process.argv;
const exits = createCounter('exits_total', 'Moments.', { requiredLabels: ['at'] });
process.on('exit', () => exits.labels({ at: 'exit before' }).inc());
await loadBackend(MultiProcessFileBackend, { directory: directory! });
process.on('exit', () => exits.labels({ at: 'exit after' }).inc());
process.on('beforeExit', () => exits.labels({ at: 'beforeExit' }).inc());
process.on('uncaughtExceptionMonitor', () => exits.labels({ at: 'uncaught' }).inc());
exits.labels({ at: 'start' }).inc();
process.disconnect();

if (how === 'signal') process.kill(process.pid, 'SIGKILL');
// Counted by a thread, and not copied before the exit.
const worker = new Worker(new URL('./single-count-thread.js', import.meta.url), {
  workerData: 'thread at exit',
});
worker.unref();
await new Promise((resolve) => worker.once('message', resolve));
if (how === 'exit') process.exit(3);
if (how === 'throw') throw new Error('told to');
if (how === 'reject') void Promise.reject(new Error('told to'));
