/**
 * Quantiles of what native buckets have counted.
 *
 * The q-quantile of n values is the one at rank ⌈q·n⌉ among them in order. Its bucket is known for certain; the
 * estimate lies in it so that both ends are equally far by ratio. So it is off by at most
 * `(base - 1) / (base + 1)` of the value, where `base = 2 ** 2 ** -schema`.
 */
import type { NativeBuckets } from '../family.js';
import { upperBound } from './powers.js';

/** One for each of the quantiles, which are from 0 to 1; NaN where nothing was counted. */
export function quantilesOf(native: NativeBuckets, quantiles: readonly number[]): number[] {
  const steps = [...inOrder(native)];
  return quantiles.map((quantile) => {
    const rank = Math.max(1, Math.ceil(quantile * native.count));
    let below = 0;
    for (const { count, estimate } of steps) {
      below += count;
      if (below >= rank) return estimate();
    }
    return Number.NaN;
  });
}

interface Step {
  readonly count: number;
  readonly estimate: () => number;
}

function* inOrder({ schema, negative, zeroCount, positive }: NativeBuckets): Generator<Step> {
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
