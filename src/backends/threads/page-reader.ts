/** Reading a worker thread's pages: see the layout in `thread-page.ts`. */
import type { FamilyDescriptor } from '../../model/family.js';
import { CELL_BYTES } from '../backend.js';
import {
  CREATED,
  DECLARES,
  FAMILY,
  LENGTH,
  PAGE_HEADER,
  Page,
  RECORD_HEADER,
  REMOVED,
  STATE,
  TEXT_LENGTH,
} from './page.js';

/** One series found in a thread's pages. */
export interface ThreadRecord {
  readonly family: FamilyDescriptor;
  readonly labels: readonly string[];
  /** Unix seconds. */
  readonly created: number;
  readonly page: Float64Array;
  readonly offset: number;
  /** Whether the thread has taken the series back. */
  isRemoved(): boolean;
}

/** Finds the records that were appended since it last looked. */
export class ThreadPageReader {
  readonly #families: FamilyDescriptor[] = [];
  readonly #pages: { readonly page: Page; read: number }[] = [];
  readonly #decoder = new TextDecoder();

  /** Takes the thread's page `number`. Pages come in order; one that is known already is left alone. */
  add(number: number, buffer: SharedArrayBuffer): void {
    if (number === this.#pages.length) this.#pages.push({ page: new Page(buffer), read: PAGE_HEADER });
  }

  *newRecords(): Generator<ThreadRecord> {
    for (const state of this.#pages) {
      const { page } = state;
      while (state.read < page.used) {
        const record = state.read;
        const at = record / 4;
        state.read += page.ints[at + LENGTH]!;
        const start = record + RECORD_HEADER;
        // TextDecoder does not take shared memory, so the text is copied out.
        const text = this.#decoder.decode(page.bytes.slice(start, start + page.ints[at + TEXT_LENGTH]!));
        const family = page.ints[at + FAMILY]!;
        if (family === DECLARES) {
          this.#families.push(JSON.parse(text));
          continue;
        }
        const descriptor = this.#families[family]!;
        yield {
          family: descriptor,
          labels: JSON.parse(text),
          created: page.cells[record / CELL_BYTES + CREATED]!,
          page: page.cells,
          offset: state.read / CELL_BYTES - descriptor.cells,
          isRemoved: () => Atomics.load(page.ints, at + STATE) === REMOVED,
        };
      }
    }
  }
}
