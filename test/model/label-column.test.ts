/** Rows of label text: added, removed and used again; views that never change. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LabelColumn, type LabelRows, REMOVED, rowText } from '#metheus/model/label-column.js';

function texts(rows: LabelRows): (string | null)[] {
  return Array.from({ length: rows.size }, (_, row) =>
    rows.lengths[row] === REMOVED ? null : rowText(rows, row),
  );
}

describe('LabelColumn', () => {
  it('numbers rows in order and keeps their text', () => {
    const column = new LabelColumn();
    assert.deepEqual(
      ['a="1"', '', 'é="😀"'].map((text) => column.add(text)),
      [0, 1, 2],
    );
    assert.deepEqual(texts(column), ['a="1"', '', 'é="😀"']);
    assert.equal(column.count, 3);
  });

  it('gives the number of a removed row to the next row', () => {
    const column = new LabelColumn();
    for (const text of ['a', 'b', 'c']) column.add(text);
    column.remove(1);
    assert.deepEqual([texts(column), column.count, column.size], [['a', null, 'c'], 2, 3]);
    assert.equal(column.add('d'), 1);
    assert.deepEqual([texts(column), column.count, column.size], [['a', 'd', 'c'], 3, 3]);
  });

  it('changes its version when a row is removed and when its number is used again', () => {
    const column = new LabelColumn();
    column.add('a');
    column.add('b');
    const before = column.version;
    column.remove(0);
    const removed = column.version;
    column.add('c');
    assert.notEqual(removed, before);
    assert.notEqual(column.version, removed);
    const reused = column.version;
    column.add('d');
    assert.equal(column.version, reused, 'a new row changes the meaning of none');
  });

  it('drops the bytes of removed rows', () => {
    const column = new LabelColumn();
    for (let i = 0; i < 10_000; i++) column.remove(column.add(`label="${i}"`));
    assert.ok(column.bytes.length < 20_000, `${column.bytes.length} bytes are kept`);
    assert.equal(column.size, 1);
  });

  it('equals a plain list at any time, and so does every view', () => {
    const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constant('x'.repeat(3000)), fc.constant('😀é'));
    const step = fc.oneof(
      { weight: 4, arbitrary: text.map((added) => ({ added })) },
      { weight: 3, arbitrary: fc.nat().map((removed) => ({ removed })) },
      { weight: 1, arbitrary: fc.constant({ snapshot: true }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const column = new LabelColumn();
        const model: (string | null)[] = [];
        const snapshots: [LabelRows, (string | null)[]][] = [];
        for (const one of steps) {
          if ('added' in one) {
            // Texts of a column are well-formed: see labelString.
            const added = one.added.toWellFormed();
            model[column.add(added)] = added;
          } else if ('removed' in one) {
            const there = [...model.keys()].filter((row) => model[row] !== null);
            if (there.length === 0) continue;
            const row = there[one.removed % there.length]!;
            column.remove(row);
            model[row] = null;
          } else snapshots.push([column.view(), [...model]]);
        }
        assert.deepEqual(texts(column), model);
        assert.equal(column.count, model.filter((row) => row !== null).length);
        for (const [view, then] of snapshots) assert.deepEqual(texts(view), then);
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});
