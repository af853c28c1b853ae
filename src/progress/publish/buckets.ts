/** Bars grouped for publishing: the records of all writers, added up for each bucket and unit. */
import { activeBackend } from '../../backends/active-backend.js';
import { seriesOf } from '../../model/family.js';
import { COMPLETED, ETA, EXPECTED, FAILED, FINISHED, RATE, STARTED, UPDATED } from '../bar/record.js';
import { BARS } from './record-pool.js';

/** The published numbers of a bucket. */
export interface BucketNumbers {
  /** Units of work done by all bars, running or not. */
  completed: number;
  /** Units of work expected of all bars whose total is known. */
  total: number;
  /** Bars that are running. */
  active: number;
  /** Bars that reached their end. */
  finished: number;
  /** Bars that ended by an error, or whose thread or process ended first. */
  failed: number;
  /** Units per second, of all running bars together. */
  rate: number;
  /** Estimated seconds until the last running bar is done. */
  eta: number;
  /** Unix time in seconds of the newest update; 0 before the first. */
  updated: number;
}

export interface Bucket extends BucketNumbers {
  readonly bucket: string;
  readonly unit: string;
}

/** Returns all buckets of a proxy, in the order of their first bars. */
export async function readBuckets(proxy: string): Promise<Bucket[]> {
  const [bars] = await activeBackend().snapshot({ families: [BARS], scopes: [] });
  const buckets = new Map<string, Bucket>();
  for (const { labels, values, live } of seriesOf(bars!)) {
    if (labels.proxy !== proxy) continue;
    const { bucket = '', unit = '' } = labels;
    const key = JSON.stringify([bucket, unit]);
    let numbers = buckets.get(key);
    if (numbers === undefined) {
      numbers = {
        bucket,
        unit,
        completed: 0,
        total: 0,
        active: 0,
        finished: 0,
        failed: 0,
        rate: 0,
        eta: 0,
        updated: 0,
      };
      buckets.set(key, numbers);
    }
    addRecord(numbers, values, live);
  }
  return [...buckets.values()];
}

function addRecord(bucket: Bucket, cells: Float64Array, live: boolean): void {
  const running = cells[STARTED]! - cells[FINISHED]! - cells[FAILED]!;
  bucket.completed += cells[COMPLETED]!;
  bucket.total += cells[EXPECTED]!;
  bucket.finished += cells[FINISHED]!;
  bucket.failed += cells[FAILED]! + (live ? 0 : running);
  // The remaining numbers describe running bars, which an ended writer does not have.
  if (!live) return;
  bucket.active += running;
  bucket.rate += cells[RATE]!;
  bucket.eta = Math.max(bucket.eta, cells[ETA]!);
  bucket.updated = Math.max(bucket.updated, cells[UPDATED]!);
}
