/**
 * Bounds of buckets that are powers. Only the bounds from 1 to 2 are stored; all others are these times a power of 2.
 */

/** The range of schemas. Each bound is `2 ** 2 ** -schema` times the one before it. */
export const COARSEST_SCHEMA = -4;
export const FINEST_SCHEMA = 8;

/** 2 ** (1 / 256) in units of 2 ** -120. */
const STEP = 0x100b1afa5abcbed6129ab13ec11dc95n;
const UNIT_BITS = 120n;

const STEPS = 2 ** FINEST_SCHEMA;
let finest: Float64Array | undefined;

/**
 * Returns `2 ** (i / 256)` for i from 0 to 255, each the nearest float64. `Math.pow` is off by one unit in the last
 * place for an eighth of them, and for different ones in different engines.
 */
export function octaveBounds(): Float64Array {
  if (finest !== undefined) return finest;
  finest = new Float64Array(STEPS);
  let power = 1n << UNIT_BITS;
  for (let i = 0; i < STEPS; i++) {
    finest[i] = Number(power) / 2 ** Number(UNIT_BITS);
    power = (power * STEP) >> UNIT_BITS;
  }
  return finest;
}

/** Returns the coarsest schema whose bounds are at most this factor apart, or the finest schema if none is. */
export function schemaOf(factor: number): number {
  const schema = -Math.floor(Math.log2(Math.log2(factor)));
  return Math.min(Math.max(schema, COARSEST_SCHEMA), FINEST_SCHEMA);
}

/** Returns the upper bound of a bucket. The last bucket of finite numbers ends at the greatest finite number. */
export function upperBound(schema: number, index: number): number {
  const bits = Math.max(schema, 0);
  const octave = schema < 0 ? index * 2 ** -schema : index >> bits;
  if (octave > 1024) return Number.POSITIVE_INFINITY;
  const within = index & ((1 << bits) - 1);
  if (octave === 1024) return within === 0 ? Number.MAX_VALUE : Number.POSITIVE_INFINITY;
  return (schema < 0 ? 1 : octaveBounds()[within << (FINEST_SCHEMA - bits)]!) * 2 ** octave;
}

/** Returns the index of the bucket that contains bucket `index` in a schema that is coarser by this many steps. */
export function coarser(index: number, steps: number): number {
  return (index + (1 << steps) - 1) >> steps;
}
