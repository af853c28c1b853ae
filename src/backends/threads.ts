/**
 * Worker threads. A worker counts in pages of shared memory, whatever backend the program has loaded; the
 * main thread finds those pages and brings their numbers into its own backend, as those of further writers.
 * So no backend knows of threads, and nothing is lost when a worker is terminated.
 *
 * Pages are announced on a `BroadcastChannel`. A posted message is in the main thread's queue when
 * `postMessage` returns, so even a worker that ends at once is heard.
 */
import { BroadcastChannel, receiveMessageOnPort, threadId, type Worker } from 'node:worker_threads';
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../model/family.js';
import type { Backend, CellRequest, Cells, Move, SnapshotRequest, Writer } from './backend.js';
import { SingleProcessBackend } from './memory.js';
import { accumulate } from './merge.js';
import { ThreadPageReader, ThreadPageWriter, type ThreadRecord } from './thread-page.js';

const CHANNEL = 'metheus.threads.v1';

interface PageMessage {
  readonly kind: 'page';
  readonly thread: number;
  readonly number: number;
  readonly buffer: SharedArrayBuffer;
}

type Message =
  | { readonly kind: 'hello' }
  | PageMessage
  | { readonly kind: 'start'; readonly thread: number; readonly parent: number }
  | { readonly kind: 'exit'; readonly thread: number };

/** Opens the channel without keeping the thread alive. */
function openChannel(receive: (message: Message) => void): BroadcastChannel {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event) => receive((event as { data: Message }).data);
  channel.unref();
  return channel;
}

/** Tells of every worker that this thread starts, and of its end, whatever way it ends. */
function watchWorkers(tell: (message: Message) => void): void {
  process.on('worker', (worker: Worker) => {
    const thread = worker.threadId;
    tell({ kind: 'start', thread, parent: threadId });
    worker.once('exit', () => tell({ kind: 'exit', thread }));
  });
}

const writerOf = (thread: number): Writer => ({ id: `${process.pid}-${thread}`, live: true });

/** The backend of a worker thread: pages that the main thread reads. */
export class ThreadBackend implements Backend {
  readonly config: Readonly<Record<string, unknown>> = Object.freeze({});
  readonly #pages = new ThreadPageWriter((buffer, number) => this.#post(buffer, number));
  /** A scrape in this thread shows this thread: it reads its own pages as the main thread does. */
  readonly #own = new ThreadNumbers(writerOf(threadId));
  readonly #numbers = new SingleProcessBackend();
  readonly #channel = openChannel(({ kind }) => {
    if (kind !== 'hello') return;
    for (const [number, buffer] of this.#pages.buffers.entries()) this.#post(buffer, number);
  });

  constructor() {
    watchWorkers((message) => this.#channel.postMessage(message));
  }

  reserve({ family, labels }: CellRequest): Cells {
    return this.#pages.reserve(family, labels);
  }

  release(family: FamilyDescriptor, cells: Cells): void {
    this.#pages.release(family, cells);
  }

  snapshot(request: SnapshotRequest): FamilySnapshot[] {
    for (const [number, buffer] of this.#pages.buffers.entries()) this.#own.pages.add(number, buffer);
    this.#own.copyTo(this.#numbers);
    return this.#numbers.snapshot({ ...request, scopes: [] });
  }

  /** Nothing to do: the main thread looks at the pages whenever it is asked. */
  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  #post(buffer: SharedArrayBuffer, number: number): void {
    this.#channel.postMessage({ kind: 'page', thread: threadId, number, buffer } satisfies Message);
  }
}

/** A record, and the cells of the main thread's backend that show its numbers. */
interface Mirror {
  readonly record: ThreadRecord;
  cells: Cells;
}

/** What one thread has counted, and where it is shown. */
class ThreadNumbers {
  readonly pages = new ThreadPageReader();
  readonly writer: Writer;
  #mirrors: Mirror[] = [];

  constructor(writer: Writer) {
    this.writer = writer;
  }

  /** Brings a backend up to date. */
  copyTo(backend: Backend): void {
    for (const record of this.pages.newRecords()) {
      this.#mirrors.push({ record, cells: this.#reserve(backend, record) });
    }
    let removed = false;
    for (const { record, cells } of this.#mirrors) {
      const { family, page, offset } = record;
      for (let cell = 0; cell < family.cells; cell++) {
        cells.page[cells.offset + cell] = page[offset + cell]!;
      }
      removed ||= record.isRemoved();
    }
    if (removed) this.#releaseRemoved(backend);
  }

  /** Shows the same elsewhere. */
  rehome(move: Move): void {
    for (const mirror of this.#mirrors) {
      const { family, labels } = mirror.record;
      mirror.cells = move({ family, labels, writer: this.writer }, mirror.cells);
    }
  }

  /** Hands every series to `keep` and takes it out of the backend: the thread is gone. */
  end(backend: Backend, keep: (mirror: Mirror) => void): void {
    this.copyTo(backend);
    this.writer.live = false;
    for (const mirror of this.#mirrors) {
      keep(mirror);
      backend.release(mirror.record.family, mirror.cells);
    }
    this.#mirrors = [];
  }

  #reserve(backend: Backend, { family, labels }: ThreadRecord): Cells {
    return backend.reserve({ family, labels, writer: this.writer });
  }

  #releaseRemoved(backend: Backend): void {
    this.#mirrors = this.#mirrors.filter(({ record, cells }) => {
      if (!record.isRemoved()) return true;
      backend.release(record.family, cells);
      return false;
    });
  }
}

/** The main thread's side: every worker's numbers, in the backend in force. */
export class ThreadBridge {
  readonly #threads = new Map<number, ThreadNumbers>();
  /** The thread that started each worker. */
  readonly #parents = new Map<number, number>();
  readonly #departed: DepartedThreads;
  readonly #channel: BroadcastChannel;
  #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#departed = new DepartedThreads();
    this.#channel = openChannel((message) => this.#receive(message));
    watchWorkers((message) => this.#receive(message));
    // Workers that were there before this module was loaded here tell of their pages again.
    this.#channel.postMessage({ kind: 'hello' } satisfies Message);
  }

  /** Brings the backend up to date with everything that worker threads have counted until now. */
  sync(): void {
    this.#drain();
    for (const thread of this.#threads.values()) thread.copyTo(this.#backend);
  }

  rehome(backend: Backend, move: Move): void {
    this.#backend = backend;
    for (const thread of this.#threads.values()) thread.rehome(move);
    this.#departed.rehome(move);
  }

  /** Messages are taken from the queue here, and not only by the event loop: a scrape is never behind. */
  #drain(): void {
    for (let next = receiveMessageOnPort(this.#channel as never); next; ) {
      this.#receive(next.message as Message);
      next = receiveMessageOnPort(this.#channel as never);
    }
  }

  #receive(message: Message): void {
    if (message.kind === 'start') this.#parents.set(message.thread, message.parent);
    else if (message.kind === 'exit') this.#end(message.thread);
    else if (message.kind === 'page') this.#addPage(message);
  }

  #addPage({ thread: id, number, buffer }: PageMessage): void {
    let thread = this.#threads.get(id);
    if (thread === undefined) {
      thread = new ThreadNumbers(writerOf(id));
      this.#threads.set(id, thread);
    }
    thread.pages.add(number, buffer);
  }

  #end(id: number): void {
    this.#drain();
    // Workers of a worker end with it, and nobody else tells of that when it was terminated.
    for (const [child, parent] of this.#parents) if (parent === id) this.#end(child);
    this.#parents.delete(id);
    const thread = this.#threads.get(id);
    if (thread === undefined) return;
    this.#threads.delete(id);
    thread.end(this.#backend, ({ record, cells }) => this.#departed.add(this.#backend, record, cells));
  }
}

/**
 * The numbers of all threads that are gone, in one set of cells for each series: a thousand workers that come
 * and go leave no more behind than one.
 */
class DepartedThreads {
  readonly #writer: Writer = { id: `${process.pid}-departed`, live: false };
  readonly #series = new Map<string, { family: FamilyDescriptor; labels: readonly string[]; cells: Cells }>();

  add(backend: Backend, { family, labels }: ThreadRecord, from: Cells): void {
    if (family.merge.startsWith('live')) return;
    const key = familyKey(family) + JSON.stringify(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { family, labels, cells: backend.reserve({ family, labels, writer: this.#writer }) };
      this.#series.set(key, series);
    }
    const { page, offset } = series.cells;
    accumulate(family, page, offset, from.page, from.offset, false);
  }

  rehome(move: Move): void {
    for (const series of this.#series.values()) {
      const { family, labels, cells } = series;
      series.cells = move({ family, labels, writer: this.#writer }, cells);
    }
  }
}
