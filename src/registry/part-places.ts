/**
 * Which rows of the hidden families belong to which row of the family that is exposed. Finding that out takes several
 * times as long as adding up, and does not change until series come or go: so it is remembered.
 */
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { type LabelRows, REMOVED } from '../model/label-column.js';
import { type BlockAddress, parseBlockLabel, splitBlockRow } from '../model/native/blocks.js';
import type { TimeSlice } from '../system/time-slice.js';

/** The parts of rows, side by side. */
export interface PartPlaces {
  /** Where the parts of each row begin, and behind the last where they end. */
  readonly starts: Uint32Array;
  /** Of which of the hidden families, and which row of it. */
  readonly family: Uint32Array;
  readonly row: Uint32Array;
  readonly part: readonly BlockAddress[];
}

/** What tells rows from others, without their text. */
type Identity = Pick<LabelRows, 'starts' | 'lengths' | 'size'>;

interface Known {
  readonly rows: readonly Identity[];
  readonly places: PartPlaces;
}

const known = new WeakMap<FamilyDescriptor, Known>();

export async function partPlaces(
  { family, rows }: FamilySnapshot,
  parts: readonly FamilySnapshot[],
  slice: TimeSlice,
): Promise<PartPlaces> {
  const all = [rows, ...parts.map((snapshot) => snapshot.rows)];
  const before = known.get(family);
  if (before !== undefined && areSame(before.rows, all)) return before.places;
  const places = await find(rows, parts, slice);
  known.set(family, { rows: all.map(({ starts, lengths, size }) => ({ starts, lengths, size })), places });
  return places;
}

/** Rows that were given out never change: the same arrays are the same rows, as far as there were any. */
function areSame(before: readonly Identity[], now: readonly Identity[]): boolean {
  const isSame = ({ starts, lengths, size }: Identity, i: number) =>
    starts === now[i]!.starts && lengths === now[i]!.lengths && size === now[i]!.size;
  return before.length === now.length && before.every(isSame);
}

async function find(
  rows: LabelRows,
  parts: readonly FamilySnapshot[],
  slice: TimeSlice,
): Promise<PartPlaces> {
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
    readonly part: BlockAddress;
  }[] = [];
  for (const [family, { rows }] of parts.entries()) {
    const partTextOf = textsOf(rows);
    for (let row = 0; row < rows.size; row++) {
      if (slice.isOverAfterStep()) await slice.next();
      if (rows.lengths[row] === REMOVED) continue;
      const { labels, block } = splitBlockRow(partTextOf(row));
      const to = rowOf.get(labels);
      const part = parseBlockLabel(block);
      if (to === undefined || part === undefined) continue;
      found.push({ to, family, row, part });
      starts[to + 1]! += 1;
    }
  }
  for (let row = 0; row < rows.size; row++) starts[row + 1]! += starts[row]!;
  const next = starts.slice();
  const places = {
    starts,
    family: new Uint32Array(found.length),
    row: new Uint32Array(found.length),
    part: new Array<BlockAddress>(found.length),
  };
  for (const { to, family, row, part } of found) {
    const at = next[to]!++;
    places.family[at] = family;
    places.row[at] = row;
    places.part[at] = part;
    if (slice.isOverAfterStep()) await slice.next();
  }
  return places;
}

/** Bytes as characters, whatever they encode: it is only compared with another. */
function textsOf({ bytes, starts, lengths }: LabelRows): (row: number) => string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (row) => buffer.toString('latin1', starts[row]!, starts[row]! + lengths[row]!);
}
