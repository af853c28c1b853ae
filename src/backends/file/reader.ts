/** Reading writers' files: what is in them, and what has come since the last look. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import type { TimeSlice } from '../../system/time-slice.js';
import type { Writer } from '../backend.js';
import { FileTable } from './file-table.js';
import {
  Bytes,
  DECLARES,
  type FileFault,
  type FileHeader,
  FOLDED,
  HEADER_BYTES,
  IN_USE,
  isInUse,
  livenessOf,
  MOST_BYTES,
  REMOVED,
  type RecordView,
  readHeader,
  readRecord,
  stateOf,
  usedBytes,
} from './layout.js';
import { isFamily, isSeries, isStrings, parseContent } from './record-content.js';

/** Records between two looks at the clock. */
const RECORDS_AT_ONCE = 64;
/** A pipe of such a name must not hold up a scrape. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** One file, opened once and read again at each scrape. */
export class MetricsFile {
  readonly id: string;
  /** Ids of the files whose numbers are in this one: it is an archive. */
  folded: ReadonlySet<string> = new Set();
  owner: FileHeader | undefined;
  /** Why it cannot be read, or not any further. */
  fault: FileFault | undefined;
  /** What was read: the header and all whole records. */
  content = new Bytes(new ArrayBuffer(0));
  readonly file: number;
  readonly #families: { readonly descriptor: FamilyDescriptor; readonly key: string }[] = [];
  readonly #tables = new Map<string, FileTable>();
  readonly #writers = new Map<string, Writer>();
  /** Records of removed series, whose places may be used again. */
  readonly #vacant = new Set<number>();
  #buffer = new ArrayBuffer(4096);
  #parsed = 0;
  #used = 0;
  #live = true;

  /** @throws what the file system throws, or when it is no file */
  constructor(path: string, id: string) {
    this.id = id;
    this.file = openSync(path, READ);
    if (fstatSync(this.file).isFile()) return;
    this.close();
    throw Object.assign(new Error(`${path} is not a file`), { code: 'EINVAL' });
  }

  /** Whether its owner is there. Told from outside, and never true again once it was false. */
  get live(): boolean {
    return this.#live;
  }

  set live(live: boolean) {
    this.#live &&= live;
    if (!live) for (const writer of this.#writers.values()) writer.live = false;
  }

  /** How its owner's life is told: see the layout. */
  get liveness(): number {
    return livenessOf(this.content);
  }

  get bytes(): number {
    return this.content.bytes.length;
  }

  tables(): Iterable<FileTable> {
    return this.#tables.values();
  }

  /** Takes note that one of its writers, a thread, is gone. */
  end(writer: string): void {
    const known = this.#writers.get(writer);
    if (known !== undefined) known.live = false;
  }

  /** Whether there was more in it than the slice had time for; {@link parse} goes on then. */
  get isBehind(): boolean {
    return this.#parsed < this.#used && this.fault === undefined;
  }

  /**
   * Reads everything that is there now. What is broken stays out; what was whole before it stays in.
   *
   * @param slice - leaves new records that it has no time for; without one none is left
   * @throws what the file system throws
   */
  read(slice?: TimeSlice): void {
    this.#read(slice);
    // No order is promised to those who copy what another writes: a second look tells what is really broken.
    if (this.fault === 'record' && this.#live) this.#read(slice);
  }

  #read(slice?: TimeSlice): void {
    const used = this.#load();
    if (typeof used === 'string') {
      this.fault = used;
      return;
    }
    this.content = new Bytes(this.#buffer, 0, used);
    if (this.owner === undefined && !this.#readOwner()) return;
    for (const [key, table] of this.#tables) this.#refresh(key, table);
    this.#lookAtVacant(used);
    this.#used = used;
    if (!slice?.isOver()) this.parse(slice);
  }

  close(): void {
    closeSync(this.file);
  }

  /** Fills the buffer, and tells where whole records end. */
  #load(): number | FileFault {
    let got = this.#fill();
    if (got < HEADER_BYTES) return 'empty';
    const header = new Bytes(this.#buffer, 0, HEADER_BYTES);
    if (this.owner === undefined) {
      const fault = readHeader(new Bytes(this.#buffer, 0, got & ~7));
      if (typeof fault === 'string') return fault;
    }
    // Records up to here are whole; what is appended from now on is for the next time.
    const used = usedBytes(header);
    if (used < HEADER_BYTES || used % 8 !== 0 || used < this.#parsed || used > MOST_BYTES) return 'record';
    if (used > got) {
      if (used > fstatSync(this.file).size) return 'record';
      // Half as much again, so that a growing file is not read twice each time.
      this.#buffer = new ArrayBuffer((Math.ceil(used * 1.5) + 7) & ~7);
      got = this.#fill();
    }
    return used > got ? 'record' : used;
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

  #refresh(key: string, table: FileTable): void {
    table.refresh((record) => this.#vacant.add(record));
    if (table.labels.count > 0) return;
    this.#tables.delete(key);
    const { id } = table.writer;
    if (![...this.#tables.values()].some(({ writer }) => writer.id === id)) this.#writers.delete(id);
  }

  /** One whose identity is not whole yet, or any more, is left for the next time. */
  #lookAtVacant(used: number): void {
    for (const at of this.#vacant) {
      if (!isInUse(stateOf(this.content, at))) continue;
      const record = readRecord(this.content, at, used);
      if (record?.kind === IN_USE && this.#take(at, record)) this.#vacant.delete(at);
    }
  }

  /** Takes in records that are new: some at least, and then until the slice is over. */
  parse(slice?: TimeSlice): void {
    const used = this.#used;
    for (let records = 1; this.#parsed < used; records++) {
      const record = readRecord(this.content, this.#parsed, used);
      if (record === undefined || !this.#take(this.#parsed, record)) {
        this.fault = 'record';
        return;
      }
      this.#parsed += record.length;
      if (records % RECORDS_AT_ONCE === 0 && slice?.isOver()) return;
    }
    this.fault = undefined;
  }

  /** Whether the record made sense. */
  #take(at: number, record: RecordView): boolean {
    if (record.kind === REMOVED) this.#vacant.add(at);
    if (record.kind !== IN_USE) return true;
    const content = parseContent(record.text);
    if (content === undefined) return false;
    if (record.family === FOLDED) {
      if (!isStrings(content)) return false;
      this.folded = new Set(content);
      return true;
    }
    if (record.family === DECLARES) {
      if (!isFamily(content)) return false;
      this.#families.push({ descriptor: content, key: familyKey(content) });
      return true;
    }
    return this.#takeSeries(at, record, content);
  }

  #takeSeries(at: number, record: RecordView, content: object): boolean {
    const family = this.#families[record.family];
    if (family === undefined) return false;
    const { descriptor, key } = family;
    if (descriptor.cells !== record.cells || !isSeries(content, descriptor)) return false;
    const { labels, writer } = content;
    const id = writer?.id ?? String(this.owner!.pid);
    const tableKey = `${id} ${key}`;
    let table = this.#tables.get(tableKey);
    if (table === undefined) {
      table = new FileTable(this, descriptor, key, this.#writerOf(id, writer?.live ?? true));
      this.#tables.set(tableKey, table);
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
