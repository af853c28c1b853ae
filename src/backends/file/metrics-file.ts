/** Reading the file of a process. Each read parses only the records that are new since the last one. */
import { fstatSync, readSync } from 'node:fs';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import { isLaterFamily, isStoredFamily } from '../../model/stored-family.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { Writer } from '../backend.js';
import type { ExemplarTable } from '../exemplar-table.js';
import type { Descriptors } from './descriptors.js';
import { ExemplarReader } from './exemplar-records.js';
import { FileTable } from './file-table.js';
import {
  Bytes,
  COMPACTED,
  DECLARES,
  EXEMPLAR,
  type FileFault,
  type FileHeader,
  HEADER_BYTES,
  IN_USE,
  isInUse,
  isSeries,
  isStrings,
  MAX_BYTES,
  MAX_RECORD_BYTES,
  parseContent,
  REMOVED,
  type RecordView,
  readHeader,
  readRecord,
  stateOf,
  usedBytes,
} from './layout.js';

/** Number of records that are parsed between two looks at the clock. */
const RECORDS_AT_ONCE = 64;
/** Size of the buffer of a file that has not been read. Enough for most files. */
const FIRST_BYTES = 4096;

/** Maximum families of a file, and maximum threads of a process or ended writers of an archive. */
const MAX_FAMILIES = 65_536;
const MAX_WRITERS = 16_384;

/** A file that is read at each scrape. */
export class MetricsFile {
  readonly id: string;
  readonly path: string;
  /** Ids of the files that were compacted into this one, if it is an archive. */
  compacted: ReadonlySet<string> = new Set();
  owner: FileHeader | undefined;
  /** The fault that makes the file, or the rest of it, unreadable. */
  fault: FileFault | undefined;
  /** Whole records that are left out, since their content is invalid. */
  refused = 0;
  /** The text of the first of them. */
  firstRefused = '';
  /** Whether a later version of this package has written records that this version does not know. */
  hasLaterRecords = false;
  /** The header and the records, as last read. */
  content = new Bytes(new ArrayBuffer(0));
  readonly #descriptors: Descriptors;
  /** Families by number; undefined for one that was refused. */
  readonly #families: ({ readonly descriptor: FamilyDescriptor; readonly key: string } | undefined)[] = [];
  /** Series by writer and family. */
  readonly tables = new Map<string, FileTable>();
  readonly #writers = new Map<string, Writer>();
  readonly #exemplars = new ExemplarReader();
  /** Offsets of removed records, which may be used again. */
  readonly #vacant = new Set<number>();
  #buffer = new ArrayBuffer(FIRST_BYTES);
  /** Offset up to which the records are parsed. */
  #parsed = 0;
  /** Offset at which the whole records end in the file. */
  #used = 0;
  #live = true;

  constructor(path: string, id: string, descriptors: Descriptors) {
    this.path = path;
    this.id = id;
    this.#descriptors = descriptors;
  }

  /** Whether the owner lives, as `MetricsDirectory` has determined. Once false, it stays false. */
  get live(): boolean {
    return this.#live;
  }

  set live(live: boolean) {
    this.#live &&= live;
    if (!live) for (const writer of this.#writers.values()) writer.live = false;
  }

  /** Whether everything up to the end of the whole records has been read. */
  get isComplete(): boolean {
    return this.#used > 0 && this.#parsed === this.#used && this.fault === undefined;
  }

  /**
   * Reads the file as it is now, up to the first broken record. Work for `runInSlices`.
   *
   * @throws the error of the file system; what was read before stays
   */
  *read(): Generator<void, void> {
    yield* this.#read();
    // The owner may have been writing during the read. A second read shows whether the record is really broken.
    if (this.fault === 'record' && this.#live) yield* this.#read();
  }

  *#read(): Generator<void, void> {
    do {
      this.fault = this.#descriptors.use(this, (descriptor) => this.#load(descriptor));
      if (this.fault !== undefined) return;
      this.#refresh();
      yield* this.#parse();
      this.#parseReused();
    } while (this.#parsed < this.#used && this.fault === undefined);
    if (this.fault !== undefined && this.tables.size === 0) this.#forget();
  }

  /** Adds the exemplars of the last read to a table. */
  copyExemplars(table: ExemplarTable): void {
    this.#exemplars.copyTo(table, this.content, (number) => this.#families[number]?.descriptor);
  }

  /** Removes the exemplars of this file from a table. */
  dropExemplars(table: ExemplarTable): void {
    this.#exemplars.dropFrom(table);
  }

  /** Frees the descriptor. The content stays. */
  close(): void {
    this.#descriptors.close(this);
  }

  /**
   * Reads the header and whole records into memory, as far as {@link loadable}. Returns a fault if they are invalid or
   * incomplete.
   */
  #load(descriptor: number): FileFault | undefined {
    let got = this.#fill(descriptor);
    if (got < HEADER_BYTES) return 'empty';
    const read = new Bytes(this.#buffer, 0, got & ~7);
    const owner = this.owner ?? readHeader(read);
    if (typeof owner === 'string') return owner;
    // Records before this offset are whole. Later ones are left for the next read.
    const used = usedBytes(read);
    const parsed = Math.max(this.#parsed, owner.records);
    if (used % 8 !== 0 || used < parsed || used > MAX_BYTES) return 'record';
    const wanted = Math.min(used, loadable(parsed));
    if (wanted > got) {
      if (used > fstatSync(descriptor).size) return 'record';
      // The new buffer has room for growth: a file that does not fit into the buffer has to be read twice.
      this.#buffer = new ArrayBuffer((Math.ceil(wanted * 1.5) + 7) & ~7);
      got = this.#fill(descriptor);
    }
    if (wanted > got) return 'record';
    this.content = new Bytes(this.#buffer, 0, Math.min(used, got & ~7));
    this.owner = owner;
    this.#used = used;
    this.#parsed = parsed;
    return undefined;
  }

  /** Frees the memory of content that has no series. */
  #forget(): void {
    this.content = new Bytes(this.content.bytes.slice(0, HEADER_BYTES).buffer);
    this.#buffer = new ArrayBuffer(FIRST_BYTES);
  }

  #fill(descriptor: number): number {
    return readSync(descriptor, new Uint8Array(this.#buffer), 0, this.#buffer.byteLength, 0);
  }

  /** Removes the rows of removed series, and tables and writers that have no rows left. */
  #refresh(): void {
    const before = this.tables.size;
    for (const [key, table] of this.tables) {
      table.refresh((record) => this.#vacant.add(record));
      if (table.labels.count === 0) this.tables.delete(key);
    }
    if (this.tables.size === before) return;
    const remaining = new Set(Array.from(this.tables.values(), ({ writer }) => writer.id));
    for (const id of this.#writers.keys()) if (!remaining.has(id)) this.#writers.delete(id);
  }

  /**
   * Parses records that were removed and are in use again. Leaves a record for the next read if it is being written or
   * if its family has not been read yet.
   */
  #parseReused(): void {
    for (const at of this.#vacant) {
      if (!isInUse(stateOf(this.content, at))) continue;
      const record = readRecord(this.content, at, this.content.bytes.length);
      if (record?.kind !== IN_USE || record.family >= this.#families.length) continue;
      this.#vacant.delete(at);
      this.#parseRecord(at, record);
    }
  }

  /** Parses the new records in `content`. */
  *#parse(): Generator<void, void> {
    const end = this.content.bytes.length;
    for (let records = 1; this.#parsed < end; records++) {
      const record = readRecord(this.content, this.#parsed, end);
      if (record === undefined) {
        // The file is loaded in parts. A record that cannot be read is a fault only if all of its bytes are loaded.
        if (end === this.#used || loadable(this.#parsed) <= end) this.fault = 'record';
        return;
      }
      this.#parseRecord(this.#parsed, record);
      this.#parsed += record.length;
      if (records % RECORDS_AT_ONCE === 0) yield;
    }
  }

  /** Parses a whole record. One with invalid content is left out; others are not affected. */
  #parseRecord(at: number, record: RecordView): void {
    if (record.kind === REMOVED && record.family === EXEMPLAR) this.#exemplars.add(at);
    else if (record.kind === REMOVED) this.#vacant.add(at);
    if (record.kind !== IN_USE) return;
    const content = parseContent(record.text);
    if (this.#parseContent(at, record, content)) return;
    if (this.refused === 0) this.firstRefused = record.text;
    this.refused += 1;
  }

  #parseContent(at: number, record: RecordView, content: unknown): boolean {
    if (record.family >= 0) return this.#parseSeries(at, record, content);
    if (record.family === DECLARES) return this.#declare(content);
    if (record.family === COMPACTED && isStrings(content)) {
      this.compacted = new Set(content);
      return true;
    }
    this.hasLaterRecords ||= record.family < COMPACTED;
    return false;
  }

  /** Adds a family. An invalid family also gets a number, since series refer to families by number. */
  #declare(content: unknown): boolean {
    const isKnown = isStoredFamily(content) && this.#families.length < MAX_FAMILIES;
    this.#families.push(isKnown ? { descriptor: content, key: familyKey(content) } : undefined);
    this.hasLaterRecords ||= isLaterFamily(content);
    return isKnown;
  }

  #parseSeries(at: number, record: RecordView, content: unknown): boolean {
    if (record.family >= this.#families.length) return false;
    const family = this.#families[record.family];
    // The family has already been counted as refused.
    if (family === undefined) return true;
    const { descriptor, key } = family;
    if (descriptor.cells !== record.cells || !isSeries(content, descriptor)) return false;
    const { labels, writer } = content;
    const id = writer?.id ?? String(this.owner!.pid);
    if (!this.#writers.has(id) && this.#writers.size >= MAX_WRITERS) return false;
    const tableKey = `${id} ${key}`;
    const table = findOrCreate(this.tables, tableKey, () => {
      const live = this.#live && (writer?.live ?? true);
      return new FileTable(
        this,
        descriptor,
        key,
        findOrCreate(this.#writers, id, () => ({ id, live })),
      );
    });
    table.add(at, record, labels);
    return true;
  }
}

/**
 * Returns the offset up to which a file may be loaded, when its records up to `parsed` are valid. So a file that claims
 * to be long, but has no records, takes little memory.
 */
function loadable(parsed: number): number {
  return Math.max(2 * parsed, parsed + MAX_RECORD_BYTES);
}
