/** The sum of native buckets, compared with a model that knows every value. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NativeBuckets } from 'metheus';
import { PowerIndex } from '#metheus/metrics/native/power-index.js';
import { BLOCK_SIZE } from '#metheus/model/native/blocks.js';
import { upperBound } from '#metheus/model/native/powers.js';
import { BucketSpace, SnapshotSum } from '#metheus/model/native/snapshot-sum.js';
import { NativeSum } from '#metheus/model/native/sum.js';

/** One writer: its resolution and its values. */
interface WriterPlan {
  readonly schema: number;
  readonly threshold: number;
  readonly values: readonly number[];
}

function addWriter(sum: NativeSum, { schema, threshold, values }: WriterPlan): void {
  const blocks = new Map<string, Float64Array>();
  const count = (sign: 1 | 0 | -1, index: number, cell: number, by = 1) => {
    const key = `${sign} ${index}`;
    const cells = blocks.get(key) ?? new Float64Array(BLOCK_SIZE);
    blocks.set(key, cells);
    cells[cell]! += by;
    return cells;
  };
  count(0, threshold, 0, 0);
  for (const value of values) {
    if (Math.abs(value) <= threshold) count(0, threshold, 0);
    else {
      const index = PowerIndex.of(schema).indexOf(Math.abs(value));
      count(value > 0 ? 1 : -1, Math.floor(index / BLOCK_SIZE), index & (BLOCK_SIZE - 1));
    }
  }
  for (const [key, cells] of blocks) {
    const [sign, number] = key.split(' ').map(Number) as [1 | 0 | -1, number];
    sum.add({ schema, sign, index: sign && number, bound: sign === 0 ? number : 0 }, cells, 0);
  }
}

const join = (plans: readonly WriterPlan[], maxBuckets = 0, maxZeroThreshold = 0): NativeBuckets => {
  const [result, ofSnapshot] = [new NativeSum(), new SnapshotSum(new BucketSpace())].map((sum) => {
    for (const plan of plans) addWriter(sum, plan);
    return sum.result({ maxBuckets, maxZeroThreshold });
  });
  assert.deepEqual(result, ofSnapshot);
  return result!;
};

/** Returns the expected buckets of a result, computed from all values. */
function expected(values: readonly number[], { schema, zeroThreshold }: NativeBuckets) {
  const counts = { positive: new Map<number, number>(), negative: new Map<number, number>() };
  let zeroCount = 0;
  for (const value of values) {
    if (Math.abs(value) <= zeroThreshold) zeroCount += 1;
    else {
      const buckets = value > 0 ? counts.positive : counts.negative;
      const index = PowerIndex.of(schema).indexOf(Math.abs(value));
      buckets.set(index, (buckets.get(index) ?? 0) + 1);
    }
  }
  const inOrder = (buckets: Map<number, number>) => [...buckets].sort(([a], [b]) => a - b);
  return { zeroCount, positive: inOrder(counts.positive), negative: inOrder(counts.negative) };
}

const shown = ({ zeroCount, positive, negative }: NativeBuckets) => ({
  zeroCount,
  positive: [...positive.index].map((index, i) => [index, positive.counts[i]]),
  negative: [...negative.index].map((index, i) => [index, negative.counts[i]]),
});

const value = fc.oneof(
  fc.double({ min: -1e3, max: 1e3, noNaN: true }),
  fc.double({ min: 1e-5, max: 1e-2, noNaN: true }),
  fc.constantFrom(0, -0, 1, 2, -4, 0.25, Number.MAX_VALUE, Number.MIN_VALUE),
  fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const writer = fc.record({
  schema: fc.integer({ min: -4, max: 8 }),
  threshold: fc.constantFrom(0, 2 ** -128, 1e-3, 0.3),
  values: fc.array(value, { maxLength: 60 }),
});
const RUN = { seed: 6, numRuns: 400 };

describe('native buckets of several writers', () => {
  it('add up at the coarsest resolution and with the widest zero bucket', () => {
    fc.assert(
      fc.property(fc.array(writer, { minLength: 1, maxLength: 5 }), (plans) => {
        const joined = join(plans);
        const values = plans.flatMap((plan) => plan.values);
        assert.deepEqual(shown(joined), expected(values, joined));
        assert.equal(joined.count, values.length);
        const populated = plans.filter((plan) => plan.values.some((v) => Math.abs(v) > plan.threshold));
        if (populated.length === plans.length && populated.length > 0) {
          assert.equal(joined.schema, Math.min(...plans.map(({ schema }) => schema)));
        }
      }),
      RUN,
    );
  });

  it('keep the limit, unless no schema is coarser', () => {
    const limit = fc.record({
      maxBuckets: fc.integer({ min: 1, max: 40 }),
      maxZeroThreshold: fc.constantFrom(0, 1e-4, 0.01, 5),
    });
    fc.assert(
      fc.property(
        fc.array(writer, { minLength: 1, maxLength: 4 }),
        limit,
        (plans, { maxBuckets, maxZeroThreshold }) => {
          const joined = join(plans, maxBuckets, maxZeroThreshold);
          const values = plans.flatMap((plan) => plan.values);
          assert.deepEqual(shown(joined), expected(values, joined));
          const buckets = joined.positive.index.length + joined.negative.index.length;
          assert.ok(buckets <= maxBuckets || joined.schema === -4, `${buckets} of ${maxBuckets}`);
          const free = join(plans);
          assert.ok(joined.schema <= free.schema && joined.zeroThreshold >= free.zeroThreshold);
          if (joined.zeroThreshold > free.zeroThreshold) assert.ok(joined.zeroThreshold <= maxZeroThreshold);
        },
      ),
      RUN,
    );
  });

  it('add up to the same in any order and grouping', () => {
    fc.assert(
      fc.property(fc.array(writer, { minLength: 2, maxLength: 4 }), (plans) => {
        assert.deepEqual(join(plans, 20, 0.01), join(plans.toReversed(), 20, 0.01));
      }),
      RUN,
    );
  });

  it('widen the zero bucket by one bucket at a time before they become coarser', () => {
    const small = { schema: 3, threshold: 0, values: [0.001, 0.002, 0.003, 10, 11, 12] };
    const wide = join([small], 4, 0.5);
    const second = upperBound(3, PowerIndex.of(3).indexOf(0.002));
    assert.deepEqual([wide.schema, wide.zeroThreshold, wide.zeroCount], [3, second, 2]);
    const coarse = join([small], 1, 0.001);
    assert.equal(coarse.zeroThreshold, 0); // as far as the next bucket, it may not
    assert.ok(coarse.schema < 3);
  });

  it('do not become coarser by a writer that has counted nothing', () => {
    const idle = { schema: -4, threshold: 0.5, values: [] };
    const joined = join([idle, { schema: 8, threshold: 2 ** -128, values: [0.25, 1] }]);
    assert.deepEqual([joined.schema, joined.zeroThreshold, joined.zeroCount], [8, 2 ** -128, 0]);
  });
});
