/** The counts of a bar, which never depend on what is drawn. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BarOptions } from '#metheus/progress/bar/bar-options.js';
import {
  BASE,
  COMPLETED,
  ETA,
  EXPECTED,
  FAILED,
  FINISHED,
  INCOMPLETE,
  RATE,
  RECORD_CELLS,
  STARTED,
  TOTAL,
  UNKNOWN,
  UPDATED,
} from '#metheus/progress/bar/record.js';
import { type FakeRecord, fakeTqdm } from '../fakes.js';

// A fixed seed, for the same cases in every run.
fc.configureGlobal({ seed: 20_241_121 });

/** Returns the cells by name, without those that depend on time. */
function counts(record: FakeRecord) {
  const named = {
    completed: COMPLETED,
    expected: EXPECTED,
    started: STARTED,
    finished: FINISHED,
    failed: FAILED,
    incomplete: INCOMPLETE,
  };
  return Object.fromEntries(Object.entries(named).map(([name, cell]) => [name, record.cell(cell)]));
}

describe('the record of a bar', () => {
  it('contains the start, every unit and the end', () => {
    const { tqdm, records, opened, snapshots } = fakeTqdm();
    const bar = tqdm(null, { total: 10, desc: 'copy', unit: 'B', initial: 2 });
    const [record] = records as [FakeRecord];
    assert.deepEqual(opened, [['copy', 'B']]);
    const { id, ...snapshot } = snapshots[0]!;
    assert.ok(Number.isInteger(id));
    assert.deepEqual(snapshot, {
      desc: 'copy',
      n: 2,
      total: 10,
      initial: 2,
      elapsed: 0,
      rate: null,
      unit: 'B',
      unitScale: false,
      unitDivisor: 1000,
      postfix: null,
      position: 0,
      mininterval: 0.1,
      maxinterval: 10,
      miniters: 0,
    });
    const open = { expected: 10, started: 1, finished: 0, failed: 0, incomplete: 0 };
    assert.deepEqual(counts(record), { completed: 2, ...open });
    bar.update(3);
    bar.update(0.5);
    assert.deepEqual(counts(record), { completed: 5.5, ...open });
    bar.update(4.5);
    bar.close();
    bar.close();
    assert.deepEqual(counts(record), { completed: 10, ...open, finished: 1 });
    assert.equal(record.released, 1);
  });

  it('contains each round of a loop when the next one starts', () => {
    const { tqdm, records } = fakeTqdm();
    const seen: number[] = [];
    for (const _ of tqdm(['a', 'b', 'c'])) seen.push(records[0]!.cell(COMPLETED));
    assert.deepEqual(seen, [0, 1, 2]);
    assert.deepEqual(counts(records[0]!), {
      completed: 3,
      expected: 3,
      started: 1,
      finished: 1,
      failed: 0,
      incomplete: 0,
    });
  });

  it('is counted into when the bar is disabled', () => {
    const { tqdm, clock, records, stderr } = fakeTqdm();
    const bar = tqdm(null, { total: 8, disable: true });
    clock.tick(1);
    bar.update(2);
    for (const _ of tqdm(5, { disable: true })) clock.tick(1);
    assert.equal(bar.n, 2);
    assert.equal(records[0]!.cell(RATE), 2);
    assert.equal(records[0]!.cell(ETA), 3);
    assert.equal(records[1]!.cell(COMPLETED), 5);
    assert.equal(records[1]!.cell(FINISHED), 1);
    assert.equal(stderr.take(), '');
  });

  it('is counted into after the bar is closed', () => {
    const { tqdm, records, stderr } = fakeTqdm();
    const bar = tqdm([1, 2, 3], { leave: false });
    bar.close();
    stderr.take();
    bar.update(4);
    for (const _ of bar);
    bar.refresh();
    assert.equal(records[0]!.cell(COMPLETED), 7);
    assert.equal(records[0]!.cell(INCOMPLETE), 1);
    assert.equal(stderr.take(), '');
  });

  it('may move to another page when a backend is loaded late', () => {
    const { tqdm, records } = fakeTqdm();
    for (const i of tqdm(10)) {
      if (i !== 4) continue;
      const record = records[0]!;
      const page = new Float64Array(3 * RECORD_CELLS);
      page.set(record.page, RECORD_CELLS);
      record.page = page;
      record.offset = RECORD_CELLS;
    }
    assert.equal(records[0]!.page[RECORD_CELLS + COMPLETED], 10);
    assert.equal(records[0]!.page[RECORD_CELLS + FINISHED], 1);
    assert.deepEqual([...records[0]!.page.subarray(0, RECORD_CELLS)], new Array(RECORD_CELLS).fill(0));
  });

  it('never decreases and never becomes infinite', () => {
    const { tqdm, records } = fakeTqdm();
    const bar = tqdm();
    bar.update(5);
    bar.update(-3);
    for (const amount of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      assert.throws(() => bar.update(amount), { code: 'METHEUS_INVALID_BAR_OPTION' });
    }
    assert.equal(records[0]!.cell(COMPLETED), 5);
    assert.equal(bar.n, 2);
  });

  it('changes by the difference when n or total is assigned', () => {
    const { tqdm, records } = fakeTqdm();
    const bar = tqdm(null, { total: 10 });
    bar.n = 6;
    bar.n = 2;
    bar.n = 3;
    bar.total = 25;
    assert.equal(records[0]!.cell(COMPLETED), 7);
    assert.equal(records[0]!.cell(EXPECTED), 25);
    bar.total = Number.POSITIVE_INFINITY;
    assert.equal(records[0]!.cell(EXPECTED), 0);
    bar.total = null;
    assert.equal(records[0]!.cell(EXPECTED), 0);
  });

  it('counts a reset as the end of one bar and the start of another', () => {
    const { tqdm, records } = fakeTqdm();
    const bar = tqdm(null, { total: 4 });
    bar.update(4);
    bar.reset(6);
    bar.update(1);
    assert.deepEqual(counts(records[0]!), {
      completed: 5,
      expected: 10,
      started: 2,
      finished: 1,
      failed: 0,
      incomplete: 0,
    });
    assert.equal(bar.n, 1);
    assert.equal(records.length, 1);
  });

  it('contains the speed, the remaining time and the time of the newest reading of the clock', () => {
    const { tqdm, clock, records } = fakeTqdm();
    const bar = tqdm(null, { total: 100, mininterval: 1 });
    clock.tick(0.5);
    bar.update(10);
    assert.equal(records[0]!.cell(RATE), 0);
    assert.equal(records[0]!.cell(ETA), UNKNOWN);
    assert.equal(records[0]!.cell(UPDATED), 1_700_001_000);
    clock.tick(1.5);
    bar.update(10);
    assert.equal(records[0]!.cell(RATE), 10);
    assert.equal(records[0]!.cell(ETA), 8);
    assert.equal(records[0]!.cell(UPDATED), 1_700_001_002);
    bar.close();
    assert.equal(records[0]!.cell(RATE), 0);
    assert.equal(records[0]!.cell(ETA), 0);
  });

  it('contains the speed of a loop that drew no frame for too long, with the rounds since the last one', () => {
    const { tqdm, clock, records, live } = fakeTqdm();
    for (const i of tqdm(10, { miniters: 100, maxinterval: 1 })) {
      clock.tick(1);
      if (i !== 4) continue;
      live.rescue();
      assert.equal(records[0]!.cell(RATE), 0.8);
      assert.equal(records[0]!.cell(ETA), 7.5);
    }
  });

  it('contains n and the total of the open bar', () => {
    const { tqdm, records } = fakeTqdm();
    const n = () => records[0]!.cell(COMPLETED) - records[0]!.cell(BASE);
    const bar = tqdm([1, 2, 3, 4], { initial: 2, total: 9 });
    assert.deepEqual([n(), records[0]!.cell(TOTAL)], [2, 9]);
    for (const i of bar) {
      if (i === 2) bar.update(3);
      if (i === 3) bar.n = 1;
      assert.equal(n(), bar.n);
    }
    bar.reset(7);
    assert.equal(bar.n, 0);
    const other = tqdm(null, { total: 5 });
    other.update(4);
    other.update(-3);
    assert.equal(records[1]!.cell(COMPLETED) - records[1]!.cell(BASE), 1);
    other.reset();
    assert.equal(records[1]!.cell(COMPLETED) - records[1]!.cell(BASE), 0);
    other.total = Number.POSITIVE_INFINITY;
    assert.equal(records[1]!.cell(TOTAL), UNKNOWN);
  });

  it('has the speed of now, between frames, in a stall and after a reset', () => {
    const { tqdm, clock, records, live } = fakeTqdm();
    const cell = (name: number) => records[0]!.cell(name);
    const bar = tqdm(null, { total: 1000, mininterval: 10 });
    for (let second = 0; second < 20; second += 1) {
      clock.tick(1);
      bar.update(10);
    }
    assert.equal(cell(RATE), 10);
    // A frame is due every ten seconds, and a sample is taken every second.
    for (let second = 0; second < 5; second += 1) {
      clock.tick(1);
      bar.update(40);
      live.sample();
    }
    assert.ok(cell(RATE) > 14 && cell(RATE) < 40, `${cell(RATE)}`);
    assert.equal(cell(ETA), (1000 - bar.n) / cell(RATE));
    const moved = cell(UPDATED);
    assert.equal(moved, clock.unix());
    let last = cell(RATE);
    for (const seconds of [100, 1000, 10_000]) {
      clock.tick(seconds);
      live.sample();
      assert.ok(cell(RATE) < last, `${cell(RATE)} after ${seconds} seconds without a unit`);
      last = cell(RATE);
    }
    assert.ok(last < 1);
    assert.equal(cell(UPDATED), moved);
    bar.reset();
    assert.deepEqual([cell(RATE), cell(ETA), cell(UPDATED)], [0, UNKNOWN, clock.unix()]);
    clock.tick(1);
    bar.update(5);
    live.sample();
    assert.equal(cell(RATE), 5);
  });

  it('contains the sum of any amounts, however they are drawn', () => {
    const amounts = fc.array(
      fc.record({ amount: fc.integer({ min: 0, max: 9 }), seconds: fc.integer({ max: 4, min: 0 }) }),
    );
    const options: fc.Arbitrary<BarOptions> = fc.record({
      disable: fc.boolean(),
      miniters: fc.option(fc.integer({ min: 0, max: 20 })),
      mininterval: fc.constantFrom(0, 0.1, 2),
      smoothing: fc.constantFrom(0, 0.3, 1),
      delay: fc.constantFrom(0, 3),
    });
    fc.assert(
      fc.property(amounts, options, (steps, given) => {
        const { tqdm, clock, records } = fakeTqdm();
        const bar = tqdm(null, given);
        let sum = 0;
        for (const { amount, seconds } of steps) {
          clock.tick(seconds);
          bar.update(amount);
          sum += amount;
          assert.equal(records[0]!.cell(COMPLETED), sum);
          assert.equal(bar.n, sum);
        }
      }),
    );
  });
});
