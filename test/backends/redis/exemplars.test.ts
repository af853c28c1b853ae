/** Exemplars in Redis: content of other programs, an earlier version, and outages. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Exemplar, FamilyDescriptor } from 'metheus';
import type { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { familyId } from '#metheus/backends/redis/family-hash.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const EARLIER = pathToFileURL(join(ROOT, 'test', 'support', 'earlier-version.mjs')).href;

const exemplar = (id: string, timestamp: number): Exemplar => ({ labels: { id }, value: 1, timestamp });

async function shown(backend: MultiProcessRedisBackend, family: FamilyDescriptor): Promise<string[]> {
  const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
  return [...(snapshot!.exemplars?.values() ?? [])].map(({ labels }) => labels.id!);
}

describe('exemplars in Redis', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  let prefixes = 0;
  const newOptions = () => optionsFor(server, { keyPrefix: `e-${++prefixes}` });

  /** Counts in a series, with an exemplar. */
  async function count(backend: MultiProcessRedisBackend, family: FamilyDescriptor, given: Exemplar) {
    const cells = backend.reserve({ family, labels: ['x'] });
    cells.page[cells.offset]! += 1;
    backend.putExemplar(family, cells, 0, given);
    await backend.flush();
    return cells;
  }

  it('are ignored line by line when they are invalid, and the numbers are served', async () => {
    const options = newOptions();
    const family = makeFamily();
    const writer = await openBackend(options);
    const cells = await count(writer, family, exemplar('valid', 10));
    const key = `${options.keyPrefix}:{${familyId(family)}}`;
    const [line] = [(await server.call('HGET', key, 'e')) as string];
    const [time, producer, value, labels, cell, text] = line.split('\t');
    const junk = [
      'junk',
      '',
      [time, producer, value, '["x"]', cell, text],
      [time, producer, value, '{"a', cell, text],
      [time, producer, value, '{"a b":"1"}', cell, text],
      [time, producer, value, JSON.stringify({ a: 'x'.repeat(200) }), cell, text],
      [time, producer, 'NaN', labels, cell, text],
      ['Infinity', producer, value, labels, cell, text],
      ['5e9', producer, value, labels, cell, text],
      [time, producer, value, labels, '1', text],
      [time, producer, value, labels, '99999999999', text],
      [time, producer, value, labels, cell, 'a="y"'],
    ].map((fields) => (typeof fields === 'string' ? fields : fields.join('\t')));
    const reader = await openBackend(options);
    for (const content of [...junk, junk.join('\n')]) {
      await server.call('HSET', key, 'e', content);
      assert.deepEqual(await shown(reader, family), [], content);
      const [snapshot] = await reader.snapshot({ families: [family], scopes: [] });
      assert.deepEqual(rowsOf(snapshot!), [['a=x', [1]]]);
    }
    writer.putExemplar(family, cells, 0, exemplar('later', 5e8));
    await writer.flush();
    assert.deepEqual(await shown(reader, family), ['later'], 'junk does not stay');
    await Promise.all([writer.close(), reader.close()]);
  });

  it('that arrive late do not replace newer ones', async () => {
    const options = newOptions();
    const family = makeFamily();
    const [one, two, reader] = [
      await openBackend(options),
      await openBackend(options),
      await openBackend(options),
    ];
    await count(one, family, exemplar('new', 20));
    await count(two, family, exemplar('old', 10));
    assert.deepEqual(await shown(reader, family), ['new']);
    await Promise.all([one.close(), two.close()]);
    assert.deepEqual(await shown(reader, family), ['new'], 'of an ended process');
    await reader.close();
  });

  it('are passed over by an earlier version', async () => {
    const options = newOptions();
    const family = makeFamily();
    const { MultiProcessRedisBackend: Earlier } = (await import(EARLIER)) as {
      MultiProcessRedisBackend: typeof MultiProcessRedisBackend;
    };
    const writer = await openBackend(options);
    await count(writer, family, exemplar('x', 10));
    const earlier = new Earlier(options);
    await earlier.open();
    const cells = earlier.reserve({ family, labels: ['x'] });
    cells.page[cells.offset]! += 10;
    await earlier.flush();
    for (const backend of [earlier, writer]) {
      const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
      assert.deepEqual(rowsOf(snapshot!), [['a=x', [11]]]);
    }
    assert.deepEqual(await shown(writer, family), ['x']);
    await Promise.all([writer.close(), earlier.close()]);
  });

  it('are sent only when they have changed', async () => {
    const family = makeFamily();
    const options = newOptions();
    const writer = await openBackend(options);
    const cells = await count(writer, family, exemplar('x', 10));
    const key = `${options.keyPrefix}:{${familyId(family)}}`;
    await server.call('HDEL', key, 'e');
    cells.page[cells.offset]! += 1;
    await writer.flush();
    assert.equal(await server.call('HGET', key, 'e'), null);
    writer.putExemplar(family, cells, 0, exemplar('y', 11));
    await writer.flush();
    assert.match((await server.call('HGET', key, 'e')) as string, /"id":"y"/);
    await writer.close();
  });
});
