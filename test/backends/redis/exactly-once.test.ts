/** Everything counted reaches Redis exactly once, whatever happens to connections. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { type Fault, type FaultyProxy, randomNumbers, startProxy } from './faulty-proxy.js';
import { openBackend, optionsFor, type RedisServer, startRedis, untilFlushed } from './server.js';

/** Number of flushes with faults. */
const FLUSHES = process.env.CI === 'true' ? 10_000 : 2000;

// Hundreds of outages print their warnings.
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

  it(`holds over ${FLUSHES} flushes through a network that drops, cuts and delays`, async (test) => {
    const random = randomNumbers(4);
    const options = optionsFor(server, { timeout: 0.08 });
    const producers = await Promise.all(
      [1, 2].map(() => openBackend({ ...options, port: proxy.port, ioredis: { retryStrategy: () => 1 } })),
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
    // Multiples of 1/1024 and their sums are exact, so rounding cannot hide an error.
    const totals = families.map((family) => new Array<number>(family.cells).fill(0));
    let cutBatches = 0;
    let batches = 0;
    proxy.decide = (direction, chunk): Fault => {
      const dice = random();
      const isBatch = direction === 'request' && /evalsha.*\{/is.test(chunk.toString('latin1'));
      if (isBatch) batches += 1;
      if (dice < 0.06) return 'drop';
      if (dice < 0.12) {
        if (isBatch) cutBatches += 1;
        return 'cut';
      }
      return dice < 0.126 ? 'delay' : 'none';
    };
    let failed = 0;
    for (let flush = 0; flush < FLUSHES; flush++) {
      const producer = flush % producers.length;
      for (const [i, family] of families.entries()) {
        const { page, offset } = cells[producer]![i]!;
        for (let cell = 0; cell < family.cells; cell++) {
          const by = family === counter ? 1 : Math.round(random() * 4096) / 1024;
          if (family === gauge && cell === 1) page[offset + 1] = 1 + flush;
          else {
            page[offset + cell]! += by;
            totals[i]![cell]! += by;
          }
        }
      }
      await producers[producer]!.flush().catch(() => {
        failed += 1;
        return sleep(2);
      });
    }
    totals[3]![1] = FLUSHES;
    proxy.decide = () => 'none';
    for (const backend of producers) await untilFlushed(backend);
    const { drop, cut, delay } = proxy.counts;
    test.diagnostic(
      `${failed} of ${FLUSHES} flushes failed; of ${batches} chunks with batches ${cutBatches} were cut; in all ${drop} chunks dropped, ${cut} cut, ${delay} delayed`,
    );
    for (const count of [failed, cutBatches, drop, cut, delay]) assert.ok(count > FLUSHES / 200);
    const reader = await openBackend({ ...options, timeout: 10, whenDown: 'error' });
    const snapshots = await reader.snapshot({ families, scopes: [] });
    assert.deepEqual(
      snapshots.map((snapshot) => rowsOf(snapshot)[0]![1]),
      totals,
    );
    for (const backend of [...producers, reader]) await backend.close();
  });

  it('holds for a batch that arrives again, late, or after the hash was lost', async () => {
    const options = optionsFor(server);
    const sent: (string | number | Buffer)[][] = [];
    const client = Object.assign(Object.create(server.client), {
      call: (...args: [string, ...string[]]) => {
        // Batches of sums are the calls with a binary argument.
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
    const sendAgain = async () => {
      const replies = [];
      for (const [name, ...args] of sent.toReversed()) {
        replies.push(await server.client.call(name as string, ...args));
      }
      return replies;
    };
    assert.deepEqual(await sendAgain(), ['seen', 'seen', 'seen']);
    assert.equal(await value(), 15);
    await server.call('FLUSHALL');
    assert.deepEqual(await sendAgain(), ['lost', 'lost', 'lost']);
    assert.equal(await value(), 15, 'all numbers are sent again');
    assert.deepEqual((await sendAgain()).slice(-3), ['lost', 'lost', 'lost']);
    assert.equal(await value(), 15);
    // Another producer compacts this one, and its batches arrive once more.
    const key = `${options.keyPrefix}:producers`;
    for (const producer of (await server.call('ZRANGE', key, 0, -1)) as string[]) {
      await server.call('ZADD', key, -1, producer);
    }
    const other = await openBackend(options);
    await other.flush();
    assert.deepEqual((await sendAgain()).slice(0, 1), ['unknown']);
    page[offset]! += 5;
    assert.equal(await value(), 20, 'the producer joins again');
    assert.deepEqual((await sendAgain()).slice(0, 2), ['seen', 'unknown']);
    assert.equal(await value(), 20);
    await other.close();
    const countListeners = () => ['error', 'ready'].map((event) => server.client.listenerCount(event));
    const before = countListeners();
    await backend.close();
    assert.deepEqual(
      countListeners(),
      before.map((count, i) => count - 1 - i),
      'the listeners are removed',
    );
    assert.equal(await server.call('PING'), 'PONG', 'a client of the user is not closed');
  });

  it('holds for the first batch', async () => {
    const options = optionsFor(server, { timeout: 0.2, port: proxy.port });
    const backend = await openBackend(options);
    const family = makeFamily({ labelNames: [] });
    const { page, offset } = backend.reserve({ family, labels: [] });
    page[offset] = 7;
    let left = 8;
    // Every second reply is lost, after its command was executed.
    proxy.decide = (direction) => (direction === 'reply' && left-- > 0 && left % 2 === 1 ? 'drop' : 'none');
    await untilFlushed(backend);
    const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
    assert.deepEqual(rowsOf(snapshot!), [['', [7]]]);
    await backend.close();
  });
});
