/** Outages of Redis: counting continues, and totals are exact afterwards. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  type FamilySnapshot,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';
import type { Additions } from '#metheus/backends/redis/sum-outbox.js';
import { SumOutbox } from '#metheus/backends/redis/sum-outbox.js';
import { freePort, until } from '../../support/processes.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { openBackend, optionsFor, type RedisServer, startRedis, untilFlushed } from './server.js';

const warnings: string[] = [];
process.removeAllListeners('warning');
process.on('warning', ({ message }) => warnings.push(message));
/** Warnings are emitted in the next tick. */
const warningsEmitted = () => new Promise((resolve) => setImmediate(resolve));

/** Returns the first cell of a family, of the series with the given labels or else of the first one. */
function numberOf(snapshots: FamilySnapshot[], name: string, labels?: string): number | undefined {
  const rows = rowsOf(snapshots.find(({ family }) => family.name === name)!);
  return rows.find((row) => labels === undefined || row[0] === labels)?.[1][0];
}

describe('an outage of Redis', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  beforeEach(() => {
    warnings.length = 0;
  });

  it('causes one warning at its start and one at its end, and changes no total', async () => {
    const backend = await openBackend(optionsFor(server, { ioredis: { retryStrategy: () => 20 } }));
    const family = makeFamily({ labelNames: ['a'] });
    const cells = ['x', 'y', 'z'].map((label) => backend.reserve({ family, labels: [label] }));
    let counted = 0;
    const count = () => {
      counted += 1;
      for (const { page, offset } of cells) page[offset]! += 1;
    };
    const take = () => backend.snapshot({ families: [family], scopes: [''] });
    count();
    let snapshots = await take();
    assert.equal(numberOf(snapshots, 'metheus_backend_up'), 1);
    await server.kill();
    // Ten minutes of flushes, one each second.
    for (let second = 0; second < 600; second++) {
      count();
      await assert.rejects(backend.flush());
    }
    snapshots = await take();
    assert.equal(numberOf(snapshots, 'metheus_backend_up'), 0);
    assert.ok(numberOf(snapshots, 'metheus_backend_errors_total', 'kind=connection')! >= 600);
    assert.equal(numberOf(snapshots, family.name), counted, 'the numbers of this process');
    await warningsEmitted();
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0]!, /^Redis is unavailable, metrics are kept in memory: /);
    await server.start();
    await untilFlushed(backend);
    await warningsEmitted();
    // The server kept nothing, so the running producer has sent its numbers again.
    assert.deepEqual(warnings.slice(1).toSorted(), [
      'Redis has lost one metric: running programs send their numbers again, those of ended programs are gone.',
      'Redis is available again: metrics are shared.',
    ]);
    const reader = await openBackend({
      ...optionsFor(server),
      keyPrefix: backend.config.keyPrefix as string,
    });
    for (const one of [reader, backend]) {
      const read = await one.snapshot({ families: [family], scopes: [''] });
      assert.deepEqual(
        rowsOf(read[0]!),
        ['x', 'y', 'z'].map((label) => [`a=${label}`, [counted]]),
      );
      assert.equal(numberOf(read, 'metheus_backend_up'), 1);
      await one.close();
    }
  });

  it('keeps one batch waiting, and nothing of series that come and go', () => {
    const family = makeFamily();
    const outbox = new SumOutbox(family);
    const page = new Float64Array(10);
    for (let i = 0; i < 10; i++) outbox.add({ page, offset: i }, [String(i)], undefined);
    outbox.startScan();
    const batch = outbox.next() as Additions;
    assert.equal(batch.series.length, 10);
    for (let flush = 0; flush < 1000; flush++) {
      page.fill(flush);
      const other = { page: new Float64Array(1), offset: 0 };
      outbox.add(other, [`short-lived ${flush}`], undefined);
      outbox.remove(other, 'removed');
      outbox.startScan();
      assert.equal(outbox.next(), batch, 'the same batch until it is acknowledged');
    }
    outbox.acknowledge(batch);
    outbox.startScan();
    const second = outbox.next() as Additions;
    assert.deepEqual([...second.deltas], new Array(10).fill(999), 'no series is to be removed');
  });

  it('leaves sent numbers in Redis, with a warning, when another backend is loaded meanwhile', async () => {
    const options = optionsFor(server, { ioredis: { retryStrategy: () => 20 } });
    const registry = new CollectorRegistry({ scope: 'shared' });
    const counter = createCounter('left_behind_total', 'L.', { registry });
    await loadBackend(MultiProcessRedisBackend, options);
    counter.inc(5);
    await counter.backend.flush();
    await server.call('SAVE');
    await server.kill();
    counter.inc(2);
    warnings.length = 0;
    await loadBackend(SingleProcessBackend);
    counter.inc();
    assert.equal(counter.get(), 8);
    await warningsEmitted();
    assert.deepEqual(
      warnings.map((warning) => warning.split(': ')[0]),
      ['Redis is unavailable, metrics are kept in memory', 'Redis is unavailable'],
    );
    assert.match(warnings[1]!, /the numbers that this program had sent stay there, as if it had ended/);
    await server.start();
    const reader = await openBackend(options);
    const read = await reader.snapshot({ families: [counter.descriptor], scopes: [] });
    assert.deepEqual(rowsOf(read[0]!), [['', [5]]]);
    await reader.close();
  });

  it("makes a scrape fail with whenDown: 'error'", async () => {
    const port = await freePort();
    const backend = await openBackend(optionsFor({ port }, { whenDown: 'error' }));
    const message = new RegExp(`ECONNREFUSED 127.0.0.1:${port}`);
    await assert.rejects(async () => backend.snapshot({ families: [], scopes: [''] }), message);
    await backend.close();
  });

  it('ends when Redis starts later than the program', async () => {
    const late = await startRedis({ later: true });
    await warningsEmitted();
    warnings.length = 0;
    const backend = await openBackend(optionsFor(late, { ioredis: { retryStrategy: () => 20 } }));
    const family = makeFamily({ labelNames: [] });
    const { page, offset } = backend.reserve({ family, labels: [] });
    page[offset] = 3;
    await assert.rejects(backend.flush(), /ECONNREFUSED/);
    await late.start();
    // The backend flushes as soon as it is connected.
    await until('numbers', async () => ((await late.call('DBSIZE')) === 3 ? true : undefined), 20);
    assert.deepEqual(rowsOf((await backend.snapshot({ families: [family], scopes: [] }))[0]!), [['', [3]]]);
    await backend.close();
    await late.stop();
    await warningsEmitted();
    assert.deepEqual(
      warnings.map((warning) => warning.split(/[,:]/)[0]),
      ['Redis is unavailable', 'Redis is available again'],
    );
  });

  it('makes loading fail with failFast, with the reason', async () => {
    const port = await freePort();
    const options = optionsFor({ port }, { failFast: true, timeout: 0.2 });
    await assert.rejects(openBackend(options), { message: `connect ECONNREFUSED 127.0.0.1:${port}` });
  });

  describe('in which Redis accepts connections and never replies', () => {
    let silent: Server;
    before(async () => {
      silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
      await once(silent, 'listening');
    });
    after(() => silent.close());

    it('does not hold a scrape longer than the time limit', async () => {
      const { port } = silent.address() as { port: number };
      const backend = await openBackend(optionsFor({ port }, { timeout: 0.1 }));
      const family = makeFamily({ labelNames: [] });
      const { page, offset } = backend.reserve({ family, labels: [] });
      page[offset] = 3;
      const snapshots = await backend.snapshot({ families: [family], scopes: [''] });
      assert.equal(numberOf(snapshots, family.name), 3);
      assert.equal(numberOf(snapshots, 'metheus_backend_up'), 0);
      await assert.rejects(openBackend(optionsFor({ port }, { timeout: 0.1, failFast: true })));
      await backend.close();
    });

    it('does not repeat the time limit for every family when it falls silent during a flush', async () => {
      const keys = new Set<string>();
      // Answers the heartbeat and the index, and nothing that concerns a family.
      const call = async (_command: string, ...args: string[]) => {
        const key = args.find((argument) => String(argument).startsWith('silent:'));
        if (key === undefined || !key.includes('{')) return key === 'silent:producers' ? ['', '1'] : 'PONG';
        keys.add(key);
        return new Promise(() => {});
      };
      const client = { call, callBuffer: call, disconnect() {}, on() {}, off() {} };
      const options = { client, keyPrefix: 'silent', timeout: 0.05, flushInterval: 3600 };
      const backend = await openBackend(options as never);
      for (let i = 0; i < 1000; i++) backend.reserve({ family: makeFamily({ labelNames: [] }), labels: [] });
      await assert.rejects(backend.flush(), /did not answer within 50 ms/);
      assert.ok(keys.size < 500, `${keys.size} families were tried`);
      await backend.close();
    });
  });
});
