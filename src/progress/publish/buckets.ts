/** Bars grouped for publishing: the records of all writers, added up for each bucket and unit. */
import { activeBackend } from '../../backends/active-backend.js';
import { type LabelRows, REMOVED, rowText } from '../../model/label-column.js';
import { parseLabelText } from '../../model/labels.js';
import { findOrCreate } from '../../system/find-or-create.js';
import {
  BASE,
  COMPLETED,
  ETA,
  EXPECTED,
  FAILED,
  FINISHED,
  INCOMPLETE,
  RATE,
  RECORD_CELLS,
  SAMPLED,
  STARTED,
  STEP,
  TOTAL,
  UNKNOWN,
  UPDATED,
} from '../bar/record.js';
import { BARS } from './record-pool.js';

/** The published numbers of a bucket without bars. */
const NO_NUMBERS = {
  /** Units of work done by all bars, running or not. */
  completed: 0,
  /** Units of work expected of all bars whose total is known. */
  total: 0,
  /** Units of work done by the running bars whose total is known. */
  running_completed: 0,
  /** Units of work expected of the running bars whose total is known. */
  running_expected: 0,
  /** Bars that are running. */
  active: 0,
  /** Bars that reached their end. */
  finished: 0,
  /** Bars that were closed before they reached their total. */
  incomplete: 0,
  /** Bars that ended by an error, or whose thread or process ended first. */
  failed: 0,
  /** Units per second, of all running bars together. */
  rate: 0,
  /** Estimated seconds until the last running bar is done; {@link UNKNOWN} when that is not known. */
  eta: UNKNOWN,
  /** Unix time in seconds of the newest update; 0 before the first. */
  updated: 0,
};

/** A number of a bucket that is published as a metric. */
export type BarProperty = keyof typeof NO_NUMBERS;

export interface Bucket extends Record<BarProperty, number> {
  readonly bucket: string;
  readonly unit: string;
  /** Running bars whose total is known. */
  limited: number;
  /** Unix time in seconds of the newest sample of a running bar. */
  sampled: number;
}

/** Returns a bucket without bars. */
export function emptyBucket(bucket: string, unit: string): Bucket {
  return { bucket, unit, ...NO_NUMBERS, limited: 0, sampled: 0 };
}

/** Returns a published number of a bucket; NaN for an unknown number, which is left out. */
export function publishedNumber(bucket: Bucket, property: BarProperty): number {
  const value = bucket[property];
  switch (property) {
    case 'running_completed':
    case 'running_expected':
      return bucket.limited > 0 ? value : Number.NaN;
    case 'total':
      return value > 0 || (bucket.completed === 0 && bucket.active === bucket.limited) ? value : Number.NaN;
    case 'eta':
      return value !== UNKNOWN ? value : bucket.active > 0 ? Number.NaN : 0;
    default:
      return value;
  }
}

/** Returns a bucket as data for JSON, with NaN for numbers that are not known. */
export function describeBucket(bucket: Bucket): object {
  const properties = Object.keys(NO_NUMBERS) as BarProperty[];
  const numbers = properties.map((property) => [property, publishedNumber(bucket, property)]);
  return { bucket: bucket.bucket, unit: bucket.unit, ...Object.fromEntries(numbers) };
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
    for (const bucket of this.#buckets) Object.assign(bucket, emptyBucket(bucket.bucket, bucket.unit));
    const now = Date.now() / 1000;
    this.#bucketOf.forEach((bucket, row) => {
      if (bucket === undefined) return;
      addRecord(bucket, values.subarray(row * RECORD_CELLS), live?.[row] !== 0, now);
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

/** Age of a sample in seconds above which its thread counts as blocked. Allows for differences between clocks. */
const MAX_SAMPLE_AGE = 3;

/**
 * Returns the factor that corrects the speed of a bar: less than 1 if its thread is blocked and takes no samples. The
 * bar is then assumed to have moved by one step since its newest sample.
 */
function decay(cells: Float64Array, now: number): number {
  const age = now - cells[SAMPLED]!;
  const units = cells[RATE]! * age;
  const step = Math.max(cells[STEP]!, 1);
  return age > MAX_SAMPLE_AGE && units > step ? step / units : 1;
}

/** Adds the numbers of a record to a bucket. @param now - Unix time in seconds */
export function addRecord(bucket: Bucket, cells: Float64Array, live: boolean, now: number): void {
  const running = cells[STARTED]! - cells[FINISHED]! - cells[FAILED]! - cells[INCOMPLETE]!;
  bucket.completed += cells[COMPLETED]!;
  bucket.total += cells[EXPECTED]!;
  bucket.finished += cells[FINISHED]!;
  bucket.incomplete += cells[INCOMPLETE]!;
  bucket.failed += cells[FAILED]! + (live ? 0 : running);
  // The remaining numbers describe running bars. A writer that has ended has none.
  if (!live) return;
  bucket.updated = Math.max(bucket.updated, cells[UPDATED]!);
  if (running === 0) return;
  bucket.active += running;
  if (cells[TOTAL] !== UNKNOWN) {
    bucket.limited += running;
    bucket.running_completed += cells[COMPLETED]! - cells[BASE]!;
    bucket.running_expected += cells[TOTAL]!;
  }
  const slower = decay(cells, now);
  bucket.rate += cells[RATE]! * slower;
  if (cells[ETA]! > UNKNOWN) bucket.eta = Math.max(bucket.eta, cells[ETA]! / slower);
  bucket.sampled = Math.max(bucket.sampled, cells[SAMPLED]!);
}

/** Returns a bucket as the cells of a record, from which {@link addRecord} adds the same numbers. */
export function cellsOfBucket(bucket: Bucket): Float64Array {
  const cells = new Float64Array(RECORD_CELLS);
  cells[COMPLETED] = bucket.completed;
  cells[EXPECTED] = bucket.total;
  cells[STARTED] = bucket.active + bucket.finished + bucket.incomplete + bucket.failed;
  cells[FINISHED] = bucket.finished;
  cells[INCOMPLETE] = bucket.incomplete;
  cells[FAILED] = bucket.failed;
  cells[BASE] = bucket.completed - bucket.running_completed;
  cells[TOTAL] = bucket.limited > 0 ? bucket.running_expected : UNKNOWN;
  cells[RATE] = bucket.rate;
  cells[STEP] = bucket.rate;
  cells[ETA] = bucket.eta;
  cells[SAMPLED] = bucket.sampled;
  cells[UPDATED] = bucket.updated;
  return cells;
}
