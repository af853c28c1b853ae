/** `MultiProcessFileBackend`: one memory-mapped file for each process, in a directory that all of them read. */
import { resolve } from 'node:path';
import { MetheusError, show } from '../../errors.js';
import { DEFAULT_SCOPE } from '../../model/collector.js';
import { type Exemplar, type FamilyDescriptor, type FamilySnapshot, familyKey } from '../../model/family.js';
import type { TimeSlice } from '../../system/time-slice.js';
import type { Backend, BackendHost, CellRequest, Cells, SnapshotRequest, Writer } from '../backend.js';
import { type CellExemplars, ExemplarTable } from '../exemplar-table.js';
import { finishAll, Merger } from '../merge.js';
import { ARCHIVE_ID, MetricsDirectory, makeDirectory } from './directory.js';
import { type FoldStep, fold, withFoldLock } from './fold.js';
import { gather, livingFirst } from './gather.js';
import { type Mapping, sharedMapping } from './mapping.js';
import { MemorySources } from './memory-sources.js';
import type { MetricsFile } from './reader.js';
import { directoryFamilies, SELF_FAMILIES, SelfMetrics } from './self-metrics.js';
import { FileWriter, type FileWriterOptions } from './writer.js';

/** Configuration of {@link MultiProcessFileBackend}. */
export interface FileBackendConfig {
  /** Where the files are; made when it is not there. @defaultValue `'./'` */
  readonly directory?: string;
  /** Reads, and writes nothing: no file, no fold. What this process counts itself stays in its memory. */
  readonly readOnly?: boolean;
}

/** What tests replace. */
export interface FileBackendParts extends FileWriterOptions {
  readonly mapping?: Mapping;
  readonly onFoldStep?: (step: FoldStep) => void;
}

/** So many files of processes that are gone are folded when somebody scrapes. */
const FOLD_FROM = 8;
/** How often a process looks whether its file is still there, or has room again. */
const CHECK_MS = 1000;

/**
 * Shares numbers among all processes that use one directory. Nothing is lost when a process is killed: its
 * numbers are in its file, which the next scrapes read and sooner or later fold into an archive.
 */
export class MultiProcessFileBackend implements Backend {
  readonly config: Readonly<Required<FileBackendConfig>>;
  readonly #parts: FileBackendParts;
  readonly #mapping: Mapping;
  readonly #directory: MetricsDirectory;
  readonly #self = new SelfMetrics();
  readonly #mergers = new Map<string, Merger>();
  readonly #conflicts = new Set<string>();
  /** Threads that have cells in the file. */
  readonly #threads = new Set<Writer>();
  /** Series that found no room in the file. */
  #memory = new MemorySources();
  readonly #exemplars = new ExemplarTable();
  #writer: FileWriter | undefined;
  /** The file that is being left, because it is gone. */
  #former: FileWriter | undefined;
  /** Why there is no file, until it is tried again. */
  #refused: Error | undefined;
  #host: BackendHost | undefined;
  #timer: NodeJS.Timeout | undefined;
  #folding: Promise<void> | undefined;
  /** The last reading of the files: they are not closed meanwhile. */
  #reading: Promise<MetricsFile[]> | undefined;

  /**
   * @param parts - internal
   * @throws `METHEUS_INVALID_OPTIONS`
   */
  constructor({ directory = './', readOnly = false }: FileBackendConfig = {}, parts: FileBackendParts = {}) {
    if (typeof directory !== 'string' || directory === '') {
      const expected = 'the path of a directory';
      throw new MetheusError('METHEUS_INVALID_OPTIONS', { given: `directory: ${show(directory)}`, expected });
    }
    this.config = Object.freeze({ directory: resolve(directory), readOnly });
    this.#parts = parts;
    this.#mapping = parts.mapping ?? sharedMapping();
    const onFault = (name: string, fault: string) =>
      this.#self.trouble('file', name, `The metrics file ${name} in ${directory} cannot be read: ${fault}`);
    this.#directory = new MetricsDirectory(this.config.directory, this.#mapping, onFault);
  }

  async open(host: BackendHost): Promise<void> {
    this.#host = host;
    this.#self.reserve(this);
    if (!this.config.readOnly) this.#timer = setInterval(() => this.#check(), CHECK_MS).unref();
  }

  reserve(request: CellRequest): Cells {
    if (this.config.readOnly) return this.#memory.reserve(request);
    try {
      const cells = this.#ownFile().reserve(request);
      if (request.writer !== undefined) this.#threads.add(request.writer);
      return cells;
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException;
      const warning = `Metrics stay in memory, where no other process sees them: ${message}`;
      this.#self.trouble('write', code, warning);
      return this.#memory.reserve(request);
    }
  }

  release(family: FamilyDescriptor, cells: Cells): void {
    this.#exemplars.release(cells);
    if (this.#writer?.owns(cells)) this.#writer.release(cells);
    else this.#memory.release(family, cells);
  }

  createdOf(family: FamilyDescriptor, cells: Cells): number | undefined {
    const file = [this.#writer, this.#former].find((writer) => writer?.owns(cells));
    return file === undefined ? this.#memory.createdOf(family, cells) : file.createdOf(cells);
  }

  putExemplar(family: FamilyDescriptor, cells: Cells, cell: number, exemplar: Exemplar): void {
    const textOf = () =>
      this.#writer?.owns(cells) ? this.#writer.textOf(family, cells) : this.#memory.textOf(family, cells);
    this.#exemplars.put(family, cells, cell, exemplar, textOf);
  }

  exemplarsOf(_family: FamilyDescriptor, cells: Cells): CellExemplars | undefined {
    return this.#exemplars.of(cells);
  }

  async snapshot({ families, scopes }: SnapshotRequest): Promise<FamilySnapshot[]> {
    this.#checkFile();
    this.#mapping.flush();
    const files = await this.#read();
    // From here on in one go, until the numbers of all are taken: what moves meanwhile is neither lost nor twice there.
    this.#endThreads(files);
    const gathered = gather(files, this.#memory, this.#writer?.id);
    const names = new Map<string, string>();
    const merge = (family: FamilyDescriptor) => {
      const key = familyKey(family);
      names.set(nameOf(family), key);
      const sources = gathered.get(key)?.sources ?? [];
      gathered.delete(key);
      const finish = this.#mergerOf(key, family).begin(sources);
      return async (slice: TimeSlice) => ({ ...(await finish(slice)), family });
    };
    const begun = families.map(merge);
    const isDefault = scopes.includes(DEFAULT_SCOPE);
    const own = isDefault ? SELF_FAMILIES.map(merge) : [];
    for (const { key, family, others } of livingFirst(gathered)) {
      if (!scopes.includes(family.scope) || this.#isConflict(names, key, family)) continue;
      begun.push(this.#mergerOf(key, family).begin(others));
    }
    const used = files.reduce((sum, { bytes }) => sum + bytes, 0);
    if (files.filter(isGone).length >= FOLD_FROM) void this.fold();
    const snapshots = await this.#exemplars.addTo(await finishAll([...begun, ...own]));
    return isDefault ? [...snapshots, ...directoryFamilies(files.length, used)] : snapshots;
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
    this.#mapping.flush();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#folding;
    await this.#reading;
    this.#writer?.close();
    this.#writer = undefined;
    this.#refused = new Error('the backend is closed');
    this.#directory.close();
  }

  async #fold(): Promise<void> {
    const { directory } = this.config;
    try {
      await withFoldLock(directory, this.#mapping, async () => {
        this.#parts.onFoldStep?.('locked');
        const files = await this.#read();
        const gone = files.filter(isGone);
        if (gone.length === 0) return;
        if (this.#directory.hasHiddenArchive) throw new Error('the archive cannot be opened');
        await fold(directory, files.find(isArchive), gone, this.#parts.onFoldStep);
        this.#self.countFold();
      });
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException;
      this.#self.trouble('fold', code, `Metrics files could not be folded: ${message}`);
    }
  }

  #read(): Promise<MetricsFile[]> {
    this.#reading = this.#directory.read();
    return this.#reading;
  }

  /** @throws what the file system throws; it is asked again at the next check only */
  #ownFile(): FileWriter {
    if (this.#writer !== undefined) return this.#writer;
    if (this.#refused !== undefined) throw this.#refused;
    try {
      this.#writer = this.#createFile();
      return this.#writer;
    } catch (error) {
      this.#refused = error as Error;
      throw error;
    }
  }

  #createFile(): FileWriter {
    makeDirectory(this.config.directory);
    return new FileWriter(this.config.directory, this.#mapping, this.#parts);
  }

  #check(): void {
    for (const thread of this.#threads) if (!thread.live) this.#threads.delete(thread);
    this.#checkFile();
  }

  /** Makes a file when there is none any more, or yet, and brings there what is in memory and should not be. */
  #checkFile(): void {
    if (this.#timer === undefined) return;
    const before = this.#writer;
    if (before?.exists) {
      this.#leaveMemory(before);
      return;
    }
    this.#writer = undefined;
    this.#refused = undefined;
    try {
      this.#ownFile();
    } catch {
      // It was told when it happened first. What was in a file that is gone moves to memory all the same.
      if (before === undefined) return;
    }
    this.#memory = new MemorySources();
    this.#self.reserve(this);
    this.#former = before;
    this.#host?.migrate();
    this.#former = undefined;
    before?.close();
  }

  #leaveMemory(file: FileWriter): void {
    if (this.#memory.isEmpty) return;
    try {
      file.makeRoom();
    } catch {
      return;
    }
    const isInMemory = (cells: Cells) => !file.owns(cells);
    this.#self.reserve(this, isInMemory);
    this.#host?.migrate(isInMemory);
  }

  /** The file says of a thread that it lives; that it does no more is known here before it is in the file. */
  #endThreads(files: readonly MetricsFile[]): void {
    const own = files.find(({ id }) => id === this.#writer?.id);
    for (const thread of this.#threads) if (!thread.live) own?.end(thread.id);
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
