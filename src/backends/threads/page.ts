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
 * exemplar  0  length, state          8  textLength, -1 when free; family: -2
 *          16  timestamp: float64, Unix seconds
 *          24  sequence: int32 (atomic), odd while the thread writes the record
 *          28  page: int32, number of the page of its cell
 *          32  cell: int32, index of the cell in that page               36  unused
 *          40  value: float64
 *          48  text: UTF-8, see `exemplarText`, in MAX_EXEMPLAR_BYTES
 * ```
 *
 * A record is written first and `used` afterwards, so that a thread that is terminated in between leaves no partial
 * record. Families are numbered through all pages of a thread, in the order of their records.
 *
 * An exemplar's record is written again and again. A reader copies it between two reads of its sequence, and uses
 * the copy when both were the same even number.
 */
import type { Exemplar, FamilyDescriptor } from '../../model/family.js';
import { CELL_BYTES, type Cells } from '../backend.js';

export const PAGE_HEADER = 8;
export const RECORD_HEADER = 24;
export const EXEMPLAR_HEADER = 48;
/** Fields of a record: the first four as indices of int32s, `CREATED` of float64s. */
export const LENGTH = 0;
export const STATE = 1;
export const TEXT_LENGTH = 2;
export const FAMILY = 3;
export const CREATED = 2;
/** Fields of an exemplar's record: the first three as indices of int32s, the others of float64s. */
export const SEQUENCE = 6;
export const CELL_PAGE = 7;
export const CELL = 8;
export const VALUE = 5;
export const TIMESTAMP = CREATED;
/** Values of `STATE` and `FAMILY`. */
export const IN_USE = 1;
export const REMOVED = 2;
export const DECLARES = -1;
export const EXEMPLAR = -2;
/** Value of `TEXT_LENGTH` in an exemplar's record that is free. */
const NO_EXEMPLAR = -1;

/**
 * Most bytes of an exemplar's text. 128 code points in values are 512 bytes; each label takes one of them for its
 * name, which saves 3 bytes, and 4 more for its lengths.
 */
const MAX_EXEMPLAR_BYTES = 640;

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

  /** Completes the header of a new record at the end, which readers see from then on. */
  finish(length: number, family: number): void {
    const start = this.used;
    this.ints[start / 4 + LENGTH] = length;
    this.ints[start / 4 + STATE] = IN_USE;
    this.ints[start / 4 + FAMILY] = family;
    this.used = start + length;
  }
}

/** The record of a cell's exemplar. Each change is between two changes of its sequence. */
class ExemplarRecord {
  cellPage = 0;
  cell = 0;
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

  write({ labels, value, timestamp = 0 }: Exemplar): void {
    const { ints, cells } = this.#page;
    const at = this.#start / 4;
    const text = exemplarText(labels);
    Atomics.add(ints, at + SEQUENCE, 1);
    ints[at + CELL_PAGE] = this.cellPage;
    ints[at + CELL] = this.cell;
    ints[at + TEXT_LENGTH] = encoder.encodeInto(text, this.#text).written;
    cells[at / 2 + VALUE] = value;
    cells[at / 2 + TIMESTAMP] = timestamp;
    Atomics.add(ints, at + SEQUENCE, 1);
  }

  clear(): void {
    const { ints } = this.#page;
    const at = this.#start / 4;
    Atomics.add(ints, at + SEQUENCE, 1);
    ints[at + TEXT_LENGTH] = NO_EXEMPLAR;
    Atomics.add(ints, at + SEQUENCE, 1);
  }
}

/** The labels of an exemplar as text: for each label `7 3 routeGET`, the two lengths before name and value. */
export function exemplarText(labels: Exemplar['labels']): string {
  let text = '';
  for (const name of Object.keys(labels)) {
    const value = labels[name]!;
    text += `${name.length} ${value.length} ${name}${value}`;
  }
  return text;
}

/** The inverse of {@link exemplarText}. */
export function exemplarLabelsOf(text: string): Exemplar['labels'] {
  const labels: Record<string, string> = {};
  for (let at = 0; at < text.length; ) {
    const [lengths, nameLength, valueLength] = /^(\d+) (\d+) /.exec(text.slice(at))!;
    const name = at + lengths.length;
    const value = name + Number(nameLength);
    at = value + Number(valueLength);
    labels[text.slice(name, value)] = text.slice(value, at);
  }
  return labels;
}

/** Appends the records of one thread. */
export class ThreadPageWriter {
  readonly #announce: (buffer: SharedArrayBuffer) => void;
  readonly #pages: Page[] = [];
  readonly #families = new Map<FamilyDescriptor, number>();
  /** Records of exemplars, by the page and the index of their cell. */
  /** By the page and the index of their cell. */
  readonly #exemplars = new Map<Float64Array, Map<number, ExemplarRecord>>();
  readonly #freeExemplars: ExemplarRecord[] = [];

  /** @param announce - called with each page before it is used, so that no record is written unseen */
  constructor(announce: (buffer: SharedArrayBuffer) => void) {
    this.#announce = announce;
  }

  get buffers(): SharedArrayBuffer[] {
    return this.#pages.map(({ buffer }) => buffer);
  }

  reserve(family: FamilyDescriptor, labels: readonly string[]): Cells {
    let number = this.#families.get(family);
    if (number === undefined) {
      this.#appendText(family, DECLARES, 0);
      number = this.#families.size;
      this.#families.set(family, number);
    }
    const page = this.#appendText(labels, number, family.cells);
    return { page: page.cells, offset: page.used / CELL_BYTES - family.cells };
  }

  /** Searches the page for the record: removals are rare, and an index would cost memory for every series. */
  release(family: FamilyDescriptor, { page, offset }: Cells): void {
    const ints = new Int32Array(page.buffer);
    const end = (offset + family.cells) * CELL_BYTES;
    let record = PAGE_HEADER;
    while (record + ints[record / 4 + LENGTH]! < end) record += ints[record / 4 + LENGTH]!;
    Atomics.store(ints, record / 4 + STATE, REMOVED);
    const exemplars = this.#exemplars.get(page);
    if (exemplars === undefined) return;
    for (let cell = offset; cell < offset + family.cells; cell++) {
      const exemplar = exemplars.get(cell);
      if (exemplar === undefined) continue;
      exemplar.clear();
      this.#freeExemplars.push(exemplar);
      exemplars.delete(cell);
    }
    if (exemplars.size === 0) this.#exemplars.delete(page);
  }

  putExemplar({ page, offset }: Cells, cell: number, exemplar: Exemplar): void {
    const index = offset + cell;
    const record = this.#exemplars.get(page)?.get(index) ?? this.#assignExemplar(page, index);
    record?.write(exemplar);
  }

  /** Assigns a record to a cell; returns undefined for cells of removed series, which are in private memory. */
  #assignExemplar(page: Float64Array, index: number): ExemplarRecord | undefined {
    const number = this.#pages.findIndex(({ cells }) => cells === page);
    if (number < 0) return undefined;
    const record = this.#freeExemplars.pop() ?? this.#appendExemplar();
    record.cellPage = number;
    record.cell = index;
    const exemplars = this.#exemplars.get(page) ?? new Map<number, ExemplarRecord>();
    this.#exemplars.set(page, exemplars.set(index, record));
    return record;
  }

  #appendExemplar(): ExemplarRecord {
    const length = EXEMPLAR_HEADER + MAX_EXEMPLAR_BYTES;
    const page = this.#pageWith(length);
    const record = new ExemplarRecord(page, page.used);
    page.finish(length, EXEMPLAR);
    return record;
  }

  /** Appends a record of text and zeroed cells. Returns its page, which it ends. */
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
    const last = this.#pages.at(-1);
    if (last !== undefined && last.used + length <= last.bytes.length) return last;
    const next = last === undefined ? FIRST_PAGE_BYTES : Math.min(last.bytes.length * 2, MAX_PAGE_BYTES);
    const page = new Page(new SharedArrayBuffer(Math.max(next, PAGE_HEADER + length)));
    page.used = PAGE_HEADER;
    this.#announce(page.buffer);
    this.#pages.push(page);
    return page;
  }
}
