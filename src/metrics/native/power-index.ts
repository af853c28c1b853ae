/**
 * Finds the bucket of a value among bounds that are powers, as native histograms have them.
 *
 * Exponent and mantissa of the float64 are used as they are. The leading bits of the mantissa select a slot, so
 * narrow that at most one bound is inside; and that one comparison is a subtraction, as no branch could be
 * predicted.
 */
import { FINEST_SCHEMA, octaveBounds } from '../../model/native/powers.js';

const float = new Float64Array(1);
const halves = new Int32Array(float.buffer);
/** Which half leads: see `bucket-index.ts`. */
const LEADING = new Uint8Array(Float64Array.of(1).buffer)[0] === 0 ? 1 : 0;

/** Of the leading half: bits of the mantissa, what an exponent counts, and where finite normal numbers begin and end. */
const MANTISSA_BITS = 20;
const MANTISSA = (1 << MANTISSA_BITS) - 1;
const MIN_NORMAL = 1 << MANTISSA_BITS;
const INFINITE = 0x7ff << MANTISSA_BITS;
const BIAS = 1023;
/** Makes a subnormal number a normal one, exactly. As many octaves are whole buckets at any resolution. */
const LIFT = 64;

/** The buckets of one schema. */
export class PowerIndex {
  readonly schema: number;
  /** Bounds an octave, as a power of 2. None of less than one octave: those are joined afterwards. */
  readonly #bits: number;
  /** Octaves a bucket, as a power of 2. */
  readonly #join: number;
  readonly #shift: number;
  /**
   * Two numbers for each slot: how many bounds of the octave are below its start, and the leading half of the
   * mantissa of the next bound.
   */
  readonly #slots: Int32Array;
  /** The other halves of all bounds. */
  readonly #low: Uint32Array;

  static readonly #known: PowerIndex[] = [];

  static of(schema: number): PowerIndex {
    const known = PowerIndex.#known;
    known[schema + FINEST_SCHEMA] ??= new PowerIndex(schema);
    return known[schema + FINEST_SCHEMA]!;
  }

  private constructor(schema: number) {
    this.schema = schema;
    this.#bits = Math.max(schema, 0);
    this.#join = Math.max(-schema, 0);
    this.#shift = MANTISSA_BITS - 1 - this.#bits;
    const size = 1 << this.#bits;
    this.#slots = new Int32Array(4 * size);
    this.#low = new Uint32Array(size + 1);
    const bounds = octaveBounds().filter((_, i) => i % (octaveBounds().length / size) === 0);
    for (let slot = 0, below = 0; slot < 2 * size; slot++) {
      while (bounds[below]! < 1 + slot / (2 * size)) below += 1;
      float[0] = bounds[below] ?? 0;
      this.#low[below] = halves[1 - LEADING]!;
      // Behind the last bound comes none that a mantissa could reach.
      this.#slots.set([below, below < size ? halves[LEADING]! & MANTISSA : MIN_NORMAL], 2 * slot);
    }
  }

  /** Of a number greater than zero: bucket i takes what is above `base ** (i - 1)` and not above `base ** i`. */
  indexOf(value: number): number {
    float[0] = value;
    const high = halves[LEADING]!;
    if (high < MIN_NORMAL || high >= INFINITE) return this.#rareIndex(value);
    const mantissa = high & MANTISSA;
    const slots = this.#slots;
    const slot = (mantissa >> this.#shift) << 1;
    const below = slots[slot]!;
    const bound = slots[slot + 1]!;
    const isAbove =
      mantissa === bound ? +(halves[1 - LEADING]! >>> 0 > this.#low[below]!) : (bound - mantissa) >>> 31;
    const index = (((high >> MANTISSA_BITS) - BIAS) << this.#bits) + below + isAbove;
    return (index + (1 << this.#join) - 1) >> this.#join;
  }

  /** Infinity has the bucket after that of the greatest number. */
  #rareIndex(value: number): number {
    if (value === Number.POSITIVE_INFINITY) return this.indexOf(Number.MAX_VALUE) + 1;
    return this.indexOf(value * 2 ** LIFT) - ((LIFT << this.#bits) >> this.#join);
  }
}
