/** Metrics of the file backend itself, as families of the default registry. */
import { warnOnce } from '../../errors.js';
import { DEFAULT_SCOPE } from '../../model/collector.js';
import { createFamily } from '../../model/create-family.js';
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { BACKEND_ERRORS, type Backend, type Cells } from '../backend.js';
import { accumulate } from '../merge.js';

/**
 * Kinds of errors: `write`, a series that stays in memory; `file`, a file that cannot be read; `record`, an invalid
 * family or series in a file; `conflict`, a family that another program defines differently; `compact`, a compaction
 * that failed; `lock`, a file of this process that cannot be locked.
 */
export type ErrorKind = 'write' | 'file' | 'record' | 'conflict' | 'compact' | 'lock';
const KINDS: readonly ErrorKind[] = ['write', 'file', 'record', 'conflict', 'compact', 'lock'];

const counter = {
  scope: DEFAULT_SCOPE,
  type: 'counter',
  unit: '',
  cells: 1,
  merge: 'add',
  bounds: [],
} as const;
const ERRORS: FamilyDescriptor = { ...counter, ...BACKEND_ERRORS };
const COMPACTIONS: FamilyDescriptor = {
  ...counter,
  name: 'metheus_backend_folds_total',
  help: 'Compactions of the files of ended processes.',
  labelNames: [],
};

/** The families of {@link SelfMetrics}. */
export const SELF_FAMILIES: readonly FamilyDescriptor[] = [ERRORS, COMPACTIONS];

/** Counters of the backend itself. The backend also holds their cells, so a scrape shows sums over all processes. */
export class SelfMetrics {
  readonly #errors = new Map<ErrorKind, Cells>();
  #compactions: Cells | undefined;

  /**
   * Reserves cells for all counters when the backend opens, so that errors can be counted even on a full disk. A
   * later call replaces the cells that `which` selects by new ones, and carries their numbers over.
   */
  reserve(backend: Backend, which: (cells: Cells) => boolean = () => true): void {
    const move = (family: FamilyDescriptor, labels: readonly string[], before: Cells | undefined) => {
      if (before !== undefined && !which(before)) return before;
      const cells = backend.reserve({ family, labels });
      if (before === undefined) return cells;
      accumulate(family, cells.page, cells.offset, before.page, before.offset, true);
      backend.release(family, before);
      return cells;
    };
    for (const kind of KINDS) this.#errors.set(kind, move(ERRORS, [kind], this.#errors.get(kind)));
    this.#compactions = move(COMPACTIONS, [], this.#compactions);
  }

  /** Counts errors, and warns once about each subject. */
  reportError(kind: ErrorKind, subject: string, message: string, count = 1): void {
    const cells = this.#errors.get(kind);
    if (cells !== undefined) cells.page[cells.offset]! += count;
    warnOnce(`file backend ${kind} ${subject}`, message);
  }

  countCompaction(): void {
    if (this.#compactions !== undefined) this.#compactions.page[this.#compactions.offset]! += 1;
  }
}

/** Returns the state of the directory, as this process read it last. */
export function directoryFamilies(files: number, bytes: number): FamilySnapshot[] {
  return [
    createFamily('metheus_backend_files', 'Metrics files read, the archive included.', {
      series: [{ value: files }],
    }),
    createFamily('metheus_backend_bytes', 'Bytes in use in those files.', { series: [{ value: bytes }] }),
  ];
}
