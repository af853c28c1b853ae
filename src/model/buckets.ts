/** The bounds of a histogram's buckets. */
import { MetheusError, show } from '../errors.js';

/**
 * Upper bounds without the last, `+Inf`, which every histogram has and which may be given or not.
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
  // Written so that NaN fails it too. A bound of -Infinity or a second +Infinity has no place.
  const ascending = bounds.every((bound, i) => i === 0 || bound > bounds[i - 1]);
  if (!ascending || !bounds.every(Number.isFinite) || bounds.length === 0) {
    throw new MetheusError('METHEUS_INVALID_BUCKETS', { given, expected });
  }
  // -0 is 0: it would be a bucket of another name.
  return bounds.map((bound) => bound + 0);
}
