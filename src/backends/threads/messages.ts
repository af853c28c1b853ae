/**
 * What threads tell each other, on a `BroadcastChannel`. A posted message is in the main thread's queue when
 * `postMessage` returns, so even a worker that ends at once is heard.
 */
import { BroadcastChannel, threadId, type Worker } from 'node:worker_threads';

const CHANNEL = 'metheus.threads.v2';

/** What threads tell each other. */
export type ThreadMessage =
  | { readonly kind: 'hello' }
  /** A worker has kept its first exemplar: from now on it is asked. */
  | { readonly kind: 'exemplar'; readonly thread: number }
  /** Asks workers for their exemplars: see `exemplars.ts`. */
  | { readonly kind: 'exemplars' }
  | {
      readonly kind: 'page';
      readonly thread: number;
      readonly number: number;
      readonly buffer: SharedArrayBuffer;
    }
  | { readonly kind: 'start'; readonly thread: number; readonly parent: number }
  | { readonly kind: 'exit'; readonly thread: number };

type Tell = (message: ThreadMessage) => void;

/** Opens the channel without keeping the thread alive. */
export function openChannel(receive: Tell): BroadcastChannel {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event) => receive((event as { data: ThreadMessage }).data);
  channel.unref();
  return channel;
}

/** Tells of every worker that this thread starts, and of its end, whatever way it ends. */
export function watchWorkers(tell: Tell): void {
  process.on('worker', (worker: Worker) => {
    const thread = worker.threadId;
    tell({ kind: 'start', thread, parent: threadId });
    worker.once('exit', () => tell({ kind: 'exit', thread }));
  });
}
