/** Reading the file of a process. Each read parses only the records that are new since the last one. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import { isStoredFamily } from '../../model/stored-family.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { TimeSlice } from '../../system/time-slice.js';
import type { Writer } from '../backend.js';
import { FileTable } from './file-table.js';
import {
  Bytes,
  COMPACTED,
  DECLARES,
  type FileFault,
  type FileHeader,
  HEADER_BYTES,
  IN_USE,
  isInUse,
  isSeries,
  isStrings,
  MAX_BYTES,
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
/** Flags of `open`. Non-blocking, since to open a pipe with the name of a metrics file would block the scrape. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A file that is opened once and read at each scrape. */
export class MetricsFile {
  readonly id: string;
  /** Ids of the files that were compacted into this one, if it is an archive. */
  compacted: ReadonlySet<string> = new Set();
  owner: FileHeader | undefined;
  /** The fault that makes the file, or the rest of it, unreadable. */
  fault: FileFault | undefined;
  /** The header and all whole records, as last read. */
  content = new Bytes(new ArrayBuffer(0));
  readonly file: number;
  readonly #families: { readonly descriptor: FamilyDescriptor; readonly key: string }[] = [];
  /** Series by writer and family. */
  readonly tables = new Map<string, FileTable>();
  readonly #writers = new Map<string, Writer>();
  /** Offsets of removed records, which may be used again. */
  readonly #vacant = new Set<number>();
  #buffer = new ArrayBuffer(4096);
  #parsed = 0;
  #used = 0;
  #live = true;

  /** @throws the error of the file system, or `EINVAL` for something other than a file */
  constructor(path: string, id: string) {
    this.id = id;
    this.file = openSync(path, READ);
    if (fstatSync(this.file).isFile()) return;
    this.close();
    throw Object.assign(new Error(`${path} is not a file`), { code: 'EINVAL' });
  }

  /** Whether the owner lives, as `MetricsDirectory` has determined. Once false, it stays false. */
  get live(): boolean {
    return this.#live;
  }

  set live(live: boolean) {
    this.#live &&= live;
    if (!live) for (const writer of this.#writers.values()) writer.live = false;
  }

  /** Marks a worker thread of the process as ended. */
  end(writer: string): void {
    const known = this.#writers.get(writer);
    if (known !== undefined) known.live = false;
  }

  /** Whether the time slice was over before all new records were parsed. {@link parse} parses the rest. */
  get isBehind(): boolean {
    return this.#parsed < this.#used && this.fault === undefined;
  }

  /**
   * Reads the file as it is now, up to the first broken record.
   *
   * @param slice - limits the parsing of new records; without a slice, all of them are parsed
   * @throws the error of the file system
   */
  read(slice?: TimeSlice): void {
    this.#read(slice);
    // The owner may have been writing during the read. A second read shows whether the record is really broken.
    if (this.fault === 'record' && this.#live) this.#read(slice);
  }

  #read(slice?: TimeSlice): void {
    const fault = this.#load();
    if (fault !== undefined) {
      this.fault = fault;
      return;
    }
    for (const [key, table] of this.tables) this.#refresh(key, table);
    this.#parseReused();
    if (!slice?.isOver()) this.parse(slice);
  }

  close(): void {
    closeSync(this.file);
  }

  /** Reads the header and all whole records into memory. Returns a fault if they are invalid or incomplete. */
  #load(): FileFault | undefined {
    let got = this.#fill();
    if (got < HEADER_BYTES) return 'empty';
    const read = new Bytes(this.#buffer, 0, got & ~7);
    const owner = this.owner ?? readHeader(read);
    if (typeof owner === 'string') return owner;
    // Records before this offset are whole. Later ones are left for the next read.
    const used = usedBytes(read);
    const parsed = Math.max(this.#parsed, owner.records);
    if (used % 8 !== 0 || used < parsed || used > MAX_BYTES) return 'record';
    if (used > got) {
      if (used > fstatSync(this.file).size) return 'record';
      // The new buffer has room for growth: a file that does not fit into the buffer has to be read twice.
      this.#buffer = new ArrayBuffer((Math.ceil(used * 1.5) + 7) & ~7);
      got = this.#fill();
    }
    if (used > got) return 'record';
    this.content = new Bytes(this.#buffer, 0, used);
    this.owner = owner;
    this.#used = used;
    this.#parsed = parsed;
    return undefined;
  }

  #fill(): number {
    return readSync(this.file, new Uint8Array(this.#buffer), 0, this.#buffer.byteLength, 0);
  }

  #refresh(key: string, table: FileTable): void {
    table.refresh((record) => this.#vacant.add(record));
    if (table.labels.count > 0) return;
    this.tables.delete(key);
    const { id } = table.writer;
    if (![...this.tables.values()].some(({ writer }) => writer.id === id)) this.#writers.delete(id);
  }

  /** Parses removed records that are in use again. A record that is being written is left for the next read. */
  #parseReused(): void {
    for (const at of this.#vacant) {
      if (!isInUse(stateOf(this.content, at))) continue;
      const record = readRecord(this.content, at, this.#used);
      if (record?.kind === IN_USE && this.#parseRecord(at, record)) this.#vacant.delete(at);
    }
  }

  /** Parses new records until the slice is over, but always some, so that every call makes progress. */
  parse(slice?: TimeSlice): void {
    const used = this.#used;
    for (let records = 1; this.#parsed < used; records++) {
      const record = readRecord(this.content, this.#parsed, used);
      if (record === undefined || !this.#parseRecord(this.#parsed, record)) {
        this.fault = 'record';
        return;
      }
      this.#parsed += record.length;
      if (records % RECORDS_AT_ONCE === 0 && slice?.isOver()) return;
    }
    this.fault = undefined;
  }

  /** Parses a record. Reports whether it is valid. */
  #parseRecord(at: number, record: RecordView): boolean {
    if (record.kind === REMOVED) this.#vacant.add(at);
    if (record.kind !== IN_USE) return true;
    const content = parseContent(record.text);
    if (content === undefined) return false;
    if (record.family === COMPACTED) {
      if (!isStrings(content)) return false;
      this.compacted = new Set(content);
      return true;
    }
    if (record.family === DECLARES) {
      if (!isStoredFamily(content)) return false;
      this.#families.push({ descriptor: content, key: familyKey(content) });
      return true;
    }
    return this.#parseSeries(at, record, content);
  }

  #parseSeries(at: number, record: RecordView, content: object): boolean {
    const family = this.#families[record.family];
    if (family === undefined) return false;
    const { descriptor, key } = family;
    if (descriptor.cells !== record.cells || !isSeries(content, descriptor)) return false;
    const { labels, writer } = content;
    const id = writer?.id ?? String(this.owner!.pid);
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
