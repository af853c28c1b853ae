/** A family of series: what it is, and its numbers at one moment. Plain data: no I/O, no behaviour. */
import { type LabelRows, REMOVED, rowText } from './label-column.js';
import { parseLabelText } from './labels.js';
import type { MergeRule, MetricType } from './metric-types.js';

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
  readonly merge: MergeRule;
  /** A histogram's upper bounds, ascending, without `+Inf`; a summary's quantiles; else empty. */
  readonly bounds: readonly number[];
}

/** One observation that stands for many, with what leads to its cause: a trace's id, for instance. */
export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Unix seconds. */
  readonly timestamp?: number;
}

/**
 * Buckets of one sign whose bounds are powers. Bucket `index[i]` counts the absolute values in
 * `(base ** (index[i] - 1), base ** index[i]]`, where `base = 2 ** 2 ** -schema`.
 */
export interface PowerBuckets {
  /** Ascending. */
  readonly index: Int32Array;
  /** Observations of each, not cumulative. */
  readonly counts: Float64Array;
}

/**
 * A series' native buckets.
 *
 * @see https://prometheus.io/docs/specs/native_histograms/
 */
export interface NativeBuckets {
  /** -4 (coarse) to 8 (fine). */
  readonly schema: number;
  /** Values of at most this distance from zero are in the zero bucket. */
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  /** All observations, NaN too, which is in no bucket. */
  readonly count: number;
  readonly positive: PowerBuckets;
  readonly negative: PowerBuckets;
}

/**
 * What makes two writers' families the same family. Help is left out: programs of two versions, with a
 * word changed, still add up.
 */
export function familyKey(family: FamilyDescriptor): string {
  const { scope, name, type, unit, labelNames, cells, merge, bounds } = family;
  return JSON.stringify([scope, name, type, unit, labelNames, cells, merge, bounds]);
}

/** Beyond it, milliseconds would be no whole numbers. */
const MAX_SECONDS = Number.MAX_SAFE_INTEGER / 1000;

/** Whether these can be Unix seconds. */
export function isTime(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && Math.abs(seconds) <= MAX_SECONDS;
}

/** The numbers of a family at one moment, in columns. */
export interface FamilySnapshot {
  readonly family: FamilyDescriptor;
  readonly rows: LabelRows;
  /** `family.cells` numbers for each row, removed rows included. */
  readonly values: Float64Array;
  /** With merge rule `each`: 1 for a row whose writer is still there. */
  readonly live?: Uint8Array;
  /** Unix seconds at which each row began to count; 0 where that is not known. */
  readonly created?: Float64Array;
  /** Unix seconds that the values of each row are of; NaN where they are of the time of the scrape. */
  readonly timestamps?: Float64Array;
  /** Exemplars, by cell: `row * family.cells + cell`. */
  readonly exemplars?: ReadonlyMap<number, Exemplar>;
  /** A summary's values at its quantiles: `family.bounds.length` for each row. NaN where it knows none. */
  readonly quantiles?: Float64Array;
  /** A histogram's native buckets, by row; undefined where a row has none. */
  readonly native?: readonly (NativeBuckets | undefined)[];
}

/** One series of a snapshot, as an object: for tests and for those who are in no hurry. */
export interface SeriesView {
  readonly labels: Readonly<Record<string, string>>;
  /** The cells of this series, by the layout of its type. */
  readonly values: Float64Array;
  /** Whether its writer is still there. Known with merge rule `each` only; else true. */
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
