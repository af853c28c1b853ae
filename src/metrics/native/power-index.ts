/**
 * Finds the bucket of a value among bounds that are powers, which native histograms have.
 *
 * The exponent of the float64 gives the octave. The leading bits of the mantissa select a slot so narrow that it
 * contains at most one bound, and the comparison with that bound is a subtraction. See docs/v8.md: unpredictable
 * branches.
 */
import { FINEST_SCHEMA, octaveBounds } from '../../model/native/powers.js';

const float = new Float64Array(1);
const halves = new Int32Array(float.buffer);
/** Index of the leading 32 bits of a float64: 1 on little-endian machines. */
const LEADING = new Uint8Array(Float64Array.of(1).buffer)[0] === 0 ? 1 : 0;

/** Within the leading 32 bits: the bits of the mantissa, and the range of finite normal numbers. */
const MANTISSA_BITS = 20;
const MANTISSA = (1 << MANTISSA_BITS) - 1;
const MIN_NORMAL = 1 << MANTISSA_BITS;
const INFINITE = 0x7ff << MANTISSA_BITS;
const BIAS = 1023;
/**
 * A subnormal number is multiplied by 2 ** `LIFT` to become normal. In any schema, 64 octaves are whole buckets.
 */
const LIFT = 64;

/** The buckets of one schema. */
export class PowerIndex {
  readonly schema: number;
  /** Binary logarithm of the bounds per octave; 0 for negative schemas, whose octaves are joined afterwards. */
  readonly #bits: number;
  /** Binary logarithm of the octaves per bucket; 0 for schemas that are not negative. */
  readonly #join: number;
  readonly #shift: number;
  /**
   * Two numbers for each slot: the number of bounds of the octave below its start, and the leading bits of the mantissa
   * of the next bound.
   */
  readonly #slots: Int32Array;
  /** The trailing 32 bits of each bound, for values whose leading bits equal those of the bound. */
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
      // The last slots have no next bound. They get a number that no mantissa reaches.
      this.#slots.set([below, below < size ? halves[LEADING]! & MANTISSA : MIN_NORMAL], 2 * slot);
    }
  }

  /**
   * Returns the bucket of a positive number: bucket i is from `base ** (i - 1)`, exclusive, to `base ** i`, inclusive.
   */
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

  /** Handles subnormal numbers and infinity, which has the bucket after that of the greatest number. */
  #rareIndex(value: number): number {
    if (value === Number.POSITIVE_INFINITY) return this.indexOf(Number.MAX_VALUE) + 1;
    return this.indexOf(value * 2 ** LIFT) - ((LIFT << this.#bits) >> this.#join);
  }
}
