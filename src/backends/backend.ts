/**
 * The Backend contract: a backend owns the pages that metrics write into, and reads the numbers of every writer.
 *
 * A backend sees families, label values and numbers, but never metric classes. `test/backends/contract.ts` is the
 * suite that every backend passes; `docs/guides/backends.md` shows a complete implementation.
 */
import type { Exemplar, FamilyDescriptor, FamilySnapshot } from '../model/family.js';

/**
 * The metric that counts a backend's errors. All built-in backends use it; each has its own values of the label `kind`.
 */
export const BACKEND_ERRORS = {
  name: 'metheus_backend_errors_total',
  help: 'Errors of the storage of metrics.',
  labelNames: ['kind'],
} as const;

/** A cell is one float64. */
export const CELL_BYTES = 8;

/**
 * A thread or process that counts. Each page has exactly one writer. When the writer ends, `live` becomes false, and
 * the backend treats its numbers as the family's `MergeRule` says.
 */
export interface Writer {
  /** Unique among all writers of the backend: `4711` for a process, `4711-3` for its thread 3. */
  readonly id: string;
  live: boolean;
}

/** The cells of one series: `page[offset]` and those that follow. */
export interface Cells {
  readonly page: Float64Array;
  readonly offset: number;
}

/** A request for the cells of one series. */
export interface CellRequest {
  readonly family: FamilyDescriptor;
  /** Label values, in the order of `family.labelNames`. */
  readonly labels: readonly string[];
  /** The writer of the cells, by default this thread. Writers never share cells, even for the same labels. */
  readonly writer?: Writer;
  /** Unix seconds at which the series began to count, by default now. */
  readonly created?: number;
}

/** Label values of series, in the order of the label names; `undefined` stands for any value. */
export type LabelPattern = readonly (string | undefined)[];

/**
 * Reserves cells for a series in the backend in force, adds the numbers of the old cells there, and releases the old
 * cells.
 */
export type Move = (request: CellRequest, from: Cells) => Cells;

export interface SnapshotRequest {
  /** The requested families. Their snapshots are returned in this order. */
  readonly families: readonly FamilyDescriptor[];
  /** Registry scopes. Families in these scopes that only other writers have are requested as well. */
  readonly scopes: readonly string[];
  /**
   * Whether only the numbers of this process and its threads are requested, for a process that delivers its own numbers.
   *
   * @defaultValue `false`
   */
  readonly own?: boolean;
}

/** Passed to `open`, for the backend to call. */
export interface BackendHost {
  /**
   * Reserves new cells of this backend for series, and moves the numbers of their old cells there. For a backend that
   * has lost its storage. Synchronous.
   *
   * @param which - selects the cells to move
   * @defaultValue all cells
   */
  migrate(which?: (cells: Cells) => boolean): void;
}

/** Owner of pages. All methods but `snapshot`, `flush`, `open` and `close` are synchronous and never wait. */
export interface Backend {
  /** The configuration in force: defaults filled in, secrets left out. */
  readonly config: Readonly<Record<string, unknown>>;

  /**
   * Identifies the storage that this backend shares with other processes: backends with equal values read the same
   * numbers. Empty for memory that only this process reads.
   *
   * @defaultValue the name of the class and the configuration
   */
  readonly storage?: string;

  /**
   * Connects or opens files. `loadBackend` calls it once, before any other method, and rejects when it rejects.
   * Optional.
   */
  open?(host: BackendHost): Promise<void>;

  /**
   * Returns `family.cells` zeroed cells, valid until they are released. The caller adds to them at any time without
   * calling the backend. Never throws because of storage: cells without storage are in private memory.
   */
  reserve(request: CellRequest): Cells;

  /**
   * Releases cells, to which the caller must no longer write. Deletes the numbers in the cells but keeps the numbers of
   * other writers. Deletes the series once no writer has it.
   *
   * @param why - `removed`: the series is removed. `moved`: its numbers are in another backend now
   */
  release(family: FamilyDescriptor, cells: Cells, why?: 'removed' | 'moved'): void;

  /**
   * Deletes the series of a family that match the pattern and belong only to ended processes. The next snapshot of this
   * process omits the deleted series; after `flush`, every reader omits them. Called after `release` when a user
   * removes series. Optional: needed only by backends that keep the numbers of ended processes.
   */
  removeEnded?(family: FamilyDescriptor, labels: LabelPattern): void;

  /**
   * Returns the Unix seconds at which a series began to count, undefined if not known. When the numbers move to another
   * backend, this time moves with them. Optional.
   */
  createdOf?(family: FamilyDescriptor, cells: Cells): number | undefined;

  /**
   * Keeps an exemplar of `cells.page[cells.offset + cell]` until the cells are released. Snapshots contain the exemplar
   * with the latest timestamp of each cell. Ignores cells that the backend did not hand out. Optional: without it no
   * exemplars are shown. `ExemplarTable` implements it.
   */
  putExemplar?(family: FamilyDescriptor, cells: Cells, cell: number, exemplar: Exemplar): void;

  /**
   * Returns the exemplars of a series by cell, with holes; undefined if it has none. When the numbers move to another
   * backend, the exemplars move with them. Optional.
   */
  exemplarsOf?(family: FamilyDescriptor, cells: Cells): readonly (Exemplar | undefined)[] | undefined;

  /**
   * Returns the numbers of all writers, or only those of this process. The requested families come first, in the given
   * order, with one snapshot each, which may be empty. The families of the requested scopes that only other writers
   * have come after them.
   */
  snapshot(request: SnapshotRequest): FamilySnapshot[] | Promise<FamilySnapshot[]>;

  /** Resolves when every number written before the call can be read by other processes. */
  flush(): Promise<void>;

  /** Flushes, and closes files, connections and timers. Cells handed out stay writable but are not read any more. */
  close(): Promise<void>;
}

/** A class for `loadBackend`, which constructs it with the configuration. */
export type BackendClass<C extends object = Record<string, unknown>> = new (config: C) => Backend;

/** The configuration that a class takes. */
export type BackendConfig<Class> = Class extends new (
  config: infer C,
) => Backend
  ? [C] extends [never]
    ? object
    : NonNullable<C>
  : object;

/** The class and the configuration for `loadBackend` in one object, each by default from the environment. */
export interface BackendChoice<Class extends BackendClass<never> = BackendClass<never>> {
  readonly backendClass?: Class;
  readonly backendConfig?: BackendConfig<Class>;
}
