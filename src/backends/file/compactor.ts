/** Starts compactions if there are many files of ended processes: at the start and end of a process, and by scrapes. */

import { type FamilyDescriptor, familyKey } from '../../model/family.js';
import { addExitStep, removeExitStep } from '../../system/exit-steps.js';
import { runInSlices, TimeSlice } from '../../system/time-slice.js';
import type { LabelPattern } from '../backend.js';
import { PendingRemovals } from '../pending-removals.js';
import { type CompactionStep, compact } from './compaction.js';
import { withCompactionLock } from './compaction-lock.js';
import { ARCHIVE_ID, type MetricsDirectory } from './directory.js';
import type { Mapping } from './mapping.js';
import type { MetricsFile } from './metrics-file.js';
import { type Removal, Removals } from './removals.js';
import type { SelfMetrics } from './self-metrics.js';

/** Minimum number of files of ended processes at which a compaction starts by itself. */
const MIN_COMPACTED_FILES = 8;
/** Maximum number of files that are compacted into the archive at once. */
const MAX_COMPACTED_FILES = 256;

export interface CompactorOptions {
  /** The directory that scrapes read. */
  readonly directory: MetricsDirectory;
  /** Returns a new reader of the same directory, which has read nothing yet. */
  readonly openDirectory: () => MetricsDirectory;
  readonly mapping: Mapping;
  readonly self: SelfMetrics;
  readonly onStep?: ((step: CompactionStep) => void) | undefined;
}

export class Compactor {
  /** Whether files of the directory can be locked, as far as this process knows. */
  hasLocks = true;
  readonly #options: CompactorOptions;
  #running: Promise<void> | undefined;
  /** Series of ended processes that the next compaction deletes. */
  readonly #removals = new PendingRemovals<Removal>();
  /** The latest search for files of ended processes. */
  #looking: Promise<void> = Promise.resolve();

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** Compacts now and when the event loop is empty, if there is much to compact. */
  start(): void {
    addExitStep('compaction', this.#atExit);
    void this.#look();
  }

  /** Compacts for the last time, if there is much to compact. */
  async stop(): Promise<void> {
    removeExitStep('compaction', this.#atExit);
    await this.#look();
    await this.#running;
  }

  /** Compacts if a scrape has found many files of ended processes. */
  onRead(files: readonly MetricsFile[]): void {
    if (files.filter(isEnded).length >= MIN_COMPACTED_FILES) void this.run();
  }

  /** Schedules series of ended processes for deletion by {@link remove}, or by {@link check} once they are due. */
  add(family: FamilyDescriptor, labels: LabelPattern): void {
    this.#removals.add(familyKey(family) + JSON.stringify(labels), { family, labels });
  }

  /** Deletes the scheduled series. If another process is compacting, leaves them for the next call. */
  async remove(): Promise<void> {
    if (this.#removals.isEmpty) return;
    await this.#running;
    await this.run();
  }

  /** Deletes the scheduled series if they are due. */
  check(): void {
    if (this.#removals.isDue) void this.#look();
  }

  /** Compacts the files of ended processes into the archive. Never rejects: an error is counted. */
  run(directory: MetricsDirectory = this.#options.directory): Promise<void> {
    this.#running ??= this.#run(directory).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  readonly #atExit = (): void => {
    // Another `beforeExit` follows when the compaction is complete.
    removeExitStep('compaction', this.#atExit);
    void this.#look();
  };

  /** Compacts if there are many files of ended processes, or series to be deleted. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      await this.#running;
      // A process that serves no metrics keeps no copy of the files.
      const directory = this.#options.openDirectory();
      const isDue =
        !this.#removals.isEmpty ||
        (await runInSlices(directory.hasEnded(MIN_COMPACTED_FILES), new TimeSlice()));
      if (isDue) await this.run(directory);
      directory.close();
    });
    return this.#looking;
  }

  async #run(directory: MetricsDirectory): Promise<void> {
    const { mapping, self, onStep } = this.#options;
    try {
      await withCompactionLock(directory.path, mapping, this.hasLocks, async () => {
        onStep?.('locked');
        const removed = this.#removals.list();
        const removals = new Removals(removed);
        for (let more = true; more; ) {
          const files = await directory.read();
          const ended = files.filter(isEnded);
          const archive = files.find(isArchive);
          if (ended.length === 0 && !(archive !== undefined && removals.isIn(archive))) break;
          if (directory.hasHiddenArchive) throw new Error('the archive cannot be opened');
          const batch = ended.slice(0, MAX_COMPACTED_FILES);
          await compact(directory.path, archive, batch, removals, onStep);
          self.countCompaction();
          more = batch.length < ended.length;
        }
        this.#removals.delete(removed);
      });
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException;
      self.reportError('compact', code, `Metrics files could not be compacted: ${message}`);
    }
  }
}

const isArchive = ({ id }: MetricsFile) => id === ARCHIVE_ID;

/**
 * Reports whether a file can be compacted: its process has ended, and all of it can be read. One that is broken or has
 * records of a later version is kept.
 */
function isEnded(file: MetricsFile): boolean {
  return !file.live && file.fault === undefined && !file.hasLaterRecords && !isArchive(file);
}
