/** A pool of worker threads, each of which gets a batch of files whenever it is idle. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FoundFile } from './walk.js';
import type { Report } from './worker.js';

const BATCH_FILES = 64;
const BATCH_BYTES = 8 << 20;

/** Takes files from the end of `files` until the batch is full. */
function takeBatch(files: FoundFile[]): FoundFile[] {
  const batch: FoundFile[] = [];
  let bytes = 0;
  while (files.length > 0 && batch.length < BATCH_FILES && bytes < BATCH_BYTES) {
    const file = files.pop()!;
    batch.push(file);
    bytes += file.size;
  }
  return batch;
}

/**
 * Hashes all files. Resolves when every thread has ended; when one fails, all are terminated.
 *
 * @param onReport - called for each report of a thread, with the number of the thread
 * @param signal - terminates the threads at once when aborted
 * @param onHashed - called when all files are hashed, before the threads end one after the other, which keeps their
 *   bars on the screen in order
 */
export async function hashAll(
  found: readonly FoundFile[],
  threads: number,
  onReport: (thread: number, report: Report) => void,
  signal: AbortSignal,
  onHashed: () => void = () => {},
): Promise<void> {
  const files = [...found].reverse();
  const workers: Worker[] = [];
  const hash = (worker: Worker, thread: number) =>
    new Promise<void>((resolve, reject) => {
      const feed = () => {
        const batch = takeBatch(files);
        if (batch.length > 0) worker.postMessage(batch);
        else resolve();
      };
      signal.addEventListener('abort', () => resolve(), { once: true });
      worker.on('message', (report: Report) => {
        if (signal.aborted) return;
        onReport(thread, report);
        if (report.idle) feed();
      });
      worker.once('error', reject);
      if (signal.aborted) resolve();
      else feed();
    });
  try {
    // One after the other, so that their bars are in order.
    while (workers.length < threads && !signal.aborted) workers.push(await startThread(workers.length + 1));
    await Promise.all(workers.map((worker, i) => hash(worker, i + 1)));
    onHashed();
    if (!signal.aborted) for (const worker of workers) await endThread(worker);
  } finally {
    for (const worker of workers) await worker.terminate();
  }
}

/** Starts a thread, and returns it once it has its bar and waits for files. */
async function startThread(thread: number): Promise<Worker> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { desc: `Thread ${thread}` },
  });
  await once(worker, 'message');
  return worker;
}

/** Makes an idle thread close its bar, and waits until it has ended. */
async function endThread(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit');
  worker.postMessage(null);
  await ended;
}
