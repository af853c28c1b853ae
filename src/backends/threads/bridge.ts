/** Brings the numbers of worker threads into the backend of the main thread, where each thread is one more writer. */
import { threadId } from 'node:worker_threads';
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../../model/family.js';
import { matchesLabels } from '../../model/labels.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { WorkerChannel, WorkerPage } from '../../system/worker-channel.js';
import type { Backend, Cells, LabelPattern, Move, SnapshotRequest, Writer } from '../backend.js';
import { SingleProcessBackend } from '../memory.js';
import { addSeries } from '../merge.js';
import { ThreadPageReader, type ThreadRecord } from './page-reader.js';

/** A series that a worker thread counts, or that ended threads have counted. */
export interface ThreadSeries {
  readonly labels: readonly string[];
  readonly cells: Cells;
  readonly live: boolean;
}

export class ThreadBridge {
  readonly #channel: WorkerChannel;
  readonly #threads = new Map<number, ThreadNumbers>();
  readonly #ended = new EndedThreads();
  #backend: Backend;

  constructor(backend: Backend, channel: WorkerChannel) {
    this.#backend = backend;
    this.#channel = channel;
  }

  /** Brings the backend up to date with what worker threads have counted until now. */
  sync(): void {
    this.#channel.drain();
    for (const thread of this.#threads.values()) thread.copyTo(this.#backend);
  }

  /** Reads a page of a worker from now on. */
  add({ thread: id, lineage, number, buffer }: WorkerPage): void {
    findOrCreate(this.#threads, id, () => new ThreadNumbers(id, lineage)).pages.add(number, buffer);
  }

  /**
   * Keeps the numbers of a thread that has ended, and of all threads that it started: they ended too, without a
   * message.
   */
  end(ended: number): void {
    for (const [id, thread] of this.#threads) {
      if (!thread.lineage.includes(ended)) continue;
      this.#threads.delete(id);
      thread.end(this.#backend, ({ record, cells }) => this.#ended.add(this.#backend, record, cells));
    }
  }

  /** Yields the series of a family, each thread's with its own cells. */
  *seriesOf(family: FamilyDescriptor): Iterable<ThreadSeries> {
    for (const thread of this.#threads.values()) yield* thread.seriesOf(family);
    yield* this.#ended.seriesOf(family);
  }

  /** Deletes the series of ended threads that match the pattern. */
  removeEnded(family: FamilyDescriptor, labels: LabelPattern): void {
    this.#ended.remove(this.#backend, family, labels);
  }

  migrate(backend: Backend, move: Move): void {
    this.#backend = backend;
    for (const thread of this.#threads.values()) thread.migrate(move);
    this.#ended.migrate(move);
  }
}

/** A series of a thread, and the cells of a backend that its numbers are copied to. */
interface CopiedSeries {
  readonly record: ThreadRecord;
  cells: Cells;
}

/** The numbers of one thread in a backend. */
class ThreadNumbers {
  readonly pages = new ThreadPageReader();
  readonly writer: Writer;
  readonly lineage: readonly number[];
  /** By `ThreadRecord.address`. */
  readonly #series = new Map<number, CopiedSeries>();

  /** @param lineage - ids of this thread and its ancestors; Node ends a thread when its parent thread ends */
  constructor(thread: number, lineage: readonly number[] = [thread]) {
    this.lineage = lineage;
    this.writer = { id: `${process.pid}-${thread}`, live: true };
  }

  /** Copies the thread's current numbers into the backend. */
  copyTo(backend: Backend): void {
    for (const record of this.pages.newRecords()) {
      const { family, labels, created } = record;
      const cells = backend.reserve({ family, labels, created, writer: this.writer });
      this.#series.set(record.address, { record, cells });
    }
    for (const { record, cells } of this.#series.values()) {
      const { family, address, page, offset } = record;
      if (record.isRemoved()) {
        backend.release(family, cells);
        this.#series.delete(address);
        continue;
      }
      for (let cell = 0; cell < family.cells; cell++) {
        cells.page[cells.offset + cell] = page[offset + cell]!;
      }
    }
    for (const { series: address, cell, exemplar } of this.pages.newExemplars()) {
      const series = this.#series.get(address);
      if (series !== undefined) backend.putExemplar?.(series.record.family, series.cells, cell, exemplar);
    }
  }

  *seriesOf({ scope, name }: FamilyDescriptor): Iterable<ThreadSeries> {
    for (const { record, cells } of this.#series.values()) {
      const { family, labels } = record;
      if (family.name === name && family.scope === scope) yield { labels, cells, live: true };
    }
  }

  migrate(move: Move): void {
    for (const series of this.#series.values()) {
      const { family, labels, created } = series.record;
      series.cells = move({ family, labels, created, writer: this.writer }, series.cells);
    }
  }

  /** Passes every series to `keep` and takes it out of the backend, since the thread has ended. */
  end(backend: Backend, keep: (series: CopiedSeries) => void): void {
    this.copyTo(backend);
    this.writer.live = false;
    for (const series of this.#series.values()) {
      keep(series);
      backend.release(series.record.family, series.cells);
    }
    this.#series.clear();
  }
}

interface EndedSeries {
  readonly family: FamilyDescriptor;
  readonly labels: readonly string[];
  readonly created: number;
  readonly writer: Writer;
  cells: Cells;
}

/**
 * The numbers of all threads that have ended, added up: each series has one group of cells, however many threads
 * counted in it. So memory does not grow with the number of short-lived workers.
 */
class EndedThreads {
  readonly #writer: Writer = { id: `${process.pid}-departed`, live: false };
  readonly #series = new Map<string, EndedSeries>();

  add(backend: Backend, { family, labels, created }: ThreadRecord, from: Cells): void {
    if (family.merge.startsWith('live')) return;
    const key = familyKey(family) + JSON.stringify(labels);
    let series = this.#series.get(key);
    if (series === undefined || created < series.created) {
      const request = { family, labels, created, writer: this.#writer };
      const cells = backend.reserve(request);
      if (series !== undefined) {
        addSeries(family, backend, series.cells, backend, cells, false);
        backend.release(family, series.cells);
      }
      series = { ...request, cells };
      this.#series.set(key, series);
    }
    addSeries(family, backend, from, backend, series.cells, false);
  }

  *seriesOf({ scope, name }: FamilyDescriptor): Iterable<ThreadSeries> {
    for (const { family, labels, cells } of this.#series.values()) {
      if (family.name === name && family.scope === scope) yield { labels, cells, live: false };
    }
  }

  remove(backend: Backend, family: FamilyDescriptor, pattern: LabelPattern): void {
    const key = familyKey(family);
    const isComplete = !pattern.includes(undefined);
    const ids = isComplete ? [key + JSON.stringify(pattern)] : this.#series.keys();
    for (const id of ids) {
      const series = this.#series.get(id);
      if (series === undefined || !id.startsWith(key) || !matchesLabels(series.labels, pattern)) continue;
      this.#series.delete(id);
      backend.release(series.family, series.cells);
    }
  }

  migrate(move: Move): void {
    for (const series of this.#series.values()) series.cells = move(series, series.cells);
  }
}

/** The numbers of the current worker thread, for a scrape in that thread. */
export class OwnPages {
  readonly #numbers = new ThreadNumbers(threadId);
  readonly #backend = new SingleProcessBackend();

  snapshot(buffers: readonly SharedArrayBuffer[], request: SnapshotRequest): Promise<FamilySnapshot[]> {
    for (const [number, buffer] of buffers.entries()) this.#numbers.pages.add(number, buffer);
    this.#numbers.copyTo(this.#backend);
    return this.#backend.snapshot({ ...request, scopes: [] });
  }
}
