/**
 * The exemplars in a file. Each cell's exemplar has one record, which a newer exemplar of the cell overwrites:
 *
 * ```
 * record   0  length: int32, EXEMPLAR_BYTES          4  state: int32, removed
 *          8  crc: int32, CRC-32 of bytes           12  textLength: int32
 *             12–47 and the text                    16  family: int32, -3
 *         20  cell: int32, index in the series      24  timestamp: float64, Unix seconds
 *         32  series: int32, offset of its record   36  seriesState: int32, state of that record
 *         40  value: float64                        48  text: UTF-8 JSON, the labels
 * ```
 *
 * A record that is read during a write has a wrong CRC and is left for the next read. An exemplar is valid only while
 * the state of its series' record equals `seriesState`.
 */
import { MAX_EXEMPLAR_BYTES } from '../../model/exemplar.js';
import type { Exemplar, FamilyDescriptor } from '../../model/family.js';
import { labelText } from '../../model/labels.js';
import { storedExemplar } from '../../model/stored-family.js';
import { crc32 } from '../../system/checksum.js';
import { ExemplarTable } from '../exemplar-table.js';
import {
  type Bytes,
  EXEMPLAR,
  IN_USE,
  isSeries,
  parseContent,
  REMOVED,
  readRecord,
  stateOf,
} from './layout.js';
import type { RecordLocation } from './vacancies.js';

const HEADER = 48;
export const EXEMPLAR_BYTES = HEADER + MAX_EXEMPLAR_BYTES;
/** Field offsets from the start of the record: in int32s for 32-bit fields, in float64s for the others. */
const CRC = 2;
const TEXT_LENGTH = 3;
const FAMILY = 4;
const CELL = 5;
const TIMESTAMP = 3;
const SERIES = 8;
const SERIES_STATE = 9;
const VALUE = 5;

/** Maximum number of exemplars in a file, about 2 MB. Further exemplars overwrite the least recently written ones. */
const MAX_EXEMPLARS = 2048;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The record of a series: its offset in the file, and its state. */
export interface SeriesRecord {
  readonly start: number;
  readonly state: number;
}

/** Writes the exemplars of a process into its file. */
export class ExemplarWriter {
  readonly #append: () => RecordLocation;
  /** Records in use, by the number of their cell in the file; the least recently written record comes first. */
  readonly #written = new Map<number, RecordLocation & { readonly series: SeriesRecord }>();
  readonly #free: RecordLocation[] = [];

  /** @param append - appends an empty record; throws when the file cannot grow */
  constructor(append: () => RecordLocation) {
    this.#append = append;
  }

  /**
   * Writes the exemplar of a cell. If the file has no room, skips it, and only this process shows the exemplar.
   *
   * @param number - the number of the cell in the file
   * @param seriesOf - returns the record of the series
   */
  put(number: number, cell: number, exemplar: Exemplar, seriesOf: () => SeriesRecord): void {
    const known = this.#written.get(number);
    const location = known ?? this.#location();
    if (location === undefined) return;
    const series = known?.series ?? seriesOf();
    this.#written.delete(number);
    this.#written.set(number, { ...location, series });
    write(location, series, cell, exemplar);
  }

  /** Frees the records of removed cells. The removal of the series' record has already invalidated the exemplars. */
  release(number: number, cells: number): void {
    for (let cell = number; cell < number + cells && this.#written.size > 0; cell++) {
      const location = this.#written.get(cell);
      if (location === undefined) continue;
      this.#written.delete(cell);
      this.#free.push(location);
    }
  }

  #location(): RecordLocation | undefined {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#written.size >= MAX_EXEMPLARS) {
      const [number, oldest] = this.#written.entries().next().value!;
      this.#written.delete(number);
      return oldest;
    }
    try {
      return this.#append();
    } catch {
      return undefined;
    }
  }
}

/** Initializes zeroed bytes as an empty record, which readers ignore because its CRC is wrong. */
export function writeEmptyExemplar({ ints }: Bytes, at: number): void {
  ints[at / 4] = EXEMPLAR_BYTES;
  ints[at / 4 + 1] = REMOVED;
  ints[at / 4 + FAMILY] = EXEMPLAR;
  ints[at / 4 + CRC] = -1;
}

function write({ chunk, at }: RecordLocation, series: SeriesRecord, cell: number, exemplar: Exemplar): void {
  const { labels, value, timestamp = 0 } = exemplar;
  const text = encoder.encode(JSON.stringify(labels));
  if (text.length > MAX_EXEMPLAR_BYTES) return;
  const { bytes } = chunk;
  const { ints, cells } = bytes;
  const int = at / 4;
  ints[int + TEXT_LENGTH] = text.length;
  ints[int + CELL] = cell;
  ints[int + SERIES] = series.start;
  ints[int + SERIES_STATE] = series.state;
  cells[at / 8 + TIMESTAMP] = timestamp;
  cells[at / 8 + VALUE] = value;
  bytes.bytes.set(text, at + HEADER);
  ints[int + CRC] = checksum(bytes, at, text.length);
}

function checksum({ bytes }: Bytes, at: number, textLength: number): number {
  return crc32(bytes.subarray(at + TEXT_LENGTH * 4, at + HEADER + textLength)) | 0;
}

/** The state of a record at the last read. */
interface Known {
  crc: number;
  /** The series under which the table has the exemplar; undefined if the exemplar is not in the table. */
  series: { readonly at: number; readonly state: number; readonly text: string } | undefined;
}

/** Reads the exemplars in the file of another process. */
export class ExemplarReader {
  /** Identifies the records of this file in the table. */
  readonly #page = new Float64Array(0);
  readonly #records = new Map<number, Known>();

  /** Adds the record at an offset. */
  add(at: number): void {
    this.#records.set(at, { crc: -1, series: undefined });
  }

  /**
   * Adds new exemplars to a table, and removes the exemplars of removed series from it.
   *
   * @param familyOf - returns a family by its number in the file
   */
  copyTo(
    table: ExemplarTable,
    content: Bytes,
    familyOf: (number: number) => FamilyDescriptor | undefined,
  ): void {
    for (const [at, known] of this.#records) {
      const { series } = known;
      if (series !== undefined && stateOf(content, series.at) !== series.state) this.#drop(table, at, known);
      const crc = content.ints[at / 4 + CRC]!;
      const textLength = content.ints[at / 4 + TEXT_LENGTH]!;
      if (crc === known.crc || !(textLength >= 0 && textLength <= MAX_EXEMPLAR_BYTES)) continue;
      if (crc !== checksum(content, at, textLength)) continue;
      known.crc = crc;
      this.#read(table, content, at, known, familyOf);
    }
  }

  /** Removes all exemplars of this file from a table. */
  dropFrom(table: ExemplarTable): void {
    for (const [at, known] of this.#records) {
      this.#drop(table, at, known);
      known.crc = -1;
    }
  }

  #read(
    table: ExemplarTable,
    content: Bytes,
    at: number,
    known: Known,
    familyOf: (number: number) => FamilyDescriptor | undefined,
  ): void {
    const { ints, cells, bytes } = content;
    const int = at / 4;
    const [start, state, cell] = [ints[int + SERIES]!, ints[int + SERIES_STATE]!, ints[int + CELL]!];
    const isInFile = start > 0 && start % 8 === 0 && start < bytes.length;
    const record = isInFile ? readRecord(content, start, bytes.length) : undefined;
    const family = record?.kind === IN_USE && record.state === state ? familyOf(record.family) : undefined;
    const identity = family === undefined ? undefined : parseContent(record!.text);
    const text = decoder.decode(bytes.subarray(at + HEADER, at + HEADER + ints[int + TEXT_LENGTH]!));
    const given = {
      labels: parseContent(text),
      value: cells[at / 8 + VALUE],
      timestamp: cells[at / 8 + TIMESTAMP],
    };
    const exemplar = family && storedExemplar(family, cell, given);
    if (family === undefined || exemplar === undefined || !isSeries(identity, family)) {
      this.#drop(table, at, known);
      return;
    }
    const labels = labelText(family.labelNames, identity.labels);
    if (known.series?.at !== start || known.series.state !== state) this.#drop(table, at, known);
    known.series = { at: start, state, text: labels };
    table.put(family, { page: this.#page, offset: at }, cell, exemplar, () => labels);
  }

  #drop(table: ExemplarTable, at: number, known: Known): void {
    if (known.series === undefined) return;
    known.series = undefined;
    table.release({ page: this.#page, offset: at });
  }
}

/** A file with exemplars. */
interface ExemplarFile {
  /** Adds the exemplars of the last read to a table. */
  copyExemplars(table: ExemplarTable): void;
  /** Removes the exemplars of this file from a table. */
  dropExemplars(table: ExemplarTable): void;
}

/** The exemplars in the files of other processes. */
export class OtherExemplars extends ExemplarTable {
  #files: ReadonlySet<ExemplarFile> = new Set();

  /** Updates the exemplars to the state of the last read of these files. */
  copyFrom(others: readonly ExemplarFile[]): void {
    const files = new Set(others);
    for (const file of this.#files) if (!files.has(file)) file.dropExemplars(this);
    for (const file of files) file.copyExemplars(this);
    this.#files = files;
  }
}
