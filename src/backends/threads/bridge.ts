/** The main thread's side of worker threads: every worker's numbers, in the backend in force. */
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import type { WorkerChannel, WorkerPage } from '../../system/worker-channel.js';
import type { Backend, Cells, Move, Writer } from '../backend.js';
import { accumulate } from '../merge.js';
import type { ExemplarCollection } from './exemplars.js';
import { ThreadNumbers } from './numbers.js';
import type { ThreadRecord } from './page-reader.js';

export class ThreadBridge {
  readonly #channel: WorkerChannel;
  readonly #threads = new Map<number, ThreadNumbers>();
  readonly #departed = new DepartedThreads();
  /** The threads that have kept exemplars: the others are not asked. */
  readonly #keeping = new Set<number>();
  #exemplars: ExemplarCollection | undefined;
  #backend: Backend;

  constructor(backend: Backend, channel: WorkerChannel) {
    this.#backend = backend;
    this.#channel = channel;
  }

  /** What worker threads have kept of exemplars; undefined where there never was such a thread. */
  async exemplars(): Promise<ExemplarCollection | undefined> {
    this.#channel.drain();
    if (this.#keeping.size === 0) return this.#exemplars;
    const { ExemplarCollection } = await import('./exemplars.js');
    this.#exemplars ??= new ExemplarCollection(() => this.#channel.post('exemplars wanted', undefined));
    await this.#exemplars.ask(this.#keeping);
    return this.#exemplars;
  }

  /** Brings the backend up to date with everything that worker threads have counted until now. */
  sync(): void {
    this.#channel.drain();
    for (const thread of this.#threads.values()) thread.copyTo(this.#backend);
  }

  /** Reads a page of a worker from now on. */
  add({ thread: id, lineage, number, buffer }: WorkerPage): void {
    let thread = this.#threads.get(id);
    if (thread === undefined) {
      thread = new ThreadNumbers(id, lineage);
      this.#threads.set(id, thread);
    }
    thread.pages.add(number, buffer);
  }

  expectExemplars(thread: number): void {
    this.#keeping.add(thread);
  }

  /** Keeps the numbers of a thread that ended, and of its own workers, which end with it unreported. */
  end(ended: number): void {
    if (this.#keeping.delete(ended)) this.#exemplars?.left(ended);
    for (const [id, thread] of this.#threads) {
      if (!thread.lineage.includes(ended)) continue;
      if (this.#keeping.delete(id)) this.#exemplars?.left(id);
      this.#threads.delete(id);
      thread.end(this.#backend, ({ record, cells }) => this.#departed.add(this.#backend, record, cells));
    }
  }

  migrate(backend: Backend, move: Move): void {
    this.#backend = backend;
    for (const thread of this.#threads.values()) thread.migrate(move);
    this.#departed.migrate(move);
  }
}

interface DepartedSeries {
  readonly family: FamilyDescriptor;
  readonly labels: readonly string[];
  readonly created: number;
  readonly writer: Writer;
  cells: Cells;
}

/**
 * The numbers of all threads that are gone, in one set of cells for each series: a thousand workers that come
 * and go leave no more behind than one.
 */
class DepartedThreads {
  readonly #writer: Writer = { id: `${process.pid}-departed`, live: false };
  readonly #series = new Map<string, DepartedSeries>();

  add(backend: Backend, { family, labels, created }: ThreadRecord, from: Cells): void {
    if (family.merge.startsWith('live')) return;
    const key = familyKey(family) + JSON.stringify(labels);
    let series = this.#series.get(key);
    if (series === undefined || created < series.created) {
      const older = { family, labels, created, writer: this.#writer };
      const cells = backend.reserve(older);
      if (series !== undefined) {
        accumulate(family, cells.page, cells.offset, series.cells.page, series.cells.offset, false);
        backend.release(family, series.cells);
      }
      series = { ...older, cells };
      this.#series.set(key, series);
    }
    const { page, offset } = series.cells;
    accumulate(family, page, offset, from.page, from.offset, false);
  }

  migrate(move: Move): void {
    for (const series of this.#series.values()) series.cells = move(series, series.cells);
  }
}
