/** Bars grouped for publishing: the records of all writers, added up for each bucket and unit. */
import { activeBackend } from '../../backends/active-backend.js';
import { type LabelRows, REMOVED, rowText } from '../../model/label-column.js';
import { parseLabelText } from '../../model/labels.js';
import { findOrCreate } from '../../system/find-or-create.js';
import {
  COMPLETED,
  ETA,
  EXPECTED,
  FAILED,
  FINISHED,
  RATE,
  RECORD_CELLS,
  STARTED,
  UPDATED,
} from '../bar/record.js';
import { BARS } from './record-pool.js';

/** The published numbers of a bucket without bars. */
const NO_NUMBERS = {
  /** Units of work done by all bars, running or not. */
  completed: 0,
  /** Units of work expected of all bars whose total is known. */
  total: 0,
  /** Bars that are running. */
  active: 0,
  /** Bars that reached their end. */
  finished: 0,
  /** Bars that ended by an error, or whose thread or process ended first. */
  failed: 0,
  /** Units per second, of all running bars together. */
  rate: 0,
  /** Estimated seconds until the last running bar is done. */
  eta: 0,
  /** Unix time in seconds of the newest update; 0 before the first. */
  updated: 0,
};

/** A number of a bucket that is published as a metric. */
export type BarProperty = keyof typeof NO_NUMBERS;

export interface Bucket extends Record<BarProperty, number> {
  readonly bucket: string;
  readonly unit: string;
}

/** Returns a bucket without bars. */
export function emptyBucket(bucket: string, unit: string): Bucket {
  return { bucket, unit, ...NO_NUMBERS };
}

/** Reads the buckets of one proxy. */
export class BucketReader {
  readonly #proxy: string;
  /** The rows of the last read. The buckets are made again only when the rows have changed. */
  #rows: LabelRows | undefined;
  /** The bucket of each row; undefined for records of other proxies. */
  #bucketOf: readonly (Bucket | undefined)[] = [];
  #buckets: readonly Bucket[] = [];

  constructor(proxy: string) {
    this.#proxy = proxy;
  }

  /** Returns all buckets, in the order of their first bars. The next call updates the numbers of the same objects. */
  async read(): Promise<readonly Bucket[]> {
    const [bars] = await activeBackend().snapshot({ families: [BARS], scopes: [] });
    const { rows, values, live } = bars!;
    // The contents of `lengths` never change. So if array and size are the same, the rows are the same too.
    if (rows.lengths !== this.#rows?.lengths || rows.size !== this.#rows.size) this.#group(rows);
    for (const bucket of this.#buckets) Object.assign(bucket, NO_NUMBERS);
    this.#bucketOf.forEach((bucket, row) => {
      if (bucket !== undefined) addRecord(bucket, values.subarray(row * RECORD_CELLS), live?.[row] !== 0);
    });
    return this.#buckets;
  }

  #group(rows: LabelRows): void {
    const buckets = new Map<string, Bucket>();
    this.#bucketOf = Array.from({ length: rows.size }, (_, row) => {
      if (rows.lengths[row] === REMOVED) return undefined;
      const { proxy, bucket = '', unit = '' } = parseLabelText(rowText(rows, row));
      if (proxy !== this.#proxy) return undefined;
      return findOrCreate(buckets, JSON.stringify([bucket, unit]), () => emptyBucket(bucket, unit));
    });
    this.#buckets = [...buckets.values()];
    this.#rows = rows;
  }
}

/** Adds the numbers of a record to a bucket. */
export function addRecord(bucket: Bucket, cells: Float64Array, live: boolean): void {
  const running = cells[STARTED]! - cells[FINISHED]! - cells[FAILED]!;
  bucket.completed += cells[COMPLETED]!;
  bucket.total += cells[EXPECTED]!;
  bucket.finished += cells[FINISHED]!;
  bucket.failed += cells[FAILED]! + (live ? 0 : running);
  // The remaining numbers describe running bars. A writer that has ended has none.
  if (!live) return;
  bucket.active += running;
  bucket.rate += cells[RATE]!;
  bucket.eta = Math.max(bucket.eta, cells[ETA]!);
  bucket.updated = Math.max(bucket.updated, cells[UPDATED]!);
}

/** Returns the cells of a record that has the numbers of a bucket: {@link addRecord} adds the same numbers again. */
export function cellsOfBucket(bucket: Bucket): Float64Array {
  const cells = new Float64Array(RECORD_CELLS);
  cells[COMPLETED] = bucket.completed;
  cells[EXPECTED] = bucket.total;
  cells[STARTED] = bucket.active + bucket.finished + bucket.failed;
  cells[FINISHED] = bucket.finished;
  cells[FAILED] = bucket.failed;
  cells[RATE] = bucket.rate;
  cells[ETA] = bucket.eta;
  cells[UPDATED] = bucket.updated;
  return cells;
}
