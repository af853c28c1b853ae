/** The directory that writers share: which files are there, and a view of them that no fold can disturb. */
import { mkdirSync, readdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mayLive } from '../../system/process-identity.js';
import { TimeSlice } from '../../system/time-slice.js';
import { CLOSED, FILE_SUFFIX, TOLD_BY_LOCK } from './layout.js';
import type { Mapping } from './mapping.js';
import { MetricsFile } from './reader.js';

/** The numbers of all writers that are gone. */
export const ARCHIVE_ID = 'archive';
export const ARCHIVE = ARCHIVE_ID + FILE_SUFFIX;

/** How often a fold may come between before a scrape takes what it has. Each fold waits for the disk. */
const MOST_TRIES = 50;

export class MetricsDirectory {
  readonly path: string;
  readonly #mapping: Mapping;
  readonly #onFault: (name: string, fault: string) => void;
  readonly #files = new Map<string, MetricsFile>();
  #archive: { readonly file: MetricsFile; readonly identity: string } | undefined;
  /** Names that could not be opened: each is told once while it is so. */
  readonly #unopened = new Set<string>();

  /** @param onFault - told once of each file that cannot be read */
  constructor(path: string, mapping: Mapping, onFault: (name: string, fault: string) => void) {
    this.path = path;
    this.#mapping = mapping;
    this.#onFault = onFault;
  }

  /**
   * All files, read: the archive first, if there is one, and then from the oldest to the newest. What is new is taken in
   * in turns with the event loop; then everything is read again in one go, with what has come meanwhile. Not more often:
   * writers may be faster than the reader.
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
   * All files, each as far as there was time.
   *
   * A fold renames the new archive into place and then removes what it holds. So the archive is read first and
   * looked at again last: if it is the same, then every file was either in it or still there.
   */
  #readAll(slice?: TimeSlice): MetricsFile[] {
    for (let tries = 1; ; tries++) {
      const archive = this.#readArchive(slice);
      const files = this.#readFiles(archive?.file.folded ?? new Set(), slice);
      if (this.#archiveIdentity() === archive?.identity || tries === MOST_TRIES) {
        return archive === undefined ? files : [archive.file, ...files];
      }
    }
  }

  /** Whether there is an archive that could not be opened: then nobody knows what is in it. */
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
    // Kept open until the next one is: so their inodes, which tell them apart, differ.
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

  #readFiles(folded: ReadonlySet<string>, slice?: TimeSlice): MetricsFile[] {
    const names = new Set(this.#list().filter((name) => !folded.has(idOf(name))));
    for (const [name, file] of this.#files) {
      if (names.has(name)) continue;
      file.close();
      this.#files.delete(name);
    }
    for (const name of this.#unopened) {
      if (name !== '.' && name !== ARCHIVE && !names.has(name)) this.#unopened.delete(name);
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
    // In this order: an owner that dies in between has written everything that is read afterwards.
    const live = file.live && this.#isLive(file);
    if (file.owner !== undefined) this.#readContent(name, file, slice);
    file.live = live;
  }

  async #catchUp(name: string, file: MetricsFile, slice: TimeSlice): Promise<void> {
    while (file.isBehind) {
      await slice.next();
      this.#told(name, file, () => file.parse(slice));
    }
  }

  #readContent(name: string, file: MetricsFile, slice?: TimeSlice): void {
    this.#told(name, file, () => file.read(slice));
  }

  /** Does what may find a fault in a file, and tells it when it is new. */
  #told(name: string, file: MetricsFile, work: () => void): void {
    const before = file.fault;
    try {
      work();
    } catch {
      file.fault = 'unreadable';
    }
    if (file.fault !== undefined && before === undefined) this.#onFault(name, file.fault);
  }

  /** A lock is released by the kernel when its owner dies, whatever namespace it lives in. */
  #isLive(file: MetricsFile): boolean {
    if (file.owner === undefined) return true;
    if (file.liveness === CLOSED) return false;
    if (file.liveness !== TOLD_BY_LOCK || !this.#mapping.hasLocks) return mayLive(file.owner);
    if (!this.#mapping.lock(file.file, 'shared')) return true;
    this.#mapping.unlock(file.file);
    return false;
  }

  #list(): string[] {
    try {
      const names = readdirSync(this.path).filter((name) => name.endsWith(FILE_SUFFIX) && name !== ARCHIVE);
      this.#unopened.delete('.');
      return names;
    } catch (error) {
      // Nobody has written yet.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#tellUnopened('.', error as Error);
      return [];
    }
  }

  #open(name: string): MetricsFile | undefined {
    try {
      const file = new MetricsFile(join(this.path, name), idOf(name));
      this.#unopened.delete(name);
      return file;
    } catch (error) {
      // Folded and removed since it was listed: the archive has it, and will be seen to have changed.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#tellUnopened(name, error as Error);
      return undefined;
    }
  }

  #tellUnopened(name: string, { message }: Error): void {
    if (this.#unopened.has(name)) return;
    this.#unopened.add(name);
    this.#onFault(name, message);
  }
}

/**
 * Makes a directory and those above it. Node's own `recursive` never returns in `/proc`, where a directory
 * cannot be made although the one above it is there.
 *
 * @throws what the file system throws
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

const idOf = (name: string) => name.slice(0, -FILE_SUFFIX.length);

function byAge(a: MetricsFile, b: MetricsFile): number {
  return a.owner!.created - b.owner!.created || (a.id < b.id ? -1 : 1);
}
