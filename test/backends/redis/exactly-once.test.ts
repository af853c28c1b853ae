/** What was counted is in Redis once, whatever happens to connections. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { type Fault, type FaultyProxy, randomNumbers, startProxy } from './faulty-proxy.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

/** Flushes with faults: all of them where nothing is spared. */
const FLUSHES = process.env.CI === 'true' ? 10_000 : 2000;

// Hundreds of outages, each with its warnings.
process.removeAllListeners('warning');

describe('exactly once', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  let proxy: FaultyProxy;
  before(async () => {
    server = await startRedis();
    proxy = await startProxy(server.port);
  });
  after(async () => {
    await proxy.stop();
    await server.stop();
  });

  it(`is so over ${FLUSHES} flushes through a network that drops, cuts and delays`, async (test) => {
    const random = randomNumbers(4);
    const options = optionsFor(server, { timeout: 80 });
    const producers = await Promise.all(
      [1, 2].map(() => openBackend({ ...options, port: proxy.port, retryStrategy: () => 1 })),
    );
    const counter = makeFamily({ labelNames: ['a', 'b'] });
    const histogram = makeFamily({ type: 'histogram', cells: 5, bounds: [1, 2, 3], labelNames: [] });
    const summary = makeFamily({ type: 'summary', cells: 2, labelNames: ['a'] });
    const gauge = makeFamily({ type: 'gauge', cells: 2, merge: 'sum', labelNames: [] });
    const families = [counter, histogram, summary, gauge];
    const labels = [['x', '"'], [], ['y'], []];
    const cells = producers.map((backend) =>
      families.map((family, i) => backend.reserve({ family, labels: labels[i]! })),
    );
    // Multiples of 1/1024 are exact, and so are their sums: nothing is lost in rounding.
    const totals = families.map((family) => new Array<number>(family.cells).fill(0));
    let inMiddle = 0;
    let batches = 0;
    proxy.decide = (way, chunk): Fault => {
      const dice = random();
      const isBatch = way === 'request' && /evalsha.*\{/is.test(chunk.toString('latin1'));
      if (isBatch) batches += 1;
      if (dice < 0.06) return 'drop';
      if (dice < 0.12) {
        if (isBatch) inMiddle += 1;
        return 'cut';
      }
      return dice < 0.126 ? 'delay' : 'none';
    };
    let failed = 0;
    for (let flush = 0; flush < FLUSHES; flush++) {
      const who = flush % producers.length;
      for (const [i, family] of families.entries()) {
        const { page, offset } = cells[who]![i]!;
        for (let cell = 0; cell < family.cells; cell++) {
          const by = family === counter ? 1 : Math.round(random() * 4096) / 1024;
          if (family === gauge && cell === 1) page[offset + 1] = 1 + flush;
          else {
            page[offset + cell]! += by;
            totals[i]![cell]! += by;
          }
        }
      }
      await producers[who]!.flush().catch(() => {
        failed += 1;
        return sleep(2);
      });
    }
    totals[3]![1] = FLUSHES;
    proxy.decide = () => 'none';
    for (const backend of producers) await untilFlushed(() => backend.flush());
    const { drop, cut, delay } = proxy.counts;
    test.diagnostic(
      `${failed} of ${FLUSHES} flushes failed; of ${batches} chunks with batches ${inMiddle} were cut; in all ${drop} chunks dropped, ${cut} cut, ${delay} delayed`,
    );
    for (const count of [failed, inMiddle, drop, cut, delay]) assert.ok(count > FLUSHES / 200);
    const reader = await openBackend({ ...options, timeout: 10_000, whenDown: 'error' });
    const snapshots = await reader.snapshot({ families, scopes: [] });
    assert.deepEqual(
      snapshots.map((snapshot) => rowsOf(snapshot)[0]![1]),
      totals,
    );
    for (const backend of [...producers, reader]) await backend.close();
  });

  it('is so for a batch that arrives again, late, or after the hash was lost', async () => {
    const options = optionsFor(server);
    const sent: (string | number | Buffer)[][] = [];
    const client = Object.assign(Object.create(server.client), {
      call: (...args: [string, ...string[]]) => {
        // Batches, which are the calls with binary numbers.
        if (args[0].startsWith('EVAL') && Buffer.isBuffer(args.at(-1))) sent.push(args);
        return server.client.call(...args);
      },
    });
    const backend = await openBackend({ ...options, client });
    const family = makeFamily({ labelNames: [] });
    const { page, offset } = backend.reserve({ family, labels: [] });
    const value = async () =>
      rowsOf((await backend.snapshot({ families: [family], scopes: [] }))[0]!)[0]?.[1][0];
    for (let i = 0; i < 3; i++) {
      page[offset]! += 5;
      await backend.flush();
    }
    const again = async () => {
      const replies = [];
      for (const [name, ...args] of sent.toReversed()) {
        replies.push(await server.client.call(name as string, ...args));
      }
      return replies;
    };
    assert.deepEqual(await again(), ['seen', 'seen', 'seen']);
    assert.equal(await value(), 15);
    await server.call('FLUSHALL');
    assert.deepEqual(await again(), ['lost', 'lost', 'lost']);
    assert.equal(await value(), 15, 'it was sent anew');
    assert.deepEqual((await again()).slice(-3), ['lost', 'lost', 'lost']);
    assert.equal(await value(), 15);
    // Somebody folds what this producer has left, and its batches come once more.
    const key = `${options.keyPrefix}:producers`;
    for (const producer of (await server.call('ZRANGE', key, 0, -1)) as string[]) {
      await server.call('ZADD', key, -1, producer);
    }
    const other = await openBackend(options);
    await other.flush();
    assert.deepEqual((await again()).slice(0, 1), ['unknown']);
    page[offset]! += 5;
    assert.equal(await value(), 20, 'it comes back');
    assert.deepEqual((await again()).slice(0, 2), ['seen', 'unknown']);
    assert.equal(await value(), 20);
    await other.close();
    const listening = () => ['error', 'ready'].map((event) => server.client.listenerCount(event));
    const before = listening();
    await backend.close();
    assert.deepEqual(
      listening(),
      before.map((count, i) => count - 1 - i),
      'nothing is left on it',
    );
    assert.equal(await server.call('PING'), 'PONG', 'a client that was given is not closed');
  });

  it('holds at the first batch too', async () => {
    const options = optionsFor(server, { timeout: 200, port: proxy.port });
    const backend = await openBackend(options);
    const family = makeFamily({ labelNames: [] });
    const { page, offset } = backend.reserve({ family, labels: [] });
    page[offset] = 7;
    let left = 8;
    // Every second reply is lost: the command was done.
    proxy.decide = (way) => (way === 'reply' && left-- > 0 && left % 2 === 1 ? 'drop' : 'none');
    await untilFlushed(() => backend.flush());
    const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
    assert.deepEqual(rowsOf(snapshot!), [['', [7]]]);
    await backend.close();
  });
});

/** Tries until it succeeds. */
async function untilFlushed(flush: () => Promise<void>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      return await flush();
    } catch {
      await sleep(20);
    }
  }
  throw new Error('Redis did not take the numbers');
}
