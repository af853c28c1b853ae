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

/** Limit of restarts of a scrape because of compactions, which are slow, since each waits for the disk. */
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
   * Reads and returns all files: the archive first, if there is one, then from the oldest to the newest. New records are
   * parsed in time slices. Then all files are read once more without a pause, so that a writer that is faster than the
   * reader cannot keep it reading.
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
   * A compaction renames the new archive into place and then removes what it holds. So the archive is read first and
   * checked again at the end: if it is the same, every file was either in it or still present.
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
    // The previous archive is closed after the next is opened, so that the system cannot give both the same inode.
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
    // Checked before the read, so that the numbers of an owner that ends in between are complete.
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

  /** Calls `work`, and reports a fault that it finds in the file. */
  #reportFault(name: string, file: MetricsFile, work: () => void): void {
    const before = file.fault;
    try {
      work();
    } catch {
      file.fault = 'unreadable';
    }
    if (file.fault !== undefined && before === undefined) this.#onFault(name, file.fault);
  }

  /** Reports whether the owner lives. The kernel releases a lock when its owner dies, even in another pid namespace. */
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
      // The directory does not exist yet, or the file was compacted and the archive that contains it is read next.
      if (code === 'ENOENT' || this.#unopened.has(name)) return undefined;
      this.#unopened.add(name);
      this.#onFault(name, message);
      return undefined;
    }
  }
}

/**
 * Creates a directory and its parents. Node's own `recursive` never returns in `/proc`, where creating a directory
 * fails although its parent exists.
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
