/** Error replies of Redis, each from a real server. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { until } from '../../support/processes.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { startProducer } from './counting-producer.js';
import {
  openBackend,
  optionsFor,
  type RedisServer,
  startRedis,
  sumOf,
  untilFlushed,
  withServer,
} from './server.js';

const warnings: string[] = [];
process.removeAllListeners('warning');
process.on('warning', ({ message }) => warnings.push(message));
const warningsEmitted = () => new Promise((resolve) => setImmediate(resolve));

const UNAVAILABLE = 'Redis is unavailable, metrics are kept in memory: ';
const AVAILABLE = 'Redis is available again: metrics are shared.';

describe('trouble of a Redis server', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  beforeEach(() => {
    warnings.length = 0;
  });

  it('LOADING is an outage until the data are loaded', () =>
    withServer(
      { args: ['--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024'] },
      async (own) => {
        const one = await startProducer(own, { timeout: 5 });
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

  it('NOREPLICAS is an outage whose warning has the reason and no digest of a script', () =>
    withServer({}, async (own) => {
      const one = await startProducer(own);
      await own.call('CONFIG', 'SET', 'min-replicas-to-write', '1');
      one.inc(5);
      assert.deepEqual(await one.read(), [5, 0]);
      await warningsEmitted();
      assert.deepEqual(warnings, [`${UNAVAILABLE}NOREPLICAS Not enough good replicas to write.`]);
      await own.call('CONFIG', 'SET', 'min-replicas-to-write', '0');
      assert.deepEqual(await one.read(), [5, 1]);
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
