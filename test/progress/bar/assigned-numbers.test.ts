/** Numbers that are assigned to a bar. The rules are those of the constructor. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ETA, RATE, TOTAL, UNKNOWN } from '#metheus/progress/bar/record.js';
import { fakeTqdm } from '../fakes.js';

const code = 'METHEUS_INVALID_BAR_OPTION';

describe('a bar', () => {
  for (const [what, values] of Object.entries({
    n: [Number.NaN, Number.POSITIVE_INFINITY, 5n, '5'],
    total: [Number.NaN, 500n, '5'],
    initial: [Number.NaN, Number.POSITIVE_INFINITY],
    miniters: [Number.NaN, '1'],
    mininterval: [Number.NaN, '1'],
    maxinterval: [Number.NaN],
    unitDivisor: [Number.NaN],
  })) {
    it(`refuses an invalid ${what}, and keeps its numbers`, () => {
      const { tqdm, clock, records } = fakeTqdm();
      const bar = tqdm({ total: 10 });
      bar.update(2);
      for (const value of values) assert.throws(() => Object.assign(bar, { [what]: value }), { code });
      for (const amount of [Number.NaN, Number.POSITIVE_INFINITY, 5n, '5']) {
        assert.throws(() => bar.update(amount as number), { code });
      }
      assert.throws(() => bar.reset(Number.NaN), { code });
      clock.tick(1);
      assert.equal(bar.update(3), true);
      assert.deepEqual([bar.n, bar.total], [5, 10]);
      const [rate, eta] = [records[0]!.cell(RATE), records[0]!.cell(ETA)];
      assert.ok(rate > 0 && Number.isFinite(rate) && eta > 0 && Number.isFinite(eta));
    });
  }

  it('treats an infinite total as unknown', () => {
    const { tqdm, records } = fakeTqdm();
    const bar = tqdm({ total: 10 });
    bar.total = Number.POSITIVE_INFINITY;
    assert.equal(bar.total, null);
    assert.equal(records[0]!.cell(TOTAL), UNKNOWN);
  });
});
