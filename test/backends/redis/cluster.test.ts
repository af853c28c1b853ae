/** A Redis Cluster of three nodes, whose slots move while programs count. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { familyId } from '#metheus/backends/redis/family-hash.js';
import { freePort, until } from '../../support/processes.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { startCluster, startNode } from './cluster-nodes.js';
import { startProgram } from './programs.js';
import { openBackend, optionsFor, type RedisServer } from './server.js';

describe('a Redis Cluster', { skip: requireTool('redis-server') }, () => {
  let nodes: RedisServer[];
  before(async () => {
    nodes = await startCluster(['--cluster-node-timeout', '2000']);
  });
  after(async () => {
    for (const node of nodes) await node.stop();
  });

  const optionsOf = () => {
    const { host: _, port: __, ...options } = optionsFor(nodes[0]!);
    return { ...options, cluster: nodes.map(({ port }) => ({ host: '127.0.0.1', port })) };
  };

  it('spreads families over its nodes, and keeps totals exact while slots move', async () => {
    const options = optionsOf();
    const families = Array.from({ length: 12 }, () => makeFamily({ labelNames: ['a'] }));
    const backends = await Promise.all([1, 2].map(() => openBackend(options)));
    const cells = backends.flatMap((backend) =>
      families.flatMap((family) => ['x', 'y'].map((label) => backend.reserve({ family, labels: [label] }))),
    );
    let rounds = 0;
    let failures = 0;
    const count = async () => {
      rounds += 1;
      for (const { page, offset } of cells) page[offset]! += 0.5;
      for (const backend of backends) {
        await backend.flush().catch(() => {
          failures += 1;
        });
      }
    };
    await count();
    const sizes = await Promise.all(nodes.map(({ call }) => call('DBSIZE')));
    assert.ok(
      sizes.every((size) => Number(size) > 0),
      `keys per node: ${sizes}`,
    );

    // Moves every slot with a key of these programs to the next node, key by key, while they count.
    const ids = await Promise.all(nodes.map(({ call }) => call('CLUSTER', 'MYID') as Promise<string>));
    const keys = families.map((family) => `${options.keyPrefix}:{${familyId(family)}}`);
    let isOver = false;
    const counting = (async () => {
      while (!isOver) await count();
    })();
    for (const key of [...keys, `${options.keyPrefix}:families`, `${options.keyPrefix}:producers`]) {
      const slot = (await nodes[0]!.call('CLUSTER', 'KEYSLOT', key)) as number;
      const held = await Promise.all(nodes.map(({ call }) => call('CLUSTER', 'COUNTKEYSINSLOT', slot)));
      const from = held.findIndex((keysThere) => Number(keysThere) > 0);
      assert.notEqual(from, -1, `${key} in slot ${slot}`);
      const to = (from + 1) % nodes.length;
      await nodes[to]!.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[from]!);
      await nodes[from]!.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[to]!);
      const before = rounds;
      await until('flushes in between', async () => (rounds > before + 2 ? true : undefined));
      await nodes[from]!.call('MIGRATE', '127.0.0.1', nodes[to]!.port, key, 0, 5000);
      for (const { call } of [nodes[to]!, ...nodes]) await call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!);
    }
    isOver = true;
    await counting;
    await until('the last flush', () =>
      Promise.all(backends.map((backend) => backend.flush())).catch(() => undefined),
    );
    const reader = await openBackend(options);
    for (const snapshot of await reader.snapshot({ families, scopes: [] })) {
      assert.deepEqual(rowsOf(snapshot), [
        ['a=x', [rounds]],
        ['a=y', [rounds]],
      ]);
    }
    assert.ok(rounds > 30, `${rounds} rounds, of which ${failures} flushes failed and were repeated`);
    assert.deepEqual(reader.config.cluster, options.cluster);
    for (const backend of [...backends, reader]) await backend.close();
  });

  it('lets programs end by themselves', async () => {
    const options = optionsOf();
    const program = startProgram("metheus.createCounter('c_total', 'C.').inc(3); print('counted');", options);
    assert.equal(await program.ended(), 0, program.output());
    const reader = await openBackend(options);
    const snapshots = await reader.snapshot({ families: [], scopes: [''] });
    const counter = snapshots.find(({ family }) => family.name === 'c_total');
    assert.deepEqual(rowsOf(counter!), [['', [3]]]);
    await reader.close();
  });

  it('accepts a connected client', async () => {
    const { Cluster } = Redis;
    const cluster = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
    const backend = await openBackend({ client: cluster as never, keyPrefix: 'ready', flushInterval: 1000 });
    const family = makeFamily({ labelNames: [] });
    const { page, offset } = backend.reserve({ family, labels: [] });
    page[offset] = 2;
    assert.deepEqual(rowsOf((await backend.snapshot({ families: [family], scopes: [] }))[0]!), [['', [2]]]);
    await backend.close();
    assert.equal(await cluster.ping(), 'PONG');
    cluster.disconnect();
  });

  it('behind an address translation is reached with the options of ioredis for clusters', async () => {
    const announced = '10.255.255.1';
    const node = await startNode(['--cluster-announce-ip', announced]);
    await node.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await until('a cluster', async () =>
      String(await node.call('CLUSTER', 'INFO')).includes('cluster_state:ok') ? true : undefined,
    );
    const { host: _, port: __, ...options } = optionsFor(node, { failFast: true });
    const cluster = [{ host: '127.0.0.1', port: node.port }];
    const natMap = { [`${announced}:${node.port}`]: cluster[0] };
    const backend = await openBackend({ ...options, cluster, ioredis: { natMap } });
    const family = makeFamily({ labelNames: [] });
    const { page, offset } = backend.reserve({ family, labels: [] });
    page[offset] = 2;
    assert.deepEqual(rowsOf((await backend.snapshot({ families: [family], scopes: [] }))[0]!), [['', [2]]]);
    await backend.close();
    const asked: string[] = [];
    const dnsLookup = (host: string, callback: (error: null, address: string) => void) => {
      asked.push(host);
      callback(null, '127.0.0.1');
    };
    const named = [{ host: 'redis.invalid', port: node.port }];
    const other = await openBackend({ ...options, cluster: named, ioredis: { natMap, dnsLookup } });
    await other.close();
    assert.ok(asked.includes('redis.invalid'), `looked up: ${asked}`);
    await node.stop();
  });

  it('that cannot be reached causes a warning that does not repeat the attempts of the client', async () => {
    const warnings: string[] = [];
    const listener = ({ message }: Error) => void warnings.push(message);
    process.on('warning', listener);
    const port = await freePort();
    const { host: _, port: __, ...options } = optionsFor({ port }, { ioredis: { retryStrategy: () => 20 } });
    const backend = await openBackend({ ...options, cluster: [{ host: '127.0.0.1', port }], timeout: 0.5 });
    await assert.rejects(backend.flush());
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listener);
    assert.match(
      warnings.join('\n'),
      /^Redis is unavailable, metrics are kept in memory: .*(ECONNREFUSED|there is no connection)/,
    );
    assert.doesNotMatch(warnings.join('\n'), /redirections|Last error|slots cache/);
    await backend.close();
  });
});
