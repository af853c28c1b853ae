/**
 * Native histograms of one writer, observation by observation, beside a model that follows the rules of Prometheus' Go
 * client in the simplest way: one map of buckets, changed in place.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CollectorRegistry, createHistogram, type NativeBuckets, type NativeOptions } from 'metheus';
import { upperBound } from '#metheus/model/native/powers.js';

const COARSEST = -4;

/** Reports whether a positive finite number is at most `2 ** (index / 2 ** schema)`, computed exactly with integers. */
function isWithin(value: number, index: number, schema: number): boolean {
  let [mantissa, exponent] = [value, 0];
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent -= 1;
  }
  while (mantissa >= 2 ** 53) {
    mantissa /= 2;
    exponent += 1;
  }
  const power = 2 ** Math.max(schema, 0);
  const most = schema < 0 ? index * 2 ** -schema : index;
  const left = BigInt(mantissa) ** BigInt(power);
  const shift = BigInt(most - exponent * power);
  return shift >= 0n && left <= 1n << shift;
}

class Model {
  schema: number;
  zeroThreshold: number;
  zeroCount = 0;
  count = 0;
  positive = new Map<number, number>();
  negative = new Map<number, number>();
  readonly #maxBuckets: number;
  readonly #maxZeroThreshold: number;

  constructor({
    schema = 3,
    zeroThreshold = 2 ** -128,
    maxBuckets = 160,
    maxZeroThreshold = 0,
  }: NativeOptions) {
    this.schema = schema;
    this.zeroThreshold = zeroThreshold;
    this.#maxBuckets = maxBuckets;
    this.#maxZeroThreshold = maxZeroThreshold;
  }

  observe(value: number): void {
    this.count += 1;
    const distance = Math.abs(value);
    if (distance <= this.zeroThreshold) this.zeroCount += 1;
    else {
      const buckets = value > 0 ? this.positive : this.negative;
      const index = this.#indexOf(distance);
      buckets.set(index, (buckets.get(index) ?? 0) + 1);
    }
    while (this.positive.size + this.negative.size > this.#maxBuckets) {
      if (!this.#widen() && !this.#double()) return;
    }
  }

  /**
   * Returns the bucket of a number, from a guess that may be off by one. Bounds are the float64s nearest to the powers;
   * subnormal numbers are compared as if they had full precision.
   */
  #indexOf(distance: number): number {
    if (distance === Number.POSITIVE_INFINITY) return this.#indexOf(Number.MAX_VALUE) + 1;
    let index = Math.ceil(Math.log2(distance) * 2 ** this.schema) - 1;
    const isFound = () =>
      isWithin(distance, index, this.schema) ||
      (distance >= 2 ** -1022 && distance === upperBound(this.schema, index));
    while (!isFound()) index += 1;
    return index;
  }

  /** Moves the buckets of both signs next to zero into the zero bucket, if it may become as wide. */
  #widen(): boolean {
    const next = Math.min(...this.positive.keys(), ...this.negative.keys());
    const bound = upperBound(this.schema, next);
    if (this.zeroThreshold >= this.#maxZeroThreshold || bound > this.#maxZeroThreshold) return false;
    for (const buckets of [this.positive, this.negative]) {
      this.zeroCount += buckets.get(next) ?? 0;
      buckets.delete(next);
    }
    this.zeroThreshold = bound;
    return true;
  }

  /** Joins every two adjacent buckets. The zero bucket does not change. */
  #double(): boolean {
    if (this.schema === COARSEST) return false;
    this.schema -= 1;
    this.positive = doubled(this.positive);
    this.negative = doubled(this.negative);
    return true;
  }
}

function doubled(buckets: ReadonlyMap<number, number>): Map<number, number> {
  const wide = new Map<number, number>();
  for (const [index, count] of buckets) {
    const to = Math.ceil(index / 2) + 0;
    wide.set(to, (wide.get(to) ?? 0) + count);
  }
  return wide;
}

const shown = ({ schema, zeroThreshold, zeroCount, count, positive, negative }: NativeBuckets | Model) => ({
  schema,
  zeroThreshold,
  zeroCount,
  count,
  positive: inOrder(positive),
  negative: inOrder(negative),
});

function inOrder(buckets: NativeBuckets['positive'] | ReadonlyMap<number, number>): [number, number][] {
  const pairs: [number, number][] =
    buckets instanceof Map
      ? [...buckets]
      : Array.from((buckets as NativeBuckets['positive']).index, (index, i) => [
          index,
          (buckets as NativeBuckets['positive']).counts[i]!,
        ]);
  return pairs.sort(([a], [b]) => a - b);
}

const { MAX_VALUE, MIN_VALUE, POSITIVE_INFINITY } = Number;
const size = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: -12, max: 12, noNaN: true }).map((log) => 2 ** log) },
  { weight: 3, arbitrary: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }) },
  { weight: 2, arbitrary: fc.integer({ min: -40, max: 40 }).map((log) => 2 ** (log / 8)) },
  fc.integer({ min: -1074, max: 1023 }).map((exponent) => 2 ** exponent),
  fc.constantFrom(0, MIN_VALUE, 2 ** -1022, 1 - 2 ** -53, 1, 1 + 2 ** -52, MAX_VALUE, POSITIVE_INFINITY),
);
const value = fc
  .tuple(size, fc.boolean())
  .map(([distance, isNegative]) => (isNegative ? -distance : distance));
const options = fc.record({
  schema: fc.integer({ min: COARSEST, max: 8 }),
  maxBuckets: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(40, 160)),
  zeroThreshold: fc.constantFrom(0, 2 ** -128, 0.001, 1),
  maxZeroThreshold: fc.constantFrom(0, 2 ** -20, 0.01, 1.5, 1000),
});

describe('a native histogram of one writer', () => {
  it('equals that of Go’s client after each observation', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.array(value, { maxLength: 80 }), async (native, values) => {
        const registry = new CollectorRegistry();
        const histogram = createHistogram('h', 'H.', { registry, native });
        const model = new Model(native);
        for (const [i, one] of values.entries()) {
          histogram.observe(one);
          model.observe(one);
          if (i % 8 > 0 && i < values.length - 1) continue;
          const [family] = await registry.collect();
          assert.deepEqual(shown(family!.native![0]!), shown(model), `after ${i + 1} of ${values}`);
        }
      }),
      { seed: 2051, numRuns: 1500 },
    );
  });
});
