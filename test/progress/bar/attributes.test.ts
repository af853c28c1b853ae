/** The attributes of a bar: their values, and the effect of assigning to them. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeTqdm } from '../fakes.js';

describe('attributes of a bar', () => {
  it('have the values of the options', () => {
    const { tqdm, clock, stderr } = fakeTqdm();
    const items = [1, 2, 3];
    const file = Object.assign(stderr);
    const bar = tqdm(items, {
      desc: 'x',
      initial: 1,
      smoothing: 0.5,
      delay: 2,
      unit: 'B',
      file,
      miniters: 4,
    });
    const { iterable, desc, total, initial, smoothing, delay, unit, position, dynamicMiniters } = bar;
    assert.deepEqual(
      { iterable, desc, total, initial, smoothing, delay, unit, position, dynamicMiniters },
      {
        iterable: items,
        desc: 'x',
        total: 3,
        initial: 1,
        smoothing: 0.5,
        delay: 2,
        unit: 'B',
        position: 0,
        dynamicMiniters: false,
      },
    );
    assert.equal(bar.iterable, items);
    assert.equal(bar.file, file);
    assert.equal(bar.dynamicNcols, false);
    assert.equal(tqdm(null, { position: 3 }).position, 3);
    assert.equal(tqdm(null).dynamicMiniters, true);
    assert.deepEqual([bar.miniters, bar.mininterval, bar.maxinterval], [4, 0.1, 10]);
    assert.deepEqual([bar.startT, bar.lastPrintT, bar.lastPrintN], [clock.seconds, clock.seconds, 1]);
    clock.tick(3);
    bar.update(5);
    assert.deepEqual([bar.startT, bar.lastPrintT, bar.lastPrintN], [clock.seconds - 3, clock.seconds, 6]);
  });

  it('change the next frame when they are assigned', () => {
    const { tqdm, stderr, snapshots } = fakeTqdm();
    const bar = tqdm(null, { total: 4000 });
    bar.n = 2048;
    Object.assign(bar, { desc: 'Now: ', unit: 'B', unitScale: true, unitDivisor: 1024, ascii: true });
    bar.refresh();
    assert.ok(stderr.take().endsWith('\rNow:  51%|#####1    | 2.00k/3.91k [00:00<?, ?B/s]'));
    bar.barFormat = '{desc}{n}';
    assert.equal(bar.toString(), 'Now: 2048');
    assert.throws(
      () => {
        bar.barFormat = '{nothing}';
      },
      { code: 'METHEUS_INVALID_BAR_FORMAT' },
    );
    assert.equal(bar.barFormat, '{desc}{n}');
    assert.deepEqual(
      snapshots.map(({ unit }) => unit),
      ['it'],
    );
  });

  it('change when a frame is due, also for a running loop', () => {
    const { tqdm, clock, stderr } = fakeTqdm();
    const frames = () => stderr.take().split('\r').length - 1;
    const bar = tqdm(12, { mininterval: 1, miniters: 1 });
    for (const i of bar) {
      clock.tick(0.5);
      if (i === 3) {
        assert.equal(frames(), 2);
        bar.mininterval = 0;
      }
      if (i === 7) {
        assert.equal(frames(), 4);
        bar.miniters = 100;
        bar.maxinterval = 50;
      }
    }
    // One for the round in which miniters was set, and the last one.
    assert.equal(frames(), 1);
    assert.equal(bar.maxinterval, 50);
  });

  it('keep the values of the bar after its end', () => {
    const { tqdm, clock } = fakeTqdm();
    const given = tqdm(null, { miniters: 4 });
    given.close();
    assert.equal(given.miniters, 4);
    const adapted = tqdm(null, { mininterval: 1 });
    clock.tick(2);
    adapted.update(10);
    adapted.close();
    assert.equal(Math.round(adapted.miniters), 5);
  });
});
