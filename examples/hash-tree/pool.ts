/** Worker threads that divide the files among them. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FoundFile } from './walk.js';
import type { Report } from './worker.js';

/** Bytes that take about as long to hash as opening a file does. */
const BYTES_PER_FILE = 16_384;

/** The files of one thread. */
interface Share {
  readonly files: FoundFile[];
  /** The size of all files together. */
  bytes: number;
}

/** Divides files into shares that take about the same time: each file, largest first, goes to the smallest share. */
function divide(found: readonly FoundFile[], count: number): Share[] {
  const shares = Array.from({ length: count }, (): Share => ({ files: [], bytes: 0 }));
  const costOf = ({ files, bytes }: Share) => files.length * BYTES_PER_FILE + bytes;
  for (const file of [...found].sort((a, b) => b.size - a.size)) {
    const smallest = shares.reduce((least, share) => (costOf(share) < costOf(least) ? share : least));
    smallest.files.push(file);
    smallest.bytes += file.size;
  }
  return shares;
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
  const shares = divide(found, threads);
  const workers: Worker[] = [];
  const hash = (worker: Worker, i: number) =>
    new Promise<void>((resolve, reject) => {
      const { files } = shares[i]!;
      signal.addEventListener('abort', () => resolve(), { once: true });
      worker.on('message', (report: Report) => {
        if (signal.aborted) return;
        onReport(i + 1, report);
        if (report.isLast) resolve();
      });
      worker.once('error', reject);
      if (signal.aborted || files.length === 0) resolve();
      else worker.postMessage(files);
    });
  try {
    // One after the other, so that their bars are in order.
    for (const [i, { bytes }] of shares.entries()) {
      if (!signal.aborted) workers.push(await startThread(`Thread ${i + 1}`, bytes));
    }
    await Promise.all(workers.map(hash));
    onHashed();
    if (!signal.aborted) for (const worker of workers) await endThread(worker);
  } finally {
    for (const worker of workers) await worker.terminate();
  }
}

/** Starts a thread with the description and the total of its bar. Returns it once it waits for files. */
async function startThread(desc: string, total: number): Promise<Worker> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { desc, total } });
  await once(worker, 'message');
  return worker;
}

/** Makes an idle thread close its bar, and waits until it has ended. */
async function endThread(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit');
  worker.postMessage(null);
  await ended;
}
