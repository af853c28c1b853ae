/** Families of series and their numbers at one moment: plain data. */
import { type LabelRows, REMOVED, rowText } from './label-column.js';
import { parseLabelText } from './labels.js';
import type { MergeRule, MetricType } from './metric-types.js';

/** The properties of a family that never change. */
export interface FamilyDescriptor {
  /**
   * Identity of the registry. Families of different threads or processes are the same if scope, name, type and labels
   * agree. Empty for the default registry.
   */
  readonly scope: string;
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  /** A base unit such as `seconds`, or empty. */
  readonly unit: string;
  readonly labelNames: readonly string[];
  /** The number of cells of each series. */
  readonly cells: number;
  readonly merge: MergeRule;
  /** A histogram's upper bounds, ascending, without `+Inf`; a summary's quantiles; else empty. */
  readonly bounds: readonly number[];
}

/** An observation as an example of many, with labels that lead to its cause, such as the id of a trace. */
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
  /** The number of observations in each bucket, not cumulative. */
  readonly counts: Float64Array;
}

/**
 * The native buckets of one series.
 *
 * @see https://prometheus.io/docs/specs/native_histograms/
 */
export interface NativeBuckets {
  /** -4 (coarse) to 8 (fine). */
  readonly schema: number;
  /** Values of at most this distance from zero are in the zero bucket. */
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  /** The number of all observations, including NaN, which is in no bucket. */
  readonly count: number;
  readonly positive: PowerBuckets;
  readonly negative: PowerBuckets;
  /** Exemplars of the series, sorted by value. Only the protobuf format includes them. */
  readonly exemplars?: readonly Exemplar[];
}

/**
 * Returns a key by which the descriptors of different writers are recognized as one family. It does not contain the
 * help text, so that two versions of a program with different help texts still add up.
 */
export function familyKey(family: FamilyDescriptor): string {
  const { scope, name, type, unit, labelNames, cells, merge, bounds } = family;
  return JSON.stringify([scope, name, type, unit, labelNames, cells, merge, bounds]);
}

/** The greatest time whose milliseconds are exact. */
const MAX_SECONDS = Number.MAX_SAFE_INTEGER / 1000;

/** Reports whether a value can be Unix seconds. */
export function isTime(seconds: unknown): seconds is number {
  return typeof seconds === 'number' && Math.abs(seconds) <= MAX_SECONDS;
}

/** The numbers of a family at one moment, in columns. */
export interface FamilySnapshot {
  readonly family: FamilyDescriptor;
  readonly rows: LabelRows;
  /**
   * `family.cells` numbers for each row, including removed rows. A count of NaN means that the series has no bucket
   * with that bound.
   */
  readonly values: Float64Array;
  /** With the merge rule `each`: 1 for rows whose writer is alive. */
  readonly live?: Uint8Array;
  /** Unix seconds at which each row began to count; 0 if unknown. */
  readonly created?: Float64Array;
  /** Unix seconds of the values of each row; NaN for the time of the scrape. */
  readonly timestamps?: Float64Array;
  /** Exemplars, by cell: `row * family.cells + cell`. */
  readonly exemplars?: ReadonlyMap<number, Exemplar>;
  /** A summary's values at its quantiles: `family.bounds.length` for each row, NaN if unknown. */
  readonly quantiles?: Float64Array;
  /** A histogram's native buckets by row; `undefined` for a row without any. */
  readonly native?: readonly (NativeBuckets | undefined)[];
}

/** One series of a snapshot as an object, for tests and other code that is not on a hot path. */
export interface SeriesView {
  /** The index of the series in the columns of the snapshot, which include removed rows. */
  readonly row: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The cells of this series, by the layout of its type. */
  readonly values: Float64Array;
  /** Whether the series' writer is alive. Always true unless the merge rule is `each`. */
  readonly live: boolean;
}

/** Iterates over the series of a snapshot, as one object each. Too slow for scrapes. */
export function* seriesOf({ family, rows, values, live }: FamilySnapshot): Generator<SeriesView> {
  for (let row = 0; row < rows.size; row++) {
    if (rows.lengths[row] === REMOVED) continue;
    yield {
      row,
      labels: parseLabelText(rowText(rows, row)),
      values: values.subarray(row * family.cells, (row + 1) * family.cells),
      live: live?.[row] !== 0,
    };
  }
}
