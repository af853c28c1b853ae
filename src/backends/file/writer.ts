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
import type { Exemplar, FamilyDescriptor } from '../../model/family.js';
import { labelText } from '../../model/labels.js';
import { thisProcess } from '../../system/process-identity.js';
import { isMissing } from '../../system/regular-file.js';
import { CELL_BYTES, type CellRequest, type Cells } from '../backend.js';
import { EXEMPLAR_BYTES, ExemplarWriter, writeEmptyExemplar } from './exemplar-records.js';
import {
  Bytes,
  CHUNK_BYTES,
  createdAt,
  DECLARES,
  FILE_SUFFIX,
  type FileHeader,
  HEADER_BYTES,
  isSeriesInUse,
  LIVE_BY_LOCK,
  LIVE_BY_PID,
  MAX_BYTES,
  readHeader,
  readRecord,
  recordLength,
  type SeriesIdentity,
  setClosed,
  setRemoved,
  setUsedBytes,
  stateOf,
  writeGap,
  writeHeader,
  writeRecord,
} from './layout.js';
import type { Mapping } from './mapping.js';
import { type Chunk, OwnFamilies, type OwnTable } from './own-table.js';
import { type RecordLocation, Vacancies } from './vacancies.js';

const ZEROS = new Uint8Array(CHUNK_BYTES);

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
  readonly #chunks: Chunk[] = [];
  /** The chunks by offset: see `ChunkMap`. */
  readonly #chunkMap: Chunk[] = [];
  readonly #families = new OwnFamilies(this.#chunkMap);
  readonly #exemplars = new ExemplarWriter(() => this.#appendExemplar());
  readonly #vacancies: Vacancies;
  readonly #encoder = new TextEncoder();
  /** Offset of the next record in the last chunk. */
  #next = HEADER_BYTES;

  /**
   * Creates the file. It has a temporary name until it is locked, so readers never see it without a living owner.
   *
   * @throws the error of the file system
   */
  constructor(directory: string, mapping: Mapping, { emptyFor }: FileWriterOptions = {}) {
    const owner = thisProcess();
    const { pid, start, bootId } = owner;
    this.id = [bootId.slice(0, 8) || 'boot', pid, start, randomBytes(6).toString('hex')].join('-');
    this.path = join(directory, this.id + FILE_SUFFIX);
    this.#mapping = mapping;
    this.#vacancies = new Vacancies(emptyFor);
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

  /** Unix seconds at which the file was created. */
  get created(): number {
    return (readHeader(this.#chunks[0]!.bytes) as FileHeader).created;
  }

  /** Number of bytes of the header and the records. */
  get used(): number {
    return this.#chunks.at(-1)!.start + this.#next;
  }

  /** @throws the error of the file system when the file cannot grow; nothing has changed then */
  reserve(request: CellRequest): Cells {
    const { family, labels, writer, created } = request;
    const written = this.#families.of(family, () => this.#append(family, DECLARES, 0));
    const identity: SeriesIdentity = { labels, writer: writer && { id: writer.id, live: writer.live } };
    const { chunk, at } = this.#append(identity, written.number, family.cells, created);
    this.#families.add(written, request, chunk, at);
    const { cells: page, ints } = chunk.bytes;
    return { page, offset: (at + ints[at / 4]!) / CELL_BYTES - family.cells };
  }

  /** Returns the series in the file as they are now. */
  tables(): OwnTable[] {
    return this.#families.tables();
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
    const { chunk, record } = this.#recordOf(cells);
    setRemoved(chunk.bytes, record);
    this.#families.hasRemoved = true;
    const { ints } = chunk.bytes;
    this.#exemplars.release(chunk.start / CELL_BYTES + cells.offset, ints[record / 4 + 5]!);
    this.#vacancies.add(ints[record / 4]!, { chunk, at: record });
  }

  /** Writes the exemplar of a cell, for other processes. */
  putExemplar(cells: Cells, cell: number, exemplar: Exemplar): void {
    const { start } = this.#chunks.find(({ bytes }) => bytes.cells === cells.page)!;
    this.#exemplars.put(start / CELL_BYTES + cells.offset + cell, cell, exemplar, () => {
      const { chunk, record } = this.#recordOf(cells);
      return { start: start + record, state: stateOf(chunk.bytes, record) };
    });
  }

  /** Removes all series of a file that was moved away, since the file may reappear after its numbers have moved. */
  empty(): void {
    for (const { bytes } of this.#chunks) {
      const end = bytes === this.#chunks.at(-1)!.bytes ? this.#next : bytes.bytes.length;
      for (let at = this.#firstRecord(bytes); at < end; at += bytes.ints[at / 4]!) {
        if (isSeriesInUse(bytes, at)) setRemoved(bytes, at);
      }
    }
  }

  createdOf(cells: Cells): number {
    const { chunk, record } = this.#recordOf(cells);
    return createdAt(chunk.bytes, record);
  }

  /** Returns the label text of a series. */
  textOf({ labelNames }: FamilyDescriptor, cells: Cells): string {
    const { chunk, record } = this.#recordOf(cells);
    const { text } = readRecord(chunk.bytes, record, chunk.bytes.bytes.length)!;
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

  #recordOf({ page, offset }: Cells): { readonly chunk: Chunk; readonly record: number } {
    const chunk = this.#chunks.find(({ bytes }) => bytes.cells === page)!;
    let record = this.#firstRecord(chunk.bytes);
    for (;;) {
      const next = record + chunk.bytes.ints[record / 4]!;
      if (next > offset * CELL_BYTES) return { chunk, record };
      record = next;
    }
  }

  #firstRecord(bytes: Bytes): number {
    return bytes === this.#chunks[0]!.bytes ? HEADER_BYTES : 0;
  }

  /** Writes a record and returns its location. */
  #append(content: object, family: number, cells: number, created?: number): RecordLocation {
    const text = this.#encoder.encode(JSON.stringify(content));
    const length = recordLength(text.length, cells);
    // Families are numbered in the order of their records, so declarations are always appended.
    const vacancy = family === DECLARES ? undefined : this.#vacancies.take(length);
    if (vacancy !== undefined) {
      writeRecord(vacancy.chunk.bytes, vacancy.at, text, family, cells, created);
      return vacancy;
    }
    const chunk = this.#chunkWith(length);
    const at = this.#next;
    writeRecord(chunk.bytes, at, text, family, cells, created);
    this.#next += length;
    setUsedBytes(this.#chunks[0]!.bytes, chunk.start + this.#next);
    return { chunk, at };
  }

  #appendExemplar(): RecordLocation {
    const chunk = this.#chunkWith(EXEMPLAR_BYTES);
    const at = this.#next;
    writeEmptyExemplar(chunk.bytes, at);
    this.#next += EXEMPLAR_BYTES;
    setUsedBytes(this.#chunks[0]!.bytes, chunk.start + this.#next);
    return { chunk, at };
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
      for (let at = 0; at < length; at += CHUNK_BYTES) this.#chunkMap.push(chunk);
      return chunk;
    } catch (error) {
      // The zeros are not mapped yet. So it is safe to cut them off, which frees the space on the disk.
      ftruncateSync(this.#file, start);
      throw error;
    }
  }
}
