/** Checks of options that metrics and the families of collectors have in common. */
import { MetheusError, show } from '../errors.js';

/** Returns the error of an invalid option of a metric. */
export function invalidOption(
  metric: string,
  option: string,
  given: unknown,
  expected: string,
): MetheusError {
  return new MetheusError('METHEUS_INVALID_OPTIONS', {
    given: `${option}: ${show(given)} for metric '${metric}'`,
    expected,
  });
}

/**
 * Returns the upper bounds of a histogram's buckets without the last, `+Inf`, which may be given or left out.
 *
 * @throws `METHEUS_INVALID_BUCKETS`
 */
export function checkBuckets(name: string, buckets: unknown): number[] {
  const given = `buckets ${show(buckets)} for metric '${name}'`;
  const expected = 'at least one number, each greater than the one before it';
  if (!Array.isArray(buckets) || buckets.length === 0 || buckets.some((bound) => typeof bound !== 'number')) {
    throw new MetheusError('METHEUS_INVALID_BUCKETS', { given, expected });
  }
  const bounds = buckets.at(-1) === Number.POSITIVE_INFINITY ? buckets.slice(0, -1) : [...buckets];
  // NaN fails this comparison too. -Infinity and a second +Infinity are not finite.
  const ascending = bounds.every((bound, i) => i === 0 || bound > bounds[i - 1]);
  if (!ascending || !bounds.every(Number.isFinite) || bounds.length === 0) {
    throw new MetheusError('METHEUS_INVALID_BUCKETS', { given, expected });
  }
  return bounds.map(withoutNegativeZero);
}

/** Reports whether these are quantiles of a summary: numbers from 0 to 1, ascending. */
export function areQuantiles(quantiles: readonly unknown[]): quantiles is readonly number[] {
  return quantiles.every(
    (q, i) => typeof q === 'number' && q >= 0 && q <= 1 && !(q <= (quantiles[i - 1] as number)),
  );
}

/** Returns 0 for -0, which would be written as a different bucket or quantile. */
export const withoutNegativeZero = (bound: number): number => bound + 0;
