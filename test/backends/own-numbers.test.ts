/** Snapshots of the numbers of one process, where several share a backend. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Backend, KeyValueBackend } from 'metheus/backends';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { requireTool } from '../support/tools.js';
import { makeFamily, rowsOf } from './contract.js';
import { withServer } from './redis/server.js';

/** Asserts that each backend tells its own numbers from those of all. `make`: opens a backend on the shared storage. */
async function assertApart(make: () => Backend): Promise<void> {
  const family = makeFamily();
  const backends = [make(), make()];
  for (const backend of backends) await backend.open?.({ migrate: () => {} });
  for (const [i, backend] of backends.entries()) {
    for (const label of ['x', `own-${i}`]) {
      const { page, offset } = backend.reserve({ family, labels: [label] });
      page[offset] = 10 ** i;
    }
    // A family of this process that the request does not name.
    const other = backend.reserve({ family: { ...family, name: `other_${i}` }, labels: ['x'] });
    other.page[other.offset] = 1;
    await backend.flush();
  }
  const read = async (backend: Backend, own: boolean) => {
    const [first, ...others] = await backend.snapshot({ families: [family], scopes: [family.scope], own });
    return { rows: rowsOf(first!).sort(), others: others.map((snapshot) => snapshot.family.name) };
  };
  const [one, two] = backends as [Backend, Backend];
  assert.deepEqual((await read(one, true)).rows, [
    ['a=own-0', [1]],
    ['a=x', [1]],
  ]);
  assert.deepEqual((await read(two, true)).rows, [
    ['a=own-1', [10]],
    ['a=x', [10]],
  ]);
  assert.deepEqual((await read(one, false)).rows, [
    ['a=own-0', [1]],
    ['a=own-1', [10]],
    ['a=x', [11]],
  ]);
  assert.equal((await read(one, true)).others.includes('other_1'), false);
  for (const backend of backends) await backend.close();
}

describe('a snapshot of the own numbers', () => {
  it('has no numbers of other processes, with files', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'metheus-own-'));
    try {
      await assertApart(() => new MultiProcessFileBackend({ directory }));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('has no numbers of other processes, with Redis', { skip: requireTool('redis-server') }, () =>
    withServer({}, ({ port }) =>
      assertApart(() => new MultiProcessRedisBackend({ host: '127.0.0.1', port })),
    ),
  );

  it('has no numbers of other processes, with a store of keys', async () => {
    const map = new Map<string, number>();
    class MapBackend extends KeyValueBackend {
      increment(key: string, by: number): void {
        map.set(key, (map.get(key) ?? 0) + by);
      }
      set(key: string, value: number): void {
        map.set(key, value);
      }
      entries(): Iterable<[string, number]> {
        return map;
      }
    }
    await assertApart(() => new MapBackend());
  });
});
