/** Joining: the hidden families of native buckets become a part of the families that are exposed. */
import type { FamilySnapshot, NativeBuckets } from '../model/family.js';
import { REMOVED } from '../model/label-column.js';
import { exposedName, parsePart, splitRow } from '../model/native/parts.js';
import { quantilesOf } from '../model/native/quantiles.js';
import { addPart, type NativeLimit, NativeSum, NO_LIMIT } from '../model/native/sum.js';
import { Turn } from '../model/turn.js';

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
  const exposed = snapshots.filter(({ family }) => family.type !== 'parts');
  if (exposed.length === snapshots.length) return exposed;
  const hidden = new Map<string, FamilySnapshot[]>();
  for (const parts of snapshots) {
    if (parts.family.type !== 'parts') continue;
    const { scope, labelNames } = parts.family;
    const key = JSON.stringify([scope, exposedName(parts.family), labelNames.slice(0, -1)]);
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
  const sums = new Map<string, NativeSum>();
  const turn = new Turn();
  for (const { family, rows, values } of parts) {
    const textOf = textsOf(rows);
    for (let row = 0; row < rows.size; row++) {
      if (rows.lengths[row] === REMOVED) continue;
      const { labels, part } = splitRow(textOf(row));
      const parsed = parsePart(part);
      if (parsed === undefined) continue;
      let sum = sums.get(labels);
      if (sum === undefined) {
        sum = new NativeSum();
        sums.set(labels, sum);
      }
      addPart(sum, family, parsed, values, row * family.cells, now);
      if (turn.isOver) await turn.next();
    }
  }
  const { family, rows } = snapshot;
  const isSummary = family.type === 'summary';
  const limit = isSummary ? NO_LIMIT : limitOf(parts);
  const native: (NativeBuckets | undefined)[] = new Array(rows.size);
  const quantiles = new Float64Array(isSummary ? rows.size * family.bounds.length : 0).fill(Number.NaN);
  const textOf = textsOf(rows);
  for (let row = 0; row < rows.size; row++) {
    if (rows.lengths[row] === REMOVED) continue;
    const buckets = sums.get(textOf(row))?.result(limit);
    if (buckets === undefined) continue;
    native[row] = buckets;
    if (isSummary) quantiles.set(quantilesOf(buckets, family.bounds), row * family.bounds.length);
    if (turn.isOver) await turn.next();
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

/** Bytes as characters, whatever they encode: it is only compared with another. */
function textsOf({ bytes, starts, lengths }: FamilySnapshot['rows']): (row: number) => string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (row) => buffer.toString('latin1', starts[row]!, starts[row]! + lengths[row]!);
}
