/** The bucket of every bound of every schema, and of its neighbours, against exact arithmetic. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PowerIndex } from '#metheus/metrics/native/power-index.js';
import { octaveBounds, upperBound } from '#metheus/model/native/powers.js';

const SCHEMAS = [-4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8];

const float = new Float64Array(1);
const bits = new BigInt64Array(float.buffer);

/** Returns the float64 this many steps above a positive one. */
function step(value: number, steps: bigint): number {
  float[0] = value;
  bits[0]! += steps;
  return float[0]!;
}

/** Returns a float64 from 1 to 2 in units of 2 ** -53, in which half of its last place is an integer. */
const units = (value: number) => BigInt(value * 2 ** 52) * 2n;

describe('the bounds of an octave', () => {
  it('are the float64 nearest to the powers', () => {
    for (const [i, bound] of octaveBounds().entries()) {
      // 2 ** i lies between the 256th powers of bound - half a unit and bound + half a unit.
      const power = (1n << BigInt(i)) << (53n * 256n);
      assert.ok((units(bound) - 1n) ** 256n <= power, `2 ** (${i} / 256) is below ${bound}`);
      assert.ok((units(bound) + 1n) ** 256n >= power, `2 ** (${i} / 256) is above ${bound}`);
    }
  });
});

describe('PowerIndex', () => {
  for (const schema of SCHEMAS) {
    it(`finds each bound of schema ${schema} in its bucket, and the next number in the next bucket`, () => {
      const index = PowerIndex.of(schema);
      const least = -1022 * 2 ** Math.max(schema, 0);
      const most = 1024 * 2 ** Math.max(schema, 0) - 1;
      const across = schema < 0 ? 2 ** -schema : 1;
      for (let i = Math.ceil(least / across); i <= Math.floor(most / across); i++) {
        const bound = upperBound(schema, i);
        assert.equal(index.indexOf(bound), i);
        assert.equal(index.indexOf(step(bound, 1n)), i + 1);
        if (bound > Number.MIN_VALUE) assert.equal(index.indexOf(step(bound, -1n)), i);
      }
    });

    it(`handles the smallest and greatest numbers in schema ${schema}`, () => {
      const index = PowerIndex.of(schema);
      const last = schema < 0 ? 1024 / 2 ** -schema : 1024 * 2 ** schema;
      assert.equal(index.indexOf(Number.MAX_VALUE), last);
      assert.equal(index.indexOf(Number.POSITIVE_INFINITY), last + 1);
      assert.equal(upperBound(schema, last), Number.MAX_VALUE);
      assert.equal(upperBound(schema, last + 1), Number.POSITIVE_INFINITY);
      // The smallest number is 2 ** -1074; numbers below 2 ** -1022 are subnormal.
      for (const power of [-1074, -1073, -1060, -1023]) {
        const exact = schema < 0 ? Math.ceil(power / 2 ** -schema) : power * 2 ** schema;
        assert.equal(index.indexOf(2 ** power), exact, `2 ** ${power}`);
        assert.equal(index.indexOf(step(2 ** power, 1n)) > exact || schema < 0, true);
      }
    });
  }

  it('finds the bounds of base 2', () => {
    const index = PowerIndex.of(0);
    assert.deepEqual(
      [0.5, 0.6, 1, 1.5, 2, 2.1, 4].map((value) => index.indexOf(value)),
      [-1, 0, 0, 1, 1, 2, 2],
    );
    assert.deepEqual(
      [1, 2, 16, 256, 65536, 65537].map((v) => PowerIndex.of(-4).indexOf(v)),
      [0, 1, 1, 1, 1, 2],
    );
  });
});
