/** Reading the directory that writers share: all files as of one moment, even during a compaction. */
import { mkdirSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { show } from '../../errors.js';
import { findOrCreate } from '../../system/find-or-create.js';
import { mayLive } from '../../system/process-identity.js';
import { isMissing } from '../../system/regular-file.js';
import { runAtOnce, runInSlices, TimeSlice } from '../../system/time-slice.js';
import { Descriptors, isOutOfDescriptors } from './descriptors.js';
import {
  Bytes,
  CLOSED,
  FILE_SUFFIX,
  type FileFault,
  type FileHeader,
  HEADER_BYTES,
  LIVE_BY_LOCK,
  livenessOf,
  readHeader,
} from './layout.js';
import type { Mapping } from './mapping.js';
import { MetricsFile } from './metrics-file.js';

/** The file with the numbers of ended writers. */
export const ARCHIVE_ID = 'archive';
export const ARCHIVE = ARCHIVE_ID + FILE_SUFFIX;

/**
 * Maximum attempts to read all files without a compaction in between. A compaction waits for the disk, so it is much
 * slower than an attempt.
 */
const MAX_TRIES = 50;
/** The name under which errors of the directory are reported. */
export const DIRECTORY = '.';

/**
 * Reports a problem with a file. `file`: the file, or a part of it, cannot be read. `record`: `count` more of its records
 * are refused.
 */
export type ReportFile = (kind: 'file' | 'record', name: string, problem: string, count?: number) => void;

const FAULTS: Readonly<Record<FileFault, string>> = {
  empty: 'is too short',
  magic: 'is not a metrics file',
  version: 'was written by another version of metheus, with another format, and is left alone',
  'byte-order': 'has the byte order of another processor',
  record: 'has a broken record',
  unreadable: 'cannot be read',
};

export class MetricsDirectory {
  readonly path: string;
  /** Name of this process's own file. It is not read, since its writer has the series in memory. */
  own: string | undefined;
  readonly #mapping: Mapping;
  readonly #report: ReportFile;
  readonly #descriptors = new Descriptors();
  readonly #files = new Map<string, MetricsFile>();
  #archive: { readonly file: MetricsFile; readonly identity: string } | undefined;
  /** Whether the archive could not be opened. Until it can be, the previous archive, if any, is read instead. */
  hasHiddenArchive = false;
  /** Names of files that cannot be opened and were reported. */
  readonly #reported = new Set<string>();

  constructor(path: string, mapping: Mapping, report: ReportFile) {
    this.path = path;
    this.#mapping = mapping;
    this.#report = report;
  }

  /**
   * Reads and returns all files except this process's own: the archive, if any, then the others from oldest to newest.
   * The work is done in time slices. If one slice is not enough, the files of running processes are read again at the
   * end without a pause, so that all numbers are from the same moment and the read ends even if a writer adds records
   * faster than the slices can parse them.
   */
  async read(): Promise<MetricsFile[]> {
    const slice = new TimeSlice();
    const settled = new Set<MetricsFile>();
    const reading = this.#readAll(settled);
    do {
      const step = reading.next();
      if (step.done) return step.value;
    } while (!slice.isOver());
    await slice.next();
    await runInSlices(reading, slice);
    return runAtOnce(this.#readAll(settled));
  }

  /** Reports whether at least `count` files are those of ended processes. Reads only headers. */
  *hasEnded(count: number): Generator<void, boolean> {
    let ended = 0;
    for (const name of this.#list() ?? []) {
      const content = new Bytes(new ArrayBuffer(HEADER_BYTES));
      const file = { path: join(this.path, name), content, owner: undefined as FileHeader | undefined };
      try {
        this.#descriptors.use(file, (descriptor) => readSync(descriptor, content.bytes, 0, HEADER_BYTES, 0));
        const header = readHeader(content);
        if (typeof header === 'object' && !this.#isLive({ ...file, owner: header })) ended += 1;
      } catch {
        // The file is gone, or cannot be compacted.
      }
      this.#descriptors.close(file);
      if (ended === count) return true;
      yield;
    }
    return false;
  }

  /** Closes all files and forgets their content. */
  close(): void {
    this.#descriptors.closeAll();
    this.#files.clear();
    this.#archive = undefined;
  }

  /**
   * Returns all files, and adds to `settled` those that will not change any more; files in it are not read again.
   *
   * A compaction renames the new archive into place and then removes the files that it contains. So the archive is read
   * first, and checked again at the end. If it is the same, every file was in it or still in the directory.
   */
  *#readAll(settled: Set<MetricsFile>): Generator<void, MetricsFile[]> {
    for (let tries = 1; ; tries++) {
      const identity = this.#archiveIdentity();
      const archive = yield* this.#readArchive(identity);
      const files = yield* this.#readFiles(archive?.compacted ?? new Set(), settled);
      if (this.#archiveIdentity() === identity || tries === MAX_TRIES) {
        return archive === undefined ? files : [archive, ...files];
      }
    }
  }

  #archiveIdentity(): string | undefined {
    try {
      const { ino, size, mtimeMs } = statSync(join(this.path, ARCHIVE));
      return `${ino} ${size} ${mtimeMs}`;
    } catch (error) {
      return isMissing(error) ? undefined : (this.#archive?.identity ?? 'unknown');
    }
  }

  *#readArchive(identity: string | undefined): Generator<void, MetricsFile | undefined> {
    this.hasHiddenArchive = false;
    if (identity !== this.#archive?.identity) {
      // The previous archive stays open until the next one is open. So the system cannot give both the same inode.
      const before = this.#archive;
      const next = identity === undefined ? undefined : this.#newFile(ARCHIVE);
      if (next !== undefined && !this.#keepOpen(next)) {
        this.hasHiddenArchive = true;
        return before?.file;
      }
      this.#archive = next && { file: next, identity: identity! };
      before?.file.close();
    }
    const file = this.#archive?.file;
    if (file === undefined || file.isComplete) return file;
    file.live = false;
    yield* this.#readContent(ARCHIVE, file);
    return file;
  }

  *#readFiles(compacted: ReadonlySet<string>, settled: Set<MetricsFile>): Generator<void, MetricsFile[]> {
    const listed = this.#list() ?? [...this.#files.keys()];
    const names = new Set(listed.filter((name) => name !== this.own && !compacted.has(idOf(name))));
    for (const [name, file] of this.#files) {
      // A missing file may have been merged into an archive that could not be opened. Its last numbers are kept until the
      // archive can be read.
      if (!names.has(name) && !this.hasHiddenArchive) this.#forget(name, file);
    }
    for (const name of names) {
      const file = findOrCreate(this.#files, name, () => this.#newFile(name));
      const isNew = file.owner === undefined;
      if (!settled.has(file)) yield* this.#readFile(name, file, settled);
      // No pause after a file of a running process: after a pause, the file would have to be read again.
      if (isNew || !file.live) yield;
    }
    return [...this.#files.values()].filter(({ owner }) => owner !== undefined).sort(byAge);
  }

  /** Returns the names of the files; undefined if the directory exists, but cannot be read. */
  #list(): string[] | undefined {
    try {
      const names = readdirSync(this.path).filter(isMetricsFile);
      this.#reported.delete(DIRECTORY);
      return names;
    } catch (error) {
      if (isMissing(error)) return [];
      this.#reportOnce(DIRECTORY, error as Error);
      return undefined;
    }
  }

  *#readFile(name: string, file: MetricsFile, settled: Set<MetricsFile>): Generator<void, void> {
    if (file.owner === undefined) yield* this.#readContent(name, file);
    // An ended owner writes nothing more. So a file that is found to be ended before the read is read completely.
    const live = file.live && this.#isLive(file);
    if (file.owner !== undefined) yield* this.#readContent(name, file);
    if (file.fault === 'unreadable') return;
    file.live = live;
    if (!live && file.isComplete) settled.add(file);
  }

  /** Reads a file, and reports its fault if it had none before. If the read fails, the content from before stays. */
  *#readContent(name: string, file: MetricsFile): Generator<void, void> {
    const { fault: before, refused } = file;
    try {
      yield* file.read();
      if (file.fault !== undefined && before === undefined) this.#report('file', name, FAULTS[file.fault]);
      const more = file.refused - refused;
      if (more === 0) return;
      const what = file.hasLaterRecords ? 'records of a later version of metheus' : 'invalid records';
      this.#report('record', name, `has ${what}: ${show(file.firstRefused)}`, more);
    } catch (error) {
      if (isMissing(error)) this.#forget(name, file);
      else if (isOutOfDescriptors(error)) this.#reportOnce(DIRECTORY, error as Error);
      else if (before === undefined) this.#report('file', name, (error as Error).message);
      file.fault = 'unreadable';
    }
  }

  #keepOpen(archive: MetricsFile): boolean {
    try {
      this.#descriptors.keep(archive);
      this.#reported.delete(ARCHIVE);
      return true;
    } catch (error) {
      // An archive that is missing now was replaced: the next attempt finds the new one.
      if (!isMissing(error)) this.#reportOnce(ARCHIVE, error as Error);
      return false;
    }
  }

  #reportOnce(name: string, { message }: Error): void {
    if (!this.#reported.has(name)) this.#report('file', name, message);
    this.#reported.add(name);
  }

  #forget(name: string, file: MetricsFile): void {
    file.close();
    this.#files.delete(name);
  }

  #newFile(name: string): MetricsFile {
    return new MetricsFile(join(this.path, name), idOf(name), this.#descriptors);
  }

  /** Reports whether the owner is running. The kernel releases its lock when it ends, even in another pid namespace. */
  #isLive(file: Pick<MetricsFile, 'path' | 'owner' | 'content'>): boolean {
    const { owner, content } = file;
    if (owner === undefined) return true;
    const liveness = livenessOf(content);
    if (liveness === CLOSED) return false;
    if (liveness !== LIVE_BY_LOCK || !this.#mapping.hasLocks) return mayLive(owner);
    try {
      return this.#descriptors.use(file, (descriptor) => {
        if (!this.#mapping.lock(descriptor, 'shared')) return true;
        this.#mapping.unlock(descriptor);
        return false;
      });
    } catch {
      return true;
    }
  }
}

/**
 * Creates a directory and its parents. The option `recursive` of `mkdirSync` is not used: it never returns in `/proc`,
 * where creating a directory fails although its parent exists.
 *
 * @throws the error of the file system
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectory(dirname(path));
    mkdirSync(path);
  }
}

const isMetricsFile = (name: string) => name.endsWith(FILE_SUFFIX) && name !== ARCHIVE;

const idOf = (name: string) => name.slice(0, -FILE_SUFFIX.length);

function byAge(a: MetricsFile, b: MetricsFile): number {
  return a.owner!.created - b.owner!.created || (a.id < b.id ? -1 : 1);
}
