/**
 * Native buckets as cells: a hidden family beside the family that a scrape shows. Each of its series is a block of
 * adjacent buckets of one series of the shown family, so blocks add up over threads, processes and machines as every
 * series does. Inside a program, the address of a block is a few numbers. In a series, it is the text of an additional
 * label:
 *
 * - `3:p-2`: schema 3, positive values, block -2
 * - `3:n0`: negative values
 * - `3:p-2>0.5`: counted since the zero bucket has been at least 0.5 wide
 * - `3:z2.938735877055719e-39`: the zero bucket of this threshold. Its first cell is the count; its second is 1 if the
 *   bucket was widened to this threshold
 * - a suffix `@1`: the age bucket, in summaries that drop old values
 */
import type { FamilyDescriptor } from '../family.js';
import type { FamilyType, MetricType } from '../metric-types.js';

/** Number of buckets in a block, as a power of 2. */
export const BLOCK_BITS = 5;
export const BLOCK_SIZE = 1 << BLOCK_BITS;

const LABEL = '__part';

/**
 * Returns the descriptor of the hidden family beside `family`.
 *
 * @param bounds - two numbers by which every reader adds up the blocks. For a histogram: `[maxBuckets,
 * maxZeroThreshold]`, where 0 buckets mean no limit. For a summary that drops old values: the length of an age bucket
 * in seconds, and the number of age buckets. The name contains them too, so that programs with other numbers have other
 * families
 */
export function blockFamily(
  family: FamilyDescriptor,
  bounds: readonly [number, number],
  forgets = false,
): FamilyDescriptor {
  return Object.freeze({
    ...family,
    name: `${family.name}{${bounds}}`,
    type: 'parts' as FamilyType as MetricType,
    labelNames: [...family.labelNames, LABEL],
    // With age buckets, the first cell is the number of the period: see the merge rule `newest`.
    cells: BLOCK_SIZE + +forgets,
    merge: forgets ? 'newest' : 'add',
    bounds,
  });
}

/** Returns the name of the histogram whose native buckets a hidden family holds. */
export function shownName({ name }: Pick<FamilyDescriptor, 'name'>): string {
  return name.slice(0, name.lastIndexOf('{'));
}

/** The buckets that a block counts. */
export interface BlockAddress {
  readonly schema: number;
  /** Sign of the values; 0 for the zero bucket. */
  readonly sign: 1 | 0 | -1;
  /** The first bucket is `index * BLOCK_SIZE`. 0 for the zero bucket. */
  readonly index: number;
  /**
   * The threshold of a zero bucket. For other blocks, a known lower limit of the absolute values that they count: a
   * coarse bucket may overlap a zero bucket that was widened earlier, but counts no values inside it.
   */
  readonly bound: number;
}

/** A block with at least one count: `BLOCK_SIZE` counts that begin at `values[at]`. */
export interface CountedBlock {
  readonly address: BlockAddress;
  readonly values: Float64Array;
  readonly at: number;
}

/** Returns the label value of a block. @param age - the number of its age bucket; -1 without age buckets */
export function blockLabel({ schema, sign, index, bound }: BlockAddress, age = -1): string {
  const suffix = age < 0 ? '' : `@${age}`;
  if (sign === 0) return `${schema}:z${bound}${suffix}`;
  return `${schema}:${sign > 0 ? 'p' : 'n'}${index}${bound === 0 ? '' : `>${bound}`}${suffix}`;
}

const BLOCK_LABEL = /^(-?\d+):([pnz])([^@>]+)(?:>([^@]+))?(?:@\d+)?$/;
const SIGNS = { p: 1, n: -1, z: 0 } as const;

/** Cache of addresses by label value, since many series have the same few blocks. */
const parsed = new Map<string, BlockAddress>();
const MAX_PARSED = 10_000;

/** Parses a label value; undefined for text that {@link blockLabel} does not return. */
export function parseBlockLabel(text: string): BlockAddress | undefined {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const [, schema, kind, number, floor = 0] = BLOCK_LABEL.exec(text) ?? [];
  if (schema === undefined || Number.isNaN(Number(number)) || Number.isNaN(Number(floor))) return undefined;
  const sign = SIGNS[kind as keyof typeof SIGNS];
  const [index, bound] = sign === 0 ? [0, Number(number)] : [Number(number), Number(floor)];
  const address = { schema: Number(schema), sign, index, bound };
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(text, address);
  return address;
}

/** Splits the label text of a row into the labels of the shown series and the label value of the block. */
export function splitBlockRow(text: string): { readonly labels: string; readonly block: string } {
  const at = text.lastIndexOf(`${LABEL}="`);
  return { labels: text.slice(0, Math.max(at - 1, 0)), block: text.slice(at + LABEL.length + 2, -1) };
}
