/** The main thread's side of worker threads: every worker's numbers, in the backend in force. */
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import type { Backend, Cells, Move, Writer } from '../backend.js';
import { accumulate } from '../merge.js';
import type { ExemplarCollection } from './exemplars.js';
import type { ThreadMessage } from './messages.js';
import { ThreadNumbers } from './numbers.js';
import type { ThreadRecord } from './page-reader.js';

export class ThreadBridge {
  readonly #threads = new Map<number, ThreadNumbers>();
  /** The thread that started each worker. */
  readonly #parents = new Map<number, number>();
  readonly #departed = new DepartedThreads();
  readonly #take: () => readonly ThreadMessage[];
  readonly #tell: (message: ThreadMessage) => void;
  /** The threads that have kept exemplars: the others are not asked. */
  readonly #keeping = new Set<number>();
  #exemplars: ExemplarCollection | undefined;
  #backend: Backend;

  /**
   * @param take - gives everything that threads have told since it was last called
   * @param tell - tells all threads
   */
  constructor(
    backend: Backend,
    take: () => readonly ThreadMessage[],
    tell: (message: ThreadMessage) => void,
  ) {
    this.#backend = backend;
    this.#take = take;
    this.#tell = tell;
  }

  /** What worker threads have kept of exemplars; undefined where there never was such a thread. */
  async exemplars(): Promise<ExemplarCollection | undefined> {
    this.listen();
    if (this.#keeping.size === 0) return this.#exemplars;
    const { ExemplarCollection } = await import('./exemplars.js');
    this.#exemplars ??= new ExemplarCollection(() => this.#tell({ kind: 'exemplars' }));
    await this.#exemplars.ask(this.#keeping);
    return this.#exemplars;
  }

  /** Brings the backend up to date with everything that worker threads have counted until now. */
  sync(): void {
    this.listen();
    for (const thread of this.#threads.values()) thread.copyTo(this.#backend);
  }

  /** Takes note of threads that came and went. One that is gone may have told of a page that is heard later. */
  listen(): void {
    const told = this.#take();
    for (const message of told) {
      if (message.kind === 'exemplar') this.#keeping.add(message.thread);
      else if (message.kind === 'start') this.#parents.set(message.thread, message.parent);
      else if (message.kind === 'page')
        this.#threadOf(message.thread).pages.add(message.number, message.buffer);
    }
    for (const message of told) if (message.kind === 'exit') this.#end(message.thread);
  }

  migrate(backend: Backend, move: Move): void {
    this.#backend = backend;
    for (const thread of this.#threads.values()) thread.migrate(move);
    this.#departed.migrate(move);
  }

  #threadOf(id: number): ThreadNumbers {
    let thread = this.#threads.get(id);
    if (thread === undefined) {
      thread = new ThreadNumbers(id);
      this.#threads.set(id, thread);
    }
    return thread;
  }

  #end(id: number): void {
    // Workers of a worker end with it, and nobody else tells of that when it was terminated.
    for (const [child, parent] of this.#parents) if (parent === id) this.#end(child);
    this.#parents.delete(id);
    if (this.#keeping.delete(id)) this.#exemplars?.left(id);
    const thread = this.#threads.get(id);
    if (thread === undefined) return;
    this.#threads.delete(id);
    thread.end(this.#backend, ({ record, cells }) => this.#departed.add(this.#backend, record, cells));
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
