/**
 * Finds the bucket of a value. A search has at each step a branch that nobody can predict, which costs more than
 * all else that an observation does. So the leading bits of the float64, its exponent and a little more, are
 * looked up in a table; with buckets as wide as usual at most one comparison is left.
 */

/** Bits of a float64's leading half that do not tell slots apart: 3 bits of the mantissa make 8 slots an octave. */
const SHIFT = 17;
/** Bounds further apart get wider slots. */
const MAX_SLOTS = 512;
/** Slots beyond the least and the greatest bound, for values that miss them by two octaves. */
const MARGIN = 16;

const float = new Float64Array(1);
const halves = new Int32Array(float.buffer);
/** Which half leads: the second one where bytes are little-endian. */
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

/** Finds the bucket of a value. */
export type Buckets = Pick<BucketIndex, 'bounds' | 'bucketOf'>;

/** All values are in the bucket `+Inf`. */
const NO_BUCKETS: Buckets = { bounds: [Number.POSITIVE_INFINITY], bucketOf: () => 0 };

/** The bounds of a histogram, and a table of where in them to look. */
export class BucketIndex {
  /** Upper bounds, ascending, `Infinity` last: which also makes it an array of unboxed numbers, whole or not. */
  readonly bounds: readonly number[];
  readonly #shift: number;
  /** The slot, as leading bits, that is slot 0 here. It takes what is below all others: negative numbers too. */
  readonly #first: number;
  readonly #last: number;
  /** How many bounds are below the start of each slot; all of them, for the slot after the last. */
  readonly #below: number[] = [];

  /** @param bounds - ascending and finite; none, for a metric that has no classic buckets */
  static of(bounds: readonly number[]): Buckets {
    return bounds.length === 0 ? NO_BUCKETS : new BucketIndex(bounds);
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

  /** The first bucket whose bound is not below the value, which is not NaN. */
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
