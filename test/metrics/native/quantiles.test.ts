/** Summaries with quantiles: the stated error, the window of time, and options. */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import fc from 'fast-check';
import {
  CollectorRegistry,
  createSummary,
  loadBackend,
  SingleProcessBackend,
  type SummaryOptions,
} from 'metheus';
import { coarseNow } from '#metheus/system/clock.js';
import { startClock } from '../fake-clock.js';

const QUANTILES = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 1];

function make(options: SummaryOptions) {
  const registry = new CollectorRegistry();
  const summary = createSummary('s_seconds', 'S.', { registry, quantiles: QUANTILES, ...options });
  const quantiles = async () => {
    const [family] = await registry.collect();
    return [...family!.quantiles!];
  };
  return { summary, quantiles };
}

/** Returns the value of rank ⌈q·n⌉. */
function exact(values: readonly number[], quantile: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(Math.ceil(quantile * values.length), 1) - 1]!;
}

describe('quantiles', () => {
  for (const relativeError of [0.0014, 0.01, 0.05, 0.3]) {
    it(`are within ${relativeError} of the values`, async () => {
      const value = fc.oneof(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.double({ min: 1e-3, max: 10, noNaN: true }),
        fc.constantFrom(0, 1, 2, Number.MAX_VALUE, -Number.MAX_VALUE),
      );
      const values = fc.array(value, { minLength: 1, maxLength: 200 });
      await fc.assert(
        fc.asyncProperty(values, async (observed) => {
          const { summary, quantiles } = make({ relativeError });
          for (const one of observed) summary.observe(one);
          for (const [i, estimate] of (await quantiles()).entries()) {
            const right = exact(observed, QUANTILES[i]!);
            const most = Math.max(relativeError * Math.abs(right) * (1 + 1e-12), 2 ** -128);
            assert.ok(Math.abs(estimate - right) <= most, `${QUANTILES[i]}: ${estimate} for ${right}`);
          }
        }),
        { seed: 6, numRuns: 60 },
      );
    });
  }

  it('include the infinities, and are NaN without values', async () => {
    const { summary, quantiles } = make({ quantiles: [0, 0.5, 1] });
    assert.deepEqual(await quantiles(), [Number.NaN, Number.NaN, Number.NaN]);
    for (const value of [Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY]) summary.observe(value);
    assert.deepEqual(await quantiles(), [Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY]);
  });

  it('are returned by get() too', async () => {
    const { summary, quantiles } = make({ quantiles: [0.5] });
    for (let i = 1; i <= 9; i++) summary.observe(i);
    const [median] = await quantiles();
    assert.deepEqual(summary.get(), { count: 9, sum: 45, quantiles: [[0.5, median]] });
  });

  it('refuse invalid options', () => {
    for (const options of [
      { quantiles: [] },
      { quantiles: [1.1] },
      { quantiles: [0.5, 0.5] },
      { quantiles: ['0.5'] },
      { quantiles: 0.5 },
      { quantiles: [0.5], relativeError: 0.001 },
      { quantiles: [0.5], maxAge: 0 },
      { quantiles: [0.5], ageBuckets: 2.5 },
    ]) {
      const create = () => createSummary('s', 'S.', { registry: null, ...(options as object) });
      assert.throws(create, { code: 'METHEUS_INVALID_OPTIONS' }, JSON.stringify(options));
    }
  });
});

describe('the window of quantiles', () => {
  it('drops values in steps and keeps sum and count', async (t) => {
    const pass = await startClock(t);
    // Five age buckets of ten seconds.
    const { summary, quantiles } = make({
      quantiles: [0, 1],
      maxAge: 50,
      ageBuckets: 5,
      relativeError: 0.0014,
    });
    const seen: number[][] = [];
    for (let step = 0; step < 12; step++) {
      if (step < 7) summary.observe(2 ** step);
      seen.push((await quantiles()).map((value) => (Number.isNaN(value) ? -1 : Math.round(value))));
      pass(10);
    }
    assert.deepEqual(seen, [
      [1, 1],
      [1, 2],
      [1, 4],
      [1, 8],
      [1, 16],
      [2, 32],
      [4, 64],
      [8, 64],
      [16, 64],
      [32, 64],
      [64, 64],
      [-1, -1],
    ]);
    assert.deepEqual([summary.get().count, summary.get().sum], [7, 127]);
  });

  it('uses the cells of dropped values again', async (t) => {
    const pass = await startClock(t);
    const { summary, quantiles } = make({ quantiles: [0.5], maxAge: 10, ageBuckets: 2 });
    const { blocks } = summary as unknown as { blocks: never };
    const { activeBackend } = await import('#metheus/backends/active-backend.js');
    for (let step = 0; step < 100; step++) {
      summary.observe(1 + (step % 3));
      pass(5);
    }
    const [snapshot] = await activeBackend().snapshot({ families: [blocks], scopes: [] });
    // A zero bucket and three blocks in each of two age buckets.
    assert.equal(snapshot!.rows.size, 8);
    summary.observe(2);
    assert.equal(Math.round((await quantiles())[0]!), 1);
  });

  it('moves with the series to another backend', async (t) => {
    const pass = await startClock(t);
    const { summary, quantiles } = make({ quantiles: [0, 1], maxAge: 20, ageBuckets: 2 });
    summary.observe(1);
    pass(10);
    summary.observe(100);
    const before = await quantiles();
    await loadBackend(SingleProcessBackend);
    assert.deepEqual(await quantiles(), before);
    pass(10);
    assert.deepEqual(await quantiles(), [before[1], before[1]]);
  });

  it('starts anew when the clock is set to another time', async (t) => {
    await startClock(t);
    const { summary, quantiles } = make({
      quantiles: [0.5],
      maxAge: 50,
      ageBuckets: 5,
      relativeError: 0.0014,
    });
    summary.observe(0);
    // As by `setSystemTime` of a test runner, or by a correction of the clock.
    for (const now of [1_000_000_000, 2_000_000_000, 1_999_999_000]) {
      mock.timers.setTime(now * 1000);
      while (coarseNow() !== now) await new Promise(setImmediate);
      summary.observe(1);
      const [median] = await quantiles();
      assert.equal(Math.round(median!), 1);
      assert.deepEqual(summary.get().quantiles, [[0.5, median]]);
      summary.observe(0);
      summary.observe(0);
    }
  });

  it('has no end with an infinite maxAge', async (t) => {
    const pass = await startClock(t);
    const { summary, quantiles } = make({ quantiles: [1], maxAge: Number.POSITIVE_INFINITY });
    summary.observe(0);
    pass(1e9);
    assert.deepEqual(await quantiles(), [0]);
  });
});
