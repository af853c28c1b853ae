/** One process's file: appends records to mapped chunks. */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import { labelText } from '../../model/labels.js';
import { thisProcess } from '../../system/process-identity.js';
import { CELL_BYTES, type CellRequest, type Cells } from '../backend.js';
import {
  Bytes,
  CHUNK_BYTES,
  createdAt,
  DECLARES,
  FILE_SUFFIX,
  HEADER_BYTES,
  MOST_BYTES,
  readRecord,
  recordLength,
  type SeriesIdentity,
  setClosed,
  setRemoved,
  setUsedBytes,
  TOLD_BY_LOCK,
  TOLD_BY_PID,
  usedBytes,
  writeGap,
  writeHeader,
  writeRecord,
} from './layout.js';
import type { Mapping } from './mapping.js';

const ZEROS = new Uint8Array(CHUNK_BYTES);

/**
 * So long the place of a removed series stays empty: a reader that copies the file meanwhile never sees the
 * numbers of the next one under the labels of the last.
 */
const EMPTY_MS = 1000;

/** A mapped part of the file. */
interface Chunk {
  readonly bytes: Bytes;
  /** Where it begins in the file. */
  readonly start: number;
}

/** The place of a removed record. */
interface Vacancy {
  readonly bytes: Bytes;
  readonly at: number;
  readonly since: number;
}

export interface FileWriterOptions {
  /** How long a removed record's place stays empty, in milliseconds. @defaultValue 1000 */
  readonly emptyFor?: number;
}

export class FileWriter {
  readonly id: string;
  readonly path: string;
  readonly #mapping: Mapping;
  readonly #file: number;
  readonly #emptyFor: number;
  readonly #chunks: Chunk[] = [];
  /** The number of each family, by its key: every worker thread brings descriptors of its own for the same ones. */
  readonly #families = new Map<string, number>();
  /** The same for descriptors that were seen before. */
  readonly #seen = new WeakMap<FamilyDescriptor, number>();
  /** By the length of the record; the longest empty first. */
  readonly #vacancies = new Map<number, Vacancy[]>();
  readonly #encoder = new TextEncoder();
  /** Where the next record goes, in the last chunk. */
  #next = HEADER_BYTES;

  /**
   * Makes a file of its own, under a temporary name until it is locked: nobody sees it without its owner.
   *
   * @throws what the file system throws
   */
  constructor(directory: string, mapping: Mapping, { emptyFor = EMPTY_MS }: FileWriterOptions = {}) {
    const owner = thisProcess();
    const { pid, start, bootId } = owner;
    this.id = [bootId.slice(0, 8) || 'boot', pid, start, randomBytes(6).toString('hex')].join('-');
    this.path = join(directory, this.id + FILE_SUFFIX);
    this.#mapping = mapping;
    this.#emptyFor = emptyFor;
    const temporary = `${this.path}.tmp`;
    this.#file = openSync(temporary, 'wx+', 0o644);
    try {
      const { bytes } = this.#addChunk(CHUNK_BYTES);
      // Some network file systems have no locks. Without one nobody may take that for a sign of death.
      const locked = mapping.lock(this.#file, 'exclusive');
      writeHeader(bytes, owner, locked ? TOLD_BY_LOCK : TOLD_BY_PID);
      setUsedBytes(bytes, HEADER_BYTES);
      mapping.flush();
      renameSync(temporary, this.path);
    } catch (error) {
      this.#letGo();
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** Bytes of whole records and the header. */
  get used(): number {
    return usedBytes(this.#chunks[0]!.bytes);
  }

  /** Whether the file is still where it was made. */
  get exists(): boolean {
    try {
      return statSync(this.path).ino === fstatSync(this.#file).ino;
    } catch {
      return false;
    }
  }

  /** @throws what the file system throws when the file cannot grow; nothing is changed then */
  reserve({ family, labels, writer, created }: CellRequest): Cells {
    const number = this.#numberOf(family);
    const { id, live } = writer ?? {};
    const identity: SeriesIdentity = id === undefined ? { labels } : { labels, writer: { id, live: live! } };
    return this.#append(identity, number, family.cells, created);
  }

  /** Whether these cells are in this file. */
  owns({ page }: Cells): boolean {
    return this.#chunks.some(({ bytes }) => bytes.cells === page);
  }

  /** Removals are rare, so the record is looked for in its chunk: that costs no memory for those that stay. */
  release(cells: Cells): void {
    const { bytes, record } = this.#recordOf(cells);
    setRemoved(bytes, record);
    const length = bytes.ints[record / 4]!;
    const vacancy = { bytes, at: record, since: performance.now() };
    const known = this.#vacancies.get(length);
    if (known === undefined) this.#vacancies.set(length, [vacancy]);
    else known.push(vacancy);
  }

  createdOf(cells: Cells): number {
    const { bytes, record } = this.#recordOf(cells);
    return createdAt(bytes, record);
  }

  /** Returns the label text of a series. */
  textOf({ labelNames }: FamilyDescriptor, cells: Cells): string {
    const { bytes, record } = this.#recordOf(cells);
    const { text } = readRecord(bytes, record, bytes.bytes.length)!;
    return labelText(labelNames, (JSON.parse(text) as SeriesIdentity).labels);
  }

  /**
   * Makes sure that there is room for a few series.
   *
   * @throws what the file system throws when there is none
   */
  makeRoom(): void {
    this.#chunkWith(CHUNK_BYTES / 2);
  }

  /** Lets go of the file: its owner lives no more. What is mapped stays writable. */
  close(): void {
    setClosed(this.#chunks[0]!.bytes);
    this.#mapping.flush();
    // A mapping keeps the file's lock, whoever closes it.
    this.#mapping.unlock(this.#file);
    this.#letGo();
  }

  #letGo(): void {
    this.#mapping.forget(this.#file);
    closeSync(this.#file);
  }

  #numberOf(family: FamilyDescriptor): number {
    const seen = this.#seen.get(family);
    if (seen !== undefined) return seen;
    const key = familyKey(family);
    let number = this.#families.get(key);
    if (number === undefined) {
      this.#append(family, DECLARES, 0);
      number = this.#families.size;
      this.#families.set(key, number);
    }
    this.#seen.set(family, number);
    return number;
  }

  #recordOf({ page, offset }: Cells): { readonly bytes: Bytes; readonly record: number } {
    const { bytes, start } = this.#chunks.find((chunk) => chunk.bytes.cells === page)!;
    let record = start === 0 ? HEADER_BYTES : 0;
    for (;;) {
      const next = record + bytes.ints[record / 4]!;
      if (next > offset * CELL_BYTES) return { bytes, record };
      record = next;
    }
  }

  #append(content: object, family: number, cells: number, created?: number): Cells {
    const text = this.#encoder.encode(JSON.stringify(content));
    const length = recordLength(text.length, cells);
    // Families are numbered in the order of their records, so declarations are always appended.
    const vacancy = family === DECLARES ? undefined : this.#vacancyOf(length);
    if (vacancy !== undefined) {
      const { bytes, at } = vacancy;
      return { page: bytes.cells, offset: writeRecord(bytes, at, text, family, cells, created) };
    }
    const { bytes, start } = this.#chunkWith(length);
    const offset = writeRecord(bytes, this.#next, text, family, cells, created);
    this.#next += length;
    setUsedBytes(this.#chunks[0]!.bytes, start + this.#next);
    return { page: bytes.cells, offset };
  }

  #vacancyOf(length: number): Vacancy | undefined {
    const vacancies = this.#vacancies.get(length);
    const first = vacancies?.[0];
    if (first === undefined || performance.now() - first.since < this.#emptyFor) return undefined;
    return vacancies!.shift();
  }

  #chunkWith(length: number): Chunk {
    const last = this.#chunks.at(-1)!;
    if (this.#next + length <= last.bytes.bytes.length) return last;
    const chunk = this.#addChunk(Math.ceil(length / CHUNK_BYTES) * CHUNK_BYTES);
    if (this.#next < last.bytes.bytes.length) writeGap(last.bytes, this.#next);
    this.#next = 0;
    return chunk;
  }

  /** Zeros are written before they are mapped: on a full disk this throws, where a page fault would kill. */
  #addChunk(length: number): Chunk {
    const last = this.#chunks.at(-1);
    const start = last === undefined ? 0 : last.start + last.bytes.bytes.length;
    if (start + length > MOST_BYTES) {
      throw Object.assign(new Error('The file would be longer than 1 GiB'), { code: 'EFBIG' });
    }
    try {
      for (let at = 0; at < length; ) {
        at += writeSync(this.#file, ZEROS, 0, Math.min(ZEROS.length, length - at), start + at);
      }
      const chunk = { bytes: new Bytes(this.#mapping.map(this.#file, start, length)), start };
      this.#chunks.push(chunk);
      return chunk;
    } catch (error) {
      // What was written of it is not mapped, so it may be cut off: others can use the room.
      ftruncateSync(this.#file, start);
      throw error;
    }
  }
}
