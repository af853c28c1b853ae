/** Native histograms: options, limits, removal, and a change of backend. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CollectorRegistry,
  createHistogram,
  type FamilySnapshot,
  generateMetrics,
  loadBackend,
  type NativeBuckets,
  type NativeOptions,
  SingleProcessBackend,
} from 'metheus';
import { rowText } from '#metheus/model/label-column.js';
import { startClock } from '../fake-clock.js';

const bucketsOf = ({ schema, zeroThreshold, zeroCount, count, positive, negative }: NativeBuckets) => ({
  schema,
  zeroThreshold,
  zeroCount,
  count,
  positive: Object.fromEntries([...positive.index].map((index, i) => [index, positive.counts[i]])),
  negative: Object.fromEntries([...negative.index].map((index, i) => [index, negative.counts[i]])),
});

async function only(registry: CollectorRegistry): Promise<FamilySnapshot> {
  const families = await registry.collect();
  assert.equal(families.length, 1);
  return families[0]!;
}

async function nativeOf(registry: CollectorRegistry, row = 0): Promise<NativeBuckets> {
  return (await only(registry)).native![row]!;
}

/** Creates a native histogram without labels in a new registry. */
function make(native: NativeOptions | true = true) {
  const registry = new CollectorRegistry();
  return { registry, histogram: createHistogram('h_seconds', 'H.', { registry, native }) };
}

describe('a native histogram', () => {
  it('has buckets for its values only', async () => {
    const { registry, histogram } = make();
    for (const value of [0, -0, 0.1, 1, 1, -3, 2 ** 40, Number.POSITIVE_INFINITY]) histogram.observe(value);
    const expected = {
      schema: 3,
      zeroThreshold: 2 ** -128,
      zeroCount: 2,
      count: 8,
      positive: { [-26]: 1, 0: 2, 320: 1, 8193: 1 },
      negative: { 13: 1 },
    };
    assert.deepEqual(bucketsOf(await nativeOf(registry)), expected);
    assert.deepEqual(bucketsOf(histogram.get().native!), expected);
  });

  it('does not expose its blocks; in text it is its count and sum', async () => {
    const { registry, histogram } = make();
    histogram.observe(2);
    assert.equal(
      await generateMetrics(registry),
      '# HELP h_seconds H.\n# TYPE h_seconds histogram\n' +
        'h_seconds_bucket{le="+Inf"} 1\nh_seconds_sum 2\nh_seconds_count 1\n',
    );
  });

  it('has classic buckets too if they are given', async () => {
    const registry = new CollectorRegistry();
    const histogram = createHistogram('h', 'H.', { registry, native: true, buckets: [1, 2] });
    for (const value of [0.5, 1.5, 3]) histogram.observe(value);
    const { values, native } = await only(registry);
    assert.deepEqual([...values], [1, 1, 1, 5]);
    assert.equal(native![0]!.count, 3);
  });

  it('exists before the first value, in each series by itself', async () => {
    const registry = new CollectorRegistry();
    const histogram = createHistogram('h', 'H.', { registry, native: true, requiredLabels: ['a', 'b'] });
    const [first, second] = [
      histogram.labels({ a: '1', b: '__part="\\' }),
      histogram.labels({ a: '2', b: 'é' }),
    ];
    assert.deepEqual([(await nativeOf(registry)).count, (await nativeOf(registry, 1)).schema], [0, 3]);
    first.observe(1);
    second.observe(2);
    second.observe(2);
    assert.deepEqual([(await nativeOf(registry)).count, (await nativeOf(registry, 1)).count], [1, 2]);
  });

  it('refuses a value that is not a number and changes nothing', async () => {
    const { registry, histogram } = make();
    for (const wrong of [Number.NaN, '1', undefined]) {
      assert.throws(() => histogram.observe(wrong as number), { code: 'METHEUS_INVALID_VALUE' });
    }
    assert.equal((await nativeOf(registry)).count, 0);
  });

  it('has the schema of the factor', async () => {
    const factors = [65536, 256, 16, 4, 2, 1.5, 1.2, 1.1, 1.05, 1.03, 1.02, 1.006, 1.003, 1.0027, 1.0001];
    const schemas = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8];
    for (const [i, factor] of factors.entries()) {
      const { registry } = make({ factor });
      assert.equal((await nativeOf(registry)).schema, schemas[i], `factor ${factor}`);
    }
    assert.equal((await nativeOf(make({ schema: -2 }).registry)).schema, -2);
  });

  it('refuses invalid options', () => {
    const wrong: [object, RegExp][] = [
      [{ native: 'yes' }, /native: 'yes' for metric 'h'/],
      [{ native: null }, /expected true, false or an object/],
      [{ native: { factor: 1 } }, /factor: 1 for metric 'h', expected a number from 1.0001 to 65536/],
      [{ native: { schema: 9 } }, /schema: 9 .* a whole number from -4 to 8/],
      [{ native: { schema: 0.5 } }, /schema: 0.5/],
      [{ native: { maxBuckets: 0 } }, /maxBuckets: 0/],
      [{ native: { zeroThreshold: -1 } }, /zeroThreshold: -1/],
      [{ native: { maxZeroThreshold: Number.NaN } }, /maxZeroThreshold: NaN/],
      [{ native: { minResetDuration: '1h' } }, /minResetDuration: '1h'/],
    ];
    for (const [options, message] of wrong) {
      const create = () => createHistogram('h', 'H.', { registry: null, ...options });
      assert.throws(create, (error: Error & { code: string }) => {
        assert.equal(error.code, 'METHEUS_INVALID_OPTIONS');
        assert.match(error.message, message);
        return true;
      });
    }
  });

  it('conflicts with other options, and is the same metric with equal options', () => {
    const { registry, histogram } = make({ factor: 1.1 });
    assert.equal(createHistogram('h_seconds', 'H.', { registry, native: true }), histogram);
    for (const options of [{}, { native: { factor: 2 } }, { native: { maxBuckets: 20 } }]) {
      assert.throws(() => createHistogram('h_seconds', 'H.', { registry, ...options }), {
        code: 'METHEUS_CONFLICTING_METRIC',
      });
    }
  });
});

describe('the limit of a native histogram', () => {
  it('makes buckets wider and keeps all counts', async () => {
    const { registry, histogram } = make({ schema: 8, maxBuckets: 11 });
    for (let i = 1; i <= 1000; i++) histogram.observe(i);
    const native = await nativeOf(registry);
    assert.deepEqual(bucketsOf(native), {
      schema: 0,
      zeroThreshold: 2 ** -128,
      zeroCount: 0,
      count: 1000,
      positive: { 0: 1, 1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 8: 128, 9: 256, 10: 488 },
      negative: {},
    });
  });

  it('holds for readers at once, before the event loop has run', async () => {
    const { registry, histogram } = make({ schema: 8, maxBuckets: 10 });
    for (let i = 1; i <= 1000; i++) histogram.observe(i);
    assert.ok((await nativeOf(registry)).positive.index.length <= 10);
  });

  it('bounds the number of blocks for any values', async () => {
    const { registry, histogram } = make({ schema: 8, maxBuckets: 20 });
    for (let exponent = -126; exponent < 1023; exponent++) {
      for (let i = 0; i < 8; i++) histogram.observe(2 ** exponent * (1 + i / 8) * (i % 2 ? 1 : -1));
    }
    const { blocks } = histogram as unknown as { blocks: FamilySnapshot['family'] };
    const { activeBackend } = await import('#metheus/backends/active-backend.js');
    const [rows] = await activeBackend().snapshot({ families: [blocks], scopes: [] });
    // At most 13 schemas, each with at most one bucket more than the limit.
    assert.ok(rows!.rows.size <= 13 * 21 + 13, `${rows!.rows.size} blocks`);
    const native = await nativeOf(registry);
    assert.equal(native.count, 1149 * 8);
    assert.equal(native.schema, -4);
  });

  it('widens the zero bucket first, as far as needed and allowed', async () => {
    const { registry, histogram } = make({ schema: 3, maxBuckets: 8, maxZeroThreshold: 0.5 });
    for (let i = -20; i < 0; i++) histogram.observe(2 ** i);
    for (const value of [-100, 0.0001, 1e-9]) histogram.observe(value);
    const expected = {
      schema: 3,
      zeroThreshold: 2 ** -8,
      zeroCount: 15,
      count: 23,
      positive: { [-56]: 1, [-48]: 1, [-40]: 1, [-32]: 1, [-24]: 1, [-16]: 1, [-8]: 1 },
      negative: { 54: 1 },
    };
    assert.deepEqual(bucketsOf(await nativeOf(registry)), expected);
    for (let i = 0; i < 7; i++) histogram.observe(-(2 ** -(i + 0.5)));
    const { schema, zeroThreshold } = await nativeOf(registry);
    assert.deepEqual({ schema, zeroThreshold }, { schema: 3, zeroThreshold: 2 ** -4 });
    for (let i = 0; i < 20; i++) histogram.observe(2 ** i);
    const wide = await nativeOf(registry);
    assert.deepEqual([wide.schema < 3, wide.zeroThreshold <= 0.5], [true, true]);
  });

  it('resets the series if that is allowed, and counts the last value', async (t) => {
    const pass = await startClock(t);
    const { registry, histogram } = make({ schema: 3, maxBuckets: 4, minResetDuration: 60 });
    await registry.collect();
    for (let i = 0; i < 5; i++) histogram.observe(2 ** i);
    assert.deepEqual([histogram.get().count, (await nativeOf(registry)).schema], [5, -1]);
    pass(60);
    // The second value exceeds the limit, and is the first after the reset.
    for (let i = 5; i < 9; i++) histogram.observe(4 ** i);
    const { schema, count } = await nativeOf(registry);
    assert.deepEqual({ schema, count }, { schema: 3, count: 3 });
    assert.deepEqual([histogram.get().count, histogram.get().sum], [3, 4 ** 6 + 4 ** 7 + 4 ** 8]);
  });
});

describe('the series of a native histogram', () => {
  const parts = async (metric: object) => {
    const { activeBackend } = await import('#metheus/backends/active-backend.js');
    const { blocks: family } = metric as { blocks: FamilySnapshot['family'] };
    const [snapshot] = await activeBackend().snapshot({ families: [family], scopes: [] });
    return [...snapshot!.rows.lengths.subarray(0, snapshot!.rows.size)].filter((length) => length >= 0)
      .length;
  };

  it('releases all blocks when it is removed', async () => {
    const registry = new CollectorRegistry();
    const histogram = createHistogram('h', 'H.', {
      registry,
      native: true,
      requiredLabels: ['a', 'b'],
      defaultLabels: { b: 'x' },
    });
    const kept = histogram.labels({ a: '1' });
    kept.observe(1);
    kept.observe(1000);
    histogram.labels({ a: '1', b: 'x' }).observe(1);
    histogram.labels({ a: '2' }).observe(1);
    assert.equal(await parts(histogram), 5);
    assert.equal((await nativeOf(registry)).count, 3);
    assert.equal(histogram.remove({ a: '1' }), 1);
    assert.equal(await parts(histogram), 2);
    kept.observe(1e9);
    assert.equal(await parts(histogram), 2);
    histogram.labels({ a: '1' }).observe(7);
    const { native } = await only(registry);
    assert.deepEqual(native!.map((one) => one?.count).toSorted(), [1, 1]);
    histogram.clear();
    assert.equal(await parts(histogram), 0);
  });

  it('keeps its blocks while other series come and go between collections', async () => {
    const registry = new CollectorRegistry();
    const histogram = createHistogram('h', 'H.', { registry, requiredLabels: ['a'], native: true });
    const kept = new Map<string, ReturnType<typeof histogram.labels<{ a: string }>>>();
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % below;
    };
    for (let round = 0; round < 300; round++) {
      const a = `series ${random(12)}`;
      if (random(3) === 0 && kept.delete(a)) histogram.remove({ a });
      else {
        if (!kept.has(a)) kept.set(a, histogram.labels({ a }));
        kept.get(a)!.observe(2 ** (random(160) / 8 - 10) * (random(2) ? 1 : -1));
      }
      if (random(2) === 0) continue;
      const { rows, native } = await only(registry);
      const shown = new Map<string, unknown>();
      for (let row = 0; row < rows.size; row++) {
        if (rows.lengths[row]! >= 0) shown.set(rowText(rows, row), bucketsOf(native![row]!));
      }
      const expected = Array.from(
        kept,
        ([name, one]) => [`a="${name}"`, bucketsOf(one.get().native!)] as const,
      );
      assert.deepEqual(shown, new Map(expected), `round ${round}`);
    }
  });

  it('starts at 0 when a metric without labels is cleared', async () => {
    const { registry, histogram } = make();
    histogram.observe(1);
    histogram.clear();
    assert.deepEqual([(await nativeOf(registry)).count, await parts(histogram)], [0, 1]);
    histogram.observe(5);
    assert.equal((await nativeOf(registry)).count, 1);
  });

  it('moves to a backend that is loaded later, and goes on counting there', async () => {
    const registry = new CollectorRegistry();
    const histogram = createHistogram('h', 'H.', { registry, native: true, requiredLabels: ['a'] });
    const child = histogram.labels({ a: '1' });
    for (const value of [0, 1, -1, 50]) child.observe(value);
    const before = bucketsOf(await nativeOf(registry));
    await loadBackend(SingleProcessBackend);
    assert.deepEqual(bucketsOf(await nativeOf(registry)), before);
    child.observe(1);
    assert.equal((await nativeOf(registry)).count, 5);
    assert.equal(await parts(histogram), 4);
  });
});
