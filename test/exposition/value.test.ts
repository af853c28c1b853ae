/** Numbers as text. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatBound, formatValue, writeValue } from '#metheus/exposition/value.js';

function written(value: number): string {
  const bytes = new Uint8Array(40);
  return Buffer.from(bytes.subarray(0, writeValue(bytes, 0, value))).toString();
}

describe('sample values', () => {
  const words: readonly [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [7, '7'],
    [-7, '-7'],
    [9, '9'],
    [10, '10'],
    [99, '99'],
    [100, '100'],
    [2 ** 31 - 1, '2147483647'],
    [2 ** 31, '2147483648'],
    [-(2 ** 31), '-2147483648'],
    [2 ** 32, '4294967296'],
    [2 ** 53, '9007199254740992'],
    [0.1, '0.1'],
    [1e21, '1e+21'],
    [1e-7, '1e-7'],
    [1e308, '1e+308'],
    [5e-324, '5e-324'],
    [-1.2345678901234568e-300, '-1.2345678901234568e-300'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ];
  for (const [value, text] of words) {
    it(`${text}`, () => {
      assert.equal(formatValue(value), text);
      assert.equal(written(value), text);
    });
  }

  it('parse to the same number, in no more bytes than are reserved', () => {
    const numbers = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger());
    fc.assert(
      fc.property(numbers, (value) => {
        const text = written(value);
        assert.equal(text, formatValue(value));
        assert.ok(text.length <= 25, text);
        if (Number.isFinite(value)) assert.ok(Object.is(Number(text), value), text);
      }),
      { seed: 11, numRuns: 20_000 },
    );
  });
});

describe("bounds, as Go's strconv.FormatFloat(bound, 'g', -1, 64)", () => {
  const words: readonly [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-2.5, '-2.5'],
    [0.005, '0.005'],
    [0.0001, '0.0001'],
    [0.00012, '0.00012'],
    [0.00001, '1e-05'],
    [0.0000125, '1.25e-05'],
    [-0.00001, '-1e-05'],
    [99999, '99999'],
    [100000, '100000'],
    [999999.5, '999999.5'],
    [1e6, '1e+06'],
    [-1e6, '-1e+06'],
    [1234567, '1.234567e+06'],
    [1234567.875, '1.234567875e+06'],
    [2 ** 53, '9.007199254740992e+15'],
    [1e21, '1e+21'],
    [1e100, '1e+100'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [5e-324, '5e-324'],
    [1e-7, '1e-07'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [Number.NaN, 'NaN'],
  ];
  for (const [bound, text] of words) it(text, () => assert.equal(formatBound(bound), text));

  it('parse to the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (bound) => {
        assert.ok(Object.is(Number(formatBound(bound)), bound));
      }),
      { seed: 12, numRuns: 5_000 },
    );
  });
});
