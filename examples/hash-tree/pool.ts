/** The threads: each is given a batch of files whenever it is idle. */
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
 */
export async function hashAll(
  found: readonly FoundFile[],
  threads: number,
  onReport: (thread: number, report: Report) => void,
  signal: AbortSignal,
): Promise<void> {
  const files = [...found].reverse();
  const workers: Worker[] = [];
  const run = (thread: number) =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), {
        workerData: { desc: `Thread ${thread}` },
      });
      workers.push(worker);
      const stop = () => void worker.terminate();
      const feed = () => {
        const batch = takeBatch(files);
        worker.postMessage(batch.length > 0 ? batch : null);
      };
      signal.addEventListener('abort', stop, { once: true });
      worker.on('message', (report: Report) => {
        if (signal.aborted) return;
        onReport(thread, report);
        if (report.idle) feed();
      });
      worker.once('error', reject);
      worker.once('exit', () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      if (signal.aborted) stop();
      else feed();
    });
  try {
    await Promise.all(Array.from({ length: threads }, (_, i) => run(i + 1)));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
