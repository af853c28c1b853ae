/** Bars of worker threads, as published by the proxy of the thread that started them. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadBackend, SingleProcessBackend } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';
import { activeBackend } from '#metheus/backends/active-backend.js';
import { seriesOf } from '#metheus/model/family.js';
import { BARS } from '#metheus/progress/publish/record-pool.js';
import { bucketOf, COUNTED, scrape, serve } from '../served-proxy.js';
import type { Opening, Order } from './bar-worker.js';

/** Starts a worker and waits until its bar is open. */
async function startWorker(t: TestContext, opening: Opening): Promise<Worker> {
  const worker = new Worker(new URL('./bar-worker.js', import.meta.url), { workerData: opening });
  t.after(() => worker.terminate());
  await once(worker, 'message');
  return worker;
}

/** Sends a command and waits until the worker has executed it. */
async function tell(worker: Worker, order: Order): Promise<void> {
  worker.postMessage(order);
  await once(worker, 'message');
}

/** Returns how many records of a proxy have a living writer, and how many an ended one. */
async function liveRows(proxy: string): Promise<{ live: number; departed: number }> {
  const [bars] = await activeBackend().snapshot({ families: [BARS], scopes: [] });
  const rows = [...seriesOf(bars!)].filter(({ labels }) => labels.proxy === proxy);
  const live = rows.filter((row) => row.live).length;
  return { live, departed: rows.length - live };
}

describe('bars of worker threads', () => {
  it('are added to those of the main thread while they run', async (t) => {
    const { name } = new TqdmPromProxy();
    const proxy = await serve(t, { name });
    const own = proxy.tqdm(null, { ...COUNTED, desc: 'job', total: 50 });
    own.update(5);
    const workers = await Promise.all([1, 2, 3, 4].map(() => startWorker(t, { desc: 'job', total: 100 })));
    const numbers = async () => {
      const found = bucketOf(await scrape(proxy), 'job');
      assert.ok(found.last_update_timestamp_seconds! > 1.7e9);
      // Without those that depend on time, and those of running bars.
      const rest = Object.entries(found).filter(([name]) => !/^(last_update|rate|eta|running)_/.test(name));
      return Object.fromEntries(rest);
    };
    const still = { 'expected it': 450, incomplete_bars_total: 0 };
    const running = { ...still, finished_bars_total: 0, failed_bars_total: 0, active_bars: 5 };
    assert.deepEqual(await numbers(), { ...running, 'completed_total it': 5 });
    for (let round = 1; round <= 3; round++) {
      await Promise.all(workers.map((worker, i) => tell(worker, { update: 10 ** i })));
      assert.deepEqual(await numbers(), { ...running, 'completed_total it': 5 + 1111 * round });
    }

    const completed = { ...still, 'completed_total it': 3338, incomplete_bars_total: 1 };
    await tell(workers[0]!, 'close');
    assert.deepEqual(await numbers(), {
      ...completed,
      active_bars: 4,
      finished_bars_total: 0,
      failed_bars_total: 0,
    });
    await tell(workers[1]!, 'fail');
    assert.deepEqual(await numbers(), {
      ...completed,
      active_bars: 3,
      finished_bars_total: 0,
      failed_bars_total: 1,
    });
    assert.deepEqual(await liveRows(proxy.name), { live: 5, departed: 0 });

    // One is terminated in the middle: its bar has failed, and its counts stay.
    await workers[2]!.terminate();
    assert.deepEqual(await numbers(), {
      ...completed,
      active_bars: 2,
      finished_bars_total: 0,
      failed_bars_total: 2,
    });
    assert.deepEqual(await liveRows(proxy.name), { live: 4, departed: 1 });

    // A worker that ends with an open bar closes it. Closed bars are not changed.
    await Promise.all(
      [workers[3]!, workers[0]!, workers[1]!].map((worker) => {
        worker.postMessage('leave');
        return once(worker, 'exit');
      }),
    );
    // The bar that left had done more than its total of 100.
    const after = { ...completed, active_bars: 1, finished_bars_total: 1, failed_bars_total: 2 };
    assert.deepEqual(await numbers(), after);
    assert.deepEqual(await liveRows(proxy.name), { live: 1, departed: 1 });
    own.close();
    assert.deepEqual(await numbers(), { ...after, active_bars: 0, incomplete_bars_total: 2 });
  });

  it('leave no more records than one, however many workers there were', async (t) => {
    const proxy = await serve(t, { name: 'generations' });
    for (let generation = 1; generation <= 5; generation++) {
      const worker = await startWorker(t, { desc: 'job', total: 10, name: 'generations' });
      await tell(worker, { update: 10 });
      await tell(worker, 'close');
      await tell(worker, 'open');
      await tell(worker, { update: 1 });
      await worker.terminate();
      const numbers = bucketOf(await scrape(proxy), 'job');
      assert.equal(numbers['completed_total it'], 11 * generation);
      assert.equal(numbers['expected it'], 20 * generation);
      assert.equal(numbers.finished_bars_total, generation);
      assert.equal(numbers.failed_bars_total, generation);
      assert.equal(numbers.active_bars, 0);
      assert.deepEqual(await liveRows('generations'), { live: 0, departed: 1 });
    }
  });

  it('fail when their worker ends by an error', async (t) => {
    const proxy = await serve(t, { name: 'thrown' });
    const worker = await startWorker(t, { desc: 'job', total: 10, name: 'thrown' });
    await tell(worker, { update: 4 });
    const exit = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage('throw');
    await assert.rejects(once(worker, 'exit'), /told to/);
    await exit;
    const numbers = bucketOf(await scrape(proxy), 'job');
    assert.equal(numbers['completed_total it'], 4);
    assert.equal(numbers.failed_bars_total, 1);
  });

  it('of workers of workers are published, and outlive both', async (t) => {
    const proxy = await serve(t, { name: 'nested' });
    const worker = await startWorker(t, { desc: 'job', total: 10, name: 'nested', nested: true });
    await tell(worker, { update: 4 });
    assert.equal(bucketOf(await scrape(proxy), 'job').active_bars, 1);
    worker.postMessage('leave');
    await once(worker, 'exit');
    const numbers = bucketOf(await scrape(proxy), 'job');
    assert.equal(numbers['completed_total it'], 4);
    assert.equal(numbers.active_bars, 0);
    assert.equal(numbers.incomplete_bars_total, 1);
    assert.equal(numbers.failed_bars_total, 0);
  });

  it('of another proxy are not published', async (t) => {
    const proxy = await serve(t, { name: 'here' });
    await startWorker(t, { desc: 'job', total: 10, name: 'there' });
    assert.deepEqual(bucketOf(await scrape(proxy), 'job'), {});
  });

  it('move to a backend that is loaded late, also those of ended workers', async (t) => {
    const proxy = await serve(t, { name: 'moving' });
    const opening = { desc: 'job', total: 100, name: 'moving' };
    const running = await startWorker(t, opening);
    const doomed = await startWorker(t, opening);
    await tell(running, { update: 10 });
    await tell(doomed, { update: 1 });
    await doomed.terminate();
    // Without the numbers that depend on time.
    const counts = async () => (await scrape(proxy)).replace(/^progress_(rate|eta|last).*\n/gm, '');
    const before = await counts();
    assert.equal(bucketOf(before, 'job')['completed_total it'], 11);
    for (let i = 0; i < 2; i++) {
      await loadBackend(SingleProcessBackend);
      assert.equal(await counts(), before);
    }
    await tell(running, { update: 20 });
    await running.terminate();
    await loadBackend(SingleProcessBackend);
    const numbers = bucketOf(await scrape(proxy), 'job');
    assert.equal(numbers['completed_total it'], 31);
    assert.equal(numbers.failed_bars_total, 2);
    assert.equal(numbers.active_bars, 0);
  });
});
