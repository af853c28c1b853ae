/**
 * The numbers of the published bars of a child process: a file in the directory of its parent, which publishes them.
 *
 * ```
 * byte     0  RecordFileHeader: JSON, padded with spaces
 *       2048  pages of records, as worker threads write them: see `backends/threads/page.ts`
 * ```
 *
 * Each record is the sum of all bars of a proxy, bucket and unit in the child and its threads. The parent copies the
 * pages into its memory and treats them as pages of a further worker thread. So if the child is killed, its open bars
 * become failed and their counts are kept.
 */

import { createHash, randomBytes } from 'node:crypto';
import { closeSync, constants, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { activeBackend } from '../../backends/active-backend.js';
import type { Cells } from '../../backends/backend.js';
import { PAGE_HEADER, ThreadPageWriter } from '../../backends/threads/page.js';
import { ThreadPageReader, type ThreadRecord } from '../../backends/threads/page-reader.js';
import { messageOf, warnOnce } from '../../errors.js';
import { addExitStep } from '../../system/exit-steps.js';
import { findOrCreate } from '../../system/find-or-create.js';
import { mayLive, type ProcessIdentity, thisProcess } from '../../system/process-identity.js';
import { openRegular } from '../../system/regular-file.js';
import { workerChannel } from '../../system/worker-channel.js';
import { addRecord, type Bucket, cellsOfBucket, emptyBucket } from '../publish/buckets.js';
import { BARS, RecordPool } from '../publish/record-pool.js';
import { writeComplete } from './file-board.js';

export const RECORDS_SUFFIX = '.records';

const HEADER_BYTES = 2048;
/** Maximum bytes of a child's pages. */
const MAX_BYTES = 2 ** 26;
/** Milliseconds between two writes of a child. */
const INTERVAL_MS = 100;

interface RecordFileHeader extends ProcessIdentity {
  /** Digest of {@link Backend.storage}; empty if the backend of the child is private to it. */
  readonly storage: string;
  /** Lengths of the pages, in bytes. */
  readonly pages: readonly number[];
}

/** Returns the digest of the active backend's storage: empty for memory, undefined while a backend is being loaded. */
function storageDigest(): string | undefined {
  const { storage } = activeBackend();
  return storage && createHash('sha256').update(storage).digest('base64');
}

/** Writes the records of this process. */
export class RecordFileWriter {
  readonly #directory: string;
  readonly #name = `${process.pid}-${randomBytes(6).toString('hex')}${RECORDS_SUFFIX}`;
  readonly #pages = new ThreadPageWriter(() => {});
  readonly #sums = new Map<string, { readonly bucket: Bucket; readonly cells: Cells }>();
  #file: number | undefined;
  #header = '';
  /** Whether the file has the current content of the pages. */
  #isWritten = true;
  #nextWrite = 0;

  constructor(directory: string) {
    this.#directory = directory;
    setInterval(this.write, INTERVAL_MS).unref();
    addExitStep('files', this.write);
  }

  /** Calls {@link write} if the last write is at least {@link INTERVAL_MS} ago, for loops that block timers. */
  writeIfDue(): void {
    if (performance.now() >= this.#nextWrite) this.write();
  }

  /** Writes the pages if a number has changed. */
  readonly write = (): void => {
    this.#nextWrite = performance.now() + INTERVAL_MS;
    try {
      const storage = storageDigest();
      if (storage === undefined) return;
      // Stays false after a failed write, so that the next call writes the pages.
      if (this.#update()) this.#isWritten = false;
      if (this.#sums.size > 0) this.#writeFile(storage);
    } catch (error) {
      warnOnce(
        'progress-records',
        `Progress bars are not published by the parent process: ${messageOf(error)}`,
      );
    }
  };

  /** Updates the pages, and reports whether a number has changed. */
  #update(): boolean {
    let hasChanged = false;
    for (const { bucket } of this.#sums.values())
      Object.assign(bucket, emptyBucket(bucket.bucket, bucket.unit));
    for (const { labels, page, offset } of RecordPool.records()) this.#add(labels, { page, offset }, true);
    for (const { labels, cells, live } of activeBackend().threadSeries(BARS)) this.#add(labels, cells, live);
    for (const { bucket, cells } of this.#sums.values()) {
      for (const [cell, value] of cellsOfBucket(bucket).entries()) {
        hasChanged ||= cells.page[cells.offset + cell] !== value;
        cells.page[cells.offset + cell] = value;
      }
    }
    return hasChanged;
  }

  #add(labels: readonly string[], { page, offset }: Cells, live: boolean): void {
    const [proxy = '', bucket = '', unit = ''] = labels;
    const { bucket: sum } = findOrCreate(this.#sums, JSON.stringify([proxy, bucket, unit]), () => ({
      bucket: emptyBucket(bucket, unit),
      cells: this.#pages.reserve(BARS, [proxy, bucket, unit, 'child']),
    }));
    addRecord(sum, page.subarray(offset, offset + BARS.cells), live, Date.now() / 1000);
  }

  #writeFile(storage: string): void {
    const { buffers } = this.#pages;
    const pages = buffers.map(({ byteLength }) => byteLength);
    const header = JSON.stringify({ ...thisProcess(), storage, pages } satisfies RecordFileHeader);
    this.#file ??= this.#create();
    if (!this.#isWritten) this.#writePages(this.#file, buffers);
    this.#isWritten = true;
    // New pages are written before the header that names them.
    if (header !== this.#header) writeSync(this.#file, header.padEnd(HEADER_BYTES), 0);
    this.#header = header;
  }

  #writePages(file: number, buffers: readonly SharedArrayBuffer[]): void {
    let at = HEADER_BYTES;
    for (const buffer of buffers) {
      const bytes = new Uint8Array(buffer);
      // The page header says how much of the page is used, so it is written after the records.
      writeSync(file, bytes, PAGE_HEADER, bytes.length - PAGE_HEADER, at + PAGE_HEADER);
      writeSync(file, bytes, 0, PAGE_HEADER, at);
      at += bytes.length;
    }
  }

  #create(): number {
    const header: RecordFileHeader = { ...thisProcess(), storage: '', pages: [] };
    writeComplete(this.#directory, this.#name, JSON.stringify(header).padEnd(HEADER_BYTES));
    return openRegular(join(this.#directory, this.#name), constants.O_RDWR);
  }
}

/** Number of files that this thread has opened. */
let opened = 0;

/** Reads the records of one child into the memory of this process. */
export class RecordFileReader {
  readonly #path: string;
  readonly #file: number;
  /** Id of the child as a writer. Negative, so that it differs from the ids of all threads. */
  readonly #thread = -(1_000_000 * threadId + ++opened);
  readonly #pages: SharedArrayBuffer[] = [];
  readonly #reader = new ThreadPageReader();
  readonly #records: ThreadRecord[] = [];
  readonly #owner: ProcessIdentity;

  /** @param path - path of a file with a complete header */
  constructor(path: string) {
    this.#path = path;
    this.#file = openRegular(path);
    this.#owner = this.#header()!;
  }

  /** Reports whether the child may still write. */
  isLive(): boolean {
    return mayLive(this.#owner);
  }

  /** Copies the pages. If parent and child share a backend, clears the copy instead: the backend has the numbers. */
  read(): void {
    const own = storageDigest();
    const header = this.#header();
    if (own === undefined || header === undefined) return;
    if (own !== '' && own === header.storage) this.#clear();
    else this.#copy(header.pages);
  }

  /** Removes the file, and keeps the last numbers as those of an ended writer. */
  end(): void {
    this.read();
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
    // The file is removed first, since listeners scan the directory again.
    if (this.#pages.length > 0) workerChannel().deliver('thread ended', this.#thread);
  }

  /** Returns the header; undefined while it is being written. */
  #header(): RecordFileHeader | undefined {
    const bytes = Buffer.alloc(HEADER_BYTES);
    readSync(this.#file, bytes, 0, HEADER_BYTES, 0);
    try {
      return JSON.parse(bytes.toString());
    } catch {
      return undefined;
    }
  }

  #copy(lengths: readonly number[]): void {
    let at = HEADER_BYTES;
    if (lengths.reduce((a, b) => a + b, 0) > MAX_BYTES) throw new RangeError(`${this.#path} is too large`);
    for (const [number, length] of lengths.entries()) {
      const known = this.#pages[number];
      const buffer = known ?? new SharedArrayBuffer(length);
      readSync(this.#file, new Uint8Array(buffer), 0, length, at);
      at += length;
      if (known !== undefined) continue;
      this.#pages.push(buffer);
      this.#reader.add(number, buffer);
      const thread = this.#thread;
      workerChannel().deliver('metrics page', { thread, lineage: [thread], number, buffer });
    }
  }

  /** Sets all copied numbers to 0. */
  #clear(): void {
    this.#records.push(...this.#reader.newRecords());
    for (const { page, offset, family } of this.#records) page.fill(0, offset, offset + family.cells);
  }
}
