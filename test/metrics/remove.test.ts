/** Removing series, and metrics that are kept afterwards. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter, createGauge, createHistogram } from 'metheus';
import { samples } from './samples.js';

function counters() {
  const registry = new CollectorRegistry();
  const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a', 'b'] });
  for (const a of [1, 2]) for (const b of [1, 2]) counter.labels({ a, b }).inc(10 * a + b);
  return { registry, counter, lines: () => samples(registry) };
}

const line = (a: number, b: number, value = 10 * a + b) => `c_total{a="${a}",b="${b}"} ${value}`;

describe('remove', () => {
  it('removes one series and returns 1', async () => {
    const { counter, lines } = counters();
    assert.equal(counter.remove({ b: 1, a: 2 }), 1);
    assert.deepEqual(await lines(), [line(1, 1), line(1, 2), line(2, 2)]);
    assert.equal(counter.remove({ b: 1, a: 2 }), 0);
    assert.equal(counter.remove({ a: 3 }), 0);
  });

  it('removes every series with the given labels', async () => {
    const { counter, lines } = counters();
    assert.equal(counter.remove({ b: '2' }), 2);
    assert.deepEqual(await lines(), [line(1, 1), line(2, 1)]);
  });

  it('removes all series without labels', async () => {
    const { counter, lines } = counters();
    assert.equal(counter.remove(), 4);
    assert.deepEqual(await lines(), []);
  });

  it('adds the labels of a partial to the given ones', async () => {
    const { counter, lines } = counters();
    const partial = counter.labels({ a: 1 });
    assert.equal(partial.remove({ b: 2 }), 1);
    assert.deepEqual(await lines(), [line(1, 1), line(2, 1), line(2, 2)]);
    assert.equal(partial.remove(), 1);
    assert.deepEqual(await lines(), [line(2, 1), line(2, 2)]);
    partial.labels({ b: 1 }).inc();
    assert.deepEqual((await lines()).toSorted(), [line(1, 1, 1), line(2, 1), line(2, 2)]);
  });

  it('removes a child', async () => {
    const { counter, lines } = counters();
    assert.equal(counter.labels({ a: 1, b: 2 }).remove(), 1);
    assert.deepEqual(await lines(), [line(1, 1), line(2, 1), line(2, 2)]);
  });

  it('removes nothing for a child that was removed before', async () => {
    const { counter, lines } = counters();
    const child = counter.labels({ a: 1, b: 2 });
    assert.equal(child.remove(), 1);
    assert.equal(child.remove(), 0);
    child.clear();
    assert.deepEqual(await lines(), [line(1, 1), line(2, 1), line(2, 2)]);
    counter.labels({ a: 1, b: 2 }).inc(5);
    assert.equal(child.remove(), 0, 'the series is of another child now');
    assert.equal(counter.labels({ a: 1, b: 2 }).get(), 5);
  });

  it('detaches a kept child; a new one starts at 0', async () => {
    const { counter, lines } = counters();
    const kept = counter.labels({ a: 1, b: 1 });
    counter.remove({ a: 1 });
    kept.inc(100);
    assert.equal(kept.get(), 100);
    assert.deepEqual(await lines(), [line(2, 1), line(2, 2)]);
    const fresh = counter.labels({ a: 1, b: 1 });
    assert.notEqual(fresh, kept);
    fresh.inc();
    kept.inc();
    assert.deepEqual((await lines()).toSorted(), [line(1, 1, 1), line(2, 1), line(2, 2)]);
    assert.equal(kept.labels({}), kept);
    const labels = (kept as unknown as { labels(given: object): void }).labels.bind(kept);
    assert.throws(() => labels({ a: 1 }), { code: 'METHEUS_LABEL_ALREADY_GIVEN' });
    assert.throws(() => labels({ c: 1 }), { code: 'METHEUS_UNKNOWN_LABEL' });
  });

  it('detaches children that count in the series by a default too', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', {
      registry,
      requiredLabels: ['a', 'b'],
      defaultLabels: { b: 1 },
    });
    const short = counter.labels({ a: 1 });
    const long = counter.labels({ a: 1, b: 1 });
    const other = counter.labels({ a: 1, b: 2 });
    short.inc();
    other.inc(5);
    assert.equal(counter.remove({ b: 1 }), 1);
    short.inc();
    long.inc();
    other.inc();
    assert.deepEqual(await samples(registry), ['c_total{a="1",b="2"} 6']);
    counter.labels({ a: 1 }).inc(3);
    assert.equal(counter.labels({ a: 1, b: 1 }).get(), 3);
    assert.deepEqual((await samples(registry)).toSorted(), [
      'c_total{a="1",b="1"} 3',
      'c_total{a="1",b="2"} 6',
    ]);
  });

  it('restarts a metric that counts by defaults alone', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', {
      registry,
      requiredLabels: ['a', 'b'],
      defaultLabels: { a: 1, b: 1 },
    });
    const named = counter.labels({ a: 1, b: 1 });
    counter.inc(5);
    counter.labels({ b: 2 }).inc(7);
    assert.equal(counter.remove({ a: 1, b: 1 }), 1);
    assert.deepEqual(await samples(registry), ['c_total{a="1",b="1"} 0', 'c_total{a="1",b="2"} 7']);
    counter.inc();
    named.inc(100);
    assert.equal(counter.get(), 1);
    assert.equal(counter.labels({ a: 1, b: 1 }).get(), 1);
    assert.equal(counter.remove({ b: 2 }), 1);
    assert.deepEqual(await samples(registry), ['c_total{a="1",b="1"} 1']);
  });

  it('restarts a metric without labels at 0', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry });
    counter.inc(5);
    assert.equal(counter.remove(), 1);
    assert.deepEqual(await samples(registry), ['c_total 0']);
    counter.inc();
    assert.deepEqual(await samples(registry), ['c_total 1']);
  });

  it('clears every cell of the other types', async () => {
    const registry = new CollectorRegistry();
    const options = { registry, requiredLabels: ['a'] } as const;
    const histogram = createHistogram('h', 'H.', { ...options, buckets: [1] });
    const gauge = createGauge('g', 'G.', options);
    histogram.labels({ a: 1 }).observe(0.5);
    gauge.labels({ a: 1 }).set(3);
    histogram.remove({ a: 1 });
    gauge.remove({ a: 1 });
    assert.deepEqual(await samples(registry), []);
    assert.equal(gauge.labels({ a: 1 }).get(), 0);
    assert.deepEqual(histogram.labels({ a: 2 }).get(), {
      count: 0,
      sum: 0,
      buckets: [
        [1, 0],
        [Number.POSITIVE_INFINITY, 0],
      ],
    });
  });

  const refused: [string, string, (counter: { remove(labels: unknown): void; labels: never }) => void][] = [
    ['a label that it does not have', 'METHEUS_UNKNOWN_LABEL', (counter) => counter.remove({ c: 1 })],
    ['a bad value', 'METHEUS_INVALID_LABEL_VALUE', (counter) => counter.remove({ a: null })],
    [
      'undefined, which would remove more than was meant',
      'METHEUS_INVALID_LABEL_VALUE',
      (counter) => counter.remove({ a: undefined }),
    ],
    ['null', 'METHEUS_INVALID_LABEL_VALUE', (counter) => counter.remove(null)],
    ['a string', 'METHEUS_INVALID_LABEL_VALUE', (counter) => counter.remove('a')],
    [
      'another value than that of its partial',
      'METHEUS_LABEL_ALREADY_GIVEN',
      (counter) => (counter.labels as (given: object) => typeof counter)({ a: 1 }).remove({ a: 2 }),
    ],
    [
      'another value than that of its child',
      'METHEUS_LABEL_ALREADY_GIVEN',
      (counter) => (counter.labels as (given: object) => typeof counter)({ a: 1, b: 1 }).remove({ b: 2 }),
    ],
  ];
  for (const [what, code, run] of refused) {
    it(`refuses ${what}, and removes nothing`, async () => {
      const { counter, lines } = counters();
      const bound = { remove: counter.remove.bind(counter), labels: counter.labels.bind(counter) };
      assert.throws(() => run(bound as never), { name: 'MetheusError', code });
      assert.deepEqual(await lines(), [line(1, 1), line(1, 2), line(2, 1), line(2, 2)]);
    });
  }
});

describe('clear', () => {
  it('removes every series; kept partials stay usable', async () => {
    const { counter, lines } = counters();
    const partial = counter.labels({ a: 1 });
    counter.clear();
    assert.deepEqual(await lines(), []);
    partial.labels({ b: 1 }).inc();
    assert.deepEqual(await lines(), [line(1, 1, 1)]);
    assert.equal(counter.labels({ a: 1, b: 1 }).get(), 1);
  });

  it('removes the series with the labels of a partial', async () => {
    const { counter, lines } = counters();
    counter.labels({ b: 1 }).clear();
    assert.deepEqual(await lines(), [line(1, 2), line(2, 2)]);
  });

  it('removes a child', async () => {
    const { counter, lines } = counters();
    counter.labels({ a: 1, b: 1 }).clear();
    assert.deepEqual(await lines(), [line(1, 2), line(2, 1), line(2, 2)]);
  });

  it('restarts a metric that is observable without labels', async () => {
    const registry = new CollectorRegistry();
    const plain = createCounter('plain_total', 'Plain.', { registry });
    const defaults = createGauge('g', 'G.', { registry, requiredLabels: ['a'], defaultLabels: { a: 1 } });
    plain.inc(5);
    defaults.set(6);
    defaults.labels({ a: 2 }).set(7);
    plain.clear();
    defaults.clear();
    assert.deepEqual(await samples(registry), ['plain_total 0', 'g{a="1"} 0']);
    plain.inc();
    defaults.inc();
    assert.deepEqual(await samples(registry), ['plain_total 1', 'g{a="1"} 1']);
  });
});
