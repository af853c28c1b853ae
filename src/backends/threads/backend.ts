/**
 * Worker threads. A worker counts in pages of shared memory, whatever backend the program has loaded. The main thread
 * copies the numbers into its own backend, where each worker is one more writer. So backends need no code for threads,
 * and the numbers of a terminated worker are not lost.
 *
 * This file has the code that every thread needs from the start. The code that reads pages, `bridge.ts`, is loaded
 * later.
 */
import type { Exemplar, FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { workerChannel } from '../../system/worker-channel.js';
import type { Backend, CellRequest, Cells, LabelPattern, SnapshotRequest } from '../backend.js';
import type { OwnPages, ThreadBridge } from './bridge.js';
import { ThreadPageWriter } from './page.js';

/** The backend of a worker thread: pages that the main thread reads. */
export class ThreadBackend implements Backend {
  readonly config: Readonly<Record<string, unknown>> = Object.freeze({});
  readonly storage = '';
  readonly #channel = workerChannel();
  readonly #pages = new ThreadPageWriter((buffer) => this.#channel.announce('metrics page', buffer));
  #own: OwnPages | undefined;

  reserve({ family, labels }: CellRequest): Cells {
    return this.#pages.reserve(family, labels);
  }

  release(family: FamilyDescriptor, cells: Cells): void {
    this.#pages.release(family, cells);
  }

  /** Has the main thread delete the series, since it keeps the numbers of ended threads and reads other processes. */
  removeEnded(family: FamilyDescriptor, labels: LabelPattern): void {
    this.#channel.post('series removed', { family, labels });
  }

  putExemplar(_family: FamilyDescriptor, cells: Cells, cell: number, exemplar: Exemplar): void {
    this.#pages.putExemplar(cells, cell, exemplar);
  }

  /** Returns the numbers of this thread only. */
  async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    const { OwnPages } = await import('./bridge.js');
    this.#own ??= new OwnPages();
    return this.#own.snapshot(this.#pages.buffers, request);
  }

  /** Has no effect: the main thread reads the pages directly. */
  async flush(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Receives the messages of worker threads in the main thread, and keeps them until the bridge is loaded. */
export class WorkerThreads {
  readonly #backend: () => Backend;
  readonly #channel = workerChannel();
  readonly #waiting: ((bridge: ThreadBridge) => void)[] = [];
  /** Undefined until it is loaded. */
  bridge: ThreadBridge | undefined;

  /** @param backend - returns the backend in force */
  constructor(backend: () => Backend) {
    this.#backend = backend;
    this.#channel.on('metrics page', (page) => this.#receive((bridge) => bridge.add(page)));
    this.#channel.on('thread ended', (thread) => {
      if (this.#hasPages) this.#receive((bridge) => bridge.end(thread));
    });
    this.#channel.on('series removed', ({ family, labels }) =>
      this.removeEnded(family as FamilyDescriptor, labels),
    );
  }

  /** Deletes the series of ended threads, and of ended processes, that match the pattern. */
  removeEnded(family: FamilyDescriptor, labels: LabelPattern): void {
    if (this.#hasPages) this.#receive((bridge) => bridge.removeEnded(family, labels));
    this.#backend().removeEnded?.(family, labels);
  }

  /** Returns the bridge. The first call loads it. */
  async loadBridge(): Promise<ThreadBridge> {
    const { ThreadBridge } = await import('./bridge.js');
    this.bridge ??= new ThreadBridge(this.#backend(), this.#channel);
    for (const use of this.#waiting.splice(0)) use(this.bridge);
    return this.bridge;
  }

  /** Returns the bridge if a worker thread has announced a page, else undefined. */
  async bridgeOfPages(): Promise<ThreadBridge | undefined> {
    this.#channel.drain();
    return this.bridge ?? (this.#waiting.length > 0 ? this.loadBridge() : undefined);
  }

  get #hasPages(): boolean {
    return this.bridge !== undefined || this.#waiting.length > 0;
  }

  #receive(use: (bridge: ThreadBridge) => void): void {
    if (this.bridge !== undefined) {
      use(this.bridge);
      return;
    }
    this.#waiting.push(use);
    if (this.#waiting.length === 1) void this.loadBridge();
  }
}
