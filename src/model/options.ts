/** Checks of options: their names, and the values that metrics and the families of collectors have in common. */
import { MetheusError, type MetheusErrorCode, show } from '../errors.js';
import { METRIC_TYPES, type MetricType } from './metric-types.js';

/** Options of other libraries, in lower case, and the options here that do the same. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  labelnames: 'requiredLabels',
  percentiles: 'quantiles',
  registers: 'registry',
  aggregator: 'multiprocessMode',
  endpoint: 'path',
  path: 'directory',
};

/**
 * Checks that options are an object without unknown names.
 *
 * @param owner - what the options belong to, such as `a bar`
 * @param todo - advice for every unknown name, in addition to the known name that is nearest
 * @throws `METHEUS_INVALID_OPTIONS`, or another `code`
 */
export function checkOptionNames(
  owner: string,
  options: unknown,
  known: readonly string[],
  { code = 'METHEUS_INVALID_OPTIONS', todo = '' }: { code?: MetheusErrorCode; todo?: string } = {},
): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const expected = `an object with the options ${known.join(', ')}`;
    throw new MetheusError(code, { given: `${show(options)} as options of ${owner}`, expected });
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, known);
  const advice = [nearest === undefined ? '' : `Write ${nearest}`, todo].filter((text) => text !== '');
  throw new MetheusError(code, {
    given: `the unknown option ${show(unknown)} of ${owner}`,
    expected: known.length === 0 ? 'no options' : `one of ${known.join(', ')}`,
    ...(advice.length > 0 && { todo: advice.join('. ') }),
  });
}

/** Returns the known name that a wrong one most probably stands for; `undefined` if all are too different. */
function nearestName(wrong: string, known: readonly string[]): string | undefined {
  const given = plain(wrong);
  let nearest = known.find((name) => name === ELSEWHERE[given]);
  let least = nearest === undefined ? 1.5 + given.length / 3 : 0;
  for (const name of known) {
    const right = plain(name);
    const [short, long] = given.length < right.length ? [given, right] : [right, given];
    const isPart = short.length > 2 && long.includes(short);
    const edits = isPart && right !== given ? 1 : editsBetween(given, right);
    const distance = given[0] === right[0] ? edits : edits + 0.5;
    if (distance >= least) continue;
    nearest = name;
    least = distance;
  }
  return nearest;
}

/** Returns a name in the form in which `unit_scale` and `unitScale` are equal. */
const plain = (name: string): string => name.slice(0, 40).replaceAll('_', '').toLowerCase();

/** Returns the number of characters to insert, delete or replace to turn `a` into `b`. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1)!;
}

/** Maximum of an option in seconds: timers of Node take at most 2^31 - 1 milliseconds. */
export const MAX_TIMER_SECONDS = 2_147_483;

/** Returns the error of an option with an invalid value. */
export function invalidValue(option: string, given: unknown, expected: string): MetheusError {
  return new MetheusError('METHEUS_INVALID_OPTIONS', { given: `${option}: ${show(given)}`, expected });
}

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
 * Returns the unit of a metric.
 *
 * @throws `METHEUS_INVALID_OPTIONS` unless the name ends with the unit, or there is none
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md#unit
 */
export function checkUnitOfName(type: MetricType, name: string, given: unknown): string {
  const unit = checkUnit(type, name, given);
  if (unit === '' || name.replace(/_total$/, '').endsWith(`_${unit}`)) return unit;
  throw invalidOption(name, 'unit', unit, `a unit that the name ends with, as in '${name}_${unit}'`);
}

/**
 * Returns the upper bounds of a histogram's buckets without the last, `+Inf`, which may be given or left out.
 *
 * @throws `METHEUS_INVALID_BUCKETS`
 */
export function checkBuckets(name: string, buckets: unknown): number[] {
  const given: unknown[] = Array.isArray(buckets) ? buckets : [];
  const bounds = given.at(-1) === Number.POSITIVE_INFINITY ? given.slice(0, -1) : given;
  if (bounds.length > 0 && areAscending(bounds)) {
    return bounds.map(withoutNegativeZero);
  }
  throw new MetheusError('METHEUS_INVALID_BUCKETS', {
    given: `buckets ${show(buckets)} for metric '${name}'`,
    expected: 'at least one number, each greater than the one before it',
  });
}

/** Reports whether these are quantiles of a summary: numbers from 0 to 1, ascending. */
export function areQuantiles(quantiles: readonly unknown[]): quantiles is readonly number[] {
  return areAscending(quantiles) && quantiles.every((q) => q >= 0 && q <= 1);
}

const isFiniteNumber = (value: unknown): value is number => Number.isFinite(value);

/** Reports whether these are finite numbers, each greater than the one before it. */
export function areAscending(numbers: readonly unknown[]): numbers is readonly number[] {
  return numbers.every(isFiniteNumber) && numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
}

/** Replaces -0 by 0, since -0 would be written as a different bucket or quantile. */
export const withoutNegativeZero = (bound: number): number => bound + 0;
