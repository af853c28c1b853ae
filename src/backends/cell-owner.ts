/** Who counts in cells of a backend: the families of metrics. */
import type { SeriesExemplars } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';
import type { Move } from './backend.js';

/** Owner of cells, who can move. */
export interface CellOwner {
  /** The family, and its exemplars, of an owner that has some: see `MetricSource`. */
  readonly descriptor?: FamilyDescriptor;
  exemplars?(): Iterable<SeriesExemplars | undefined>;
  /** Calls `move` for everything it owns, and counts in the new cells from then on. */
  migrate(move: Move): void;
}
