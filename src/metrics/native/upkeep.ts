/** What native buckets need now and then: keeping their limit, and reading those of this thread. */
import type { NativeBuckets } from '../../model/family.js';
import { NO_LIMIT } from '../../model/native/limited-sum.js';
import { parsePart } from '../../model/native/parts.js';
import { quantilesOf } from '../../model/native/quantiles.js';
import { addPart, NativeSum } from '../../model/native/sum.js';
import { coarseNow } from '../../system/clock.js';
import type { Upkept } from './rule.js';

/**
 * Keeps a series within its limit, as Prometheus' Go client does: resets it, where that is allowed and the last
 * time is long enough ago; else widens the zero bucket by the bucket next to it, up to its maximum; else doubles the width of all buckets.
 *
 * @param value - what was observed last
 */
export function limit(series: Upkept, value: number): void {
  const { minResetDuration, maxBuckets, parts } = series.rule;
  const maxZeroThreshold = parts.bounds[1]!;
  const { positive, negative, ...is } = sumOf(series).result({ maxBuckets, maxZeroThreshold });
  series.populated = positive.index.length + negative.index.length;
  if (is.schema >= series.schema && is.zeroThreshold <= series.threshold) return;
  if (minResetDuration > 0 && coarseNow() - series.since >= minResetDuration) reset(series, value);
  else series.use(Math.min(is.schema, series.schema), Math.max(is.zeroThreshold, series.threshold));
}

/** What this thread has observed, as `get()` shows it. */
export function readSeries(series: Upkept): { native: NativeBuckets } | { quantiles: [number, number][] } {
  const native = sumOf(series).result(NO_LIMIT);
  const { type, bounds } = series.owner.descriptor;
  if (type === 'histogram') return { native };
  const values = quantilesOf(native, bounds);
  return { quantiles: bounds.map((quantile, i) => [quantile, values[i]!]) };
}

function sumOf({ rule, blocks }: Upkept): NativeSum {
  const { parts } = rule;
  const sum = new NativeSum();
  for (const [name, { page, offset }] of blocks)
    addPart(sum, parts, parsePart(name)!, page, offset, coarseNow());
  return sum;
}

/** What this thread has counted is taken back, also of sum and count; but for the last value. */
function reset(series: Upkept, value: number): void {
  const { rule, owner, blocks } = series;
  const { schema, zeroThreshold, parts } = rule;
  for (const { page, offset } of blocks.values()) page.fill(0, offset, offset + parts.cells);
  owner.page.fill(0, owner.offset, owner.offset + owner.descriptor.cells);
  series.populated = 0;
  series.since = coarseNow();
  series.use(schema, zeroThreshold);
  owner.observe(value);
}
