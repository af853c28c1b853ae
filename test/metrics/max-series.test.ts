/** The limit of series: further label sets count in one overflow series, so that the total is right. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createHistogram,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import { samples } from './samples.js';

function capped(maxSeries: number, defaultLabels: { b?: number } = {}) {
  const registry = new CollectorRegistry();
  const options = { registry, requiredLabels: ['a', 'b'], maxSeries, defaultLabels } as const;
  const counter = createCounter('c_total', 'C.', options as never) as unknown as ReturnType<typeof plain>;
  return { counter, lines: () => samples(registry) };
}
const plain = () => createCounter('c_total', 'C.', { requiredLabels: ['a', 'b'], defaultLabels: { b: 1 } });

const OVERFLOW = 'c_total{a="__overflow__",b="__overflow__"}';
const dropped = (count: number) => `metheus_series_dropped_total{family="c_total"} ${count}`;

describe('maxSeries', () => {
  it('counts label sets beyond it together, and counts their calls', async () => {
    const { counter, lines } = capped(2);
    for (let a = 1; a <= 5; a++) counter.labels({ a, b: 1 }).inc(10 ** a);
    assert.deepEqual(await lines(), [
      'c_total{a="1",b="1"} 10',
      'c_total{a="2",b="1"} 100',
      `${OVERFLOW} 111000`,
      dropped(3),
    ]);
    counter.labels({ a: 1, b: 1 }).inc();
    counter.labels({ a: 5, b: 1 }).inc();
    assert.deepEqual(await lines(), [
      'c_total{a="1",b="1"} 11',
      'c_total{a="2",b="1"} 100',
      `${OVERFLOW} 111001`,
      dropped(4),
    ]);
  });

  it('creates no counter until it is reached', async () => {
    const { counter, lines } = capped(2);
    counter.labels({ a: 1, b: 1 }).inc();
    counter.labels({ a: 2, b: 1 }).inc();
    assert.deepEqual(await lines(), ['c_total{a="1",b="1"} 1', 'c_total{a="2",b="1"} 1']);
  });

  it('has room again after a removal', async () => {
    const { counter, lines } = capped(1);
    counter.labels({ a: 1, b: 1 }).inc();
    counter.labels({ a: 2, b: 1 }).inc();
    assert.equal(counter.remove({ a: 1 }), 1);
    counter.labels({ a: 3, b: 1 }).inc(3);
    counter.labels({ a: 4, b: 1 }).inc(4);
    assert.deepEqual(
      (await lines()).toSorted(),
      ['c_total{a="3",b="1"} 3', `${OVERFLOW} 5`, dropped(2)].toSorted(),
    );
  });

  it('starts again when all series are removed, including the overflow', async () => {
    const { counter, lines } = capped(1);
    for (let round = 1; round <= 3; round++) {
      for (const a of ['x', 'y', '__overflow__']) counter.labels({ a, b: a }).inc(round);
      assert.deepEqual((await lines()).toSorted(), [
        `${OVERFLOW} ${2 * round}`,
        `c_total{a="x",b="x"} ${round}`,
        dropped(round),
      ]);
      counter.clear();
    }
  });

  it('accepts the name of the overflow as the value of one label', async () => {
    const { counter, lines } = capped(1);
    for (let round = 0; round < 3; round++) {
      counter.labels({ a: 'x', b: '__overflow__' }).inc();
      counter.remove({ a: 'x' });
    }
    counter.labels({ a: 'y', b: 1 }).inc();
    counter.labels({ a: 'z', b: 1 }).inc();
    assert.deepEqual(await lines(), ['c_total{a="y",b="1"} 1', `${OVERFLOW} 1`, dropped(1)]);
  });

  it('makes no call throw that would work below it', async () => {
    const { counter, lines } = capped(1, { b: 1 });
    counter.labels({ a: 1 }).inc();
    const beyond = counter.labels({ a: 2 });
    beyond.inc();
    beyond.labels({ b: 500 }).inc();
    beyond.labels({}).inc();
    assert.deepEqual(await lines(), ['c_total{a="1",b="1"} 1', `${OVERFLOW} 3`, dropped(1)]);
    assert.throws(() => (beyond as never as { labels(given: object): void }).labels({ c: 1 }), {
      code: 'METHEUS_UNKNOWN_LABEL',
    });
    assert.throws(() => beyond.labels({ b: [] as never }), { code: 'METHEUS_INVALID_LABEL_VALUE' });
  });

  it('limits the memory of partials', async () => {
    const { counter, lines } = capped(1);
    const partials = Array.from({ length: 50 }, (_, a) => counter.labels({ a: a + 1 }));
    for (let round = 0; round < 3; round++) for (const partial of partials) partial.labels({ b: 1 }).inc();
    assert.deepEqual(await lines(), ['c_total{a="1",b="1"} 3', `${OVERFLOW} 147`, dropped(147)]);
  });

  it('moves all series to another backend, including those of defaults and the overflow', async () => {
    const { counter, lines } = capped(3, { b: 1 });
    const kept = Array.from({ length: 30 }, (_, a) => counter.labels({ a }));
    for (const metric of kept) metric.inc();
    await loadBackend(SingleProcessBackend);
    for (const metric of kept) metric.inc();
    assert.deepEqual((await lines()).toSorted(), [
      'c_total{a="0",b="1"} 2',
      'c_total{a="1",b="1"} 2',
      'c_total{a="2",b="1"} 2',
      `${OVERFLOW} 54`,
      dropped(27),
    ]);
  });

  it('works for metrics without a registry, and for other types', () => {
    const histogram = createHistogram('h', 'H.', {
      registry: null,
      requiredLabels: ['a'],
      buckets: [1],
      maxSeries: 1,
    });
    histogram.labels({ a: 1 }).observe(1);
    histogram.labels({ a: 2 }).observe(2);
    histogram.labels({ a: 3 }).observe(3);
    assert.equal(histogram.labels({ a: 2 }).get().sum, 5);
    assert.equal(histogram.labels({ a: '__overflow__' }).get().count, 2);
  });
});
