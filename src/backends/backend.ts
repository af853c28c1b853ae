/**
 * The Backend contract: who owns the pages that metrics write into, and how everybody's numbers are read.
 *
 * A backend sees families, label values and numbers; it never sees a metric class and never asks for a type.
 * `test/backends/contract.ts` is the suite that every backend passes; `docs/guides/backends.md` shows a
 * complete one of a user's own.
 */
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';

/** One cell is one float64. */
export const CELL_BYTES = 8;

/**
 * Who writes a page. Exactly one thread does; when it is gone, `live` becomes false, and the backend may
 * treat its numbers accordingly: see `MergeRule`.
 */
export interface Writer {
  /** Unique among all writers of the backend: for instance `4711` for a process, `4711-3` for its thread 3. */
  readonly id: string;
  live: boolean;
}

/** Where a child's numbers are: `page[offset]` and the cells that follow. */
export interface Cells {
  readonly page: Float64Array;
  readonly offset: number;
}

export interface CellRequest {
  readonly family: FamilyDescriptor;
  /** Label values, in the order of `family.labelNames`. */
  readonly labels: readonly string[];
  /** For whom; left out: for this thread itself. Each writer has cells of its own for the same labels. */
  readonly writer?: Writer;
  /** Unix seconds at which the series began to count; left out: now. */
  readonly created?: number;
}

/** Takes new cells for a series and moves the numbers of the old ones there. */
export type Move = (request: CellRequest, from: Cells) => Cells;

export interface SnapshotRequest {
  /** The families wanted, in this order. */
  readonly families: readonly FamilyDescriptor[];
  /** Scopes whose other families, made by other writers, are wanted as well. */
  readonly scopes: readonly string[];
}

/** What a backend may ask of those who use it. */
export interface BackendHost {
  /**
   * Has everybody who holds cells of this backend reserve them again and move their numbers: for a backend
   * whose storage was taken away under it. Synchronous.
   *
   * @param which - the cells that move; all of them when left out
   */
  migrate(which?: (cells: Cells) => boolean): void;
}

/** Owner of pages. All methods but `snapshot`, `flush`, `open` and `close` are synchronous and never wait. */
export interface Backend {
  /** What the backend was configured with, defaults filled in, secrets left out. */
  readonly config: Readonly<Record<string, unknown>>;

  /**
   * Connects, opens files. Called once, before anything else, by `loadBackend`, which rejects when it does.
   * Optional.
   */
  open?(host: BackendHost): Promise<void>;

  /**
   * Hands out `family.cells` zeroed cells, valid until released. The caller adds to them at any time, without
   * telling the backend. Never throws because storage is in trouble: then the cells are in private memory.
   */
  reserve(request: CellRequest): Cells;

  /**
   * Takes cells back; the caller writes there no more. The series is `removed`, or its numbers have `moved` to
   * another backend: then what others count in the series stays.
   */
  release(family: FamilyDescriptor, cells: Cells, why?: 'removed' | 'moved'): void;

  /**
   * Unix seconds at which a series began to count: they move to another backend with its numbers. Optional, and
   * undefined where it is not known.
   */
  createdOf?(family: FamilyDescriptor, cells: Cells): number | undefined;

  /**
   * The numbers of all writers: one snapshot for each wanted family, in order, even when it is empty; then
   * the other families that other writers have in the wanted scopes.
   */
  snapshot(request: SnapshotRequest): FamilySnapshot[] | Promise<FamilySnapshot[]>;

  /** Resolves when every number written before the call can be read by the others. */
  flush(): Promise<void>;

  /** Flushes and lets go of files, connections and timers. Cells handed out stay writable, and are not read. */
  close(): Promise<void>;
}

/** What `loadBackend` takes: a class, made with the configuration. */
export type BackendClass<C extends object = Record<string, unknown>> = new (config?: C) => Backend;
