/** Records added up: numbers that are sums, that are the latest, and that end with their writer. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { activeBackend } from '#metheus/backends/active-backend.js';
import type { Writer } from '#metheus/backends/backend.js';
import { seriesOf } from '#metheus/model/family.js';
import { BucketFamilies } from '#metheus/progress/publish/bucket-metrics.js';
import { type Bucket, BucketReader } from '#metheus/progress/publish/buckets.js';
import { BARS } from '#metheus/progress/publish/record-pool.js';

let rows = 0;

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
    addRow('sum', 'b', 'it', [10, 100, 3, 1, 1, 2.5, 30, 1000]);
    addRow('other', 'b', 'it', [999, 999, 999, 0, 0, 999, 999, 9999]);
    addRow('sum', 'a', 'it', [1, 0, 1, 0, 0, 0, 0, 500]);
    addRow('sum', 'b', 'it', [20, 200, 4, 2, 0, 1.5, 10, 2000]);
    addRow('sum', 'b', 'B', [5, 5, 1, 1, 0, 0, 0, 1500]);
    const buckets: Bucket[] = [
      {
        bucket: 'b',
        unit: 'it',
        completed: 30,
        total: 300,
        active: 3,
        finished: 3,
        failed: 1,
        rate: 4,
        eta: 30,
        updated: 2000,
      },
      {
        bucket: 'a',
        unit: 'it',
        completed: 1,
        total: 0,
        active: 1,
        finished: 0,
        failed: 0,
        rate: 0,
        eta: 0,
        updated: 500,
      },
      {
        bucket: 'b',
        unit: 'B',
        completed: 5,
        total: 5,
        active: 0,
        finished: 1,
        failed: 0,
        rate: 0,
        eta: 0,
        updated: 1500,
      },
    ];
    assert.deepEqual(await new BucketReader('sum').read(), buckets);
    assert.deepEqual(await new BucketReader('another').read(), []);
  });

  it('keeps the counts of an ended writer, whose running bars have failed', async () => {
    const writer: Writer = { id: 'gone', live: true };
    addRow('departed', 'b', 'it', [10, 100, 3, 1, 0, 2.5, 30, 3000], writer);
    addRow('departed', 'b', 'it', [1, 10, 1, 0, 0, 0.5, 5, 1000]);
    const reader = new BucketReader('departed');
    const sums = { bucket: 'b', unit: 'it', completed: 11, total: 110, finished: 1 };
    assert.deepEqual(await reader.read(), [
      { ...sums, active: 3, failed: 0, rate: 3, eta: 30, updated: 3000 },
    ]);
    writer.live = false;
    assert.deepEqual(await reader.read(), [
      { ...sums, active: 1, failed: 2, rate: 0.5, eta: 5, updated: 1000 },
    ]);
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
      active: 3,
      finished: 4,
      failed: 5,
      rate: 6,
      eta: 7,
      updated: 8,
    };
    const families = new BucketFamilies('p').snapshot([
      { bucket: 'b', unit: 'it', ...numbers },
      { bucket: 'b', unit: 'B', ...numbers, eta: 70, updated: 80 },
    ]);
    const shown = families.map((snapshot) => [...seriesOf(snapshot)].map(({ values }) => values[0]));
    assert.deepEqual(shown, [[1, 1], [2, 2], [6], [8], [10], [6, 6], [70], [80]]);
  });
});
