/** Two versions of the package share a Redis, as they do while programs are upgraded one after another. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CollectorRegistry, type FamilyDescriptor } from 'metheus';
import { MultiProcessRedisBackend, type RedisBackendConfig } from 'metheus/backends/redis';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const EARLIER = pathToFileURL(join(ROOT, 'test', 'support', 'earlier-version.mjs')).href;

const warnings: string[] = [];
process.removeAllListeners('warning');
process.on('warning', ({ message }) => void warnings.push(message));

describe('two versions that share a Redis', { skip: requireTool('redis-server') }, async () => {
  const earlier = (await import(EARLIER)) as { MultiProcessRedisBackend: typeof MultiProcessRedisBackend };
  const classes = { earlier: earlier.MultiProcessRedisBackend, current: MultiProcessRedisBackend };
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  const families = [
    makeFamily(),
    makeFamily({ type: 'histogram', cells: 4, bounds: [1, 2] }),
    makeFamily({ type: 'gauge', cells: 2, merge: 'sum' }),
  ];

  /** Opens a backend of one version. */
  async function open(version: keyof typeof classes, options: RedisBackendConfig) {
    const backend = new classes[version](options);
    await backend.open();
    const cells = families.map((family) => {
      const { page, offset } = backend.reserve({ family, labels: ['x'] });
      return page.subarray(offset, offset + family.cells);
    });
    return {
      backend,
      /** Counts in every family, and flushes. */
      async count(by: number): Promise<void> {
        for (const [i, own] of cells.entries()) {
          own[0]! += by;
          if (families[i]!.merge === 'sum') own[1] = 2;
        }
        await backend.flush();
      },
    };
  }

  /** Asserts the total of families, as a new reader of each version sees it. */
  async function assertTotal(options: RedisBackendConfig, total: number, counted = families): Promise<void> {
    for (const version of ['earlier', 'current'] as const) {
      const reader = new classes[version](options);
      await reader.open();
      const snapshots = await reader.snapshot({ families: [], scopes: [''] });
      const firstValueOf = ({ name }: FamilyDescriptor) => {
        const found = snapshots.find(({ family }) => family.name === name);
        return found && rowsOf(found)[0]?.[1][0];
      };
      const expected = counted.map(() => total);
      assert.deepEqual(counted.map(firstValueOf), expected, `read by the ${version} version`);
      await reader.close();
    }
  }

  /** Changes the scores of producers that have signed off, so that they count as ended. */
  async function age({ keyPrefix }: RedisBackendConfig): Promise<void> {
    const key = `${keyPrefix}:producers`;
    for (const producer of (await server.call('ZRANGEBYSCORE', key, '-inf', 0)) as string[]) {
      await server.call('ZINCRBY', key, 16, producer);
    }
  }

  for (const [first, second] of [
    ['earlier', 'current'],
    ['current', 'earlier'],
  ] as const) {
    it(`add up while both run, end and compact each other: the ${first} version began`, async () => {
      const options = optionsFor(server);
      const [one, two] = [await open(first, options), await open(second, options)];
      let total = 0;
      for (let round = 1; round <= 5; round++) {
        await one.count(round);
        await two.count(10 * round);
        total += 11 * round;
      }
      await assertTotal(options, total);
      // The first program is replaced: it signs off and is compacted by a new program of the other version.
      await one.backend.close();
      await age(options);
      const three = await open(second, options);
      await three.count(1000);
      total += 1000;
      await assertTotal(options, total);
      await two.count(1);
      await three.count(1);
      await assertTotal(options, total + 2);
      for (const { backend } of [two, three]) await backend.close();
    });
  }

  it('lose nothing of a program that goes on after the other version has compacted it', async () => {
    const options = optionsFor(server);
    const [other, one] = [await open('earlier', options), await open('current', options)];
    await one.count(5);
    await other.count(100);
    const key = `${options.keyPrefix}:producers`;
    const before = Number(((await server.call('TIME')) as string[])[0]);
    for (const producer of (await server.call('ZRANGE', key, 0, -1)) as string[]) {
      await server.call('ZADD', key, -(before - 16), producer);
    }
    const compacting = await open('earlier', options);
    await compacting.backend.flush();
    await one.count(1);
    await other.count(1);
    // Values of gauges stay as those of an ended program.
    await assertTotal(options, 107, families.slice(0, 2));
    for (const { backend } of [one, other, compacting]) await backend.close();
  });

  it('keep registries with a prefix apart, and add up those with the same scope', async () => {
    const options = optionsFor(server);
    // The earlier version numbered registries without the option scope in the order of their creation.
    const scopes = { earlier: 'registry-1', current: new CollectorRegistry({ prefix: 'billing_' }).scope };
    const [prefixed, scoped] = [makeFamily(), makeFamily()];
    const programs = (['earlier', 'current'] as const).map((version, i) => {
      const backend = new classes[version](options);
      return { version, backend, by: i + 2 };
    });
    for (const { version, backend, by } of programs) {
      await backend.open();
      for (const family of [
        { ...prefixed, scope: scopes[version] },
        { ...scoped, scope: 'jobs' },
      ]) {
        const { page, offset } = backend.reserve({ family, labels: ['x'] });
        page[offset] = by;
      }
      await backend.flush();
    }
    const served = async (version: keyof typeof classes) => {
      const reader = new classes[version](options);
      await reader.open();
      const snapshots = await reader.snapshot({ families: [], scopes: [scopes[version], 'jobs'] });
      await reader.close();
      return [prefixed, scoped].map(({ name }) =>
        snapshots.filter(({ family }) => family.name === name).map((found) => rowsOf(found)[0]![1][0]),
      );
    };
    assert.deepEqual(await served('earlier'), [[2], [5]]);
    assert.deepEqual(await served('current'), [[3], [5]]);
    for (const { backend } of programs) await backend.close();
  });

  it('pass over metrics of a newer version, with a warning', async () => {
    const options = optionsFor(server);
    const one = await open('current', options);
    await one.count(5);
    const { keyPrefix } = options;
    const newer = makeFamily({ name: 'newer' });
    await server.call(
      'HSET',
      `${keyPrefix}:families`,
      'x',
      JSON.stringify({ ...newer, format: 2, cells: 'many' }),
    );
    const [key] = (await server.call('KEYS', `${keyPrefix}:{*`)) as string[];
    await server.call('HSET', key!, 'd', '2');
    await server.call('HSET', `${keyPrefix}:{x}`, 'd', '2');
    warnings.length = 0;
    const reader = await openBackend(options);
    const names = (await reader.snapshot({ families: [], scopes: [''] }))
      .map(({ family }) => family.name)
      .filter((name) => !name.startsWith('metheus_'));
    assert.equal(names.length, families.length - 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(
      warnings.filter((warning) => warning.includes('newer version')).length,
      2,
      warnings.join('\n'),
    );
    for (const backend of [one.backend, reader]) await backend.close();
  });
});
