/**
 * Finds the bucket of a value by a table of the leading bits of its float64: the exponent and part of the mantissa. For
 * usual bounds at most one comparison remains. See docs/v8.md: unpredictable branches.
 */

import { findOrCreate } from '../system/find-or-create.js';

/**
 * Number of bits by which the leading 32 bits are shifted to get a slot. 3 bits of the mantissa stay: 8 slots per
 * octave.
 */
const SHIFT = 17;
/** Maximum number of slots between the first and the last bound. Slots are made wider if there would be more. */
const MAX_SLOTS = 512;
/** Number of slots beyond the first and the last bound, for values up to two octaves away. */
const MARGIN = 16;

const float = new Float64Array(1);
const halves = new Int32Array(float.buffer);
/** Index of the leading 32 bits of a float64: 1 on little-endian machines. */
const LEADING = new Uint8Array(Float64Array.of(1).buffer)[0] === 0 ? 1 : 0;

function leadingBits(value: number): number {
  float[0] = value;
  return halves[LEADING]!;
}

function fromLeadingBits(bits: number): number {
  float[0] = 0;
  halves[LEADING] = bits;
  return float[0];
}

/** The members of a {@link BucketIndex} that histograms use. */
export type Buckets = Pick<BucketIndex, 'bounds' | 'bucketOf'>;

/** For metrics without classic buckets: every value is in `+Inf`. */
const NO_BUCKETS: Buckets = { bounds: [Number.POSITIVE_INFINITY], bucketOf: () => 0 };

/** Maximum number of indexes kept for histograms with equal bounds. */
const MAX_KEPT = 64;

/** The bounds of a histogram, with a lookup table for the bucket of a value. */
export class BucketIndex {
  /** The newest indexes by their bounds as text. Most histograms of a program have the same bounds. */
  static readonly #kept = new Map<string, BucketIndex>();
  /** Indexes by their bounds, since histograms with the default buckets share one array. */
  static readonly #known = new WeakMap<readonly number[], BucketIndex>();

  /** Upper bounds, ascending, `Infinity` last. See docs/v8.md: boxed doubles. */
  readonly bounds: readonly number[];
  readonly #shift: number;
  /** Leading bits of the values in slot 0, shifted. All smaller values are in slot 0 too, including negative ones. */
  readonly #first: number;
  readonly #last: number;
  /** Number of bounds below the start of each slot; the last element is the number of all bounds. */
  readonly #below: number[] = [];

  /** @param bounds - ascending and finite; empty for metrics without classic buckets */
  static of(bounds: readonly number[]): Buckets {
    if (bounds.length === 0) return NO_BUCKETS;
    return findOrCreate(BucketIndex.#known, bounds, () => BucketIndex.#ofText(bounds));
  }

  static #ofText(bounds: readonly number[]): BucketIndex {
    const key = bounds.join();
    let index = BucketIndex.#kept.get(key);
    if (index === undefined) {
      if (BucketIndex.#kept.size === MAX_KEPT) BucketIndex.#kept.clear();
      index = new BucketIndex(bounds);
      BucketIndex.#kept.set(key, index);
    }
    return index;
  }

  private constructor(bounds: readonly number[]) {
    this.bounds = [...bounds, Number.POSITIVE_INFINITY];
    const least = leadingBits(bounds.find((bound) => bound > 0) ?? 0);
    const most = leadingBits(Math.max(0, ...bounds.slice(-1)));
    let shift = SHIFT;
    while ((most >> shift) - (least >> shift) > MAX_SLOTS) shift += 1;
    this.#shift = shift;
    this.#first = Math.max((least >> shift) - MARGIN, -1);
    this.#last =
      Math.min((most >> shift) + MARGIN, leadingBits(Number.POSITIVE_INFINITY) >> shift) - this.#first;
    for (let slot = 0; slot <= this.#last; slot++) {
      const start = slot === 0 ? Number.NEGATIVE_INFINITY : fromLeadingBits((this.#first + slot) << shift);
      this.#below.push(bounds.filter((bound) => bound < start).length);
    }
    this.#below.push(bounds.length);
  }

  /** Returns the first bucket whose bound is not below the value, which must not be NaN. */
  bucketOf(value: number): number {
    float[0] = value;
    let slot = (halves[LEADING]! >> this.#shift) - this.#first;
    if (slot < 0) slot = 0;
    else if (slot > this.#last) slot = this.#last;
    let low = this.#below[slot]!;
    let high = this.#below[slot + 1]!;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value > this.bounds[middle]!) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
