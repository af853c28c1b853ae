/** Redis loses its scripts, its data, or the last of its data: restarts, FLUSHALL, and returns to an earlier state. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { familyId } from '#metheus/backends/redis/family-hash.js';
import { until } from '../../support/processes.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { startProducer } from './counting-producer.js';
import { openBackend, optionsFor, type RedisServer, startRedis, untilFlushed, withServer } from './server.js';

const warnings: string[] = [];
process.removeAllListeners('warning');
process.on('warning', ({ message }) => warnings.push(message));
const warningsEmitted = () => new Promise((resolve) => setImmediate(resolve));

const LOST =
  'Redis has lost one metric: running programs send their numbers again, those of ended programs are gone.';

const EARLIER =
  'Redis has returned to an earlier state of one metric: running programs send their numbers again, what ended programs had sent since then is gone.';

describe('loss of data in Redis', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  beforeEach(() => {
    warnings.length = 0;
  });

  async function assertWarnings(expected: readonly string[]): Promise<void> {
    await warningsEmitted();
    assert.deepEqual(warnings, expected);
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

  it('the loss of the index, whole or in part, ends with the next flush, and an exporter reports it', async () => {
    const options = optionsFor(server);
    const [backend, exporter] = [await openBackend(options), await openBackend(options)];
    const families = [1, 2].map(() => makeFamily({ labelNames: [] }));
    for (const family of families) {
      const { page, offset } = backend.reserve({ family, labels: [] });
      page[offset] = 3;
      await backend.flush();
    }
    const served = async () =>
      (await exporter.snapshot({ families: [], scopes: [''] }))
        .filter(({ family }) => families.some(({ name }) => name === family.name))
        .map(rowsOf);
    assert.equal((await served()).length, 2);
    const index = `${options.keyPrefix}:families`;
    const first = familyId(families[0]!);
    const descriptor = (await server.call('HGET', index, first)) as string;
    await server.call('DEL', index);
    for (let i = 0; i < 3; i++) assert.deepEqual(await served(), []);
    await assertWarnings([
      'Other programs are running, but Redis lists no metrics: they announce their metrics at the next flush.',
    ]);
    await backend.flush();
    assert.deepEqual(await served(), [[['', [3]]], [['', [3]]]]);
    // An earlier state of the index alone, as after a failover of one node of a cluster.
    await server.call('DEL', index);
    await server.call('HSET', index, first, descriptor);
    await backend.flush();
    assert.deepEqual(await served(), [[['', [3]]], [['', [3]]]]);
    for (const each of [backend, exporter]) await each.close();
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

  it('an earlier state, from an older file or a replica that was behind, loses nothing of a running producer, with a warning', () =>
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
      assert.deepEqual(await one.read(), [37, 1]);
      await warningsEmitted();
      assert.equal(warnings.filter((warning) => warning === EARLIER).length, 1, warnings.join('\n'));
      one.inc();
      assert.deepEqual(await one.read(), [38, 1], 'counting continues');
      await one.backend.close();
    }));

  it('an earlier state, in which rows belong to other series, puts no number into the wrong one', () =>
    withServer({}, async (own) => {
      const options = optionsFor(own, { ioredis: { retryStrategy: () => 20 } });
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
              ['a=late', [11]],
              ['a=other', [100]],
            ])
            ? true
            : undefined;
        },
        20,
      );
      await warningsEmitted();
      assert.ok(warnings.includes(EARLIER), warnings.join('\n'));
      for (const backend of [one, two, reader]) await backend!.close();
    }));
});
