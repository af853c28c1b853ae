/** A scrape of many families pauses for the event loop. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  generateBytes,
  generateMetrics,
} from 'metheus';
import { turnsDuring } from '../support/turns.js';

const FAMILIES = 640;
/** Maximum number of families that are copied or renamed, and encoded, between two pauses on the slow clock. */
const [COPIED, ENCODED] = [16, 64];

/** Replaces the clock by one that advances by more than a time slice at each reading. */
function slowClock(t: TestContext): void {
  let now = 0;
  t.mock.method(performance, 'now', () => (now += 100));
}

function registryOf(options: { prefix?: string } = {}): CollectorRegistry {
  const registry = new CollectorRegistry(options);
  for (let i = 0; i < FAMILIES; i++) createCounter(`c_${i}_total`, 'C.', { registry }).inc(i);
  return registry;
}

describe('a scrape of many families', () => {
  for (const [what, options, passes] of [
    ['without a prefix', {}, 2],
    ['with a prefix', { prefix: 'app' }, 3],
  ] as const) {
    it(`collects in time slices: ${what}`, async (t) => {
      const registry = registryOf(options);
      const expected = await generateMetrics(registry);
      slowClock(t);
      const turns = await turnsDuring(() => registry.collect());
      assert.ok(turns >= (passes * FAMILIES) / COPIED, `${turns} turns`);
      assert.equal(await generateMetrics(registry), expected);
    });
  }

  for (const format of ['text', 'openmetrics', 'protobuf'] as const) {
    it(`encodes ${format} in time slices, also for the first time`, async (t) => {
      const families = await registryOf().collect();
      const collected = { collect: async () => families };
      // Loads the encoder.
      await generateBytes(new CollectorRegistry(), { format });
      slowClock(t);
      // The first time, names are assigned in a pass of their own.
      for (const passes of [2, 1]) {
        const turns = await turnsDuring(() => generateBytes(collected, { format }));
        assert.ok(turns >= (passes * FAMILIES) / ENCODED, `${turns} turns`);
      }
    });
  }

  it('copies native buckets at the moment of their histogram', async (t) => {
    const registry = new CollectorRegistry();
    const histograms = Array.from({ length: 100 }, (_, i) =>
      createHistogram(`h_${i}`, 'H.', { registry, buckets: [1], native: {} }),
    );
    const observe = () => {
      for (const histogram of histograms) histogram.observe(Math.random());
    };
    observe();
    await registry.collect();
    slowClock(t);
    let observing = setImmediate(function again() {
      observe();
      observing = setImmediate(again);
    });
    const families = await registry.collect();
    clearImmediate(observing);
    for (const { values, native } of families) assert.equal(native![0]!.count, values[0]! + values[1]!);
    const counts = families.map(({ native }) => native![0]!.count);
    assert.ok(Math.max(...counts) > Math.min(...counts), 'nothing was observed during the collection');
  });

  it('is correct while metrics are registered and unregistered', async (t) => {
    const registry = registryOf();
    await registry.collect();
    slowClock(t);
    const collected = registry.collect();
    const kept = createGauge('late', 'L.', { registry });
    await new Promise(setImmediate);
    registry.unregister(kept);
    const families = await collected;
    assert.deepEqual(
      families.map(({ family, values }) => [family.name, values[0]]),
      Array.from({ length: FAMILIES }, (_, i) => [`c_${i}_total`, i]),
    );
  });
});
