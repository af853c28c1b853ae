/** What one thread has counted, shown in a backend as the numbers of one more writer. */
import { threadId } from 'node:worker_threads';
import type { FamilySnapshot } from '../../model/family.js';
import type { Backend, Cells, Move, SnapshotRequest, Writer } from '../backend.js';
import { SingleProcessBackend } from '../memory.js';
import { ThreadPageReader, type ThreadRecord } from './page-reader.js';

/** A record, and the cells of a backend that show its numbers. */
export interface Mirror {
  readonly record: ThreadRecord;
  cells: Cells;
}

export class ThreadNumbers {
  readonly pages = new ThreadPageReader();
  readonly writer: Writer;
  readonly lineage: readonly number[];
  #mirrors: Mirror[] = [];

  /** @param lineage - the threads with which this one ends, itself included */
  constructor(thread: number, lineage: readonly number[] = [thread]) {
    this.lineage = lineage;
    this.writer = { id: `${process.pid}-${thread}`, live: true };
  }

  /** Brings a backend up to date. */
  copyTo(backend: Backend): void {
    for (const record of this.pages.newRecords()) {
      const { family, labels, created } = record;
      const cells = backend.reserve({ family, labels, created, writer: this.writer });
      this.#mirrors.push({ record, cells });
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
  migrate(move: Move): void {
    for (const mirror of this.#mirrors) {
      const { family, labels, created } = mirror.record;
      mirror.cells = move({ family, labels, created, writer: this.writer }, mirror.cells);
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

  #releaseRemoved(backend: Backend): void {
    this.#mirrors = this.#mirrors.filter(({ record, cells }) => {
      if (!record.isRemoved()) return true;
      backend.release(record.family, cells);
      return false;
    });
  }
}

/** A thread's own pages, for a scrape in the thread itself. */
export class OwnPages {
  readonly #numbers = new ThreadNumbers(threadId);
  readonly #backend = new SingleProcessBackend();

  snapshot(buffers: readonly SharedArrayBuffer[], request: SnapshotRequest): Promise<FamilySnapshot[]> {
    for (const [number, buffer] of buffers.entries()) this.#numbers.pages.add(number, buffer);
    this.#numbers.copyTo(this.#backend);
    return this.#backend.snapshot({ ...request, scopes: [] });
  }
}
