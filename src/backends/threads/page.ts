/**
 * Pages of a worker thread: a log of records in a `SharedArrayBuffer`, which the thread writes and the main
 * thread reads, also after the thread is gone. Every record says what it counts, so nothing else is needed.
 *
 * ```
 * page    0  used: int32, bytes of whole records (atomic)      4  unused        8  records …
 * record  0  length: int32, bytes of this record, a multiple of 8
 *         4  state: int32 (atomic), 1 in use, 2 removed
 *         8  textLength: int32                12  family: int32, or -1 when this record declares one
 *        16  created: float64, Unix seconds
 *        24  text: UTF-8 JSON, padded to 8; a FamilyDescriptor, or an array of label values
 *            cells: float64 × family.cells
 * ```
 *
 * A record is written first and `used` afterwards, so a thread that is terminated between the two leaves no
 * half of a record. Families are numbered through all pages of a thread, in the order of their records.
 */
import type { FamilyDescriptor } from '../../model/family.js';
import { CELL_BYTES, type Cells } from '../backend.js';

export const PAGE_HEADER = 8;
export const RECORD_HEADER = 24;
/** Where things are in a record: the first four in int32s, `created` in float64s. */
export const LENGTH = 0;
export const STATE = 1;
export const TEXT_LENGTH = 2;
export const FAMILY = 3;
export const CREATED = 2;
export const REMOVED = 2;
export const DECLARES = -1;
const IN_USE = 1;

const FIRST_PAGE_BYTES = 4096;
const MOST_PAGE_BYTES = 1 << 20;

const align = (bytes: number) => (bytes + 7) & ~7;

/** Views of one page. */
export class Page {
  readonly buffer: SharedArrayBuffer;
  readonly ints: Int32Array;
  readonly bytes: Uint8Array;
  readonly cells: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.ints = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.cells = new Float64Array(buffer);
  }

  get used(): number {
    return Atomics.load(this.ints, 0);
  }

  set used(bytes: number) {
    Atomics.store(this.ints, 0, bytes);
  }
}

/** The thread's side: appends records. */
export class ThreadPageWriter {
  readonly #announce: (buffer: SharedArrayBuffer, number: number) => void;
  readonly #pages: Page[] = [];
  readonly #families = new Map<FamilyDescriptor, number>();
  readonly #encoder = new TextEncoder();

  /** @param announce - told of each page before it is used, so that nobody counts where nobody looks */
  constructor(announce: (buffer: SharedArrayBuffer, number: number) => void) {
    this.#announce = announce;
  }

  get buffers(): SharedArrayBuffer[] {
    return this.#pages.map(({ buffer }) => buffer);
  }

  reserve(family: FamilyDescriptor, labels: readonly string[]): Cells {
    let number = this.#families.get(family);
    if (number === undefined) {
      this.#append(family, DECLARES, 0);
      number = this.#families.size;
      this.#families.set(family, number);
    }
    return this.#append(labels, number, family.cells);
  }

  /** Removals are rare, so the record is looked for: that costs no memory for those that stay. */
  release(family: FamilyDescriptor, { page, offset }: Cells): void {
    const ints = new Int32Array(page.buffer);
    const end = (offset + family.cells) * CELL_BYTES;
    let record = PAGE_HEADER;
    while (record + ints[record / 4 + LENGTH]! < end) record += ints[record / 4 + LENGTH]!;
    Atomics.store(ints, record / 4 + STATE, REMOVED);
  }

  #append(content: object, family: number, cells: number): Cells {
    const text = this.#encoder.encode(JSON.stringify(content));
    const length = RECORD_HEADER + align(text.length) + cells * CELL_BYTES;
    const page = this.#pageWith(length);
    const record = page.used;
    const at = record / 4;
    page.ints[at + LENGTH] = length;
    page.ints[at + STATE] = IN_USE;
    page.ints[at + TEXT_LENGTH] = text.length;
    page.ints[at + FAMILY] = family;
    page.cells[record / CELL_BYTES + CREATED] = Date.now() / 1000;
    page.bytes.set(text, record + RECORD_HEADER);
    page.used = record + length;
    return { page: page.cells, offset: (record + length) / CELL_BYTES - cells };
  }

  #pageWith(length: number): Page {
    const last = this.#pages.at(-1);
    if (last !== undefined && last.used + length <= last.bytes.length) return last;
    const next = last === undefined ? FIRST_PAGE_BYTES : Math.min(last.bytes.length * 2, MOST_PAGE_BYTES);
    const page = new Page(new SharedArrayBuffer(Math.max(next, PAGE_HEADER + length)));
    page.used = PAGE_HEADER;
    this.#announce(page.buffer, this.#pages.push(page) - 1);
    return page;
  }
}
