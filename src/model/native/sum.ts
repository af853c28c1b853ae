/**
 * Native buckets of all resolutions, brought together.
 *
 * The result depends on nothing but what was counted: all readers of the same numbers give the same, and more
 * values never make it finer.
 *
 * @see https://prometheus.io/docs/specs/native_histograms/#merging-histograms
 */
import type { FamilyDescriptor, NativeBuckets, PowerBuckets } from '../family.js';
import { BLOCK_SIZE, type Part } from './parts.js';
import { COARSEST_SCHEMA, FINEST_SCHEMA, octaveBounds } from './powers.js';

/** How many buckets there may be, the zero bucket aside, and how wide that may become before they do. */
export interface NativeLimit {
  /** 0: no limit. */
  readonly maxBuckets: number;
  readonly maxZeroThreshold: number;
}

export const NO_LIMIT: NativeLimit = { maxBuckets: 0, maxZeroThreshold: 0 };

/** The upper bound of a bucket. That of the last one for finite numbers is the greatest of them. */
export function upperBound(schema: number, index: number): number {
  const bits = Math.max(schema, 0);
  const octave = schema < 0 ? index * 2 ** -schema : index >> bits;
  if (octave > 1024) return Number.POSITIVE_INFINITY;
  const within = index & ((1 << bits) - 1);
  if (octave === 1024) return within === 0 ? Number.MAX_VALUE : Number.POSITIVE_INFINITY;
  return (schema < 0 ? 1 : octaveBounds()[within << (FINEST_SCHEMA - bits)]!) * 2 ** octave;
}

/** The bucket that holds what was in a bucket of a schema finer by so many steps. */
function coarser(index: number, steps: number): number {
  return (index + (1 << steps) - 1) >> steps;
}

/** Counts by index, of one schema and sign. */
type Counts = Map<number, number>;

interface Signs {
  positive: Counts;
  negative: Counts;
}

function add(counts: Counts, index: number, count: number): void {
  counts.set(index, (counts.get(index) ?? 0) + count);
}

export class NativeSum {
  readonly #bySchema = new Map<number, Signs>();
  /** Least threshold of all zero buckets, and the greatest of those that count something. */
  #least = Number.POSITIVE_INFINITY;
  #threshold = 0;
  #zeroCount = 0;
  /** The finest schema that anybody uses who has counted nothing yet. */
  #finest = COARSEST_SCHEMA;

  /** Adds a block: `BLOCK_SIZE` counts that begin at `at`. */
  add({ schema, kind, place }: Part, values: Float64Array, at: number): void {
    if (kind === 'z') this.#addZero(schema, place, values[at]!);
    else this.#addBlock(schema, kind === 'p' ? 'positive' : 'negative', place * BLOCK_SIZE, values, at);
  }

  /** @param limit - what holds for the result */
  result({ maxBuckets, maxZeroThreshold }: NativeLimit): NativeBuckets {
    if (this.#threshold > this.#least) this.#absorb(this.#threshold);
    else if (Number.isFinite(this.#least)) this.#threshold = this.#least;
    let schema = this.#bySchema.size === 0 ? this.#finest : Math.min(...this.#bySchema.keys());
    let signs = this.#joined(schema);
    while (maxBuckets > 0 && signs.positive.size + signs.negative.size > maxBuckets) {
      const widest = boundWithin(schema, maxZeroThreshold);
      if (widest > this.#threshold) this.#absorb(widest);
      else if (schema > COARSEST_SCHEMA) schema -= 1;
      else break;
      signs = this.#joined(schema);
    }
    const positive = powerBuckets(signs.positive);
    const negative = powerBuckets(signs.negative);
    const count = sum(positive) + sum(negative) + this.#zeroCount;
    return {
      schema,
      zeroThreshold: this.#threshold,
      zeroCount: this.#zeroCount,
      count,
      positive,
      negative,
    };
  }

  /** Who counts nothing says nothing, but for the resolution of a series where nobody does. */
  #addZero(schema: number, threshold: number, count: number): void {
    this.#finest = Math.max(this.#finest, schema);
    this.#least = Math.min(this.#least, threshold);
    if (count === 0) return;
    this.#threshold = Math.max(this.#threshold, threshold);
    this.#zeroCount += count;
  }

  #addBlock(schema: number, sign: keyof Signs, first: number, values: Float64Array, at: number): void {
    for (let i = 0; i < BLOCK_SIZE; i++) {
      const count = values[at + i]!;
      if (count === 0) continue;
      let signs = this.#bySchema.get(schema);
      if (signs === undefined) {
        signs = { positive: new Map(), negative: new Map() };
        this.#bySchema.set(schema, signs);
      }
      add(signs[sign], first + i, count);
    }
  }

  /**
   * Widens the zero bucket. A bucket that is not wholly inside may count values that are: then it widens it
   * further, to its end.
   */
  #absorb(threshold: number): void {
    this.#threshold = threshold;
    for (const [schema, signs] of this.#bySchema) {
      for (const counts of [signs.positive, signs.negative]) {
        for (const [index, count] of counts) {
          if (upperBound(schema, index - 1) >= this.#threshold) continue;
          counts.delete(index);
          this.#zeroCount += count;
          const upper = upperBound(schema, index);
          // Others may be inside now that were not.
          if (upper <= this.#threshold) continue;
          this.#absorb(upper);
          return;
        }
      }
    }
  }

  #joined(schema: number): Signs {
    const alone = this.#bySchema.size === 1 ? this.#bySchema.get(schema) : undefined;
    if (alone !== undefined) return alone;
    const joined: Signs = { positive: new Map(), negative: new Map() };
    for (const [finer, { positive, negative }] of this.#bySchema) {
      for (const [index, count] of positive) add(joined.positive, coarser(index, finer - schema), count);
      for (const [index, count] of negative) add(joined.negative, coarser(index, finer - schema), count);
    }
    return joined;
  }
}

/**
 * Adds the cells of a part, which begin at `at`; where values are forgotten, only if they are not yet.
 *
 * @param now - Unix seconds. Whoever's clock is ahead may be in the next age bucket already.
 */
export function addPart(
  sum: NativeSum,
  { merge, bounds }: FamilyDescriptor,
  part: Part,
  values: Float64Array,
  at: number,
  now: number,
): void {
  if (merge !== 'newest') {
    sum.add(part, values, at);
    return;
  }
  const [slotSeconds, slots] = bounds as readonly [number, number];
  const age = Math.floor(now / slotSeconds) - values[at]!;
  if (age >= -1 && age < slots) sum.add(part, values, at + 1);
}

/** The greatest bound that is not above `most`; 0 without any. */
function boundWithin(schema: number, most: number): number {
  if (most <= 0) return 0;
  let index = Math.ceil(Math.log2(most) * 2 ** schema) + 1;
  while (upperBound(schema, index) > most) index -= 1;
  return upperBound(schema, index);
}

/** Written out, since `from` with an iterator was half of a scrape. */
function powerBuckets(counts: Counts): PowerBuckets {
  const index = new Int32Array(counts.size);
  let size = 0;
  for (const key of counts.keys()) index[size++] = key;
  index.sort();
  const inOrder = new Float64Array(size);
  for (let i = 0; i < size; i++) inOrder[i] = counts.get(index[i]!)!;
  return { index, counts: inOrder };
}

function sum({ counts }: PowerBuckets): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
