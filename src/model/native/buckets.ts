/** Native buckets as plain data: their check, and quantiles estimated from them. */
import type { NativeBuckets, PowerBuckets } from '../family.js';
import { COARSEST_SCHEMA, FINEST_SCHEMA, upperBound } from './powers.js';

/** Reports whether native buckets from a collector are valid. */
export function isNativeBuckets(given: NativeBuckets): boolean {
  const { schema, zeroThreshold, zeroCount, count, positive, negative, exemplars = [] } = given ?? {};
  return (
    Number.isInteger(schema) &&
    schema >= COARSEST_SCHEMA &&
    schema <= FINEST_SCHEMA &&
    zeroThreshold >= 0 &&
    zeroThreshold < Number.POSITIVE_INFINITY &&
    isCount(zeroCount) &&
    isCount(count) &&
    isPowerBuckets(positive) &&
    isPowerBuckets(negative) &&
    Array.isArray(exemplars)
  );
}

function isPowerBuckets(given: PowerBuckets | null | undefined): boolean {
  const { index, counts } = given ?? {};
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
 * The q-quantile of n values is the value of rank ⌈q·n⌉. The bucket of that value is known. The estimate is the point
 * in the bucket that has the same relative error to both bounds: at most `(base - 1) / (base + 1)`, where
 * `base = 2 ** 2 ** -schema`.
 */
export function quantilesOf(native: NativeBuckets, quantiles: readonly number[]): number[] {
  const { schema, count, zeroCount, positive, negative } = native;
  return quantiles.map((quantile) => {
    const rank = Math.max(1, Math.ceil(quantile * count));
    let below = 0;
    for (let i = negative.index.length - 1; i >= 0; i--) {
      below += negative.counts[i]!;
      if (below >= rank) return -middle(schema, negative.index[i]!);
    }
    below += zeroCount;
    if (below >= rank) return 0;
    for (let i = 0; i < positive.index.length; i++) {
      below += positive.counts[i]!;
      if (below >= rank) return middle(schema, positive.index[i]!);
    }
    return Number.NaN;
  });
}

function middle(schema: number, index: number): number {
  if (upperBound(schema, index) === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  const base = 2 ** (2 ** -schema);
  return upperBound(schema, index - 1) * ((2 * base) / (base + 1));
}
