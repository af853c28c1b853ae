/** The records of published bars: reused, and moved to another backend. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadBackend, SingleProcessBackend } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';
import { activeBackend } from '#metheus/backends/active-backend.js';
import { seriesOf } from '#metheus/model/family.js';
import { COMPLETED } from '#metheus/progress/bar/record.js';
import { BARS, RecordPool } from '#metheus/progress/publish/record-pool.js';
import { bucketOf, COUNTED, scrape, serve } from '../served-proxy.js';

/** Returns the records of a proxy: bucket, unit and units completed. */
async function rowsOf(proxy: string): Promise<[string, string, number][]> {
  const [bars] = await activeBackend().snapshot({ families: [BARS], scopes: [] });
  return [...seriesOf(bars!)]
    .filter(({ labels }) => labels.proxy === proxy)
    .map(({ labels, values }) => [labels.bucket!, labels.unit!, values[COMPLETED]!]);
}

describe('a record', () => {
  it('is reused by the next bar, and continues its counts', async (t) => {
    const proxy = await serve(t);
    for (let i = 0; i < 1000; i++) {
      using bar = proxy.tqdm(null, { ...COUNTED, desc: 'next', total: 2 });
      bar.update(2);
    }
    assert.deepEqual(await rowsOf(proxy.name), [['next', 'it', 2000]]);
    const numbers = bucketOf(await scrape(proxy), 'next');
    assert.equal(numbers['completed_total it'], 2000);
    assert.equal(numbers['expected it'], 2000);
    assert.equal(numbers.active_bars, 0);
    assert.equal(numbers.finished_bars_total, 1000);
  });

  it('does not count late units of a closed bar as those of the next bar', async (t) => {
    const proxy = await serve(t);
    const options = { ...COUNTED, desc: 'late', total: 100 };
    const closed = proxy.tqdm(null, options);
    const looped = proxy.tqdm(8, options);
    const rounds = looped[Symbol.iterator]();
    for (let i = 0; i < 3; i++) rounds.next();
    closed.update(2);
    for (const bar of [closed, looped]) bar.close();
    const next = [proxy.tqdm(null, options), proxy.tqdm(null, options)];
    for (const bar of next) bar.update(1);
    closed.update(5);
    closed.update(0.5);
    closed.n += 10;
    // Two rounds are done when the third item is given.
    while (rounds.next().done !== true);
    assert.equal(closed.n, 17.5);
    const numbers = bucketOf(await scrape(proxy), 'late');
    assert.equal(numbers['completed_total it'], 17.5 + 8 + 2);
    assert.equal(numbers['running_completed it'], 2);
    for (const bar of next) bar.close();
  });

  it('belongs to one bar at a time, of its bucket and unit', async () => {
    const proxy = new TqdmPromProxy();
    const bar = (desc: string, unit: string) => proxy.tqdm(null, { ...COUNTED, desc, unit });
    const first = bar('a', 'it');
    const second = bar('a', 'it');
    first.update(1);
    second.update(10);
    first.close();
    first.close();
    bar('a', 'B').update(100);
    bar('b', 'it').update(1000);
    bar('a', 'it').update(2);
    bar('a', 'it').update(20);
    assert.deepEqual(await rowsOf(proxy.name), [
      ['a', 'it', 3],
      ['a', 'it', 10],
      ['a', 'B', 100],
      ['b', 'it', 1000],
      ['a', 'it', 20],
    ]);
  });

  it('is not shared by buckets whose names and units only look alike', async () => {
    const pool = RecordPool.of('alike');
    for (const [bucket, unit] of [
      ['a', 'b","c'],
      ['a","b', 'c'],
      ['', 'a'],
      ['a', ''],
    ] as const) {
      pool.open(bucket, unit);
    }
    assert.equal((await rowsOf('alike')).length, 4);
  });
});

describe('loading a backend late', () => {
  it('moves the records of running, ended and later bars', async (t) => {
    const proxy = await serve(t);
    const running = proxy.tqdm(null, { ...COUNTED, desc: 'moved', total: 100 });
    running.update(30);
    const loop = proxy.tqdm([1, 2, 3, 4], { ...COUNTED, desc: 'loop' })[Symbol.iterator]();
    loop.next();
    loop.next();
    proxy.tqdm(null, { ...COUNTED, desc: 'moved', total: 5 }).close();
    proxy.tqdm(null, { ...COUNTED, desc: 'moved', unit: 'B' }).fail();
    const counts = async () => (await scrape(proxy)).replace(/^progress_(rate|eta|last).*$/gm, '');
    const before = await counts();

    for (let i = 0; i < 3; i++) {
      await loadBackend(SingleProcessBackend);
      assert.equal(await counts(), before);
    }

    running.update(12);
    while (!loop.next().done);
    using again = proxy.tqdm(null, { ...COUNTED, desc: 'moved' });
    again.update();
    const text = await scrape(proxy);
    const moved = bucketOf(text, 'moved');
    assert.equal(moved['completed_total it'], 43);
    assert.equal(moved['expected it'], 105);
    assert.equal(moved.active_bars, 2);
    assert.equal(moved.finished_bars_total, 0);
    assert.equal(moved.incomplete_bars_total, 1);
    assert.equal(moved.failed_bars_total, 1);
    const looped = bucketOf(text, 'loop');
    assert.equal(looped['completed_total it'], 4);
    assert.equal(looped.finished_bars_total, 1);
    // The number of records is the same: none was left behind or moved twice.
    assert.equal((await rowsOf(proxy.name)).length, 4);
  });

  it('moves the records of a proxy that is no longer referenced', async (t) => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    (() => new TqdmPromProxy({ name: 'forgotten' }).tqdm(null, { ...COUNTED, desc: 'gone' }).update(7))();
    // The target of a dereferenced WeakRef is kept alive until the task is over.
    await new Promise(setImmediate);
    collectGarbage();
    await loadBackend(SingleProcessBackend);
    const proxy = await serve(t, { name: 'forgotten' });
    assert.equal(bucketOf(await scrape(proxy), 'gone')['completed_total it'], 7);
  });
});
