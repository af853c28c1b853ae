/**
 * Finds the number below a limit with the longest Collatz sequence, in four worker threads:
 *
 *     node build/examples/progress/workers.js 3000000
 *
 * Each thread has a bar, and the main thread draws them all. No setup is needed, except that the main thread imports
 * `metheus/progress` before it starts the others.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { tqdm, trange } from 'metheus/progress';

interface Longest {
  readonly start: number;
  readonly steps: number;
}

const THREADS = 4;
const longer = (a: Longest, b: Longest) => (b.steps > a.steps ? b : a);

function stepsOf(start: number): number {
  let steps = 0;
  for (let n = start; n !== 1; steps += 1) n = n % 2 === 0 ? n / 2 : 3 * n + 1;
  return steps;
}

function search(first: number, limit: number): Longest {
  let longest = { start: 1, steps: 0 };
  for (const start of trange(first, limit, THREADS, { desc: `Thread ${first}`, unitScale: true })) {
    longest = longer(longest, { start, steps: stepsOf(start) });
  }
  return longest;
}

function searchInThread(first: number, limit: number): Promise<Longest> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { first, limit } });
    worker.once('message', (found: Longest) => {
      // The last frame of the thread's bar is drawn when the thread has ended.
      worker.once('exit', () => resolve(found));
    });
    worker.once('error', reject);
  });
}

if (isMainThread) {
  const limit = Number(process.argv[2] ?? 1_000_000);
  const searches = Array.from({ length: THREADS }, (_, i) => searchInThread(i + 1, limit));
  const found = await tqdm.all(searches, { desc: 'Threads' });
  const { start, steps } = found.reduce(longer);
  console.log(`${start} takes ${steps} steps`);
} else {
  const { first, limit } = workerData as { first: number; limit: number };
  parentPort!.postMessage(search(first, limit));
}
