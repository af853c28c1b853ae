/** Reading the directory that writers share: all files as of one moment, even during a compaction. */
import { mkdirSync, readdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mayLive } from '../../system/process-identity.js';
import { TimeSlice } from '../../system/time-slice.js';
import { CLOSED, FILE_SUFFIX, LIVE_BY_LOCK, livenessOf } from './layout.js';
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

export class MetricsDirectory {
  readonly path: string;
  readonly #mapping: Mapping;
  readonly #onFault: (name: string, fault: string) => void;
  readonly #files = new Map<string, MetricsFile>();
  #archive: { readonly file: MetricsFile; readonly identity: string } | undefined;
  /** Names of files that could not be opened and were reported; `.` for the directory. */
  readonly #unopened = new Set<string>();

  /** @param onFault - called once for each file that cannot be read */
  constructor(path: string, mapping: Mapping, onFault: (name: string, fault: string) => void) {
    this.path = path;
    this.#mapping = mapping;
    this.#onFault = onFault;
  }

  /**
   * Reads and returns all files: the archive first, if there is one, then the others by age, the oldest first. New
   * records are parsed in time slices. Afterwards, all files are read once more without a pause, and the read ends. So
   * it ends even if a writer adds records faster than the slices can parse them.
   */
  async read(): Promise<MetricsFile[]> {
    const slice = new TimeSlice();
    const files = this.#readAll(slice);
    if (!files.some(({ isBehind }) => isBehind)) return files;
    if (this.#archive !== undefined) await this.#catchUp(ARCHIVE, this.#archive.file, slice);
    for (const [name, file] of this.#files) await this.#catchUp(name, file, slice);
    return this.#readAll();
  }

  /**
   * Returns all files, each read as far as the slice allows.
   *
   * A compaction renames the new archive into place and then removes the files that it contains. So the archive is read
   * first, and checked again at the end. If it has not changed, every file was in the archive or still in the directory.
   */
  #readAll(slice?: TimeSlice): MetricsFile[] {
    for (let tries = 1; ; tries++) {
      const archive = this.#readArchive(slice);
      const files = this.#readFiles(archive?.file.compacted ?? new Set(), slice);
      if (this.#archiveIdentity() === archive?.identity || tries === MAX_TRIES) {
        return archive === undefined ? files : [archive.file, ...files];
      }
    }
  }

  /** Reports whether there is an archive that could not be opened. */
  get hasHiddenArchive(): boolean {
    return this.#archive === undefined && this.#archiveIdentity() !== undefined;
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
    this.#archive?.file.close();
    this.#archive = undefined;
  }

  #archiveIdentity(): string | undefined {
    let stats: Stats;
    try {
      stats = statSync(join(this.path, ARCHIVE));
    } catch {
      return undefined;
    }
    return `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
  }

  #readArchive(slice?: TimeSlice): { readonly file: MetricsFile; readonly identity: string } | undefined {
    const identity = this.#archiveIdentity();
    if (identity === this.#archive?.identity) return this.#archive;
    // The previous archive stays open until the next one is open. So the system cannot give both the same inode.
    const before = this.#archive;
    this.#archive = undefined;
    const file = identity === undefined ? undefined : this.#open(ARCHIVE);
    before?.file.close();
    if (identity === undefined || file === undefined) return undefined;
    file.live = false;
    this.#readContent(ARCHIVE, file, slice);
    this.#archive = { file, identity };
    return this.#archive;
  }

  #readFiles(compacted: ReadonlySet<string>, slice?: TimeSlice): MetricsFile[] {
    const listed = this.#tryOpen('.', () => readdirSync(this.path)) ?? [];
    const names = new Set(listed.filter((name) => isMetricsFile(name) && !compacted.has(idOf(name))));
    for (const [name, file] of this.#files) {
      if (names.has(name)) continue;
      file.close();
      this.#files.delete(name);
    }
    for (const name of this.#unopened) {
      if (isMetricsFile(name) && !names.has(name)) this.#unopened.delete(name);
    }
    for (const name of names) {
      const file = this.#files.get(name) ?? this.#open(name);
      if (file !== undefined) this.#files.set(name, file);
    }
    for (const [name, file] of this.#files) this.#readFile(name, file, slice);
    return [...this.#files.values()].filter(({ owner }) => owner !== undefined).sort(byAge);
  }

  #readFile(name: string, file: MetricsFile, slice?: TimeSlice): void {
    if (file.owner === undefined) this.#readContent(name, file, slice);
    // An ended owner writes nothing more. So a file that is found to be ended before the read is read completely.
    const live = file.live && this.#isLive(file);
    if (file.owner !== undefined) this.#readContent(name, file, slice);
    file.live = live;
  }

  async #catchUp(name: string, file: MetricsFile, slice: TimeSlice): Promise<void> {
    while (file.isBehind) {
      await slice.next();
      this.#reportFault(name, file, () => file.parse(slice));
    }
  }

  #readContent(name: string, file: MetricsFile, slice?: TimeSlice): void {
    this.#reportFault(name, file, () => file.read(slice));
  }

  /** Calls `work`, and reports the fault if the file has one afterwards and had none before. */
  #reportFault(name: string, file: MetricsFile, work: () => void): void {
    const before = file.fault;
    try {
      work();
    } catch {
      file.fault = 'unreadable';
    }
    if (file.fault !== undefined && before === undefined) this.#onFault(name, file.fault);
  }

  /** Reports whether the owner lives. The kernel releases its lock when it dies, even in another pid namespace. */
  #isLive(file: MetricsFile): boolean {
    if (file.owner === undefined) return true;
    const liveness = livenessOf(file.content);
    if (liveness === CLOSED) return false;
    if (liveness !== LIVE_BY_LOCK || !this.#mapping.hasLocks) return mayLive(file.owner);
    if (!this.#mapping.lock(file.file, 'shared')) return true;
    this.#mapping.unlock(file.file);
    return false;
  }

  #open(name: string): MetricsFile | undefined {
    return this.#tryOpen(name, () => new MetricsFile(join(this.path, name), idOf(name)));
  }

  /** Returns the result of `open`; undefined when it fails, which is reported once. */
  #tryOpen<T>(name: string, open: () => T): T | undefined {
    try {
      const opened = open();
      this.#unopened.delete(name);
      return opened;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // ENOENT is no fault: the directory does not exist yet, or the file was compacted after it was listed. In that
      // case all files are read again, with the new archive.
      if (code === 'ENOENT' || this.#unopened.has(name)) return undefined;
      this.#unopened.add(name);
      this.#onFault(name, message);
      return undefined;
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
