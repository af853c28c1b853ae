/** Reading the pages of a worker thread: see the layout in `page.ts`. */
import type { Exemplar, FamilyDescriptor } from '../../model/family.js';
import { CELL_BYTES } from '../backend.js';
import {
  CELL,
  CREATED,
  DECLARES,
  EXEMPLAR,
  EXEMPLAR_HEADER,
  FAMILY,
  LENGTH,
  PAGE_HEADER,
  Page,
  RECORD_HEADER,
  REMOVED,
  SEQUENCE,
  SERIES,
  STATE,
  TEXT_LENGTH,
  TIMESTAMP,
  VALUE,
} from './page.js';

/** A series in a thread's pages. */
export interface ThreadRecord {
  readonly family: FamilyDescriptor;
  readonly labels: readonly string[];
  /** Unix seconds at which the series began to count. */
  readonly created: number;
  /** The address of its first cell, which identifies the series among all series of the thread. */
  readonly address: number;
  readonly page: Float64Array;
  readonly offset: number;
  /** Reports whether the thread has removed the series. */
  isRemoved(): boolean;
}

/** An exemplar in a thread's pages. */
export interface ThreadExemplar {
  /** `ThreadRecord.address` of the series of the exemplar. The series may already have been removed. */
  readonly series: number;
  readonly cell: number;
  readonly exemplar: Exemplar;
}

/** An exemplar's record, and its sequence when it was last copied. */
interface ExemplarRecord {
  readonly page: Page;
  readonly start: number;
  sequence: number;
}

/** Maximum number of attempts to copy a record while its thread is writing it, which takes about a microsecond. */
const MAX_READS = 1000;

/** Finds the records that were appended and the exemplars that were written since the last call. */
export class ThreadPageReader {
  readonly #families: FamilyDescriptor[] = [];
  readonly #pages: { readonly page: Page; read: number }[] = [];
  readonly #exemplars: ExemplarRecord[] = [];
  readonly #decoder = new TextDecoder();

  /** Adds the thread's page with this number. Pages arrive in order, but may arrive again; a known page is ignored. */
  add(number: number, buffer: SharedArrayBuffer): void {
    if (number !== this.#pages.length) return;
    this.#pages.push({ page: new Page(buffer, this.#pages.at(-1)?.page), read: PAGE_HEADER });
  }

  /** Yields new series. */
  *newRecords(): Generator<ThreadRecord> {
    for (const state of this.#pages) {
      const { page } = state;
      while (state.read < page.used) {
        const start = state.read;
        const at = start / 4;
        state.read += page.ints[at + LENGTH]!;
        const family = page.ints[at + FAMILY]!;
        if (family === EXEMPLAR) {
          this.#exemplars.push({ page, start, sequence: 0 });
          continue;
        }
        const content = this.#json(page, start + RECORD_HEADER, page.ints[at + TEXT_LENGTH]!);
        if (family === DECLARES) {
          this.#families.push(content as FamilyDescriptor);
          continue;
        }
        const descriptor = this.#families[family]!;
        const offset = state.read / CELL_BYTES - descriptor.cells;
        yield {
          family: descriptor,
          labels: content as string[],
          created: page.cells[start / CELL_BYTES + CREATED]!,
          address: page.address + offset,
          page: page.cells,
          offset,
          isRemoved: () => Atomics.load(page.ints, at + STATE) === REMOVED,
        };
      }
    }
  }

  /**
   * Yields the exemplars that were written since the last call. One that is being written is left for the next call.
   */
  *newExemplars(): Generator<ThreadExemplar> {
    for (const record of this.#exemplars) {
      const copy = copyIfNew(record);
      if (copy === undefined) continue;
      const ints = new Int32Array(copy.buffer, 0, EXEMPLAR_HEADER / 4);
      const cells = new Float64Array(copy.buffer, 0, EXEMPLAR_HEADER / CELL_BYTES);
      const labels = JSON.parse(this.#decoder.decode(copy.subarray(EXEMPLAR_HEADER)));
      const exemplar = { labels, value: cells[VALUE]!, timestamp: cells[TIMESTAMP]! };
      yield { series: ints[SERIES]!, cell: ints[CELL]!, exemplar };
    }
  }

  /** Parses a copy of the text, since `TextDecoder` does not accept shared memory. */
  #json({ bytes }: Page, start: number, length: number): unknown {
    return JSON.parse(this.#decoder.decode(bytes.slice(start, start + length)));
  }
}

/**
 * Returns a copy of an exemplar's record; undefined if it has not changed since the last copy, or is still being
 * written.
 */
function copyIfNew(record: ExemplarRecord): Uint8Array | undefined {
  const { page, start } = record;
  const at = start / 4;
  for (let reads = 0; reads < MAX_READS; reads++) {
    const sequence = Atomics.load(page.ints, at + SEQUENCE);
    if (sequence === record.sequence) return undefined;
    if (sequence % 2 !== 0) continue;
    const copy = page.bytes.slice(start, start + EXEMPLAR_HEADER + page.ints[at + TEXT_LENGTH]!);
    if (Atomics.load(page.ints, at + SEQUENCE) !== sequence) continue;
    record.sequence = sequence;
    return copy;
  }
  return undefined;
}
