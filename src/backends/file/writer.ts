/** Writing the file of a process: records in mapped chunks. */

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
import { findOrCreate } from '../../system/find-or-create.js';
import { thisProcess } from '../../system/process-identity.js';
import { isMissing } from '../../system/regular-file.js';
import { CELL_BYTES, type CellRequest, type Cells } from '../backend.js';
import {
  Bytes,
  CHUNK_BYTES,
  createdAt,
  DECLARES,
  FILE_SUFFIX,
  HEADER_BYTES,
  isSeriesInUse,
  LIVE_BY_LOCK,
  LIVE_BY_PID,
  MAX_BYTES,
  readRecord,
  recordLength,
  type SeriesIdentity,
  setClosed,
  setRemoved,
  setUsedBytes,
  writeGap,
  writeHeader,
  writeRecord,
} from './layout.js';
import type { Mapping } from './mapping.js';

const ZEROS = new Uint8Array(CHUNK_BYTES);

/**
 * Time for which the record of a removed series stays unused, so that a reader that is copying the file never sees the
 * numbers of the next series under the labels of the previous one.
 */
const EMPTY_MS = 1000;

/** A mapped section of the file. */
interface Chunk {
  readonly bytes: Bytes;
  /** Offset in the file. */
  readonly start: number;
}

/** A removed record, whose bytes can be used again. */
interface Vacancy {
  readonly bytes: Bytes;
  readonly at: number;
  readonly since: number;
}

export interface FileWriterOptions {
  /** Time for which a removed record stays unused, in milliseconds. @defaultValue 1000 */
  readonly emptyFor?: number;
}

export class FileWriter {
  readonly id: string;
  readonly path: string;
  /** Whether the file is locked. False on file systems without locks. */
  readonly isLocked: boolean;
  readonly #mapping: Mapping;
  readonly #file: number;
  readonly #emptyFor: number;
  readonly #chunks: Chunk[] = [];
  /** Numbers of families by key, since each worker thread has descriptors of its own for the same families. */
  readonly #families = new Map<string, number>();
  /** Numbers of families by descriptor: a cache that saves building the key. */
  readonly #seen = new WeakMap<FamilyDescriptor, number>();
  /** Vacancies by the length of the record, in the order of their removal. */
  readonly #vacancies = new Map<number, Vacancy[]>();
  readonly #encoder = new TextEncoder();
  /** Offset of the next record in the last chunk. */
  #next = HEADER_BYTES;

  /**
   * Creates the file. It has a temporary name until it is locked, so readers never see it without a living owner.
   *
   * @throws the error of the file system
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
      // Some network file systems have no locks. A missing lock does not mean there that the owner has ended.
      this.isLocked = mapping.lock(this.#file, 'exclusive');
      writeHeader(bytes, owner, this.isLocked ? LIVE_BY_LOCK : LIVE_BY_PID);
      setUsedBytes(bytes, HEADER_BYTES);
      mapping.flush();
      renameSync(temporary, this.path);
    } catch (error) {
      this.#closeFile();
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  get descriptor(): number {
    return this.#file;
  }

  /**
   * Whether the file still exists under its name. True as long as the file system does not report it as missing: after
   * another error, such as `EACCES`, other processes may still read it.
   */
  get exists(): boolean {
    try {
      const [named, own] = [statSync(this.path), fstatSync(this.#file)];
      return named.ino === own.ino && named.dev === own.dev;
    } catch (error) {
      return !isMissing(error);
    }
  }

  /** @throws the error of the file system when the file cannot grow; nothing has changed then */
  reserve({ family, labels, writer, created }: CellRequest): Cells {
    const number = this.#numberOf(family);
    const identity: SeriesIdentity = { labels, writer: writer && { id: writer.id, live: writer.live } };
    return this.#append(identity, number, family.cells, created);
  }

  /** Reports whether the cells are in this file. */
  owns({ page }: Cells): boolean {
    return this.#chunks.some(({ bytes }) => bytes.cells === page);
  }

  /**
   * Removes a series. Its record is searched in the chunk: removals are rare, and an index would cost memory for every
   * series.
   */
  release(cells: Cells): void {
    const { bytes, record } = this.#recordOf(cells);
    setRemoved(bytes, record);
    const length = bytes.ints[record / 4]!;
    const vacancy = { bytes, at: record, since: performance.now() };
    findOrCreate(this.#vacancies, length, () => []).push(vacancy);
  }

  /** Removes all series of a file that was moved away. It may come back after its numbers have moved elsewhere. */
  empty(): void {
    for (const { bytes } of this.#chunks) {
      const end = bytes === this.#chunks.at(-1)!.bytes ? this.#next : bytes.bytes.length;
      for (let at = this.#firstRecord(bytes); at < end; at += bytes.ints[at / 4]!) {
        if (isSeriesInUse(bytes, at)) setRemoved(bytes, at);
      }
    }
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
   * Makes room for a few series.
   *
   * @throws the error of the file system when there is none
   */
  makeRoom(): void {
    this.#chunkWith(CHUNK_BYTES / 2);
  }

  /** Closes the file and marks its owner as ended. Mapped memory stays writable. */
  close(): void {
    setClosed(this.#chunks[0]!.bytes);
    this.#mapping.flush();
    // Closing the descriptor would not release the lock, since the mapped memory keeps the file open.
    this.#mapping.unlock(this.#file);
    this.#closeFile();
  }

  #closeFile(): void {
    this.#mapping.forget(this.#file);
    closeSync(this.#file);
  }

  #numberOf(family: FamilyDescriptor): number {
    const declare = () => {
      this.#append(family, DECLARES, 0);
      return this.#families.size;
    };
    return findOrCreate(this.#seen, family, () => findOrCreate(this.#families, familyKey(family), declare));
  }

  #recordOf({ page, offset }: Cells): { readonly bytes: Bytes; readonly record: number } {
    const { bytes } = this.#chunks.find((chunk) => chunk.bytes.cells === page)!;
    let record = this.#firstRecord(bytes);
    for (;;) {
      const next = record + bytes.ints[record / 4]!;
      if (next > offset * CELL_BYTES) return { bytes, record };
      record = next;
    }
  }

  #firstRecord(bytes: Bytes): number {
    return bytes === this.#chunks[0]!.bytes ? HEADER_BYTES : 0;
  }

  #append(content: object, family: number, cells: number, created?: number): Cells {
    const text = this.#encoder.encode(JSON.stringify(content));
    const length = recordLength(text.length, cells);
    const write = (bytes: Bytes, at: number) => {
      const offset = writeRecord(bytes, at, text, family, cells, created);
      return { page: bytes.cells, offset };
    };
    // Families are numbered in the order of their records, so declarations are always appended.
    const vacancy = family === DECLARES ? undefined : this.#vacancyOf(length);
    if (vacancy !== undefined) return write(vacancy.bytes, vacancy.at);
    const { bytes, start } = this.#chunkWith(length);
    const written = write(bytes, this.#next);
    this.#next += length;
    setUsedBytes(this.#chunks[0]!.bytes, start + this.#next);
    return written;
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

  /**
   * Adds a chunk. Zeros are written to the file before it is mapped, so a full disk is an error here. Without them, the
   * first access to the mapped memory would kill the process.
   */
  #addChunk(length: number): Chunk {
    const last = this.#chunks.at(-1);
    const start = last === undefined ? 0 : last.start + last.bytes.bytes.length;
    if (start + length > MAX_BYTES) {
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
      // The zeros are not mapped yet. So it is safe to cut them off, which frees the space on the disk.
      ftruncateSync(this.#file, start);
      throw error;
    }
  }
}
