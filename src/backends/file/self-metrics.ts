/** What the file backend says of itself, as families of the default registry. */
import { warnOnce } from '../../errors.js';
import { DEFAULT_SCOPE } from '../../model/collector.js';
import { createFamily } from '../../model/create-family.js';
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import type { Backend, Cells } from '../backend.js';
import { accumulate } from '../merge.js';

/**
 * What can go wrong: `write`, a series that had to stay in memory; `file`, one that cannot be read; `conflict`,
 * a family that another program defines otherwise; `fold`.
 */
export type TroubleKind = 'write' | 'file' | 'conflict' | 'fold';
const KINDS: readonly TroubleKind[] = ['write', 'file', 'conflict', 'fold'];

function counterOf(name: string, help: string, labelNames: readonly string[]): FamilyDescriptor {
  const common = {
    scope: DEFAULT_SCOPE,
    type: 'counter',
    unit: '',
    cells: 1,
    merge: 'add',
    bounds: [],
  } as const;
  return { ...common, name, help, labelNames };
}

const ERRORS = counterOf('metheus_backend_errors_total', 'Trouble with the storage of metrics.', ['kind']);
const FOLDS = counterOf('metheus_backend_folds_total', 'Folds of the files of processes that are gone.', []);

/** The families of {@link SelfMetrics}. */
export const SELF_FAMILIES: readonly FamilyDescriptor[] = [ERRORS, FOLDS];

/** Counters of a backend, in cells of that backend: so every process' trouble is seen by whoever scrapes. */
export class SelfMetrics {
  readonly #errors = new Map<TroubleKind, Cells>();
  #folds: Cells | undefined;

  /**
   * Takes cells for all counters: while there is room, so that even a full disk can be told. Called again, moves
   * those counters there whose cells are `which`.
   */
  reserve(backend: Backend, which: (cells: Cells) => boolean = () => true): void {
    const take = (family: FamilyDescriptor, labels: readonly string[], before: Cells | undefined) => {
      if (before !== undefined && !which(before)) return before;
      const cells = backend.reserve({ family, labels });
      if (before === undefined) return cells;
      accumulate(family, cells.page, cells.offset, before.page, before.offset, true);
      backend.release(family, before);
      return cells;
    };
    for (const kind of KINDS) this.#errors.set(kind, take(ERRORS, [kind], this.#errors.get(kind)));
    this.#folds = take(FOLDS, [], this.#folds);
  }

  /** Counts trouble, and warns of each matter once. */
  trouble(kind: TroubleKind, matter: string, message: string): void {
    const cells = this.#errors.get(kind);
    if (cells !== undefined) cells.page[cells.offset]! += 1;
    warnOnce(`file backend ${kind} ${matter}`, message);
  }

  countFold(): void {
    if (this.#folds !== undefined) this.#folds.page[this.#folds.offset]! += 1;
  }
}

/** The state of the directory, as this process saw it last. */
export function directoryFamilies(files: number, bytes: number): FamilySnapshot[] {
  return [
    createFamily('metheus_backend_files', 'Files of metrics that were read, the archive included.', {
      series: [{ value: files }],
    }),
    createFamily('metheus_backend_bytes', 'Bytes in use in those files.', { series: [{ value: bytes }] }),
  ];
}
