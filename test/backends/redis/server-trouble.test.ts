/** Error replies of Redis and losses of its data, each from a real server. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import type { FamilyDescriptor, FamilySnapshot } from 'metheus';
import type { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { familyId } from '#metheus/backends/redis/family-hash.js';
import { until } from '../../support/processes.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import {
  openBackend,
  optionsFor,
  type RedisServer,
  type ServerOptions,
  startRedis,
  sumOf,
  untilFlushed,
} from './server.js';

const warnings: string[] = [];
process.removeAllListeners('warning');
process.on('warning', ({ message }) => warnings.push(message));
const warningsEmitted = () => new Promise((resolve) => setImmediate(resolve));

const UNAVAILABLE = 'Redis is unavailable, metrics are kept in memory: ';
const AVAILABLE = 'Redis is available again: metrics are shared.';
const LOST =
  'Redis has lost one metric: running programs send their numbers again, those of ended programs are gone.';

describe('trouble of a Redis server', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  beforeEach(() => {
    warnings.length = 0;
  });

  interface CountingProducer {
    readonly backend: MultiProcessRedisBackend;
    readonly family: FamilyDescriptor;
    readonly key: string;
    inc(by?: number): void;
    /** Returns the value in a scrape, and whether Redis is up. */
    read(): Promise<[value: number | undefined, up: number]>;
  }

  async function startProducer(to: { port: number }, given: object = {}): Promise<CountingProducer> {
    const options = optionsFor(to, { retryStrategy: () => 20, ...given });
    const backend = await openBackend(options);
    const family = makeFamily({ labelNames: [] });
    const { page, offset } = backend.reserve({ family, labels: [] });
    const numberOf = (snapshot: FamilySnapshot) => rowsOf(snapshot)[0]?.[1][0];
    return {
      backend,
      family,
      key: `${options.keyPrefix}:{${familyId(family)}}`,
      inc: (by = 1) => {
        page[offset]! += by;
      },
      read: async () => {
        const snapshots = await backend.snapshot({ families: [family], scopes: [''] });
        const up = snapshots.find((snapshot) => snapshot.family.name === 'metheus_backend_up')!;
        return [numberOf(snapshots[0]!), numberOf(up)!];
      },
    };
  }

  async function assertWarnings(expected: readonly string[]): Promise<void> {
    await warningsEmitted();
    assert.deepEqual(warnings, expected);
  }

  /** Runs a test with a server of its own. */
  async function withServer(options: ServerOptions, run: (own: RedisServer) => Promise<void>): Promise<void> {
    const own = await startRedis(options);
    try {
      await run(own);
    } finally {
      await own.stop();
    }
  }

  it('SCRIPT FLUSH has no visible effect', async () => {
    const one = await startProducer(server);
    one.inc();
    assert.deepEqual(await one.read(), [1, 1]);
    await server.call('SCRIPT', 'FLUSH');
    one.inc();
    assert.deepEqual(await one.read(), [2, 1]);
    await assertWarnings([]);
    await one.backend.close();
  });

  it('FLUSHALL has running producers send everything again, with a warning', async () => {
    const [one, idle] = [await startProducer(server), await startProducer(server)];
    for (const each of [one, idle]) each.inc(5);
    for (const each of [one, idle]) await each.backend.flush();
    await server.call('FLUSHALL');
    one.inc();
    assert.deepEqual(await one.read(), [6, 1]);
    await idle.backend.flush();
    assert.deepEqual(await idle.read(), [5, 1], 'without a change since');
    await assertWarnings([LOST, LOST]);
    for (const each of [one, idle]) await each.backend.close();
  });

  it('a restart without its data has the effect of FLUSHALL', () =>
    withServer({}, async (own) => {
      const one = await startProducer(own);
      one.inc(5);
      await one.backend.flush();
      await own.kill();
      await own.start();
      await untilFlushed(one.backend);
      assert.deepEqual(await one.read(), [5, 1]);
      await warningsEmitted();
      assert.ok(warnings.includes(LOST), warnings.join());
      await one.backend.close();
    }));

  it('a restart with its data loses nothing and counts nothing twice', () =>
    withServer({}, async (own) => {
      const one = await startProducer(own);
      one.inc(5);
      await one.backend.flush();
      await own.call('SAVE');
      await own.kill();
      one.inc(2);
      await own.start();
      await untilFlushed(one.backend);
      assert.deepEqual(await one.read(), [7, 1]);
      await warningsEmitted();
      assert.deepEqual(
        warnings
          .map((warning) => warning.split(/[,:]/)[0])
          .filter((warning) => warning !== 'Redis is unavailable'),
        warnings.length === 0 ? [] : ['Redis is available again'],
      );
      await one.backend.close();
    }));

  it('an earlier state, from an older file or a replica that was behind, causes a warning with the number of lost flushes', () =>
    withServer({}, async (own) => {
      const one = await startProducer(own);
      one.inc(5);
      await one.backend.flush();
      await own.call('SAVE');
      for (let i = 0; i < 3; i++) {
        one.inc(10);
        await one.backend.flush();
      }
      await own.kill();
      await own.start();
      one.inc(2);
      await untilFlushed(one.backend);
      assert.deepEqual(await one.read(), [7, 1]);
      await warningsEmitted();
      const lost = `Redis has returned to an earlier state: 3 flushes of the metric '${one.family.name}' are lost.`;
      assert.ok(warnings.includes(lost), warnings.join('\n'));
      one.inc();
      assert.deepEqual(await one.read(), [8, 1], 'one warning, and counting continues');
      await one.backend.close();
    }));

  it('an earlier state, in which rows belong to other series, puts no number into the wrong one', () =>
    withServer({}, async (own) => {
      const options = optionsFor(own, { retryStrategy: () => 20 });
      const [one, two, reader] = await Promise.all([1, 2, 3].map(() => openBackend(options)));
      const family = makeFamily({ labelNames: ['a'] });
      const reserve = (backend: typeof one, label: string) => backend!.reserve({ family, labels: [label] });
      const set = ({ page, offset }: ReturnType<typeof reserve>, value: number) => {
        page[offset] = value;
      };
      const early = reserve(one, 'early');
      set(early, 1);
      await one!.flush();
      await two!.flush();
      await own.call('SAVE');
      const late = reserve(one, 'late');
      set(late, 10);
      await one!.flush();
      await own.kill();
      await own.start();
      // The row of `late` is the next to be assigned.
      set(reserve(two, 'other'), 100);
      await untilFlushed(two!);
      set(late, 11);
      await untilFlushed(one!);
      await until(
        'a reader',
        async () => {
          const [snapshot] = await reader!.snapshot({ families: [family], scopes: [] });
          const rows = rowsOf(snapshot!);
          return JSON.stringify(rows) ===
            JSON.stringify([
              ['a=early', [1]],
              ['a=late', [1]],
              ['a=other', [100]],
            ])
            ? true
            : undefined;
        },
        20,
      );
      await warningsEmitted();
      assert.ok(
        warnings.some((warning) => warning.includes('has returned to an earlier state: 1 flush')),
        warnings.join('\n'),
      );
      for (const backend of [one, two, reader]) await backend!.close();
    }));

  it('LOADING is an outage until the data are loaded', () =>
    withServer(
      { args: ['--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024'] },
      async (own) => {
        const one = await startProducer(own, { timeout: 5000 });
        one.inc(5);
        await one.backend.flush();
        await own.call('EVAL', "for i = 1, 3000 do redis.call('SET', 'k' .. i, string.rep('x', 100)) end", 0);
        await own.call('SAVE');
        await own.kill();
        one.inc();
        const started = own.start();
        await until(
          'LOADING',
          async () => {
            const answer = spawnSync('redis-cli', ['-p', String(own.port), 'GET', 'k1'], {
              encoding: 'utf8',
            });
            return answer.stdout.startsWith('LOADING') ? true : undefined;
          },
          20,
        );
        assert.deepEqual(await one.read(), [6, 0], 'the numbers of this process');
        await started;
        await untilFlushed(one.backend);
        assert.deepEqual(await one.read(), [6, 1]);
        await warningsEmitted();
        assert.equal(warnings.length, 2);
        assert.ok(warnings[0]!.startsWith(UNAVAILABLE), warnings[0]);
        assert.equal(warnings[1], AVAILABLE);
        await one.backend.close();
      },
    ));

  it('READONLY of a replica is an outage until it is promoted', () =>
    withServer({ args: ['--replicaof', '127.0.0.1', String(server.port)] }, async (replica) => {
      const one = await startProducer(replica);
      one.inc(5);
      assert.deepEqual(await one.read(), [5, 0]);
      await warningsEmitted();
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /READONLY You can't write against a read only replica/);
      await replica.call('REPLICAOF', 'NO', 'ONE');
      await untilFlushed(one.backend);
      assert.deepEqual(await one.read(), [5, 1]);
      await one.backend.close();
    }));

  it('OOM is an outage until there is memory', () =>
    withServer({}, async (own) => {
      const one = await startProducer(own);
      one.inc(5);
      await one.backend.flush();
      await own.call('CONFIG', 'SET', 'maxmemory', '1000');
      one.inc(2);
      assert.deepEqual(await one.read(), [7, 0]);
      assert.equal(await sumOf(own, one.key), 5, 'a batch is applied completely or not at all');
      await own.call('CONFIG', 'SET', 'maxmemory', '0');
      assert.deepEqual(await one.read(), [7, 1]);
      await warningsEmitted();
      assert.equal(warnings.length, 2, warnings.join('\n'));
      assert.match(warnings[0]!, /OOM command not allowed/);
      assert.equal(warnings[1], AVAILABLE);
      await one.backend.close();
    }));

  it('WRONGTYPE affects one metric, which is served with the numbers of this process', async () => {
    const one = await startProducer(server);
    await server.call('SET', one.key, 'of another application');
    const other = makeFamily({ labelNames: [] });
    const { page, offset } = one.backend.reserve({ family: other, labels: [] });
    page[offset] = 9;
    one.inc(5);
    assert.deepEqual(await one.read(), [5, 1]);
    const reader = await openBackend({
      ...optionsFor(server),
      keyPrefix: one.backend.config.keyPrefix as string,
    });
    const read = await reader.snapshot({ families: [other], scopes: [''] });
    assert.deepEqual(rowsOf(read[0]!), [['', [9]]]);
    assert.ok(!read.some(({ family }) => family.name === one.family.name));
    await warningsEmitted();
    assert.equal(warnings.length, 1, warnings.join('\n'));
    assert.match(warnings[0]!, new RegExp(`^Redis refuses the metric '${one.family.name}': WRONGTYPE`));
    await server.call('DEL', one.key);
    assert.deepEqual(await one.read(), [5, 1]);
    const again = await reader.snapshot({ families: [one.family], scopes: [] });
    assert.deepEqual(rowsOf(again[0]!), [['', [5]]]);
    for (const backend of [one.backend, reader]) await backend.close();
  });

  it('invalid fields and descriptors are ignored', async () => {
    const one = await startProducer(server);
    one.inc();
    await server.call('HSET', `${one.backend.config.keyPrefix}:families`, 'x', 'no JSON');
    await server.call('HSET', `${one.backend.config.keyPrefix}:families`, 'y', '{"name":5}');
    await one.backend.flush();
    const strange = ['p:[broken', '1', 'r:no JSON', '0', 'r:[1,2]', '7', 'r:[]x', 'x', 'b:7', '3', 'x', '4'];
    await server.call('HSET', one.key, ...strange);
    assert.deepEqual(await one.read(), [1, 1]);
    await one.backend.close();
  });

  it('NOAUTH and WRONGPASS are outages whose warning has the reason and no password', () =>
    withServer(
      { args: ['--requirepass', 'right secret'], client: { password: 'right secret' } },
      async (own) => {
        for (const [given, reason] of [
          [{}, 'NOAUTH'],
          [{ password: 'wrong secret' }, 'WRONGPASS'],
          [{ url: `redis://:wrong%20secret@127.0.0.1:${own.port}` }, 'WRONGPASS'],
        ] as const) {
          warnings.length = 0;
          const one = await startProducer(own, given);
          one.inc(5);
          assert.deepEqual(await one.read(), [5, 0]);
          await warningsEmitted();
          assert.equal(warnings.length, 1);
          assert.ok(warnings[0]!.startsWith(`${UNAVAILABLE}${reason} `), warnings[0]);
          assert.doesNotMatch(inspect([warnings, one.backend.config]), /secret/);
          await one.backend.close();
          const failing = openBackend(optionsFor(own, { ...given, failFast: true }));
          const error = await failing.then(
            () => assert.fail('it loaded'),
            (reason: Error) => reason,
          );
          assert.match(error.message, new RegExp(`^${reason}`));
          assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /secret/);
        }
        const right = await startProducer(own, { password: 'right secret' });
        right.inc(5);
        assert.deepEqual(await right.read(), [5, 1]);
        await right.backend.close();
      },
    ));
});
