/** Expiry, compaction, removal, and the loading of other backends. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  generateMetrics,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { familyId } from '#metheus/backends/redis/family-hash.js';
import { until } from '../../support/processes.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

describe('the lifetime of numbers in Redis', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  const ttl = (key: string) => server.call('TTL', key) as Promise<number>;

  it('ends by expiry, which every flush and scrape puts off', async () => {
    const options = optionsFor(server, { expireKeyTime: 1000 });
    const backend = await openBackend(options);
    const family = makeFamily({ labelNames: [] });
    const { page, offset } = backend.reserve({ family, labels: [] });
    page[offset] = 1;
    await backend.flush();
    const keys = (await server.call('KEYS', `${options.keyPrefix}:*`)) as string[];
    const expected = ['families', 'producers', `{${familyId(family)}}`].map(
      (name) => `${options.keyPrefix}:${name}`,
    );
    assert.deepEqual(keys.toSorted(), expected.toSorted());
    const areAllRenewed = async () => (await Promise.all(keys.map(ttl))).every((seconds) => seconds > 900);
    assert.ok(await areAllRenewed());
    for (const key of keys) await server.call('EXPIRE', key, 500);
    // A reader renews what it reads, without being a producer.
    const reader = await openBackend(options);
    await reader.snapshot({ families: [], scopes: [''] });
    await until('renewed keys', async () => ((await areAllRenewed()) ? true : undefined), 20);
    for (const one of [backend, reader]) await one.close();
  });

  it('begins again when a running producer restores an expired family, with a new created time', async () => {
    const options = optionsFor(server, { flushInterval: 0.02 });
    const key = (id: string) => `${options.keyPrefix}:{${id}}`;
    const ended = await openBackend(options);
    const running = await openBackend(options);
    const family = makeFamily({ labelNames: [] });
    for (const backend of [ended, running]) {
      const { page, offset } = backend.reserve({ family, labels: [] });
      page[offset] = 5;
      await backend.flush();
    }
    await ended.close();
    const created = async () =>
      (await running.snapshot({ families: [family], scopes: [] }))[0]!.created?.[0] ?? Number.NaN;
    const before = await created();
    assert.equal(before, Number(await server.call('HGET', key(familyId(family)), 't')));
    const value = async () =>
      rowsOf((await running.snapshot({ families: [family], scopes: [] }))[0]!)[0]?.[1][0];
    assert.equal(await value(), 10);
    await server.call('PEXPIRE', key(familyId(family)), 1);
    // A scrape within that millisecond would renew the key.
    const exists = () => server.call('EXISTS', key(familyId(family)));
    await until('the end of the hash', async () => ((await exists()) === 0 ? true : undefined), 20);
    // The running producer has no change to send; a scrape shows it that its numbers are gone.
    await until(
      'the numbers of the running producer',
      async () => ((await value()) === 5 ? true : undefined),
      20,
    );
    await until('a hash', async () => (await exists()) || undefined, 20);
    assert.ok((await created()) > before);
    await server.call('DEL', `${options.keyPrefix}:families`, `${options.keyPrefix}:producers`);
    await until(
      'the index',
      async () => (await server.call('EXISTS', `${options.keyPrefix}:families`)) || undefined,
      20,
    );
    await running.close();
  });

  it('goes on for a producer that comes back after it was compacted', async () => {
    const options = optionsFor(server);
    const producers = `${options.keyPrefix}:producers`;
    const modes = ['add', 'livesum', 'shared', 'max'] as const;
    const families = modes.map((merge) =>
      makeFamily({ labelNames: [], merge, ...(merge === 'add' ? {} : { type: 'gauge', cells: 2 }) }),
    );
    const count = async (value: number) => {
      const backend = await openBackend(options);
      for (const family of families) {
        const { page, offset } = backend.reserve({ family, labels: [] });
        page[offset] = value;
        if (family.cells > 1) page[offset + 1] = 1;
      }
      await backend.flush();
      return backend;
    };
    const fields = () =>
      Promise.all(
        families.map((family) => server.call('HLEN', `${options.keyPrefix}:{${familyId(family)}}`)),
      );
    const read = async () =>
      (await reader.snapshot({ families, scopes: [] })).map((snapshot) => rowsOf(snapshot)[0]?.[1][0]);
    const warnings: string[] = [];
    const listener = ({ message }: Error) => void warnings.push(message);
    process.on('warning', listener);
    const reader = await openBackend(options);
    await (await count(1)).close();
    const suspended = await count(2);
    await suspended.flush();
    // For each producer, a hash has a token and, for sums, a chunk of its shares.
    assert.deepEqual(await fields(), [11, 6, 6, 6]);
    // One signed off before the last heartbeat, the other has been absent for more than a week.
    for (const producer of (await server.call('ZRANGE', producers, 0, -1)) as string[]) {
      const score = Number(await server.call('ZSCORE', producers, producer));
      await server.call('ZADD', producers, score < 0 ? score + 16 : score - 700_000, producer);
    }
    const compacting = await openBackend(options);
    await compacting.flush();
    // Each hash now also has the names of compacted producers and, except for sums, the number of compactions.
    assert.deepEqual(await fields(), [8, 4, 4, 5]);
    assert.deepEqual(await read(), [3, undefined, undefined, 2]);
    await suspended.flush();
    assert.deepEqual(await read(), [3, 2, 2, 2]);
    const again = suspended.reserve({ family: families[0]!, labels: [] });
    again.page[again.offset] = 5;
    await suspended.flush();
    assert.deepEqual(await read(), [8, 2, 2, 2]);
    process.off('warning', listener);
    assert.deepEqual(warnings, []);
    for (const backend of [suspended, compacting, reader]) await backend.close();
  });

  it('ends for all programs with remove and clear', async () => {
    const options = optionsFor(server);
    await loadBackend(MultiProcessRedisBackend, options);
    const reader = await openBackend(options);
    const registry = new CollectorRegistry({ scope: 'shared' });
    const counter = createCounter('removed_total', 'R.', { requiredLabels: ['a', 'b'], registry });
    const sizes = createHistogram('removed_sizes', 'R.', { requiredLabels: ['a'], buckets: [1], registry });
    const gauge = createGauge('removed_gauge', 'R.', { requiredLabels: ['a'], registry });
    counter.labels({ a: 1, b: 1 }).inc(3);
    counter.labels({ b: 2, a: 1 }).inc(4);
    sizes.labels({ a: 1 }).observe(1);
    gauge.labels({ a: 1 }).set(7);
    const families = [counter, sizes, gauge].map((metric) => metric.descriptor);
    const rows = async () => {
      await counter.backend.flush();
      return (await reader.snapshot({ families, scopes: [] })).map(rowsOf);
    };
    assert.deepEqual(
      (await rows()).map((some) => some.length),
      [2, 1, 1],
    );
    counter.remove({ b: 1, a: 1 });
    assert.deepEqual((await rows())[0], [['a=1,b=2', [4]]]);
    counter.labels({ a: 1, b: 1 }).inc();
    assert.deepEqual((await rows())[0], [
      ['a=1,b=1', [1]],
      ['a=1,b=2', [4]],
    ]);
    counter.clear();
    sizes.clear();
    gauge.remove({ a: 1 });
    assert.deepEqual(await rows(), [[], [], []]);
    // A series removed and created again between two flushes has lost its old value.
    counter.labels({ a: 1, b: 1 }).inc(5);
    await rows();
    counter.remove({ a: 1, b: 1 });
    counter.labels({ a: 1, b: 1 }).inc(2);
    assert.deepEqual((await rows())[0], [['a=1,b=1', [2]]]);
    await reader.close();
  });

  it('ends with a removal: its row goes to another series, and no producer counts in the wrong one', async () => {
    const options = optionsFor(server);
    const [one, two, reader] = await Promise.all([1, 2, 3].map(() => openBackend(options)));
    const family = makeFamily({ type: 'histogram', cells: 4, bounds: [1, 2], labelNames: ['a'] });
    const make = (backend: typeof one, label: string) => {
      const cells = backend!.reserve({ family, labels: [label] });
      return { cells, inc: (by: number) => void cells.page.fill(by, cells.offset, cells.offset + 4) };
    };
    const rows = async () => rowsOf((await reader!.snapshot({ families: [family], scopes: [] }))[0]!);
    const of = (label: string, value: number) => [`a=${label}`, [value, value, value, value]];
    const names = Array.from({ length: 100 }, (_, i) => String(i).padStart(3, '0'));
    const theirs = names.map((name) => make(one, name));
    for (const each of theirs) each.inc(1);
    await one!.flush();
    const mine = new Map(names.map((name) => [name, make(two, name)]));
    // The other producer has not counted in a third of the series yet.
    const isThird = (i: number) => i % 3 === 0;
    for (const [i, name] of names.entries()) mine.get(name)!.inc(isThird(i) ? 0 : 2);
    await two!.flush();
    assert.deepEqual(
      await rows(),
      names.map((name, i) => of(name, isThird(i) ? 1 : 3)),
    );
    // One producer removes this third of the series and creates others, which get their rows.
    for (let i = 0; i < names.length; i += 3) one!.release(family, theirs[i]!.cells);
    await one!.flush();
    const fresh = names.slice(0, 20).map((name) => make(one, `new ${name}`));
    for (const each of fresh) each.inc(7);
    await one!.flush();
    assert.equal(Number(await server.call('HGET', `${options.keyPrefix}:{${familyId(family)}}`, 'n')), 100);
    for (const each of mine.values()) each.inc(5);
    await two!.flush();
    assert.deepEqual(await rows(), [
      ...names.map((name, i) => of(name, isThird(i) ? 5 : 6)),
      ...names.slice(0, 20).map((name) => of(`new ${name}`, 7)),
    ]);
    for (const backend of [one, two, reader]) await backend!.close();
  });

  it('ends for the numbers of this program when it loads another backend', async () => {
    const options = optionsFor(server);
    const other = await openBackend(options);
    const registry = new CollectorRegistry({ scope: 'shared' });
    const counter = createCounter('moved_total', 'M.', { registry });
    const labelled = createCounter('moved_labelled_total', 'M.', { requiredLabels: ['a'], registry });
    counter.inc(2);
    labelled.labels({ a: 0.1 }).inc(0.1);
    const theirs = other.reserve({ family: counter.descriptor, labels: [] });
    theirs.page[theirs.offset] = 10;
    await other.flush();
    const lines = async () =>
      (await generateMetrics(registry)).split('\n').filter((line) => line.startsWith('moved'));
    const theirLines = async () =>
      (await other.snapshot({ families: [counter.descriptor, labelled.descriptor], scopes: [] })).map(rowsOf);
    await loadBackend(MultiProcessRedisBackend, options);
    assert.deepEqual(await lines(), ['moved_total 12', 'moved_labelled_total{a="0.1"} 0.1']);
    counter.inc();
    // Loads Redis again, as another producer, while changes are not sent yet.
    await loadBackend(MultiProcessRedisBackend, options);
    assert.deepEqual(await lines(), ['moved_total 13', 'moved_labelled_total{a="0.1"} 0.1']);
    counter.inc();
    await loadBackend(SingleProcessBackend);
    assert.deepEqual(await lines(), ['moved_total 4', 'moved_labelled_total{a="0.1"} 0.1']);
    assert.deepEqual((await theirLines())[0], [['', [10]]]);
    await loadBackend(MultiProcessRedisBackend, options);
    assert.deepEqual(await lines(), ['moved_total 14', 'moved_labelled_total{a="0.1"} 0.1']);
    await loadBackend(SingleProcessBackend);
    await other.close();
  });
});
