/** Moves native buckets from hidden families into the snapshots of the families that they belong to. */
import type { Exemplar, FamilyDescriptor, FamilySnapshot, NativeBuckets } from '../model/family.js';
import { type LabelRows, REMOVED } from '../model/label-column.js';
import { METRIC_TYPES } from '../model/metric-types.js';
import { type BlockAddress, parseBlockLabel, shownName, splitBlockRow } from '../model/native/blocks.js';
import { quantilesOf } from '../model/native/buckets.js';
import { BucketSpace, SnapshotSum } from '../model/native/snapshot-sum.js';
import { addBlock, type NativeLimit, NO_LIMIT } from '../model/native/sum.js';
import { coarseNow } from '../system/clock.js';
import { TimeSlice } from '../system/time-slice.js';

/**
 * Removes hidden families from the snapshots, and adds their native buckets or quantiles to the families that they
 * belong to. Pauses for the event loop; meanwhile, the snapshots do not change.
 *
 * @param now - Unix seconds; by default, the coarse time by which values are counted
 */
export async function attachNative(
  snapshots: readonly FamilySnapshot[],
  now = coarseNow(),
): Promise<FamilySnapshot[]> {
  const hiddenOf = new Map<string, FamilySnapshot[]>();
  for (const hidden of snapshots) {
    const { scope, type, labelNames } = hidden.family;
    if (!METRIC_TYPES[type].isHidden) continue;
    const key = JSON.stringify([scope, shownName(hidden.family), labelNames.slice(0, -1)]);
    const known = hiddenOf.get(key);
    if (known === undefined) hiddenOf.set(key, [hidden]);
    else known.push(hidden);
  }
  const slice = new TimeSlice();
  const visible: FamilySnapshot[] = [];
  for (const snapshot of snapshots) {
    const { scope, name, type, labelNames } = snapshot.family;
    if (METRIC_TYPES[type].isHidden) continue;
    const hasNative = type === 'histogram' || type === 'summary';
    const hidden = hasNative ? hiddenOf.get(JSON.stringify([scope, name, labelNames])) : undefined;
    visible.push(hidden === undefined ? snapshot : await attach(snapshot, hidden, now, slice));
  }
  return visible;
}

async function attach(
  snapshot: FamilySnapshot,
  hidden: readonly FamilySnapshot[],
  now: number,
  slice: TimeSlice,
): Promise<FamilySnapshot> {
  const { starts, family: families, row: hiddenRows, address } = await blocksOf(snapshot, hidden, slice);
  const { family, rows } = snapshot;
  const isSummary = family.type === 'summary';
  const limit = isSummary ? NO_LIMIT : limitOf(hidden);
  const native: (NativeBuckets | undefined)[] = new Array(rows.size).fill(undefined);
  const quantiles = new Float64Array(isSummary ? rows.size * family.bounds.length : 0).fill(Number.NaN);
  const space = new BucketSpace();
  for (let row = 0; row < rows.size; row++) {
    const [from, end] = [starts[row]!, starts[row + 1]!];
    if (from === end) continue;
    const sum = new SnapshotSum(space);
    const examples: Exemplar[] = [];
    for (let at = from; at < end; at++) {
      const { family: hiddenFamily, values, exemplars } = hidden[families[at]!]!;
      const first = hiddenRows[at]! * hiddenFamily.cells;
      addBlock(sum, hiddenFamily, address[at]!, values, first, now);
      for (let cell = first; exemplars !== undefined && cell < first + hiddenFamily.cells; cell++) {
        const exemplar = exemplars.get(cell);
        if (exemplar !== undefined) examples.push(exemplar);
      }
    }
    const buckets = sum.result(limit);
    if (isSummary) quantiles.set(quantilesOf(buckets, family.bounds), row * family.bounds.length);
    else if (examples.length === 0) native[row] = buckets;
    else native[row] = { ...buckets, exemplars: examples.sort((a, b) => a.value - b.value) };
    if (slice.isOverAfterStep()) await slice.next();
  }
  return isSummary ? { ...snapshot, quantiles } : { ...snapshot, native };
}

/** Returns the strictest limit, since programs may have different ones. */
function limitOf(hidden: readonly FamilySnapshot[]): NativeLimit {
  const limits = hidden.map(({ family }) => family.bounds as readonly [number, number]);
  const lowest = Math.min(...limits.map(([maxBuckets]) => maxBuckets || Number.POSITIVE_INFINITY));
  const maxBuckets = Number.isFinite(lowest) ? lowest : 0;
  return { maxBuckets, maxZeroThreshold: Math.max(...limits.map(([, threshold]) => threshold)) };
}

/** The records of all series in hidden families, in columns. */
interface Blocks {
  /** Where the records of each series begin; the last element is where those of the last series end. */
  readonly starts: Uint32Array;
  /** The index of the hidden family of each record, and its row there. */
  readonly family: Uint32Array;
  readonly row: Uint32Array;
  readonly address: readonly BlockAddress[];
}

/**
 * Identifies label rows by their arrays. The rows of a view never change, so if arrays and size are equal, the rows
 * are equal too.
 */
type Identity = Pick<LabelRows, 'starts' | 'lengths' | 'size'>;

interface Known {
  readonly rows: readonly Identity[];
  readonly blocks: Blocks;
}

/**
 * Records found in the last snapshot of a family, valid until a series is added or removed. Finding them takes several
 * times as long as adding them up.
 */
const known = new WeakMap<FamilyDescriptor, Known>();

async function blocksOf(
  { family, rows }: FamilySnapshot,
  hidden: readonly FamilySnapshot[],
  slice: TimeSlice,
): Promise<Blocks> {
  const all = [rows, ...hidden.map((snapshot) => snapshot.rows)];
  const before = known.get(family);
  if (before !== undefined && areSame(before.rows, all)) return before.blocks;
  const blocks = await findBlocks(rows, hidden, slice);
  known.set(family, { rows: all.map(({ starts, lengths, size }) => ({ starts, lengths, size })), blocks });
  return blocks;
}

function areSame(before: readonly Identity[], now: readonly Identity[]): boolean {
  const isSame = ({ starts, lengths, size }: Identity, i: number) =>
    starts === now[i]!.starts && lengths === now[i]!.lengths && size === now[i]!.size;
  return before.length === now.length && before.every(isSame);
}

async function findBlocks(
  rows: LabelRows,
  hidden: readonly FamilySnapshot[],
  slice: TimeSlice,
): Promise<Blocks> {
  const rowOf = new Map<string, number>();
  const textOf = textsOf(rows);
  for (let row = 0; row < rows.size; row++) {
    if (rows.lengths[row] !== REMOVED) rowOf.set(textOf(row), row);
    if (slice.isOverAfterStep()) await slice.next();
  }
  const starts = new Uint32Array(rows.size + 1);
  const found: {
    readonly to: number;
    readonly family: number;
    readonly row: number;
    readonly address: BlockAddress;
  }[] = [];
  for (const [family, { rows: hiddenRows }] of hidden.entries()) {
    const hiddenTextOf = textsOf(hiddenRows);
    for (let row = 0; row < hiddenRows.size; row++) {
      if (slice.isOverAfterStep()) await slice.next();
      if (hiddenRows.lengths[row] === REMOVED) continue;
      const { labels, block } = splitBlockRow(hiddenTextOf(row));
      const to = rowOf.get(labels);
      const address = parseBlockLabel(block);
      if (to === undefined || address === undefined) continue;
      found.push({ to, family, row, address });
      starts[to + 1]! += 1;
    }
  }
  for (let row = 0; row < rows.size; row++) starts[row + 1]! += starts[row]!;
  const next = starts.slice();
  const blocks = {
    starts,
    family: new Uint32Array(found.length),
    row: new Uint32Array(found.length),
    address: new Array<BlockAddress>(found.length),
  };
  for (const { to, family, row, address } of found) {
    const at = next[to]!++;
    blocks.family[at] = family;
    blocks.row[at] = row;
    blocks.address[at] = address;
    if (slice.isOverAfterStep()) await slice.next();
  }
  return blocks;
}

/** Returns a function that decodes the label text of a row as Latin-1: fast, and sufficient to compare texts. */
function textsOf({ bytes, starts, lengths }: LabelRows): (row: number) => string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (row) => buffer.toString('latin1', starts[row]!, starts[row]! + lengths[row]!);
}
