/** Native buckets as plain data: their check, quantiles estimated from them, and a compact place to keep many. */
import type { NativeBuckets, PowerBuckets } from '../family.js';
import { COARSEST_SCHEMA, FINEST_SCHEMA, upperBound } from './powers.js';

/** Reports whether a value given from outside is native buckets that can be written. */
export function isNativeBuckets(given: NativeBuckets): boolean {
  const { schema, zeroThreshold, zeroCount, count, positive, negative } = given ?? {};
  return (
    Number.isInteger(schema) &&
    schema >= COARSEST_SCHEMA &&
    schema <= FINEST_SCHEMA &&
    zeroThreshold >= 0 &&
    zeroThreshold < Number.POSITIVE_INFINITY &&
    isCount(zeroCount) &&
    isCount(count) &&
    isPowerBuckets(positive) &&
    isPowerBuckets(negative)
  );
}

function isPowerBuckets({ index, counts }: PowerBuckets = {} as PowerBuckets): boolean {
  return (
    index instanceof Int32Array &&
    counts instanceof Float64Array &&
    index.length === counts.length &&
    index.every((bucket, i) => i === 0 || bucket > index[i - 1]!) &&
    counts.every(isCount)
  );
}

const isCount = (count: unknown) => typeof count === 'number' && count >= 0;

/**
 * Estimates quantiles from 0 to 1; NaN where nothing was counted.
 *
 * The q-quantile of n values is the value of rank ⌈q·n⌉. Its bucket is known exactly, and the estimate lies in that
 * bucket at the same ratio from both ends. Its error is at most `(base - 1) / (base + 1)` of the value, where
 * `base = 2 ** 2 ** -schema`.
 */
export function quantilesOf(native: NativeBuckets, quantiles: readonly number[]): number[] {
  const buckets = [...ascending(native)];
  return quantiles.map((quantile) => {
    const rank = Math.max(1, Math.ceil(quantile * native.count));
    let below = 0;
    for (const { count, estimate } of buckets) {
      below += count;
      if (below >= rank) return estimate();
    }
    return Number.NaN;
  });
}

interface Bucket {
  readonly count: number;
  readonly estimate: () => number;
}

function* ascending({ schema, negative, zeroCount, positive }: NativeBuckets): Generator<Bucket> {
  for (let i = negative.index.length - 1; i >= 0; i--) {
    yield { count: negative.counts[i]!, estimate: () => -middle(schema, negative.index[i]!) };
  }
  if (zeroCount > 0) yield { count: zeroCount, estimate: () => 0 };
  for (let i = 0; i < positive.index.length; i++) {
    yield { count: positive.counts[i]!, estimate: () => middle(schema, positive.index[i]!) };
  }
}

function middle(schema: number, index: number): number {
  if (upperBound(schema, index) === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  const base = 2 ** (2 ** -schema);
  return upperBound(schema, index - 1) * ((2 * base) / (base + 1));
}

const MIN_SPACE = 32;
const MAX_SPACE = 16384;

const NO_BUCKETS: PowerBuckets = { index: new Int32Array(0), counts: new Float64Array(0) };

/**
 * Memory for the buckets of many series, side by side. See docs/v8.md: views instead of arrays.
 */
export class BucketSpace {
  #index = NO_BUCKETS.index;
  #counts = NO_BUCKETS.counts;
  #from = 0;
  #end = 0;

  /** Appends a bucket to those that the next {@link buckets} returns. */
  push(index: number, count: number): void {
    if (this.#end === this.#index.length) this.#grow();
    this.#index[this.#end] = index;
    this.#counts[this.#end] = count;
    this.#end += 1;
  }

  /** Returns the buckets pushed since the last call. */
  buckets(): PowerBuckets {
    const [from, end] = [this.#from, this.#end];
    this.#from = end;
    if (from === end) return NO_BUCKETS;
    return { index: this.#index.subarray(from, end), counts: this.#counts.subarray(from, end) };
  }

  /** Allocates new arrays and copies the buckets that were not returned yet. */
  #grow(): void {
    const [from, end] = [this.#from, this.#end];
    const size = Math.max(2 * (end - from), Math.min(2 * this.#index.length, MAX_SPACE), MIN_SPACE);
    const [index, counts] = [new Int32Array(size), new Float64Array(size)];
    index.set(this.#index.subarray(from, end));
    counts.set(this.#counts.subarray(from, end));
    [this.#index, this.#counts, this.#from, this.#end] = [index, counts, 0, end - from];
  }
}
