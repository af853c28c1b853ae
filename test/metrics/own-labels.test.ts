/** Labels are own properties. Every function that takes labels refuses labels in other places. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { createCounter, createFamily, createInfo } from 'metheus';

class Getters {
  get a() {
    return 'x';
  }
}
class Own {
  a = 'x';
}
class Both extends Getters {
  b = 'y';
}

class Unknown extends Getters {
  b = 'y';
  size = 'z';
  other = '';
}

const wrong: Readonly<Record<string, object>> = {
  'a map': new Map([['a', 'x']]),
  'an empty map': new Map(),
  'a set': new Set(['a']),
  'an array': [],
  'URL parameters': new URLSearchParams('a=x'),
  headers: new Headers({ a: 'x' }),
  'a date': new Date(),
  'an object with an inherited label': Object.create({ a: 'x' }),
  'an object with an inherited getter': new Getters(),
  'an object with an own label and an inherited one': new Both(),
  'an object with all labels, one of them inherited, and an unknown one': new Unknown(),
  'an object whose prototype has no prototype': Object.create(Object.create(null, { a: { get: () => 'x' } })),
};

const right: Readonly<Record<string, object>> = {
  'a plain object': { a: 'x' },
  'an object without a prototype': Object.assign(Object.create(null), { a: 'x' }),
  'an instance of a class with own properties': new Own(),
  'an object of another realm': runInNewContext("({ a: 'x' })"),
};

const refused = { code: 'METHEUS_INVALID_LABEL_VALUE', message: /own properties are the labels/ };

function makeCounter() {
  return createCounter('c_total', 'C.', {
    registry: null,
    requiredLabels: ['a', 'b', 'size'],
    defaultLabels: { a: '1', b: '2', size: '3' },
  });
}

describe('labels that are not own properties', () => {
  for (const [what, given] of Object.entries(wrong)) {
    it(`are refused: ${what}`, () => {
      const counter = makeCounter();
      const complete = counter.labels({ a: 'x', b: 'y', size: 'z' });
      const partial = counter.labels({ size: 'z' });
      counter.inc();
      complete.inc();
      for (const metric of [counter, complete, partial]) {
        assert.throws(() => metric.labels(given as never), refused);
        assert.throws(() => metric.remove(given as never), refused);
      }
      assert.deepEqual([counter.get(), complete.get()], [1, 1], 'nothing was removed');
      const info = createInfo('i', 'I.', { registry: null, requiredLabels: ['a'], defaultLabels: { a: '' } });
      assert.throws(() => info.info(given as never), refused);
      assert.deepEqual(info.get(), []);
      const requiredLabels = ['a', 'b', 'size'];
      const defaultLabels = given as never;
      assert.throws(
        () => createCounter('d_total', 'D.', { registry: null, requiredLabels, defaultLabels }),
        refused,
      );
      const series = [{ labels: given as never, value: 1 }];
      assert.throws(() => createFamily('f', 'F.', { labelNames: ['a'], series }), refused);
      assert.throws(() => createFamily('f', 'F.', { series }), { name: 'MetheusError' });
    });
  }
});

describe('labels that are own properties', () => {
  for (const [what, given] of Object.entries(right)) {
    it(`are accepted: ${what}`, () => {
      const counter = makeCounter();
      const expected = counter.labels({ a: 'x' });
      assert.equal(counter.labels(given), expected);
      assert.equal(counter.labels(Object.create(null)), counter);
      assert.equal(
        counter.labels({ b: 'y', size: 'z' }).labels(given),
        counter.labels({ a: 'x', b: 'y', size: 'z' }),
      );
    });
  }
});
