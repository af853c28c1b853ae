/**
 * Pages of a worker thread: a log of records in a `SharedArrayBuffer`, which the thread writes and the main thread
 * reads, even after the thread has ended. Records describe themselves, so that a reader needs nothing else.
 *
 * ```
 * page      0  used: int32, bytes of whole records (atomic)      4  unused        8  records …
 * record    0  length: int32, bytes of this record, a multiple of 8
 *           4  state: int32 (atomic), 1 in use, 2 removed
 *           8  textLength: int32        12  family: int32; -1 declares a family, -2 keeps an exemplar
 *          16  created: float64, Unix seconds
 *          24  text: UTF-8 JSON, padded to 8; a FamilyDescriptor, or an array of label values
 *              cells: float64 × family.cells
 * exemplar  0  length, state          8  textLength, family: -2
 *          16  timestamp: float64, Unix seconds
 *          24  sequence: int32 (atomic), odd while the thread writes the record
 *          28  series: int32, address of its first cell
 *          32  cell: int32, index in the series       36  unused
 *          40  value: float64
 *          48  text: UTF-8 JSON, the labels, in MAX_EXEMPLAR_BYTES
 * ```
 *
 * `used` is advanced after a record is written, so that a thread that is terminated while it writes leaves no partial
 * record. The families of a thread are numbered across all its pages, in the order of their records. Cells are numbered
 * across all pages too: the number of a cell is its address.
 *
 * An exemplar's record is overwritten by each newer exemplar. A reader reads the sequence before and after it copies
 * the record, and uses the copy if both reads gave the same even number. When a series is removed, the records of its
 * exemplars are reused for other series.
 */
import { MAX_EXEMPLAR_BYTES } from '../../model/exemplar.js';
import type { Exemplar, FamilyDescriptor } from '../../model/family.js';
import { findOrCreate } from '../../system/find-or-create.js';
import { CELL_BYTES, type Cells } from '../backend.js';

export const PAGE_HEADER = 8;
export const RECORD_HEADER = 24;
export const EXEMPLAR_HEADER = 48;
/** Fields of a record: the first four are counted in int32s from its start, `CREATED` in float64s. */
export const LENGTH = 0;
export const STATE = 1;
export const TEXT_LENGTH = 2;
export const FAMILY = 3;
export const CREATED = 2;
/** Fields of an exemplar's record: the first three are counted in int32s from its start, the others in float64s. */
export const SEQUENCE = 6;
export const SERIES = 7;
export const CELL = 8;
export const VALUE = 5;
export const TIMESTAMP = CREATED;
/** Values of `STATE` and `FAMILY`. */
export const IN_USE = 1;
export const REMOVED = 2;
export const DECLARES = -1;
export const EXEMPLAR = -2;

const FIRST_PAGE_BYTES = 4096;
const MAX_PAGE_BYTES = 1 << 20;

const encoder = new TextEncoder();

const align = (bytes: number) => (bytes + 7) & ~7;

/** Views of one page. */
export class Page {
  readonly buffer: SharedArrayBuffer;
  readonly ints: Int32Array;
  readonly bytes: Uint8Array;
  readonly cells: Float64Array;
  /** The address of `cells[0]`. */
  readonly address: number;

  /** @param before - the previous page of the thread */
  constructor(buffer: SharedArrayBuffer, before: Page | undefined) {
    this.buffer = buffer;
    this.address = before === undefined ? 0 : before.address + before.cells.length;
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

  /** Completes the header of a new record at the end of the page, and makes the record visible to readers. */
  finish(length: number, family: number): void {
    const start = this.used;
    this.ints[start / 4 + LENGTH] = length;
    this.ints[start / 4 + STATE] = IN_USE;
    this.ints[start / 4 + FAMILY] = family;
    this.used = start + length;
  }
}

/** The record of a cell's exemplar. */
class ExemplarRecord {
  readonly #page: Page;
  readonly #start: number;
  /** Kept, since making a view takes longer than writing the text. */
  readonly #text: Uint8Array;

  constructor(page: Page, start: number) {
    this.#page = page;
    this.#start = start;
    const text = start + EXEMPLAR_HEADER;
    this.#text = page.bytes.subarray(text, text + MAX_EXEMPLAR_BYTES);
  }

  write(series: number, cell: number, { labels, value, timestamp = 0 }: Exemplar): void {
    const { ints, cells } = this.#page;
    const at = this.#start / 4;
    const text = JSON.stringify(labels);
    Atomics.add(ints, at + SEQUENCE, 1);
    ints[at + SERIES] = series;
    ints[at + CELL] = cell;
    ints[at + TEXT_LENGTH] = encoder.encodeInto(text, this.#text).written;
    cells[at / 2 + VALUE] = value;
    cells[at / 2 + TIMESTAMP] = timestamp;
    Atomics.add(ints, at + SEQUENCE, 1);
  }
}

/** Appends the records of one thread. */
export class ThreadPageWriter {
  readonly #announce: (buffer: SharedArrayBuffer) => void;
  readonly #pages = new Map<Float64Array, Page>();
  #last: Page | undefined;
  readonly #families = new Map<FamilyDescriptor, number>();
  /** Records of exemplars, by the address of their cell. */
  readonly #exemplars = new Map<number, ExemplarRecord>();
  /** Records of the exemplars of removed series, to be reused. */
  readonly #freeExemplars: ExemplarRecord[] = [];

  /** @param announce - called with each page before a record is written to it, so that the main thread misses none */
  constructor(announce: (buffer: SharedArrayBuffer) => void) {
    this.#announce = announce;
  }

  get buffers(): SharedArrayBuffer[] {
    return [...this.#pages.values()].map(({ buffer }) => buffer);
  }

  reserve(family: FamilyDescriptor, labels: readonly string[]): Cells {
    const number = findOrCreate(this.#families, family, () => {
      this.#appendText(family, DECLARES, 0);
      return this.#families.size;
    });
    const page = this.#appendText(labels, number, family.cells);
    return { page: page.cells, offset: page.used / CELL_BYTES - family.cells };
  }

  /**
   * Marks a series as removed. Searches its page for the record, since removals are rare and an index would cost memory
   * for every series.
   */
  release(family: FamilyDescriptor, { page, offset }: Cells): void {
    const { ints, address } = this.#pages.get(page)!;
    const end = (offset + family.cells) * CELL_BYTES;
    let record = PAGE_HEADER;
    while (record + ints[record / 4 + LENGTH]! < end) record += ints[record / 4 + LENGTH]!;
    Atomics.store(ints, record / 4 + STATE, REMOVED);
    for (let cell = offset; cell < offset + family.cells; cell++) {
      const exemplar = this.#exemplars.get(address + cell);
      if (exemplar === undefined) continue;
      this.#freeExemplars.push(exemplar);
      this.#exemplars.delete(address + cell);
    }
  }

  /** Keeps an exemplar of a cell. Ignores cells of removed series, which are in private memory. */
  putExemplar({ page, offset }: Cells, cell: number, exemplar: Exemplar): void {
    const known = this.#pages.get(page);
    if (known === undefined) return;
    const series = known.address + offset;
    const create = () => this.#freeExemplars.pop() ?? this.#appendExemplar();
    findOrCreate(this.#exemplars, series + cell, create).write(series, cell, exemplar);
  }

  #appendExemplar(): ExemplarRecord {
    const length = EXEMPLAR_HEADER + MAX_EXEMPLAR_BYTES;
    const page = this.#pageWith(length);
    const record = new ExemplarRecord(page, page.used);
    page.finish(length, EXEMPLAR);
    return record;
  }

  /** Appends a record of text and zeroed cells. Returns its page; the new record is the last one there. */
  #appendText(content: object, family: number, cells: number): Page {
    const text = encoder.encode(JSON.stringify(content));
    const length = RECORD_HEADER + align(text.length) + cells * CELL_BYTES;
    const page = this.#pageWith(length);
    const start = page.used;
    page.ints[start / 4 + TEXT_LENGTH] = text.length;
    page.cells[start / CELL_BYTES + CREATED] = Date.now() / 1000;
    page.bytes.set(text, start + RECORD_HEADER);
    page.finish(length, family);
    return page;
  }

  #pageWith(length: number): Page {
    const last = this.#last;
    if (last !== undefined && last.used + length <= last.bytes.length) return last;
    const next = last === undefined ? FIRST_PAGE_BYTES : Math.min(last.bytes.length * 2, MAX_PAGE_BYTES);
    const page = new Page(new SharedArrayBuffer(Math.max(next, PAGE_HEADER + length)), last);
    page.used = PAGE_HEADER;
    this.#announce(page.buffer);
    this.#pages.set(page.cells, page);
    this.#last = page;
    return page;
  }
}
