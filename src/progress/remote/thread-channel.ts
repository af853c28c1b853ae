/** How worker threads and the thread that draws their bars find each other. */

import {
  BroadcastChannel,
  getEnvironmentData,
  setEnvironmentData,
  threadId,
  type Worker,
} from 'node:worker_threads';
import type { Stream } from './look.js';

const CHANNEL = 'metheus.progress.v1';

export type ThreadMessage =
  /** Memory of a thread: slots of its board, or records that its bars count in (0 slots). */
  | {
      readonly kind: 'page';
      readonly thread: number;
      /** The threads that it ends with, from the drawer's own worker down. */
      readonly ancestors: readonly number[];
      readonly number: number;
      readonly buffer: SharedArrayBuffer;
      readonly slots: number;
    }
  /** There is a bar on a board again. */
  | { readonly kind: 'wake' }
  | { readonly kind: 'print'; readonly stream: Stream; readonly text: string }
  | { readonly kind: 'exit'; readonly thread: number };

/** Opens the channel without keeping the thread alive. */
export function openChannel(receive: (message: ThreadMessage) => void): BroadcastChannel {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event) => receive((event as { data: ThreadMessage }).data);
  channel.unref();
  return channel;
}

/** The threads between the drawer and this one; undefined when nobody draws. Workers get it from who starts them. */
export function ancestors(): readonly number[] | undefined {
  return getEnvironmentData(CHANNEL) as readonly number[] | undefined;
}

/** Lets the workers that this thread starts from now on know that their bars are drawn. */
export function announceDrawer(lineage: readonly number[]): void {
  setEnvironmentData(CHANNEL, [...lineage]);
}

/** Tells of the end of every worker that this thread starts, whatever way it ends. */
export function watchWorkers(ended: (thread: number) => void): void {
  process.on('worker', (worker: Worker) => {
    const thread = worker.threadId;
    worker.once('exit', () => ended(thread));
  });
}

/** This thread's own line, for the workers that it starts. */
export function ownLineage(): readonly number[] {
  return [...(ancestors() ?? []), threadId];
}
