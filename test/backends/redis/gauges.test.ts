/** Gauges of producers that run, have ended, or never set them; histograms under concurrent flushes. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FamilyDescriptor, seriesOf } from 'metheus';
import type { MergeMode } from 'metheus/backends';
import type { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { startProgram } from './programs.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

const MODES: readonly MergeMode[] = [
  ...(['shared', 'all', 'liveall', 'min', 'livemin', 'max', 'livemax', 'sum', 'livesum'] as const),
  ...(['mostrecent', 'livemostrecent'] as const),
];

describe('gauges in Redis', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  /** Returns the one producer that is not in `known`, and adds it. */
  async function newProducer(key: string, known: Set<string>): Promise<string> {
    const all = (await server.call('ZRANGE', key, 0, -1)) as string[];
    const fresh = all.filter((producer) => !known.has(producer));
    assert.equal(fresh.length, 1);
    known.add(fresh[0]!);
    return fresh[0]!;
  }

  /** Moves the last heartbeat of a producer into the past, so that it counts as ended. */
  const expire = (key: string, producer: string) => server.call('ZINCRBY', key, -16, producer);

  it('merge running, ended and untouched producers by their mode', async () => {
    const options = optionsFor(server);
    const key = `${options.keyPrefix}:producers`;
    const families = MODES.map((merge) => makeFamily({ type: 'gauge', cells: 2, merge, labelNames: [] }));
    const known = new Set<string>();
    const names: string[] = [];
    const backends: MultiProcessRedisBackend[] = [];
    // The value, and the time of the last set: 0 for a gauge never touched, 1 for one only incremented.
    for (const [value, at] of [
      [5, 100],
      [3, 200],
      [0, 0],
      [9, 300],
      [1, 50],
      [0, 0],
    ] as const) {
      const backend = await openBackend(options);
      for (const family of families) {
        const { page, offset } = backend.reserve({ family, labels: [] });
        page.set([value, at], offset);
      }
      await backend.flush();
      names.push(await newProducer(key, known));
      backends.push(backend);
    }
    const reader = await openBackend(options);
    for (const ended of names.slice(3)) await expire(key, ended);
    const read = async () => {
      const snapshots = await reader.snapshot({ families, scopes: [] });
      const one = (snapshot: (typeof snapshots)[0]) => {
        const rows = [...seriesOf(snapshot)].map(
          ({ labels, values }) => [labels.pid ?? '', values[0]!] as const,
        );
        return rows.length === 1 && rows[0]![0] === '' ? rows[0]![1] : Object.fromEntries(rows);
      };
      return Object.fromEntries(snapshots.map((snapshot, i) => [MODES[i], one(snapshot)]));
    };
    const [a, b, , d, e] = names as [string, string, string, string, string];
    assert.deepEqual(await read(), {
      shared: 9,
      min: 1,
      livemin: 3,
      max: 9,
      livemax: 5,
      sum: 18,
      livesum: 8,
      mostrecent: 9,
      livemostrecent: 3,
      all: { [a]: 5, [b]: 3, [d]: 9, [e]: 1 },
      liveall: { [a]: 5, [b]: 3 },
    });
    // A producer that was only suspended is counted again from its next flush.
    await backends[3]!.flush();
    assert.deepEqual((await read()).liveall, { [a]: 5, [b]: 3, [d]: 9 });
    assert.equal((await read()).livemax, 9);
    // A producer that is closed counts as ended at once.
    await backends[3]!.close();
    assert.deepEqual((await read()).liveall, { [a]: 5, [b]: 3 });
    for (const backend of [...backends, reader]) await backend.close();
  });

  it('of the default mode add up increments of running producers until the last set wins', async () => {
    const options = optionsFor(server);
    const key = `${options.keyPrefix}:producers`;
    const family = makeFamily({ type: 'gauge', cells: 2, merge: 'shared', labelNames: [] });
    const known = new Set<string>();
    const names: string[] = [];
    const backends = [await openBackend(options), await openBackend(options), await openBackend(options)];
    const cells = [];
    for (const [i, backend] of backends.entries()) {
      const own = backend.reserve({ family, labels: [] });
      own.page.set([2 ** i, 1], own.offset);
      await backend.flush();
      names.push(await newProducer(key, known));
      cells.push(own);
    }
    const value = async () =>
      rowsOf((await backends[0]!.snapshot({ families: [family], scopes: [] }))[0]!)[0]![1][0];
    assert.equal(await value(), 7);
    await expire(key, names[1]!);
    assert.equal(await value(), 5);
    cells[2]!.page.set([40, 1000], cells[2]!.offset);
    await backends[2]!.flush();
    assert.equal(await value(), 40);
    await expire(key, names[2]!);
    assert.equal(await value(), 40, 'a value that was set stays when its producer has ended');
    for (const backend of backends) await backend.close();
  });

  it('are ordered by the clock of the server, however wrong the clocks of programs are', async () => {
    const options = optionsFor(server);
    const late = startProgram(
      `const { now } = Date;
      Date.now = () => now() + 3_600_000;
      const backend = await metheus.loadBackend(MultiProcessRedisBackend, options);
      metheus.createGauge('clock', 'C.', { multiprocessMode: 'mostrecent' }).set(1);
      await backend.flush();
      print('set');
      await readLine();`,
      options,
      false,
    );
    await late.printed('set');
    const backend = await openBackend(options);
    const read = async () => {
      const snapshots = await backend.snapshot({ families: [], scopes: [''] });
      return rowsOf(snapshots.find(({ family }) => family.name === 'clock')!)[0]![1][0];
    };
    assert.equal(await read(), 1);
    const key = (await server.call('KEYS', `${options.keyPrefix}:{*`)) as string[];
    const before = (await server.call('HGETALL', key[0]!)) as string[];
    const field = before[before.findIndex((text) => text.startsWith('p:'))]!;
    // Another program sets the gauge a second later, by a right clock.
    const now = Number(((await server.call('TIME')) as string[])[0]);
    await server.call('HSET', key[0]!, 'p:["other",""]:[]', `2 ${now + 1}`);
    assert.equal(await read(), 2);
    // A program of an older version, whose clock is a century ahead.
    await server.call('HSET', key[0]!, 'p:["older",""]:[]', `3 ${now + 3_000_000_000}`);
    assert.equal(await read(), 2);
    await server.call('HDEL', key[0]!, 'p:["other",""]:[]', field);
    assert.equal(await read(), 3);
    late.sendLine('end');
    await late.ended();
    await backend.close();
  });

  it('and histograms are complete in every scrape while several producers flush', async () => {
    const options = optionsFor(server);
    const histogram: FamilyDescriptor = makeFamily({
      type: 'histogram',
      cells: 4,
      bounds: [1, 2],
      labelNames: ['a'],
    });
    const backends = await Promise.all([1, 2, 3, 4].map(() => openBackend(options)));
    const labels = ['x', 'y', 'z'];
    const cells = backends.map((backend) =>
      labels.map((label) => backend.reserve({ family: histogram, labels: [label] })),
    );
    let scrapes = 0;
    let isOver = false;
    const scraper = (async () => {
      const reader = await openBackend(options);
      while (!isOver) {
        const [snapshot] = await reader.snapshot({ families: [histogram], scopes: [] });
        for (const [label, [one, two, inf, sum]] of rowsOf(snapshot!)) {
          // Each round adds to all cells at once, so their ratios hold unless a scrape sees part of a round.
          assert.deepEqual([two, inf, sum], [2 * one!, 3 * one!, 6 * one!], label);
        }
        scrapes += 1;
      }
      await reader.close();
    })();
    for (let round = 0; round < 100; round++) {
      await Promise.all(
        backends.map((backend, i) => {
          for (const { page, offset } of cells[i]!) {
            for (const [cell, by] of [1, 2, 3, 6].entries()) page[offset + cell]! += by;
          }
          return backend.flush();
        }),
      );
    }
    isOver = true;
    await scraper;
    assert.ok(scrapes > 10);
    const [snapshot] = await backends[0]!.snapshot({ families: [histogram], scopes: [] });
    assert.deepEqual(
      rowsOf(snapshot!),
      labels.map((label) => [`a=${label}`, [400, 800, 1200, 2400]]),
    );
    for (const backend of backends) await backend.close();
  });
});
