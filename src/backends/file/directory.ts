/** The directory that writers share: which files are there, and a view of them that no fold can disturb. */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_SUFFIX } from './layout.js';
import type { Mapping } from './mapping.js';
import { mayLive } from './process-identity.js';
import { MetricsFile } from './reader.js';

/** The numbers of all writers that are gone. */
export const ARCHIVE_ID = 'archive';
export const ARCHIVE = ARCHIVE_ID + FILE_SUFFIX;

/** How often a fold may come between before a scrape takes what it has. */
const MOST_TRIES = 5;

export class MetricsDirectory {
  readonly path: string;
  readonly #mapping: Mapping;
  readonly #onFault: (name: string, fault: string) => void;
  readonly #files = new Map<string, MetricsFile>();
  #archive: { readonly file: MetricsFile; readonly identity: string } | undefined;

  /** @param onFault - told once of each file that cannot be read */
  constructor(path: string, mapping: Mapping, onFault: (name: string, fault: string) => void) {
    this.path = path;
    this.#mapping = mapping;
    this.#onFault = onFault;
  }

  /**
   * All files, read: the archive first, if there is one.
   *
   * A fold renames the new archive into place and then removes what it holds. So the archive is read first and
   * looked at again last: if it is the same, then every file was either in it or still there.
   */
  read(): MetricsFile[] {
    for (let tries = 1; ; tries++) {
      const archive = this.#readArchive();
      const files = this.#readFiles(archive?.file.folded ?? new Set());
      if (this.#archiveIdentity() === archive?.identity || tries === MOST_TRIES) {
        return archive === undefined ? files : [archive.file, ...files];
      }
    }
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

  #readArchive(): { readonly file: MetricsFile; readonly identity: string } | undefined {
    const identity = this.#archiveIdentity();
    if (identity === this.#archive?.identity) return this.#archive;
    this.#archive?.file.close();
    this.#archive = undefined;
    if (identity === undefined) return undefined;
    const file = this.#open(ARCHIVE);
    if (file === undefined) return undefined;
    file.live = false;
    file.read();
    if (file.fault !== undefined) this.#onFault(ARCHIVE, file.fault);
    this.#archive = { file, identity };
    return this.#archive;
  }

  #readFiles(folded: ReadonlySet<string>): MetricsFile[] {
    const names = new Set(this.#list().filter((name) => !folded.has(idOf(name))));
    for (const [name, file] of this.#files) {
      if (names.has(name)) continue;
      file.close();
      this.#files.delete(name);
    }
    for (const name of names) {
      const file = this.#files.get(name) ?? this.#open(name);
      if (file !== undefined) this.#files.set(name, file);
    }
    // Known files first, as before: what was merged from them need not be merged anew.
    for (const [name, file] of this.#files) this.#read(name, file);
    return [...this.#files.values()].filter(({ owner }) => owner !== undefined);
  }

  #read(name: string, file: MetricsFile): void {
    // In this order: an owner that dies in between has written everything that is read afterwards.
    const live = file.live && this.#isLive(file);
    const before = file.fault;
    file.read();
    file.live = live;
    if (file.fault !== undefined && before === undefined) this.#onFault(name, file.fault);
  }

  /** A lock is released by the kernel when its owner dies, whatever namespace it lives in. */
  #isLive(file: MetricsFile): boolean {
    if (!this.#mapping.hasLocks) return file.owner === undefined || mayLive(file.owner);
    if (!this.#mapping.lock(file.file, 'shared')) return true;
    this.#mapping.unlock(file.file);
    return false;
  }

  #list(): string[] {
    try {
      return readdirSync(this.path).filter((name) => name.endsWith(FILE_SUFFIX) && name !== ARCHIVE);
    } catch (error) {
      this.#onFault('.', (error as Error).message);
      return [];
    }
  }

  #open(name: string): MetricsFile | undefined {
    try {
      return new MetricsFile(join(this.path, name), idOf(name));
    } catch (error) {
      // Folded and removed since it was listed: the archive has it, and will be seen to have changed.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#onFault(name, (error as Error).message);
      return undefined;
    }
  }
}

const idOf = (name: string) => name.slice(0, -FILE_SUFFIX.length);
