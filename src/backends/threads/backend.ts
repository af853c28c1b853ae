/**
 * Worker threads. A worker counts in pages of shared memory, whatever backend the program has loaded; the
 * main thread finds those pages and brings their numbers into its own backend, as those of further writers.
 * So no backend knows of threads, and nothing is lost when a worker is terminated.
 *
 * Here are those who write and those who listen, from the first moment on; what reads comes when it is needed.
 */
import { type BroadcastChannel, receiveMessageOnPort, threadId } from 'node:worker_threads';
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import type { Backend, CellRequest, Cells, SnapshotRequest } from '../backend.js';
import type { CellOwner } from '../cell-owner.js';
import type { ThreadBridge } from './bridge.js';
import { openChannel, type ThreadMessage, watchWorkers } from './messages.js';
import type { OwnPages } from './numbers.js';
import { ThreadPageWriter } from './page.js';

/** The backend of a worker thread: pages that the main thread reads. */
export class ThreadBackend implements Backend {
  readonly config: Readonly<Record<string, unknown>> = Object.freeze({});
  readonly #pages = new ThreadPageWriter((buffer, number) => this.#post(buffer, number));
  readonly #owners: Iterable<WeakRef<CellOwner>>;
  #own: OwnPages | undefined;
  #hasExemplars = false;
  readonly #channel = openChannel(({ kind }) => {
    if (kind === 'exemplars') void import('./exemplars.js').then((to) => to.answerExemplars(this.#owners));
    if (kind !== 'hello') return;
    for (const [number, buffer] of this.#pages.buffers.entries()) this.#post(buffer, number);
    if (this.#hasExemplars) this.tellOfExemplars();
  });

  /** @param owners - whose exemplars are told */
  constructor(owners: Iterable<WeakRef<CellOwner>>) {
    this.#owners = owners;
    watchWorkers((message) => this.#channel.postMessage(message));
  }

  reserve({ family, labels }: CellRequest): Cells {
    return this.#pages.reserve(family, labels);
  }

  release(family: FamilyDescriptor, cells: Cells): void {
    this.#pages.release(family, cells);
  }

  /** A scrape in this thread shows this thread: it reads its own pages as the main thread does. */
  async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    const { OwnPages } = await import('./numbers.js');
    this.#own ??= new OwnPages();
    return this.#own.snapshot(this.#pages.buffers, request);
  }

  /** Nothing to do: the main thread looks at the pages whenever it is asked. */
  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  /** That there is one: nobody waits for workers that have none. */
  tellOfExemplars(): void {
    this.#hasExemplars = true;
    this.#channel.postMessage({ kind: 'exemplar', thread: threadId } satisfies ThreadMessage);
  }

  #post(buffer: SharedArrayBuffer, number: number): void {
    this.#channel.postMessage({ kind: 'page', thread: threadId, number, buffer } satisfies ThreadMessage);
  }
}

/** The main thread's ear: what was told stays here until the bridge is there. */
export class WorkerThreads {
  readonly #backend: () => Backend;
  readonly #told: ThreadMessage[] = [];
  readonly #channel: BroadcastChannel;
  #bridge: ThreadBridge | undefined;

  /** @param backend - the backend in force */
  constructor(backend: () => Backend) {
    this.#backend = backend;
    this.#channel = openChannel((message) => this.#receive(message));
    watchWorkers((message) => this.#receive(message));
    // Workers that were there before this module was loaded here tell of their pages again.
    this.#channel.postMessage({ kind: 'hello' } satisfies ThreadMessage);
  }

  /** What brings numbers over: loaded with the first worker, or for the first who reads. */
  async bridge(): Promise<ThreadBridge> {
    const { ThreadBridge } = await import('./bridge.js');
    const tell = (message: ThreadMessage) => this.#channel.postMessage(message);
    this.#bridge ??= new ThreadBridge(this.#backend(), () => this.#take(), tell);
    return this.#bridge;
  }

  #receive(message: ThreadMessage): void {
    this.#told.push(message);
    if (this.#bridge === undefined) void this.bridge().then((bridge) => bridge.listen());
    else this.#bridge.listen();
  }

  /** Messages are taken from the queue too, and not only by the event loop: a scrape is never behind. */
  #take(): ThreadMessage[] {
    for (let next = receiveMessageOnPort(this.#channel as never); next; ) {
      this.#told.push(next.message as ThreadMessage);
      next = receiveMessageOnPort(this.#channel as never);
    }
    return this.#told.splice(0);
  }
}
