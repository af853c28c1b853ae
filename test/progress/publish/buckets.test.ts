/** Records added up: numbers that are sums, that are the latest, and that end with their writer. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { activeBackend } from '#metheus/backends/active-backend.js';
import type { Writer } from '#metheus/backends/backend.js';
import { seriesOf } from '#metheus/model/family.js';
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
  SAMPLED,
  STARTED,
  STEP,
  TOTAL,
  UNKNOWN,
  UPDATED,
} from '#metheus/progress/bar/record.js';
import { BucketFamilies } from '#metheus/progress/publish/bucket-metrics.js';
import { type Bucket, BucketReader, emptyBucket } from '#metheus/progress/publish/buckets.js';
import { BARS } from '#metheus/progress/publish/record-pool.js';

let rows = 0;

const CELLS = {
  BASE,
  COMPLETED,
  ETA,
  EXPECTED,
  FAILED,
  FINISHED,
  INCOMPLETE,
  RATE,
  SAMPLED,
  STARTED,
  STEP,
  TOTAL,
  UPDATED,
};
type CellName = keyof typeof CELLS;

const now = Date.now() / 1000;

/** Reserves a record with these cells. By default, the total is unknown and the sample is new. */
function addRecordOf(
  [proxy, bucket, unit]: readonly [string, string, string],
  cells: { readonly [Name in CellName]?: number },
  writer?: Writer,
): void {
  const page = new Array<number>(RECORD_CELLS).fill(0);
  const sampled = { ETA: UNKNOWN, TOTAL: UNKNOWN, SAMPLED: now, ...cells };
  for (const [name, value] of Object.entries(sampled)) page[CELLS[name as CellName]] = value;
  addRow(proxy, bucket, unit, page, writer);
}

/** Reserves a record with these cells: completed, expected, started, finished, failed, rate, eta, updated. */
function addRow(proxy: string, bucket: string, unit: string, cells: number[], writer?: Writer): void {
  const request = { family: BARS, labels: [proxy, bucket, unit, String(rows++)] };
  const { page, offset } = activeBackend().backend.reserve(
    writer === undefined ? request : { ...request, writer },
  );
  page.set(cells, offset);
}

describe('a bucket', () => {
  it('is the sum of its records; times are the latest', async () => {
    const b: [string, string, string] = ['sum', 'b', 'it'];
    const one = { COMPLETED: 10, EXPECTED: 100, STARTED: 5, FINISHED: 1, FAILED: 1, INCOMPLETE: 2 };
    addRecordOf(b, { ...one, BASE: 4, TOTAL: 60, RATE: 2.5, ETA: 30, UPDATED: 1000 });
    addRecordOf(['other', 'b', 'it'], { ...one, RATE: 999, ETA: 999, UPDATED: 9999 });
    addRecordOf(['sum', 'a', 'it'], { COMPLETED: 1, STARTED: 1, UPDATED: 500 });
    const two = { COMPLETED: 20, EXPECTED: 200, STARTED: 4, FINISHED: 3 };
    addRecordOf(b, { ...two, BASE: 15, TOTAL: 40, RATE: 1.5, ETA: 10, UPDATED: 2000 });
    addRecordOf(['sum', 'b', 'B'], { COMPLETED: 5, EXPECTED: 5, STARTED: 1, FINISHED: 1, UPDATED: 1500 });
    const buckets: Bucket[] = [
      {
        ...emptyBucket('b', 'it'),
        completed: 30,
        total: 300,
        running_completed: 11,
        running_expected: 100,
        limited: 2,
        active: 2,
        finished: 4,
        incomplete: 2,
        failed: 1,
        rate: 4,
        eta: 30,
        updated: 2000,
        sampled: now,
      },
      { ...emptyBucket('a', 'it'), completed: 1, active: 1, updated: 500, sampled: now },
      { ...emptyBucket('b', 'B'), completed: 5, total: 5, finished: 1, updated: 1500 },
    ];
    assert.deepEqual(await new BucketReader('sum').read(), buckets);
    assert.deepEqual(await new BucketReader('another').read(), []);
  });

  it('keeps the counts of an ended writer, whose running bars have failed', async () => {
    const writer: Writer = { id: 'gone', live: true };
    const departed: [string, string, string] = ['departed', 'b', 'it'];
    const three = { COMPLETED: 10, EXPECTED: 100, STARTED: 3, FINISHED: 1 };
    addRecordOf(departed, { ...three, RATE: 2.5, ETA: 30, UPDATED: 3000 }, writer);
    addRecordOf(departed, { COMPLETED: 1, EXPECTED: 10, STARTED: 1, RATE: 0.5, ETA: 5, UPDATED: 1000 });
    const reader = new BucketReader('departed');
    const sums = { ...emptyBucket('b', 'it'), completed: 11, total: 110, finished: 1, sampled: now };
    assert.deepEqual(await reader.read(), [
      { ...sums, active: 3, failed: 0, rate: 3, eta: 30, updated: 3000 },
    ]);
    writer.live = false;
    assert.deepEqual(await reader.read(), [
      { ...sums, active: 1, failed: 2, rate: 0.5, eta: 5, updated: 1000 },
    ]);
  });

  it('slows down while its thread is blocked and takes no samples', async () => {
    const blocked = { COMPLETED: 10, EXPECTED: 100, TOTAL: 100, STARTED: 1, RATE: 4, STEP: 8, ETA: 20 };
    addRecordOf(['blocked', 'b', 'it'], { ...blocked, SAMPLED: now - 200 });
    addRecordOf(['blocked', 'c', 'it'], { ...blocked, SAMPLED: now - 1 });
    const [b, c] = await new BucketReader('blocked').read();
    // In 200 seconds the bar has moved by one step of 8 units at most.
    assert.ok(b!.rate > 0.035 && b!.rate <= 0.04, `${b!.rate}`);
    assert.ok(b!.eta >= 2000 && b!.eta < 2300, `${b!.eta}`);
    assert.deepEqual([c!.rate, c!.eta], [4, 20]);
  });

  it('has no series for numbers that are not known', async () => {
    const proxy = 'unknown';
    addRecordOf([proxy, 'no total', 'it'], { COMPLETED: 5, STARTED: 1, RATE: 2 });
    addRecordOf([proxy, 'ended, no total', 'it'], { COMPLETED: 5, STARTED: 1, FINISHED: 1 });
    const total = { EXPECTED: 8, TOTAL: 8, STARTED: 1 };
    addRecordOf([proxy, 'total', 'it'], { ...total, COMPLETED: 6, RATE: 2, ETA: 1 });
    addRecordOf([proxy, 'not moved', 'it'], total);
    addRecordOf([proxy, 'empty', 'it'], { STARTED: 1, FINISHED: 1 });
    const families = new BucketFamilies(proxy).snapshot(await new BucketReader(proxy).read());
    const seriesNamed = (name: string) => {
      const snapshot = families.find(({ family }) => family.name === name)!;
      return Object.fromEntries(
        [...seriesOf(snapshot)].map(({ labels, values }) => [labels.bucket, values[0]]),
      );
    };
    assert.deepEqual(seriesNamed('progress_expected'), { total: 8, 'not moved': 8, empty: 0 });
    assert.deepEqual(seriesNamed('progress_eta_seconds'), { 'ended, no total': 0, total: 1, empty: 0 });
    assert.deepEqual(seriesNamed('progress_running_completed'), { total: 6, 'not moved': 0 });
    assert.deepEqual(seriesNamed('progress_running_expected'), { total: 8, 'not moved': 8 });
  });

  it('keeps its families until there is another record', async () => {
    const reader = new BucketReader('growing');
    const families = new BucketFamilies('growing');
    const read = async () => families.snapshot(await reader.read())[0]!;
    addRow('growing', 'b', 'it', [1, 0, 1, 0, 0, 0, 0, 500]);
    const first = await read();
    const second = await read();
    assert.equal(second.family, first.family);
    assert.equal(second.rows, first.rows);
    addRow('growing', 'c', 'it', [2, 0, 1, 0, 0, 0, 0, 500]);
    const shown = [...seriesOf(await read())].map(({ labels, values }) => [labels.bucket, values[0]]);
    assert.deepEqual(shown, [
      ['b', 1],
      ['c', 2],
    ]);
    assert.equal(second.values[0], 1);
  });

  it('has one series for numbers of bars, and one per unit for numbers of units', () => {
    const numbers = {
      completed: 1,
      total: 2,
      running_completed: 9,
      running_expected: 10,
      active: 3,
      finished: 4,
      incomplete: 11,
      failed: 5,
      rate: 6,
      eta: 7,
      updated: 8,
      limited: 3,
      sampled: 0,
    };
    const families = new BucketFamilies('p').snapshot([
      { bucket: 'b', unit: 'it', ...numbers },
      { bucket: 'b', unit: 'B', ...numbers, eta: 70, updated: 80 },
    ]);
    const shown = families.map((snapshot) => [...seriesOf(snapshot)].map(({ values }) => values[0]));
    assert.deepEqual(shown, [[1, 1], [2, 2], [9, 9], [10, 10], [6], [8], [22], [10], [6, 6], [70], [80]]);
  });
});
