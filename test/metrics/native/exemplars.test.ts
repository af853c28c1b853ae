/** Exemplars of native histograms. Which ones are kept follows client_golang. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { CollectorRegistry, createHistogram, type Exemplar, generateBytes, generateMetrics } from 'metheus';
import { KeptExemplars } from '#metheus/metrics/native/kept-exemplars.js';
import { readFamilies } from '../../support/protobuf.js';

/** The values that are kept after observations at these times, by number. */
function kept(
  max: number,
  maxAge: number,
  observations: readonly (readonly [value: number, time: number])[],
) {
  const all = new KeptExemplars(max, maxAge);
  const values: number[] = [];
  for (const [value, timestamp] of observations) values[all.add({ labels: {}, value, timestamp })] = value;
  return values;
}

async function exemplarsOf(registry: CollectorRegistry): Promise<readonly Exemplar[]> {
  const [snapshot] = await registry.collect();
  return snapshot!.native![0]!.exemplars ?? [];
}

describe('the exemplars that a native histogram keeps', () => {
  it('are all of them, until there are as many as the maximum', () => {
    assert.deepEqual(kept(3, 300, [[1, 1]]), [1]);
    assert.deepEqual(
      kept(3, 300, [
        [4, 1],
        [1, 2],
        [2, 3],
      ]),
      [4, 1, 2],
    );
  });

  it('lose the older one of the closest pair, by the ratio of the values', () => {
    const full = [
      [1, 1],
      [10, 2],
      [12, 3],
    ] as const;
    assert.deepEqual(kept(3, 300, [...full, [1000, 4]]), [1, 1000, 12]);
    const reversed = [
      [1, 1],
      [10, 3],
      [12, 2],
    ] as const;
    assert.deepEqual(kept(3, 300, [...reversed, [1000, 4]]), [1, 10, 1000]);
  });

  it('lose the neighbour of the new one if that pair is closer', () => {
    const full = [
      [1, 1],
      [10, 2],
      [100, 3],
    ] as const;
    assert.deepEqual(kept(3, 300, [...full, [90, 4]]), [1, 10, 90]);
    assert.deepEqual(kept(3, 300, [...full, [1.1, 4]]), [1.1, 10, 100]);
    assert.deepEqual(kept(3, 300, [...full, [10, 4]]), [1, 10, 100]);
  });

  it('lose the oldest one if it is older than the maximum age', () => {
    const full = [
      [1, 100],
      [10, 101],
      [11, 102],
    ] as const;
    assert.deepEqual(kept(3, 300, [...full, [12, 400]]), [1, 10, 12], 'not older');
    assert.deepEqual(kept(3, 300, [...full, [12, 400.5]]), [12, 10, 11]);
  });

  it('are spread over negative values, zero and infinities too', () => {
    const full = [
      [Number.NEGATIVE_INFINITY, 1],
      [-1, 1],
      [0, 1],
      [1, 1],
      [Number.POSITIVE_INFINITY, 1],
    ] as const;
    assert.deepEqual(
      kept(5, 300, [...full, [1.5, 2]]).toSorted(),
      [-1, -Infinity, 0, 1.5, Infinity].toSorted(),
    );
    assert.deepEqual(kept(1, 300, [...full, [7, 2]]), [7]);
  });
});

describe('a native histogram with exemplars', () => {
  it('has them in protobuf, by value, and the newest one in OpenMetrics', async () => {
    const registry = new CollectorRegistry();
    const histogram = createHistogram('h', 'H.', { registry, native: true, requiredLabels: ['a'] });
    const child = histogram.labels({ a: 'x' });
    for (const value of [3, 0.1, 0, -2, 700]) child.observe(value, { id: `v${value}` });
    child.observe(5);
    const [family] = readFamilies(await generateBytes(registry, { format: 'protobuf' })) as {
      metric: {
        histogram: { exemplars: { value: number; label: unknown; timestamp: { seconds: number } }[] };
      }[];
    }[];
    const { exemplars } = family!.metric[0]!.histogram;
    assert.deepEqual(
      exemplars.map(({ value }) => value),
      [-2, 0, 0.1, 3, 700],
    );
    assert.deepEqual(exemplars[0]!.label, [{ name: 'id', value: 'v-2' }]);
    assert.ok(Math.abs(exemplars[0]!.timestamp.seconds - Date.now() / 1000) < 60);
    const text = await generateMetrics(registry, { format: 'openmetrics' });
    assert.match(text, /^h_bucket\{a="x",le="\+Inf"\} 6 # \{id="v700"\} 700 /m);
  });

  it('keeps as many as it is told, at most 32', async () => {
    for (const maxExemplars of [0, 1, 10, 32]) {
      const registry = new CollectorRegistry();
      const histogram = createHistogram('h', 'H.', { registry, native: { maxExemplars } });
      for (let i = 0; i < 50; i++) histogram.observe(2 ** i, { i });
      assert.equal((await exemplarsOf(registry)).length, maxExemplars);
    }
    const registry = new CollectorRegistry();
    const byDefault = createHistogram('h', 'H.', { registry, native: true });
    for (let i = 0; i < 50; i++) byDefault.observe(2 ** i, { i });
    assert.equal((await exemplarsOf(registry)).length, 10);
    for (const maxExemplars of [-1, 33, 1.5]) {
      assert.throws(() => createHistogram('x', '', { registry: null, native: { maxExemplars } }), {
        code: 'METHEUS_INVALID_OPTIONS',
        message: /maxExemplars.*whole number from 0 to 32/,
      });
    }
    assert.throws(() => createHistogram('x', '', { registry: null, native: { maxExemplarAge: -1 } }), {
      code: 'METHEUS_INVALID_OPTIONS',
    });
  });

  it('keeps them when the zero bucket is widened, and loses them when the series is removed', async () => {
    const registry = new CollectorRegistry();
    const native = { maxBuckets: 2, maxZeroThreshold: 1, maxExemplars: 5 };
    const histogram = createHistogram('h', 'H.', { registry, native, requiredLabels: ['a'] });
    const child = histogram.labels({ a: 'x' });
    for (const value of [0.001, 0.01, 0.1, 1, 100]) child.observe(value, { value });
    assert.equal((await exemplarsOf(registry)).length, 5);
    histogram.remove({ a: 'x' });
    child.observe(1, { value: 1 });
    histogram.labels({ a: 'x' }).observe(2, { value: 2 });
    assert.deepEqual(
      (await exemplarsOf(registry)).map(({ value }) => value),
      [2],
    );
  });

  it('counts nothing when the exemplar is invalid', () => {
    const histogram = createHistogram('h', 'H.', { registry: null, native: true });
    assert.throws(() => histogram.observe(1, { 'no name': '' }), { code: 'METHEUS_INVALID_EXEMPLAR' });
    assert.equal(histogram.get().count, 0);
  });

  it('has those of worker threads too', async () => {
    const code = `
      const { parentPort } = require('node:worker_threads');
      import('metheus').then(({ createHistogram, CollectorRegistry }) => {
        const registry = new CollectorRegistry({ scope: 'native-exemplars' });
        const histogram = createHistogram('h', 'H.', { registry, native: true });
        for (const value of [1, 10, 100]) histogram.observe(value, { from: 'worker' });
        parentPort.postMessage('done');
        setInterval(() => {}, 1000);
      });`;
    const registry = new CollectorRegistry({ scope: 'native-exemplars' });
    const histogram = createHistogram('h', 'H.', { registry, native: true });
    const worker = new Worker(code, { eval: true });
    await new Promise((resolve) => worker.once('message', resolve));
    assert.deepEqual(
      (await exemplarsOf(registry)).map(({ value, labels }) => [value, labels.from]),
      [
        [1, 'worker'],
        [10, 'worker'],
        [100, 'worker'],
      ],
    );
    await worker.terminate();
    histogram.observe(5);
    assert.equal((await exemplarsOf(registry)).length, 3, 'of an ended worker');
  });
});
