/** Label values, their escaped text, and parsing it. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  checkLabels,
  escapeLabelValue,
  labelString,
  labelText,
  parseLabelText,
} from '#metheus/model/labels.js';

describe('labelString', () => {
  it('converts numbers and booleans as JavaScript does', () => {
    assert.equal(labelString('m', 'a', 500), '500');
    assert.equal(labelString('m', 'a', 1e21), '1e+21');
    assert.equal(labelString('m', 'a', -0), '0');
    assert.equal(labelString('m', 'a', Number.NaN), 'NaN');
    assert.equal(labelString('m', 'a', true), 'true');
    assert.equal(labelString('m', 'a', false), 'false');
    assert.equal(labelString('m', 'a', ''), '');
  });

  it('replaces lone surrogates and keeps pairs', () => {
    assert.equal(labelString('m', 'a', 'x\ud800y'), 'x\ufffdy');
    assert.equal(labelString('m', 'a', '\udc00'), '\ufffd');
    assert.equal(labelString('m', 'a', '😀'), '😀');
  });

  for (const value of [undefined, null, {}, [], 1n, Symbol('s'), () => {}]) {
    it(`refuses ${typeof value === 'object' ? JSON.stringify(value) : typeof value}`, () => {
      assert.throws(() => labelString('m', 'method', value), { code: 'METHEUS_INVALID_LABEL_VALUE' });
    });
  }

  it('names the label, the given value and the rule in the error', () => {
    assert.throws(() => labelString('m', 'method', null), {
      message:
        "Invalid label value: given null for label 'method' of metric 'm', " +
        'expected a string, number or boolean.',
    });
  });
});

describe('labelText', () => {
  it('joins names and values', () => {
    assert.equal(labelText([], []), '');
    assert.equal(labelText(['a'], ['x']), 'a="x"');
    assert.equal(labelText(['a', 'b'], ['', '😀']), 'a="",b="😀"');
  });

  it('escapes backslash, quote and line feed, and nothing else', () => {
    assert.equal(escapeLabelValue('\\"\n\r\t\0,={}'), '\\\\\\"\\n\r\t\0,={}');
  });

  it('can be parsed, for any values', () => {
    const value = fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', ',', '=', '}', ' ', 'é', '😀') });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), (values) => {
        // Names may have any characters, as values may.
        const names = values.map((value, i) => `${value}${i}`);
        const expected = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
        assert.deepEqual(parseLabelText(labelText(names, values)), expected);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('checkLabels', () => {
  it('accepts any portion of the names', () => {
    checkLabels('m', ['a', 'b'], {});
    checkLabels('m', ['a', 'b'], { b: 1 });
    checkLabels('m', [], {});
  });

  it('names the first label that the metric does not have', () => {
    assert.throws(() => checkLabels('m', ['a', 'b'], { b: 1, c: 2, d: 3 }), {
      code: 'METHEUS_UNKNOWN_LABEL',
      message: "Unknown label: given label 'c' on metric 'm', expected only 'a', 'b'.",
    });
  });

  it('suggests requiredLabels if the metric has no labels', () => {
    assert.throws(() => checkLabels('m', [], { a: 1 }), {
      code: 'METHEUS_LABELS_NOT_ALLOWED',
      message:
        "Labels not allowed: given label 'a' on metric 'm', expected no labels. " +
        'Name them in requiredLabels when the metric is created.',
    });
  });
});
