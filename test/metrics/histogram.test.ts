/** Histograms and summaries: buckets, sums, and invalid values. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  CollectorRegistry,
  createHistogram,
  createSummary,
  DEFAULT_BUCKETS,
  generateMetrics,
  Histogram,
  type ObservableSummary,
  Summary,
} from 'metheus';

const Inf = Number.POSITIVE_INFINITY;

describe('createHistogram', () => {
  it('counts a value in the first bucket whose bound is not below it', async () => {
    const registry = new CollectorRegistry();
    const sizes = createHistogram('size_bytes', 'Sizes.', { registry, buckets: [0, 1, 10] });
    for (const value of [-5, 0, 0.5, 1, 1.0000001, 10, 11, 1e9]) sizes.observe(value);
    assert.equal(
      await generateMetrics(registry),
      '# HELP size_bytes Sizes.\n# TYPE size_bytes histogram\n' +
        'size_bytes_bucket{le="0"} 2\nsize_bytes_bucket{le="1"} 4\nsize_bytes_bucket{le="10"} 6\n' +
        'size_bytes_bucket{le="+Inf"} 8\n' +
        'size_bytes_sum 1000000018.5000001\nsize_bytes_count 8\n',
    );
    assert.deepEqual(sizes.get(), {
      count: 8,
      sum: 1000000018.5000001,
      buckets: [
        [0, 2],
        [1, 4],
        [10, 6],
        [Inf, 8],
      ],
    });
  });

  it('has the default buckets of other clients, and is exposed from its creation', async () => {
    const registry = new CollectorRegistry();
    createHistogram('latency_seconds', 'Latency.', { registry });
    assert.deepEqual(DEFAULT_BUCKETS, [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);
    const bounds = [...DEFAULT_BUCKETS.map(String), '+Inf'];
    const lines = bounds.map((bound) => `latency_seconds_bucket{le="${bound}"} 0\n`).join('');
    assert.equal(
      await generateMetrics(registry),
      '# HELP latency_seconds Latency.\n# TYPE latency_seconds histogram\n' +
        `${lines}latency_seconds_sum 0\nlatency_seconds_count 0\n`,
    );
  });

  it('accepts +Inf as the last bucket', () => {
    const registry = new CollectorRegistry();
    const without = createHistogram('h', 'H.', { registry, buckets: [1, 2] });
    assert.equal(createHistogram('h', 'H.', { registry, buckets: [1, 2, Inf] }), without);
    assert.deepEqual(without.descriptor.bounds, [1, 2]);
  });

  it('copies the array of buckets', () => {
    const buckets = [1, 2];
    const histogram = createHistogram('h', 'H.', { registry: null, buckets });
    buckets[0] = 1.5;
    histogram.observe(1.2);
    assert.deepEqual(histogram.get().buckets, [
      [1, 0],
      [2, 1],
      [Inf, 1],
    ]);
  });

  it('finds the same bucket as a linear search, for any number of buckets', () => {
    const bounds = fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 80,
      comparator: (a, b) => a === b,
    });
    fc.assert(
      fc.property(bounds, fc.array(fc.double({ noNaN: true }), { maxLength: 30 }), (given, values) => {
        const buckets = given.toSorted((a, b) => a - b);
        const histogram = createHistogram('h', 'H.', { registry: null, buckets });
        const observed = [...values, ...buckets];
        for (const value of observed) histogram.observe(value);
        const expected = [...buckets, Inf].map((bound) => [
          bound + 0, // -0 is 0
          observed.filter((value) => value <= bound).length,
        ]);
        assert.deepEqual(
          histogram.get().buckets.map(([bound, count]) => [bound, count]),
          expected,
        );
        assert.equal(histogram.get().count, observed.length);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it('accepts the infinities, which its sum shows', () => {
    const histogram = createHistogram('h', 'H.', { registry: null, buckets: [1] });
    histogram.observe(Inf);
    assert.deepEqual(histogram.get().sum, Inf);
    histogram.observe(-Inf);
    assert.deepEqual(histogram.get(), {
      count: 2,
      sum: Number.NaN,
      buckets: [
        [1, 1],
        [Inf, 2],
      ],
    });
  });

  it('is the same as new Histogram', () => {
    const registry = new CollectorRegistry();
    const made = new Histogram('h', 'H.', { registry, buckets: [1] });
    assert.equal(createHistogram('h', 'H.', { registry, buckets: [1] }), made);
    assert.ok(made instanceof Histogram);
    assert.equal(made instanceof Summary, false);
  });

  const refused: [unknown, string][] = [
    [[], '[]'],
    [[Inf], '[Infinity]'],
    [[2, 1], '[2, 1]'],
    [[1, 1], '[1, 1]'],
    [[1, 2, 2, 3], '[1, 2, 2, 3]'],
    [[-0, 0], '[-0, 0]'],
    [[1, Inf, Inf], '[1, Infinity, Infinity]'],
    [[-Inf, 1], '[-Infinity, 1]'],
    [[Inf, 1], '[Infinity, 1]'],
    [[Number.NaN], '[NaN]'],
    [[1, Number.NaN, 2], '[1, NaN, 2]'],
    [['1', 2], "['1', 2]"],
    [[1, undefined, 3], '[1, undefined, 3]'],
    [null, 'null'],
    ['1,2', "'1,2'"],
    [5, '5'],
    [{ length: 1, 0: 1 }, '{"0":1,"length":1}'],
    // biome-ignore lint/suspicious/noSparseArray: an invalid value on purpose
    [[1, , 3], '[1, , 3]'],
  ];
  for (const [buckets, shown] of refused) {
    it(`refuses buckets ${shown}`, () => {
      const registry = new CollectorRegistry();
      assert.throws(() => createHistogram('h', 'H.', { registry, buckets: buckets as number[] }), {
        name: 'MetheusError',
        code: 'METHEUS_INVALID_BUCKETS',
        message:
          `Invalid buckets: given buckets ${shown} for metric 'h', ` +
          'expected at least one number, each greater than the one before it.',
      });
      createHistogram('h', 'H.', { registry, buckets: [1] }).observe(1); // the name is still free
    });
  }
});

describe('createSummary', () => {
  it('counts values and adds them up, and is exposed from its creation', async () => {
    const registry = new CollectorRegistry();
    const sizes = createSummary('size_bytes', 'Sizes.', { registry });
    const head = '# HELP size_bytes Sizes.\n# TYPE size_bytes summary\n';
    assert.equal(await generateMetrics(registry), `${head}size_bytes_sum 0\nsize_bytes_count 0\n`);
    sizes.observe(2.5);
    sizes.observe(-1);
    assert.equal(await generateMetrics(registry), `${head}size_bytes_sum 1.5\nsize_bytes_count 2\n`);
    assert.deepEqual(sizes.get(), { sum: 1.5, count: 2 });
  });

  it('is the same as new Summary', () => {
    const registry = new CollectorRegistry();
    const made = new Summary('s', 'S.', { registry });
    assert.equal(createSummary('s', 'S.', { registry }), made);
    assert.ok(made instanceof Summary);
    assert.equal(made instanceof Histogram, false);
  });
});

for (const [type, create] of [
  ['histogram', createHistogram as typeof createSummary],
  ['summary', createSummary],
] as const) {
  describe(`observe of a ${type}`, () => {
    for (const value of [Number.NaN, '3', null, undefined, true, 1n, [1]]) {
      it(`refuses ${typeof value} ${value} and changes nothing`, () => {
        const metric = create('m', 'M.', { registry: null });
        metric.observe(2);
        const before = metric.get();
        assert.throws(() => metric.observe(value as number), { code: 'METHEUS_INVALID_VALUE' });
        assert.deepEqual(metric.get(), before);
      });
    }

    it('names the value in the error', () => {
      const metric = create('m', 'M.', { registry: null });
      assert.throws(() => metric.observe(Number.NaN), {
        message: `Invalid value: given NaN to ${type} 'm', expected a number other than NaN.`,
      });
    });

    it('needs every label', () => {
      const open = create('m', 'M.', { registry: null, requiredLabels: ['a'] });
      const partial = open as unknown as ObservableSummary;
      const uses: (() => unknown)[] = [
        () => partial.observe(1),
        () => partial.get(),
        () => partial.startTimer(),
        () => partial.time(() => {}),
      ];
      for (const use of uses)
        assert.throws(use, { name: 'UnobservableMetricError', missing: ['a'] }, String(use));
    });
  });
}
