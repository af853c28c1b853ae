/** Reading writers' files: what is in them, and what has come since the last look. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import { LabelColumn, REMOVED as REMOVED_ROW } from '../../model/label-column.js';
import { labelText } from '../../model/labels.js';
import type { Writer } from '../backend.js';
import type { MergeSource } from '../merge.js';
import {
  Bytes,
  DECLARES,
  type FileFault,
  FOLDED,
  GAP,
  HEADER_BYTES,
  type ProcessIdentity,
  REMOVED,
  type RecordView,
  readHeader,
  readRecord,
  type SeriesIdentity,
  stateOf,
  usedBytes,
} from './layout.js';

/** The series of one family and one writer in a file. */
export class FileTable implements MergeSource {
  readonly family: FamilyDescriptor;
  readonly key: string;
  readonly writer: Writer;
  readonly labels = new LabelColumn();
  readonly #file: MetricsFile;
  /** For each row, its label values, where its record begins, and the index of its first cell. */
  readonly #identities: (readonly string[])[] = [];
  readonly #records: number[] = [];
  readonly #cells: number[] = [];

  constructor(file: MetricsFile, family: FamilyDescriptor, key: string, writer: Writer) {
    this.#file = file;
    this.family = family;
    this.key = key;
    this.writer = writer;
  }

  add(at: number, { cellIndex }: RecordView, labels: readonly string[]): void {
    const row = this.labels.add(labelText(this.family.labelNames, labels));
    this.#identities[row] = labels;
    this.#records[row] = at;
    this.#cells[row] = cellIndex;
  }

  /** Its series, each with its label values and the index of its first cell in the file's content. */
  *series(): Generator<{ readonly labels: readonly string[]; readonly cellIndex: number }> {
    for (let row = 0; row < this.labels.size; row++) {
      if (this.labels.lengths[row] === REMOVED_ROW) continue;
      yield { labels: this.#identities[row]!, cellIndex: this.#cells[row]! };
    }
  }

  /** Notices removals. */
  refresh(): void {
    for (let row = 0; row < this.#records.length; row++) {
      if (this.labels.lengths[row] === REMOVED_ROW) continue;
      if (stateOf(this.#file.content, this.#records[row]!) === REMOVED) this.labels.remove(row);
    }
  }

  values(): Float64Array {
    const { cells } = this.#file.content;
    const width = this.family.cells;
    const values = new Float64Array(this.#cells.length * width);
    for (let row = 0; row < this.#cells.length; row++) {
      const from = this.#cells[row]!;
      for (let cell = 0; cell < width; cell++) values[row * width + cell] = cells[from + cell]!;
    }
    return values;
  }
}

/** One file, opened once and read again at each scrape. */
export class MetricsFile {
  readonly id: string;
  readonly tables: FileTable[] = [];
  /** Ids of the files whose numbers are in this one: it is an archive. */
  folded: ReadonlySet<string> = new Set();
  owner: ProcessIdentity | undefined;
  /** Why it cannot be read, or not any further. */
  fault: FileFault | undefined;
  /** What was read: the header and all whole records. */
  content = new Bytes(new ArrayBuffer(0));
  readonly file: number;
  readonly #families: { readonly descriptor: FamilyDescriptor; readonly key: string }[] = [];
  readonly #byKey = new Map<string, FileTable>();
  readonly #writers = new Map<string, Writer>();
  #buffer = new ArrayBuffer(4096);
  #parsed = 0;
  #live = true;

  /** @throws what the file system throws */
  constructor(path: string, id: string) {
    this.id = id;
    this.file = openSync(path, 'r');
  }

  /** Whether its owner is there. Told from outside, and never true again once it was false. */
  get live(): boolean {
    return this.#live;
  }

  set live(live: boolean) {
    this.#live &&= live;
    if (!live) for (const writer of this.#writers.values()) writer.live = false;
  }

  get bytes(): number {
    return this.content.bytes.length;
  }

  /** Reads everything that is there now. What is broken stays out; what was whole before it stays in. */
  read(): void {
    let got = this.#fill();
    if (got < HEADER_BYTES) {
      this.fault = 'empty';
      return;
    }
    let used = usedBytes(new Bytes(this.#buffer, 0, HEADER_BYTES));
    if (used > got && used <= fstatSync(this.file).size) {
      // Half as much again, so that a growing file is not read twice each time.
      this.#buffer = new ArrayBuffer((Math.ceil(used * 1.5) + 7) & ~7);
      got = this.#fill();
      used = Math.min(usedBytes(new Bytes(this.#buffer, 0, HEADER_BYTES)), got);
    }
    if (used > got || used < HEADER_BYTES || used % 8 !== 0) {
      this.fault = 'record';
      return;
    }
    this.content = new Bytes(this.#buffer, 0, used);
    if (this.owner === undefined && !this.#readOwner()) return;
    for (const table of this.tables) table.refresh();
    this.#parse(used);
  }

  close(): void {
    closeSync(this.file);
  }

  #fill(): number {
    return readSync(this.file, new Uint8Array(this.#buffer), 0, this.#buffer.byteLength, 0);
  }

  #readOwner(): boolean {
    const header = readHeader(this.content);
    if (typeof header === 'string') {
      this.fault = header;
      return false;
    }
    this.owner = header;
    this.#parsed = header.records;
    return true;
  }

  #parse(used: number): void {
    while (this.#parsed < used) {
      const record = readRecord(this.content, this.#parsed, used);
      if (record === undefined || !this.#take(this.#parsed, record)) {
        this.fault = 'record';
        return;
      }
      this.#parsed += record.length;
    }
    this.fault = undefined;
  }

  /** Whether the record made sense. */
  #take(at: number, record: RecordView): boolean {
    if (record.state === GAP || (record.state === REMOVED && record.family >= 0)) return true;
    const content: unknown = parseJson(record.text);
    if (typeof content !== 'object' || content === null) return false;
    if (record.family === FOLDED) this.folded = new Set(content as string[]);
    else if (record.family === DECLARES) {
      const descriptor = content as FamilyDescriptor;
      this.#families.push({ descriptor, key: familyKey(descriptor) });
    } else return this.#takeSeries(at, record, content as SeriesIdentity);
    return true;
  }

  #takeSeries(at: number, record: RecordView, { labels, writer }: SeriesIdentity): boolean {
    const family = this.#families[record.family];
    if (family === undefined || family.descriptor.cells !== record.cells || !Array.isArray(labels))
      return false;
    const id = writer?.id ?? String(this.owner!.pid);
    const tableKey = `${id} ${family.key}`;
    let table = this.#byKey.get(tableKey);
    if (table === undefined) {
      table = new FileTable(this, family.descriptor, family.key, this.#writerOf(id, writer?.live ?? true));
      this.#byKey.set(tableKey, table);
      this.tables.push(table);
    }
    table.add(at, record, labels);
    return true;
  }

  #writerOf(id: string, live: boolean): Writer {
    let writer = this.#writers.get(id);
    if (writer === undefined) {
      writer = { id, live: live && this.#live };
      this.#writers.set(id, writer);
    }
    return writer;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
