import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BucketIndex } from '#metheus/metrics/bucket-index.js';

/** A linear search, as the expected result. */
const bucketOf = (bounds: readonly number[], value: number) => bounds.filter((bound) => bound < value).length;

const CORNERS = [0, -0, 5e-324, -5e-324, 2.2250738585072014e-308, 1, -1, 1e308, -1e308, Infinity, -Infinity];

const boundsOf = fc
  .uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 })
  .map((bounds) => [...new Set(bounds.map((bound) => bound + 0))].sort((a, b) => a - b));

describe('BucketIndex', () => {
  it('finds the first bucket whose bound is not below the value', () => {
    fc.assert(
      fc.property(boundsOf, fc.array(fc.double({ noNaN: true }), { maxLength: 40 }), (bounds, values) => {
        const index = BucketIndex.of(bounds);
        // Every bound and its neighbours, where errors of a search are most likely.
        const near = bounds.flatMap((bound) => [bound, bound * (1 + 2 ** -52), bound * (1 - 2 ** -52)]);
        for (const value of [...CORNERS, ...near, ...values]) {
          assert.equal(index.bucketOf(value), bucketOf(bounds, value), `${value} among ${bounds}`);
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('is exact at the bounds of usual buckets', () => {
    for (const bounds of [
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      Array.from({ length: 300 }, (_, i) => i / 7),
      [-10, -1, 0, 1, 10],
      [0],
      [-5],
    ]) {
      const index = BucketIndex.of(bounds);
      for (const bound of bounds) {
        for (const value of [
          bound,
          bound + Number.EPSILON * Math.abs(bound),
          bound - Number.EPSILON * Math.abs(bound),
        ]) {
          assert.equal(index.bucketOf(value), bucketOf(bounds, value), `${value} among ${bounds}`);
        }
      }
    }
  });

  it('shares one index among equal bounds, up to a limit', () => {
    const first = BucketIndex.of([0.25, 1.5]);
    assert.equal(BucketIndex.of([0.25, 1.5]), first);
    assert.notEqual(BucketIndex.of([0.25, 1.25]), first);
    for (let i = 0; i < 100; i++) BucketIndex.of([0.25, 100 + i]);
    assert.deepEqual(BucketIndex.of([0.25, 1.5]), first);
  });
});
