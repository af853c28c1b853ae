/** Relates the results of a case to each other and to its target. */
import type { Case, Target, Unit } from '../case.js';
import type { Result } from '../runner/run.js';

export interface Compared {
  readonly ours?: Result | undefined;
  readonly limit?: Result | undefined;
  /** The best of the other implementations. */
  readonly best?: Result | undefined;
}

export function compare({ name, limitedBy, unit }: Case, results: readonly Result[]): Compared {
  const of = (peer: string, wanted = name) =>
    results.find((result) => result.case === wanted && result.peer === peer);
  const others = results.filter(
    ({ case: wanted, peer }) => wanted === name && peer !== 'metheus' && peer !== 'limit',
  );
  const best = others.sort((a, b) => (isHigherBetter(unit) ? b.median - a.median : a.median - b.median))[0];
  return {
    ours: of('metheus'),
    limit: of('limit') ?? (limitedBy === undefined ? undefined : of('limit', limitedBy)),
    best,
  };
}

export function isHigherBetter(unit: Unit): boolean {
  return unit === 'cells/s';
}

/** Returns the best run: the minimum, or the maximum of a throughput. */
export function bestRun({ unit, min, max }: Result): number {
  return isHigherBetter(unit) ? max : min;
}

/** `at best`: by the best run, but not by the median. */
export type Reached = 'yes' | 'at best' | 'no' | '–';

/** Reports whether our result meets the target. `–` when it was not measured, or not with the whole work. */
export function reached({ target, quick }: Case, { ours, limit }: Compared, isQuick: boolean): Reached {
  if (target === undefined || ours === undefined || (isQuick && quick !== undefined)) return '–';
  if ('result' in target) return 'yes';
  if ('maxTimesLimit' in target) {
    if (limit === undefined) return '–';
    return byRuns(
      ours.median <= target.maxTimesLimit * limit.median,
      ours.min <= target.maxTimesLimit * limit.min,
    );
  }
  const holds = (value: number) => ('max' in target ? value <= target.max : value >= target.min);
  return byRuns(holds(ours.median), holds(bestRun(ours)));
}

function byRuns(median: boolean, best: boolean): Reached {
  if (median) return 'yes';
  return best ? 'at best' : 'no';
}

export function describeTarget(target: Target | undefined): string {
  if (target === undefined) return '–';
  if ('result' in target) return target.result;
  if ('maxTimesLimit' in target) return `≤ ${target.maxTimesLimit} × limit`;
  return 'max' in target ? `≤ ${target.max}` : `≥ ${target.min.toLocaleString('en')}`;
}
