/** Checks of options that metrics and the families of collectors have in common. */
import { MetheusError, show } from '../errors.js';
import { METRIC_TYPES, type MetricType } from './metric-types.js';

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

/** @throws `METHEUS_INVALID_OPTIONS` unless the unit is a string, and empty for infos and statesets */
export function checkUnit(type: MetricType, name: string, unit: unknown = ''): string {
  if (typeof unit !== 'string') throw invalidOption(name, 'unit', unit, 'a string');
  if (unit === '' || !METRIC_TYPES[type].isState) return unit;
  throw invalidOption(name, 'unit', unit, `none for type ${type}`);
}

/**
 * Returns the upper bounds of a histogram's buckets without the last, `+Inf`, which may be given or left out.
 *
 * @throws `METHEUS_INVALID_BUCKETS`
 */
export function checkBuckets(name: string, buckets: unknown): number[] {
  const given: unknown[] = Array.isArray(buckets) ? buckets : [];
  const bounds = given.at(-1) === Number.POSITIVE_INFINITY ? given.slice(0, -1) : given;
  if (bounds.length > 0 && bounds.every(isFiniteNumber) && isAscending(bounds)) {
    return bounds.map(withoutNegativeZero);
  }
  throw new MetheusError('METHEUS_INVALID_BUCKETS', {
    given: `buckets ${show(buckets)} for metric '${name}'`,
    expected: 'at least one number, each greater than the one before it',
  });
}

/** Reports whether these are quantiles of a summary: numbers from 0 to 1, ascending. */
export function areQuantiles(quantiles: readonly unknown[]): quantiles is readonly number[] {
  return (
    quantiles.every(isFiniteNumber) && isAscending(quantiles) && quantiles.every((q) => q >= 0 && q <= 1)
  );
}

const isFiniteNumber = (value: unknown): value is number => Number.isFinite(value);

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
}

/** Replaces -0 by 0, since -0 would be written as a different bucket or quantile. */
export const withoutNegativeZero = (bound: number): number => bound + 0;
