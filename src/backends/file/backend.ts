/** `MultiProcessFileBackend`: one memory-mapped file per process, in a directory that all processes read. */
import { basename, resolve } from 'node:path';
import { MetheusError, show } from '../../errors.js';
import { DEFAULT_SCOPE } from '../../model/collector.js';
import type { Exemplar, FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { checkOptionNames } from '../../model/options.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { Backend, BackendHost, CellRequest, Cells, SnapshotRequest, Writer } from '../backend.js';
import { type CellExemplars, ExemplarTable } from '../exemplar-table.js';
import { finishAll } from '../merge.js';
import type { CompactionStep } from './compaction.js';
import { Compactor } from './compactor.js';
import { DIRECTORY, MetricsDirectory, makeDirectory, type ReportFile } from './directory.js';
import { OtherExemplars } from './exemplar-records.js';
import { type Mapping, sharedMapping } from './mapping.js';
import { FamilyMerges, gatherSources, livingFirst, MemorySources } from './merge-sources.js';
import type { MetricsFile } from './metrics-file.js';
import { directoryFamilies, SELF_FAMILIES, SelfMetrics } from './self-metrics.js';
import { FileWriter, type FileWriterOptions } from './writer.js';

/** Configuration of {@link MultiProcessFileBackend}. */
export interface FileBackendConfig {
  /** Directory of the files, of this program only; created when missing. */
  readonly directory: string;
  /** Whether the process only reads, without a file of its own and without compaction. @defaultValue `false` */
  readonly readOnly?: boolean;
}

/** Internals that tests replace. */
export interface FileBackendInternals extends FileWriterOptions {
  readonly mapping?: Mapping;
  readonly onCompactionStep?: (step: CompactionStep) => void;
}

/** Interval at which a process checks whether its file still exists and has room. */
const CHECK_MS = 1000;

/**
 * Shares numbers among all processes that use one directory. Nothing is lost when a process is killed: scrapes read
 * its file, and eventually compact it into an archive.
 */
export class MultiProcessFileBackend implements Backend {
  readonly config: Readonly<Required<FileBackendConfig>>;
  readonly storage: string;
  readonly #internals: FileBackendInternals;
  readonly #mapping: Mapping;
  readonly #directory: MetricsDirectory;
  readonly #compactor: Compactor;
  readonly #self = new SelfMetrics();
  readonly #merges = new FamilyMerges();
  readonly #conflicts = new Set<string>();
  /** Worker threads with cells in the file. */
  readonly #threads = new Set<Writer>();
  /** Series that are in memory only, since they could not be added to the file. */
  #memory = new MemorySources();
  readonly #exemplars = new ExemplarTable();
  readonly #otherExemplars = new OtherExemplars();
  #writer: FileWriter | undefined;
  /** The previous file, which was deleted. Set only while its cells migrate. */
  #former: FileWriter | undefined;
  /** The error of the last attempt to create a file. The next check clears it and tries again. */
  #refused: Error | undefined;
  #host: BackendHost | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The last read of the files. They are closed only after it has ended. */
  #reading: Promise<MetricsFile[]> | undefined;

  /**
   * @param internals - for tests
   * @throws `METHEUS_INVALID_OPTIONS`
   */
  constructor(config: FileBackendConfig, internals: FileBackendInternals = {}) {
    checkOptionNames('MultiProcessFileBackend', config, ['directory', 'readOnly']);
    const { directory, readOnly = false } = config;
    const check = (isValid: boolean, given: string, expected: string) => {
      if (!isValid) throw new MetheusError('METHEUS_INVALID_OPTIONS', { given, expected });
    };
    const isPath = typeof directory === 'string' && directory !== '';
    check(isPath, `directory: ${show(directory)}`, 'the path of a directory');
    check(typeof readOnly === 'boolean', `readOnly: ${show(readOnly)}`, 'true or false');
    this.config = Object.freeze({ directory: resolve(directory), readOnly });
    this.storage = `file ${this.config.directory}`;
    this.#internals = internals;
    this.#mapping = internals.mapping ?? sharedMapping();
    const report: ReportFile = (kind, name, problem, count) => {
      const file = name === DIRECTORY ? directory : `${name} in ${directory}`;
      this.#self.reportError(kind, name, `Metrics are left out: ${file}: ${problem}`, count);
    };
    const openDirectory = () => new MetricsDirectory(this.config.directory, this.#mapping, report);
    this.#directory = openDirectory();
    this.#compactor = new Compactor({
      directory: this.#directory,
      openDirectory,
      mapping: this.#mapping,
      self: this.#self,
      onStep: internals.onCompactionStep,
    });
  }

  async open(host: BackendHost): Promise<void> {
    this.#host = host;
    this.#reserveSelf();
    if (this.config.readOnly) return;
    this.#timer = setInterval(() => this.#check(), CHECK_MS).unref();
    this.#compactor.start();
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
      this.#self.reportError('write', code, warning);
      return this.#memory.reserve(request);
    }
  }

  release(_family: FamilyDescriptor, cells: Cells): void {
    this.#exemplars.release(cells);
    if (this.#writer?.owns(cells)) this.#writer.release(cells);
    else this.#memory.release(cells);
  }

  removeEnded(family: FamilyDescriptor, labels: readonly (string | undefined)[]): void {
    if (!this.config.readOnly) this.#compactor.add(family, labels);
  }

  createdOf(_family: FamilyDescriptor, cells: Cells): number | undefined {
    const file = [this.#writer, this.#former].find((writer) => writer?.owns(cells));
    return (file ?? this.#memory.tableOf(cells))?.createdOf(cells);
  }

  putExemplar(family: FamilyDescriptor, cells: Cells, cell: number, exemplar: Exemplar): void {
    const file = this.#writer?.owns(cells) ? this.#writer : undefined;
    const textOf = () => file?.textOf(family, cells) ?? this.#memory.tableOf(cells)?.textOf(cells);
    this.#exemplars.put(family, cells, cell, exemplar, textOf);
    if (this.#exemplars.of(cells)?.[cell] === exemplar) file?.putExemplar(cells, cell, exemplar);
  }

  exemplarsOf(_family: FamilyDescriptor, cells: Cells): CellExemplars | undefined {
    return this.#exemplars.of(cells);
  }

  async snapshot({ families, scopes, own: isOwn = false }: SnapshotRequest): Promise<FamilySnapshot[]> {
    await this.#compactor.remove();
    this.#checkFile();
    this.#mapping.flush();
    const files = await this.#read();
    // No `await` from here until all numbers are copied. Otherwise a series that migrates meanwhile could be counted
    // twice or not at all.
    const gathered = gatherSources(isOwn ? [] : files, this.#writer, this.#memory);
    const merge = this.#merges.begin(gathered);
    const begun = families.map((family) => merge(family));
    const isDefault = scopes.includes(DEFAULT_SCOPE);
    const own = isDefault ? SELF_FAMILIES.map((family) => merge(family)) : [];
    const others = livingFirst(gathered).filter(({ family }) => scopes.includes(family.scope));
    if (others.length > 0) {
      const served = [...families, ...(isDefault ? SELF_FAMILIES : [])];
      const names = new Map(served.map((family) => [nameOf(family), this.#merges.keyOf(family)]));
      for (const { key, family, others: sources } of others) {
        if (!this.#isConflict(names, key, family)) begun.push(merge(family, sources));
      }
    }
    if (!this.config.readOnly) this.#compactor.onRead(files);
    if (!isOwn) this.#otherExemplars.copyFrom(files);
    let snapshots = await this.#exemplars.addTo(await finishAll([...begun, ...own]));
    if (!isOwn) snapshots = await this.#otherExemplars.addTo(snapshots);
    if (!isDefault) return snapshots;
    const used = files.reduce((sum, { content }) => sum + content.bytes.length, this.#writer?.used ?? 0);
    return [...snapshots, ...directoryFamilies(files.length + (this.#writer === undefined ? 0 : 1), used)];
  }

  /** Compacts the files of ended processes into the archive. Never rejects: an error is counted. */
  compact(): Promise<void> {
    return this.config.readOnly ? Promise.resolve() : this.#compactor.run();
  }

  async flush(): Promise<void> {
    await this.#compactor.remove();
    this.#mapping.flush();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#reading;
    this.#directory.own = undefined;
    this.#writer?.close();
    this.#writer = undefined;
    this.#refused = new Error('the backend is closed');
    if (!this.config.readOnly) await this.#compactor.stop();
    this.#directory.close();
  }

  #read(): Promise<MetricsFile[]> {
    this.#reading = this.#directory.read();
    return this.#reading;
  }

  /**
   * Returns the file of this process, which is created if necessary.
   *
   * @throws the error of the file system; the same one until the next check
   */
  #ownFile(): FileWriter {
    if (this.#writer !== undefined) return this.#writer;
    if (this.#refused !== undefined) throw this.#refused;
    try {
      makeDirectory(this.config.directory);
      this.#writer = new FileWriter(this.config.directory, this.#mapping, this.#internals);
      this.#directory.own = basename(this.#writer.path);
      this.#compactor.hasLocks = this.#writer.isLocked;
      return this.#writer;
    } catch (error) {
      this.#refused = error as Error;
      throw error;
    }
  }

  #check(): void {
    for (const thread of this.#threads) if (!thread.live) this.#threads.delete(thread);
    this.#checkFile();
    this.#compactor.check();
  }

  /** Creates a file if there is none, and migrates cells from memory and from a file that was deleted. */
  #checkFile(): void {
    if (this.#timer === undefined) return;
    const before = this.#writer;
    if (before?.exists) {
      this.#leaveMemory(before);
      return;
    }
    this.#writer = undefined;
    this.#directory.own = undefined;
    this.#refused = undefined;
    try {
      this.#ownFile();
    } catch {
      // `reserve` reports the error. Cells of a deleted file migrate nevertheless, to memory.
      if (before === undefined) return;
    }
    this.#memory = new MemorySources();
    this.#reserveSelf();
    this.#former = before;
    this.#host?.migrate();
    this.#former = undefined;
    before?.empty();
    before?.close();
  }

  #reserveSelf(): void {
    this.#self.reserve(this);
    if (this.#writer === undefined || this.#writer.isLocked || !this.#mapping.hasLocks) return;
    const message =
      `The file system of ${this.config.directory} has no file locks (flock), so it cannot be told whether a process in ` +
      'another pid namespace has ended, and its file is not compacted. Use a directory on a local file system.';
    this.#self.reportError('lock', 'flock', message);
  }

  #leaveMemory(file: FileWriter): void {
    if (this.#memory.tables.length === 0) return;
    try {
      file.makeRoom();
    } catch {
      return;
    }
    const isInMemory = (cells: Cells) => !file.owns(cells);
    this.#self.reserve(this, isInMemory);
    this.#host?.migrate(isInMemory);
  }

  /** Reports whether a different family with this name is served already. */
  #isConflict(names: Map<string, string>, key: string, family: FamilyDescriptor): boolean {
    const known = findOrCreate(names, nameOf(family), () => key);
    if (known === key) return false;
    if (!this.#conflicts.has(key)) {
      this.#conflicts.add(key);
      const message = `Two programs define the metric '${family.name}' differently: ${known} and ${key}. The first is served.`;
      this.#self.reportError('conflict', key, message);
    }
    return true;
  }
}

const nameOf = ({ scope, name }: FamilyDescriptor) => JSON.stringify([scope, name]);
