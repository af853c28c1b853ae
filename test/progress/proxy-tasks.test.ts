/** Streams, promises and tasks whose bars are published. */

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { it } from 'node:test';
import { bucketOf, COUNTED, scrape, serve } from './served-proxy.js';

it('a proxy serves the counts of streams, promises and tasks', async (t) => {
  const proxy = await serve(t);
  const { tqdm } = proxy;
  await pipeline(
    [Buffer.alloc(30)],
    tqdm(null, { ...COUNTED, desc: 'Stream', total: 40, unit: 'B' }).stream(),
    new PassThrough().resume(),
  );
  await tqdm.response(new Response('abc'), { ...COUNTED, desc: 'Body' }).text();
  await tqdm.all([1, 2, 3], { ...COUNTED, desc: 'All' });
  await tqdm.allSettled([Promise.reject(new Error('no'))], { ...COUNTED, desc: 'Settled' });
  for await (const _ of tqdm.asCompleted([1, 2], { ...COUNTED, desc: 'Completed' }));
  await assert.rejects(
    tqdm.map(
      [1, 2],
      (n) => {
        // Bars of tasks are published like all others.
        for (const _ of tqdm(n, { ...COUNTED, desc: 'Part' }));
        if (n === 2) throw new Error('two');
      },
      { ...COUNTED, desc: 'Map', concurrency: 1 },
    ),
    /two/,
  );
  const text = await scrape(proxy);
  const summary = (bucket: string, unit = 'it') => {
    const found = bucketOf(text, bucket);
    return [
      found[`completed_total ${unit}`],
      found[`expected ${unit}`],
      found.active_bars,
      found.finished_bars_total,
      found.incomplete_bars_total,
      found.failed_bars_total,
    ];
  };
  assert.deepEqual(summary('Stream', 'B'), [30, 40, 0, 0, 1, 0]);
  assert.deepEqual(summary('Body', 'B'), [3, undefined, 0, 1, 0, 0]);
  assert.deepEqual(summary('All'), [3, 3, 0, 1, 0, 0]);
  assert.deepEqual(summary('Settled'), [1, 1, 0, 1, 0, 0]);
  assert.deepEqual(summary('Completed'), [2, 2, 0, 1, 0, 0]);
  assert.deepEqual(summary('Map'), [1, 2, 0, 0, 0, 1]);
  assert.deepEqual(summary('Part'), [3, 3, 0, 2, 0, 0]);
});
