/** Whether native buckets that somebody gives can be written. */
import type { NativeBuckets, PowerBuckets } from '../family.js';
import { COARSEST_SCHEMA, FINEST_SCHEMA } from './powers.js';

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
