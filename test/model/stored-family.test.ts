/** Descriptors of families that other programs have stored. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isStoredFamily } from '#metheus/model/stored-family.js';

const VALID = {
  scope: '',
  name: 'a_total',
  help: 'Help.',
  type: 'counter',
  unit: '',
  labelNames: ['a', 'b'],
  cells: 1,
  merge: 'add',
  bounds: [],
};

const HIDDEN = { type: 'parts', name: 'a{160,0}', labelNames: ['a', '__part'], cells: 32, bounds: [160, 0] };

describe('isStoredFamily', () => {
  const accepted: Record<string, object> = {
    'a counter': {},
    'a histogram': { type: 'histogram', cells: 4, bounds: [1, 2] },
    'a gauge': { type: 'gauge', cells: 2, merge: 'max' },
    'a summary': { type: 'summary', cells: 2, bounds: [0.5, 0.9] },
    'a unit': { name: 'a_bytes_total', unit: 'bytes' },
    'a hidden family of a metric with a unit': { ...HIDDEN, name: 'a_bytes{160,0}', unit: 'bytes' },
    'UTF-8 names': { name: 'größe', labelNames: ['länge'] },
    'a hidden family of native buckets': HIDDEN,
  };
  for (const [name, change] of Object.entries(accepted)) {
    it(`accepts ${name}`, () => assert.equal(isStoredFamily({ ...VALID, ...change }), true));
  }

  const refused: Record<string, object> = {
    'an empty name': { name: '' },
    'a name that is not well-formed': { name: '\ud800' },
    'a help that is no string': { help: 1 },
    'an unknown type': { type: 'toString' },
    'an unknown merge rule': { merge: 'median' },
    'a label twice': { labelNames: ['a', 'a'] },
    'reserved labels': { labelNames: ['__name__'] },
    'the label of the buckets': { labelNames: ['le'] },
    'a reserved label before the last of a hidden family': { ...HIDDEN, labelNames: ['__name__', '__part'] },
    'labels that are no strings': { labelNames: [1] },
    'labels that are no array': { labelNames: 'ab' },
    'bounds that are no numbers': { bounds: ['1'] },
    'too few cells': { type: 'histogram', cells: 3, bounds: [1, 2] },
    'cells that demand too much memory': { cells: 1e15 },
    'equal bounds': { type: 'histogram', cells: 4, bounds: [1, 1] },
    'quantiles above 1': { type: 'summary', cells: 2, bounds: [0.5, 1.5] },
    'a unit that the name does not end with': { unit: 'bytes' },
    'the label that the merge rule adds': { type: 'gauge', cells: 2, merge: 'liveall', labelNames: ['pid'] },
    'a part of a cell': { cells: 1.5 },
    'a text that is too long': { help: 'x'.repeat(100_000) },
    'a stateset without the label of its states': { type: 'stateset', cells: 2, merge: 'livemostrecent' },
  };
  for (const [name, change] of Object.entries(refused)) {
    it(`refuses ${name}`, () => assert.equal(isStoredFamily({ ...VALID, ...change }), false));
  }

  it('refuses content that is not an object', () => {
    for (const content of [undefined, null, 1, 'text', []]) assert.equal(isStoredFamily(content), false);
  });
});
