/** One process's file: appends records to mapped chunks. */

import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { FamilyDescriptor } from '../../model/family.js';
import { CELL_BYTES, type CellRequest, type Cells } from '../backend.js';
import {
  Bytes,
  CHUNK_BYTES,
  DECLARES,
  FILE_SUFFIX,
  HEADER_BYTES,
  recordLength,
  type SeriesIdentity,
  setRemoved,
  setUsedBytes,
  usedBytes,
  writeGap,
  writeHeader,
  writeRecord,
} from './layout.js';
import type { Mapping } from './mapping.js';
import { thisProcess } from './process-identity.js';

const ZEROS = new Uint8Array(CHUNK_BYTES);

/** A mapped part of the file. */
interface Chunk {
  readonly bytes: Bytes;
  /** Where it begins in the file. */
  readonly start: number;
}

export class FileWriter {
  readonly id: string;
  readonly path: string;
  readonly #mapping: Mapping;
  readonly #file: number;
  readonly #chunks: Chunk[] = [];
  readonly #families = new Map<FamilyDescriptor, number>();
  readonly #encoder = new TextEncoder();
  /** Where the next record goes, in the last chunk. */
  #next = HEADER_BYTES;

  /**
   * Makes a file of its own, under a temporary name until it is locked: nobody sees it without its owner.
   *
   * @throws what the file system throws
   */
  constructor(directory: string, mapping: Mapping) {
    const owner = thisProcess();
    const { pid, start, bootId } = owner;
    this.id = [bootId.slice(0, 8) || 'boot', pid, start, randomBytes(6).toString('hex')].join('-');
    this.path = join(directory, this.id + FILE_SUFFIX);
    this.#mapping = mapping;
    const temporary = `${this.path}.tmp`;
    this.#file = openSync(temporary, 'wx+', 0o644);
    try {
      const { bytes } = this.#addChunk(CHUNK_BYTES);
      writeHeader(bytes, owner);
      setUsedBytes(bytes, HEADER_BYTES);
      mapping.lock(this.#file, 'exclusive');
      mapping.flush();
      renameSync(temporary, this.path);
    } catch (error) {
      this.close();
      unlinkSync(temporary);
      throw error;
    }
  }

  /** Bytes of whole records and the header. */
  get used(): number {
    return usedBytes(this.#chunks[0]!.bytes);
  }

  /** Whether the file is still in its directory. */
  get exists(): boolean {
    return fstatSync(this.#file).nlink > 0;
  }

  /** @throws what the file system throws when the file cannot grow; nothing is changed then */
  reserve({ family, labels, writer }: CellRequest): Cells {
    let number = this.#families.get(family);
    if (number === undefined) {
      this.#append(family, DECLARES, 0);
      number = this.#families.size;
      this.#families.set(family, number);
    }
    const identity: SeriesIdentity = writer === undefined ? { labels } : { labels, writer };
    return this.#append(identity, number, family.cells);
  }

  /** Whether these cells are in this file. */
  owns({ page }: Cells): boolean {
    return this.#chunks.some(({ bytes }) => bytes.cells === page);
  }

  /** Removals are rare, so the record is looked for in its chunk: that costs no memory for those that stay. */
  release({ page, offset }: Cells): void {
    const chunk = this.#chunks.find(({ bytes }) => bytes.cells === page)!;
    let record = chunk.start === 0 ? HEADER_BYTES : 0;
    for (;;) {
      const next = record + chunk.bytes.ints[record / 4]!;
      if (next > offset * CELL_BYTES) break;
      record = next;
    }
    setRemoved(chunk.bytes, record);
  }

  /** All parts of the file, with the place where each begins. They are this process's own memory. */
  get chunks(): readonly Chunk[] {
    return this.#chunks;
  }

  /** Lets go of the file. What is mapped stays writable. */
  close(): void {
    this.#mapping.flush();
    this.#mapping.forget(this.#file);
    closeSync(this.#file);
  }

  #append(content: object, family: number, cells: number): Cells {
    const text = this.#encoder.encode(JSON.stringify(content));
    const length = recordLength(text.length, cells);
    const { bytes, start } = this.#chunkWith(length);
    const cellIndex = writeRecord(bytes, this.#next, text, family, cells);
    this.#next += length;
    setUsedBytes(this.#chunks[0]!.bytes, start + this.#next);
    return { page: bytes.cells, offset: cellIndex };
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
    for (let at = 0; at < length; ) {
      at += writeSync(this.#file, ZEROS, 0, Math.min(ZEROS.length, length - at), start + at);
    }
    const chunk = { bytes: new Bytes(this.#mapping.map(this.#file, start, length)), start };
    this.#chunks.push(chunk);
    return chunk;
  }
}
