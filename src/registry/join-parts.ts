/** Joining: the hidden families of native buckets become a part of the families that are exposed. */
import type { FamilySnapshot, NativeBuckets } from '../model/family.js';
import { isHidden } from '../model/metric-types.js';
import { shownName } from '../model/native/blocks.js';
import { BucketSpace, quantilesOf } from '../model/native/buckets.js';
import { type NativeLimit, NO_LIMIT } from '../model/native/limited-sum.js';
import { addBlock, NativeSum } from '../model/native/sum.js';
import { TimeSlice } from '../system/time-slice.js';
import { partPlaces } from './part-places.js';

/**
 * Takes `parts` families out of the snapshots, and gives those they belong to their native buckets or quantiles.
 * The event loop runs meanwhile: the snapshots are of one moment all the same.
 *
 * @param now - Unix seconds
 */
export async function joinParts(
  snapshots: readonly FamilySnapshot[],
  now = Date.now() / 1000,
): Promise<FamilySnapshot[]> {
  const exposed = snapshots.filter(({ family }) => !isHidden(family));
  if (exposed.length === snapshots.length) return exposed;
  const hidden = new Map<string, FamilySnapshot[]>();
  for (const parts of snapshots) {
    if (!isHidden(parts.family)) continue;
    const { scope, labelNames } = parts.family;
    const key = JSON.stringify([scope, shownName(parts.family), labelNames.slice(0, -1)]);
    hidden.set(key, [...(hidden.get(key) ?? []), parts]);
  }
  const joined: FamilySnapshot[] = [];
  for (const snapshot of exposed) {
    const { scope, name, labelNames } = snapshot.family;
    const parts = hidden.get(JSON.stringify([scope, name, labelNames]));
    joined.push(parts === undefined ? snapshot : await join(snapshot, parts, now));
  }
  return joined;
}

async function join(
  snapshot: FamilySnapshot,
  parts: readonly FamilySnapshot[],
  now: number,
): Promise<FamilySnapshot> {
  const slice = new TimeSlice();
  const { starts, family: families, row: partRows, part } = await partPlaces(snapshot, parts, slice);
  const { family, rows } = snapshot;
  const isSummary = family.type === 'summary';
  const limit = isSummary ? NO_LIMIT : limitOf(parts);
  const native: (NativeBuckets | undefined)[] = new Array(rows.size).fill(undefined);
  const quantiles = new Float64Array(isSummary ? rows.size * family.bounds.length : 0).fill(Number.NaN);
  const space = new BucketSpace();
  for (let row = 0; row < rows.size; row++) {
    const [from, end] = [starts[row]!, starts[row + 1]!];
    if (from === end) continue;
    const sum = new NativeSum();
    for (let at = from; at < end; at++) {
      const { family: hidden, values } = parts[families[at]!]!;
      addBlock(sum, hidden, part[at]!, values, partRows[at]! * hidden.cells, now);
    }
    const buckets = sum.result(limit, space);
    if (isSummary) quantiles.set(quantilesOf(buckets, family.bounds), row * family.bounds.length);
    else native[row] = buckets;
    if (slice.isOverAfterStep()) await slice.next();
  }
  return isSummary ? { ...snapshot, quantiles } : { ...snapshot, native };
}

/** The strictest: several where programs have different ones. */
function limitOf(parts: readonly FamilySnapshot[]): NativeLimit {
  const limits = parts.map(({ family }) => family.bounds as readonly [number, number]);
  const least = Math.min(...limits.map(([maxBuckets]) => maxBuckets || Number.POSITIVE_INFINITY));
  const maxBuckets = Number.isFinite(least) ? least : 0;
  return { maxBuckets, maxZeroThreshold: Math.max(...limits.map(([, threshold]) => threshold)) };
}
