/** The threads: each is given a batch of files whenever it is idle. */
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
 * Has all files hashed. Resolves when every thread has ended; one that fails ends them all.
 *
 * @param onReport - told what each thread does, with the number of the thread
 * @param signal - when it is aborted the threads are terminated, wherever they are
 * @param onHashed - told when nothing is left to hash. Then the threads end, one after the other: so their bars stay
 *   on the screen in their order
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
    // One after the other, so that their bars stand in their order.
    while (workers.length < threads && !signal.aborted) workers.push(await startThread(workers.length + 1));
    await Promise.all(workers.map((worker, i) => hash(worker, i + 1)));
    onHashed();
    if (!signal.aborted) for (const worker of workers) await dismiss(worker);
  } finally {
    for (const worker of workers) await worker.terminate();
  }
}

/** Resolves when the thread is ready, and has its bar. */
async function startThread(thread: number): Promise<Worker> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { desc: `Thread ${thread}` },
  });
  await once(worker, 'message');
  return worker;
}

/** Has an idle thread close its bar and end. */
async function dismiss(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit');
  worker.postMessage(null);
  await ended;
}
