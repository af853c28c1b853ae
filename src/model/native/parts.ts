/**
 * Native buckets as cells: a hidden family of type `parts` beside the family that is exposed. A part is a block of
 * buckets, and is an ordinary series of an ordinary family: so it adds up over threads, processes and
 * machines as everything does. What a part counts is in one more label, `__part`:
 *
 * - `3:p-2`: with schema 3, positive values, block -2
 * - `3:n0`: negative values
 * - `3:p-2>0.5`: the same, counted since the zero bucket is 0.5 wide at least
 * - `3:z2.938735877055719e-39`: the zero bucket, of this threshold, in the first cell. In the second is whether it
 *   was widened to that
 * - `@1` behind it: the age bucket, where a summary forgets
 */
import type { FamilyDescriptor } from '../family.js';
import type { FamilyType, MetricType } from '../metric-types.js';

/** Buckets of one part, as a power of 2. */
export const BLOCK_BITS = 5;
export const BLOCK_SIZE = 1 << BLOCK_BITS;

const LABEL = '__part';

/**
 * The hidden family beside `family`.
 *
 * @param bounds - how it is read, whoever reads it: `[maxBuckets, maxZeroThreshold]` of a histogram, where 0
 * buckets are no limit; of a summary that forgets, the seconds and the number of its age buckets. They are in the
 * name too, so that programs of different rules add up.
 */
export function partsFamily(
  family: FamilyDescriptor,
  bounds: readonly [number, number],
  forgets = false,
): FamilyDescriptor {
  return Object.freeze({
    ...family,
    name: `${family.name}{${bounds}}`,
    type: 'parts' as FamilyType as MetricType,
    labelNames: [...family.labelNames, LABEL],
    // Where buckets are of an age, that comes first: see the merge mode.
    cells: BLOCK_SIZE + +forgets,
    merge: forgets ? 'newest' : 'add',
    bounds,
  });
}

/**
 * What the number of a block of negative values is greater by than that of the same positive ones. Numbers are
 * below 2 ** 15, and those of one sign are not where the same of the other are in a table of 32.
 */
export const NEGATIVE = (1 << 16) + 16;

/** @param floor - see {@link Part.floor} */
export function blockName(schema: number, key: number, floor: number): string {
  const name = key < 1 << 15 ? `${schema}:p${key}` : `${schema}:n${key - NEGATIVE}`;
  return floor === 0 ? name : `${name}>${floor}`;
}

export function zeroName(schema: number, threshold: number): string {
  return `${schema}:z${threshold}`;
}

/** What a part counts. */
export interface Part {
  readonly schema: number;
  readonly kind: 'p' | 'n' | 'z';
  /** The number of the block; of a zero bucket the threshold. */
  readonly place: number;
  /**
   * What all values of the block are further from zero than, where that is known. A coarse bucket may lie across
   * the end of a zero bucket that was widened before; without this its values would be taken for nearer ones.
   */
  readonly floor: number;
}

/** A part that counts something, and where its `BLOCK_SIZE` counts begin. */
export interface CountedBlock {
  readonly part: Part;
  readonly values: Float64Array;
  readonly at: number;
}

const PART = /^(-?\d+):([pnz])([^@>]+)(?:>([^@]+))?(?:@\d+)?$/;

/** There are few parts, in very many series. */
const known = new Map<string, Part>();
const MAX_KNOWN = 10_000;

/** Reads the label back; undefined for what was written by somebody else. */
export function parsePart(name: string): Part | undefined {
  let part = known.get(name);
  if (part !== undefined) return part;
  const [, schema, kind, place, floor = 0] = PART.exec(name) ?? [];
  if (schema === undefined || Number.isNaN(Number(place)) || Number.isNaN(Number(floor))) return undefined;
  part = { schema: Number(schema), kind: kind as Part['kind'], place: Number(place), floor: Number(floor) };
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, part);
  return part;
}

/** The name of the family that is exposed. */
export function exposedName({ name }: FamilyDescriptor): string {
  return name.slice(0, name.lastIndexOf('{'));
}

/** Divides a row's text into the labels that are exposed and what the part is. */
export function splitRow(text: string): { readonly labels: string; readonly part: string } {
  const at = text.lastIndexOf(`${LABEL}="`);
  return { labels: text.slice(0, Math.max(at - 1, 0)), part: text.slice(at + LABEL.length + 2, -1) };
}
