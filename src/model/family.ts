/** A family of series: what it is, and its numbers at one moment. Plain data: no I/O, no behaviour. */
import { type LabelRows, REMOVED, rowText } from './label-column.js';
import { parseLabelText } from './labels.js';

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';

/**
 * How a gauge that several writers have set becomes one number. Names as in other Prometheus clients, and
 * `shared`: one number for all, as if there were a single writer.
 *
 * `live…` kinds leave out writers that are gone.
 */
export type GaugeMode =
  | 'shared'
  | 'all'
  | 'liveall'
  | 'min'
  | 'livemin'
  | 'max'
  | 'livemax'
  | 'sum'
  | 'livesum'
  | 'mostrecent'
  | 'livemostrecent';

/**
 * How the cells of several writers become one row.
 *
 * - `add`: cell by cell sum, whoever wrote it. Counters, histograms and summaries alike.
 * - `each`: not at all; every writer keeps its rows, and {@link FamilySnapshot.live} tells who is still there.
 * - a {@link GaugeMode}: two cells, the value and {@link TOUCHED when it was set}.
 */
export type MergeMode = 'add' | 'each' | GaugeMode;

/** Cells of a gauge. */
export const GAUGE_CELLS = 2;
/** The cell after a gauge's value: 0 never touched, 1 only incremented, else Unix seconds of the last `set`. */
export const TOUCHED = 1;

/** What is fixed about a family for its whole life. */
export interface FamilyDescriptor {
  /** Keeps families of equal names in different registries apart. Empty for the default registry. */
  readonly scope: string;
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  /** A base unit such as `seconds`, or empty. */
  readonly unit: string;
  readonly labelNames: readonly string[];
  /** How many cells each series has. */
  readonly cells: number;
  readonly merge: MergeMode;
  /** Upper bounds of a histogram's buckets, ascending, without `+Inf`; else empty. */
  readonly bounds: readonly number[];
}

/**
 * What makes two writers' families the same family. Help is left out: programs of two versions, with a
 * word changed, still add up.
 */
export function familyKey(family: FamilyDescriptor): string {
  const { scope, name, type, unit, labelNames, cells, merge, bounds } = family;
  return JSON.stringify([scope, name, type, unit, labelNames, cells, merge, bounds]);
}

/** The numbers of a family at one moment, in columns. */
export interface FamilySnapshot {
  readonly family: FamilyDescriptor;
  readonly rows: LabelRows;
  /** `family.cells` numbers for each row, removed rows included. */
  readonly values: Float64Array;
  /** With merge mode `each`: 1 for a row whose writer is still there. */
  readonly live?: Uint8Array;
}

/** One series of a snapshot, as an object: for tests and for those who are in no hurry. */
export interface SeriesView {
  readonly labels: Readonly<Record<string, string>>;
  /** The cells of this series, by the layout of its type. */
  readonly values: Float64Array;
  /** Whether its writer is still there. Known with merge mode `each` only; else true. */
  readonly live: boolean;
}

/** The series of a snapshot, one object each. A scrape does not use this. */
export function* seriesOf({ family, rows, values, live }: FamilySnapshot): Generator<SeriesView> {
  for (let row = 0; row < rows.size; row++) {
    if (rows.lengths[row] === REMOVED) continue;
    yield {
      labels: parseLabelText(rowText(rows, row)),
      values: values.subarray(row * family.cells, (row + 1) * family.cells),
      live: live?.[row] !== 0,
    };
  }
}
