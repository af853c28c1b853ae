/** Merging in time slices: the numbers are those of its beginning, whatever changes until its end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type GaugeMode, seriesOf } from 'metheus';
import { CellTable } from '#metheus/backends/cell-table.js';
import { Merger } from '#metheus/backends/merge.js';
import { TimeSlice } from '#metheus/system/time-slice.js';
import { makeFamily } from './contract.js';

const family = makeFamily({ labelNames: ['i'] });
const ROWS = 2000;

function tables(): CellTable[] {
  return ['a', 'b'].map((id) => {
    const table = new CellTable(family, { id, live: true });
    for (let i = 0; i < ROWS; i++) add(table, String(i), 1);
    return table;
  });
}

function add(table: CellTable, label: string, by: number): ReturnType<CellTable['reserve']> {
  const cells = table.reserve([label], 1);
  cells.page[cells.offset] = by;
  return cells;
}

const totals = (snapshot: Parameters<typeof seriesOf>[0]) =>
  new Map([...seriesOf(snapshot)].map(({ labels, values }) => [labels.i, values[0]]));

describe('times of the future', () => {
  const MODES: readonly GaugeMode[] = ['shared', 'mostrecent', 'livemostrecent'];
  const HOUR = 3600;
  const LATER = Date.UTC(2099, 0) / 1000;

  /** Merges a gauge that each writer has set at a time. */
  function servedOf(merge: GaugeMode, writers: readonly (readonly [value: number, time: number])[]): number {
    const gauge = makeFamily({ type: 'gauge', cells: 2, merge });
    const tables = writers.map(([value, time], i) => {
      const table = new CellTable(gauge, { id: String(i), live: true });
      const { page, offset } = table.reserve(['x']);
      page.set([value, time], offset);
      return table;
    });
    const { values, rows } = new Merger(gauge).merge(tables);
    assert.equal(rows.size, 1);
    return values[0]!;
  }

  for (const mode of MODES) {
    it(`lose against every time of the past, with the mode ${mode}`, () => {
      const now = Date.now() / 1000;
      for (const future of [now + HOUR, LATER, Number.MAX_VALUE, Number.POSITIVE_INFINITY, Number.NaN]) {
        for (const past of [now, now - HOUR, 1000]) {
          assert.equal(
            servedOf(mode, [
              [1, future],
              [2, past],
            ]),
            2,
          );
          assert.equal(
            servedOf(mode, [
              [2, past],
              [1, future],
            ]),
            2,
          );
        }
      }
    });

    it(`keep their order among each other, with the mode ${mode}`, () => {
      const now = Date.now() / 1000;
      assert.equal(
        servedOf(mode, [
          [1, LATER],
          [2, LATER + 0.1],
          [3, now + HOUR],
        ]),
        2,
      );
      assert.equal(servedOf(mode, [[1, LATER]]), 1);
    });
  }

  it('are ignored in a family that keeps only the newest', () => {
    const newest = makeFamily({ type: 'unknown', cells: 2, merge: 'newest', bounds: [60, 5] });
    const period = Math.floor(Date.now() / 60_000);
    const tables = [LATER / 60, period, period, period + 100].map((time, i) => {
      const table = new CellTable(newest, { id: String(i), live: true });
      const { page, offset } = table.reserve(['x']);
      page.set([time, 10 ** i], offset);
      return table;
    });
    assert.equal(new Merger(newest).merge(tables).values[1], 110);
  });
});

describe('a merge that has begun', () => {
  it('ignores series that come, change and go meanwhile', async () => {
    const [a, b] = tables() as [CellTable, CellTable];
    const first = add(a, 'first', 7);
    const merger = new Merger(family);
    const finish = merger.begin([a, b]);
    first.page[first.offset] = 100;
    a.release(first);
    add(a, 'another in its place', 1000);
    add(b, 'late', 1);
    const seen = totals(await finish(new TimeSlice()));
    assert.equal(seen.size, ROWS + 1);
    assert.equal(seen.get('first'), 7);
    assert.equal(seen.get('0'), 2);
    const after = totals(merger.merge([a, b]));
    assert.equal(after.size, ROWS + 2);
    assert.equal(after.get('first'), undefined);
    assert.equal(after.get('another in its place'), 1000);
  });

  it('is independent of other merges of the same family, before, during and after it', async (t) => {
    let now = 0;
    t.mock.method(performance, 'now', () => (now += 100));
    const [a, b] = tables() as [CellTable, CellTable];
    const merger = new Merger(family);
    const slice = new TimeSlice();
    const one = merger.begin([a, b])(slice);
    add(a, 'new', 5);
    const two = merger.begin([a])(new TimeSlice());
    await new Promise(setImmediate);
    const beside = totals(merger.merge([a, b]));
    assert.equal(beside.get('new'), 5);
    assert.equal(beside.get('1'), 2);
    assert.equal(totals(await one).size, ROWS);
    assert.equal(totals(await two).get('1'), 1);
    assert.deepEqual(totals(await merger.begin([a, b])(slice)), beside);
  });
});
