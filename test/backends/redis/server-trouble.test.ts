/** Error replies of Redis, each from a real server. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { familyId } from '#metheus/backends/redis/family-hash.js';
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

  for (const [field, value] of [
    ['n', '100000000'],
    ['n', 'junk'],
    ['n', '-5'],
    ['b:0', 'short'],
    ['q', 'junk'],
    ['v', 'junk'],
    ['m', 'junk'],
  ] as const) {
    it(`an invalid field '${field}' with '${value}' affects no other metric`, async () => {
      const one = await startProducer(server);
      const producers = `${one.backend.config.keyPrefix}:producers`;
      one.inc(5);
      const other = makeFamily({ labelNames: [] });
      const { page, offset } = one.backend.reserve({ family: other, labels: [] });
      page[offset] = 9;
      await one.backend.flush();
      const [producer] = (await server.call('ZRANGE', producers, 0, -1)) as string[];
      const name = field === 'q' ? `${field}:${producer}` : field;
      await server.call('HSET', one.key, name, value);
      const start = performance.now();
      for (let i = 0; i < 3; i++) {
        one.inc();
        page[offset]! += 1;
        const [read, up] = await one.read();
        assert.equal(up, 1);
        assert.ok(read === 6 + i || field === 'b:0', `${read}`);
        const [snapshot] = await one.backend.snapshot({ families: [other], scopes: [] });
        assert.deepEqual(rowsOf(snapshot!), [['', [10 + i]]]);
      }
      assert.ok(performance.now() - start < 5000);
      await warningsEmitted();
      for (const warning of warnings)
        assert.ok(warning.includes(`'${one.family.name}'`) || /one metric/.test(warning), warning);
      await one.backend.close();
    });
  }

  for (const value of ['100000000', 'junk', '-5']) {
    it(`a number of rows '${value}' is corrected with the next series`, async () => {
      const options = optionsFor(server);
      const [backend, reader] = [await openBackend(options), await openBackend(options)];
      const family = makeFamily({ labelNames: ['a'] });
      for (const label of ['x', 'y', 'z']) {
        const { page, offset } = backend.reserve({ family, labels: [label] });
        page[offset] = 7;
        await backend.flush();
        const key = `${options.keyPrefix}:{${familyId(family)}}`;
        if (label === 'x') await server.call('HSET', key, 'n', value);
      }
      const [snapshot] = await reader.snapshot({ families: [family], scopes: [] });
      assert.deepEqual(
        rowsOf(snapshot!),
        ['x', 'y', 'z'].map((label) => [`a=${label}`, [7]]),
      );
      for (const each of [backend, reader]) await each.close();
    });
  }

  for (const [field, name, message] of [
    ['b:0', 'field b:0', 'Redis refuses the metric'],
    ['r:[]', 'series []', 'Redis has invalid data of the metric'],
  ] as const) {
    it(`an invalid field '${field}' is named in a warning, and the metric is served with the numbers of this process`, async () => {
      const one = await startProducer(server);
      one.inc(5);
      await one.read();
      // A block with a generation and no cells; a row far beyond the last.
      const value =
        field === 'b:0' ? (await server.client.hgetBuffer(one.key, 'b:0'))!.subarray(0, 8) : '1e15';
      await server.client.hset(one.key, field, value, 'v', 'changed');
      one.inc();
      assert.deepEqual(await one.read(), [6, 1]);
      await warningsEmitted();
      const [warning = ''] = warnings;
      assert.ok(warning.startsWith(`${message} '${one.family.name}': `) && warning.includes(name), warning);
      await one.backend.close();
    });
  }

  it('invalid descriptors in the index are ignored', async () => {
    const one = await startProducer(server);
    one.inc(5);
    await one.backend.flush();
    const { keyPrefix } = one.backend.config;
    const invalid = [{ cells: 1e15 }, { name: '' }, { labelNames: ['a', 'a'] }, { labelNames: ['__name__'] }];
    for (const [i, change] of invalid.entries()) {
      const descriptor = JSON.stringify({ ...one.family, name: `invalid_${i}`, ...change });
      await server.call('HSET', `${keyPrefix}:families`, `x${i}`, descriptor);
      await server.call('HSET', `${keyPrefix}:{x${i}}`, 't', '1', 'n', '1');
    }
    const snapshots = await one.backend.snapshot({ families: [one.family], scopes: [''] });
    const names = snapshots.map(({ family }) => family.name).filter((name) => !name.startsWith('metheus_'));
    assert.deepEqual(names, [one.family.name]);
    assert.deepEqual(await one.read(), [5, 1]);
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
