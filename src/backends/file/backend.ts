/** `MultiProcessFileBackend`: one memory-mapped file for each process, in a directory that all of them read. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { MetheusError, show } from '../../errors.js';
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../../model/family.js';
import { DEFAULT_SCOPE } from '../../model/scope.js';
import type { Backend, BackendHost, CellRequest, Cells, SnapshotRequest } from '../backend.js';
import { Merger, type MergeSource } from '../merge.js';
import { ARCHIVE_ID, MetricsDirectory } from './directory.js';
import { fold, withFoldLock } from './fold.js';
import { mapping } from './mapping.js';
import { MemorySources } from './memory-sources.js';
import type { MetricsFile } from './reader.js';
import { directoryFamilies, SelfMetrics } from './self-metrics.js';
import { FileWriter } from './writer.js';

/** Configuration of {@link MultiProcessFileBackend}. */
export interface FileBackendConfig {
  /** Where the files are; made when it is not there. @defaultValue `'./'` */
  readonly directory?: string;
  /** Reads, and writes nothing: no file, no fold. What this process counts itself stays in its memory. */
  readonly readOnly?: boolean;
}

/** So many files of processes that are gone are folded when somebody scrapes. */
const FOLD_FROM = 8;
/** How often a process looks whether its file is still there. */
const CHECK_MS = 1000;

/** The files' families and those in memory, by key. */
type Gathered = Map<string, { readonly family: FamilyDescriptor; readonly sources: MergeSource[] }>;

/**
 * Shares numbers among all processes that use one directory. Nothing is lost when a process is killed: its
 * numbers are in its file, which the next scrapes read and sooner or later fold into an archive.
 */
export class MultiProcessFileBackend implements Backend {
  readonly config: Readonly<Required<FileBackendConfig>>;
  readonly #directory: MetricsDirectory;
  readonly #self = new SelfMetrics();
  readonly #mergers = new Map<string, Merger>();
  readonly #conflicts = new Set<string>();
  /** Series that found no room in the file. */
  #memory = new MemorySources();
  #writer: FileWriter | undefined;
  #host: BackendHost | undefined;
  #timer: NodeJS.Timeout | undefined;
  #folding: Promise<void> | undefined;

  /** @throws `METHEUS_INVALID_OPTIONS` */
  constructor({ directory = './', readOnly = false }: FileBackendConfig = {}) {
    if (typeof directory !== 'string' || directory === '') {
      const expected = 'the path of a directory';
      throw new MetheusError('METHEUS_INVALID_OPTIONS', { given: `directory: ${show(directory)}`, expected });
    }
    this.config = Object.freeze({ directory: resolve(directory), readOnly });
    const onFault = (name: string, fault: string) =>
      this.#self.trouble('file', name, `The metrics file ${name} in ${directory} cannot be read: ${fault}`);
    this.#directory = new MetricsDirectory(this.config.directory, mapping(), onFault);
  }

  async open(host: BackendHost): Promise<void> {
    this.#host = host;
    this.#self.reserve(this);
    if (!this.config.readOnly) this.#timer = setInterval(() => this.#checkFile(), CHECK_MS).unref();
  }

  reserve(request: CellRequest): Cells {
    if (this.config.readOnly) return this.#memory.reserve(request);
    try {
      this.#writer ??= this.#createWriter();
      return this.#writer.reserve(request);
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException;
      this.#self.trouble(
        'write',
        code,
        `Metrics stay in memory, where no other process sees them: ${message}`,
      );
      return this.#memory.reserve(request);
    }
  }

  release(family: FamilyDescriptor, cells: Cells): void {
    if (this.#writer?.owns(cells)) this.#writer.release(cells);
    else this.#memory.release(family, cells);
  }

  snapshot({ families, scopes }: SnapshotRequest): FamilySnapshot[] {
    mapping().flush();
    const files = this.#directory.read();
    const gathered = this.#gather(files);
    const names = new Map<string, string>();
    const snapshots: FamilySnapshot[] = [];
    for (const family of families) {
      const key = familyKey(family);
      names.set(nameOf(family), key);
      const sources = gathered.get(key)?.sources ?? [];
      gathered.delete(key);
      snapshots.push({ ...this.#mergerOf(key, family).merge(sources), family });
    }
    for (const [key, { family, sources }] of gathered) {
      if (!scopes.includes(family.scope) || this.#isConflict(names, key, family)) continue;
      snapshots.push(this.#mergerOf(key, family).merge(sources));
    }
    if (scopes.includes(DEFAULT_SCOPE)) {
      snapshots.push(
        ...directoryFamilies(
          files.length,
          files.reduce((sum, { bytes }) => sum + bytes, 0),
        ),
      );
    }
    if (files.filter(isGone).length >= FOLD_FROM) void this.fold();
    return snapshots;
  }

  /** Folds the files of all processes that are gone into the archive. Never rejects: trouble is counted. */
  fold(): Promise<void> {
    if (this.config.readOnly) return Promise.resolve();
    this.#folding ??= this.#fold().finally(() => {
      this.#folding = undefined;
    });
    return this.#folding;
  }

  async flush(): Promise<void> {
    mapping().flush();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#folding;
    this.#writer?.close();
    this.#writer = undefined;
    this.#directory.close();
  }

  async #fold(): Promise<void> {
    const { directory } = this.config;
    try {
      await withFoldLock(directory, mapping(), async () => {
        const files = this.#directory.read();
        const gone = files.filter(isGone);
        if (gone.length === 0) return;
        await fold(directory, files.find(isArchive), gone);
        this.#self.countFold();
      });
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException;
      this.#self.trouble('fold', code, `Metrics files could not be folded: ${message}`);
    }
  }

  #createWriter(): FileWriter {
    mkdirSync(this.config.directory, { recursive: true });
    return new FileWriter(this.config.directory, mapping());
  }

  /** When the file was deleted, or could not be made before: makes one, and moves everything there. */
  #checkFile(): void {
    const before = this.#writer;
    if (before?.exists) return;
    try {
      this.#writer = this.#createWriter();
    } catch {
      // It was told when it happened first. Everything goes on in memory.
      return;
    }
    this.#memory = new MemorySources();
    this.#self.reserve(this);
    this.#host?.rehome();
    before?.close();
  }

  #gather(files: readonly MetricsFile[]): Gathered {
    const gathered: Gathered = new Map();
    const add = (key: string, family: FamilyDescriptor, source: MergeSource) => {
      const known = gathered.get(key);
      if (known === undefined) gathered.set(key, { family, sources: [source] });
      else known.sources.push(source);
    };
    for (const { tables } of files) for (const table of tables) add(table.key, table.family, table);
    for (const { key, family, source } of this.#memory.all()) add(key, family, source);
    return gathered;
  }

  /** One name can be one family only: the first wins. */
  #isConflict(names: Map<string, string>, key: string, family: FamilyDescriptor): boolean {
    const name = nameOf(family);
    const known = names.get(name);
    if (known === undefined) names.set(name, key);
    if (known === undefined || known === key) return false;
    if (!this.#conflicts.has(key)) {
      this.#conflicts.add(key);
      const message = `Two programs define the metric '${family.name}' differently: ${known} and ${key}. The first is served.`;
      this.#self.trouble('conflict', key, message);
    }
    return true;
  }

  #mergerOf(key: string, family: FamilyDescriptor): Merger {
    let merger = this.#mergers.get(key);
    if (merger === undefined) {
      merger = new Merger(family);
      this.#mergers.set(key, merger);
    }
    return merger;
  }
}

const nameOf = ({ scope, name }: FamilyDescriptor) => JSON.stringify([scope, name]);

const isArchive = ({ id }: MetricsFile) => id === ARCHIVE_ID;

/** Whose owner is gone, and which can be folded: what is broken stays, for somebody to look at. */
function isGone(file: MetricsFile): boolean {
  return !file.live && file.fault === undefined && !isArchive(file);
}
