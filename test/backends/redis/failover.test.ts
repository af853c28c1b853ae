/**
 * Failover to a replica that has received everything the primary acknowledged: unacknowledged batches are sent again.
 * `lost-data.test.ts` covers replicas that were behind, in its tests of an earlier state.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Redis } from 'ioredis';
import type { FamilyDescriptor } from 'metheus';
import type { MultiProcessRedisBackend, RedisBackendConfig } from 'metheus/backends/redis';
import { familyId } from '#metheus/backends/redis/family-hash.js';
import { freePort, type RunningProcess, startProcess, until } from '../../support/processes.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { startCluster, startNode } from './cluster-nodes.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

const warnings: string[] = [];
process.removeAllListeners('warning');
process.on('warning', ({ message }) => warnings.push(message));

/** Waits until a replica has received everything. */
async function untilReplicated(primary: Redis): Promise<void> {
  await until('a replica that is up to date', async () => {
    const info = await primary.info('replication');
    const [, offset] = /master_repl_offset:(\d+)/.exec(info) ?? [];
    return new RegExp(`slave0:.*state=online,offset=${offset},`).test(info) ? true : undefined;
  });
}

/** Two producers that count in several families during a failover. */
class CountingProducers {
  readonly families: readonly FamilyDescriptor[] = [
    ...Array.from({ length: 20 }, () => makeFamily({ labelNames: ['a'] })),
    makeFamily({ type: 'gauge', cells: 2, merge: 'sum', labelNames: ['a'] }),
  ];
  rounds = 0;
  readonly #options: RedisBackendConfig;
  #producers: MultiProcessRedisBackend[] = [];
  #cells: Float64Array[] = [];

  constructor(options: RedisBackendConfig) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#producers = await Promise.all([1, 2].map(() => openBackend(this.#options)));
    this.#cells = this.#producers.flatMap((backend) =>
      this.families.map((family) => {
        const { page, offset } = backend.reserve({ family, labels: ['x'] });
        return page.subarray(offset, offset + family.cells);
      }),
    );
  }

  /** Counts once in every family, and flushes whether or not Redis is available. */
  async countRound(): Promise<void> {
    this.rounds += 1;
    for (const cells of this.#cells) {
      cells[0]! += 0.5;
      if (cells.length > 1) cells[1] = this.rounds;
    }
    await Promise.allSettled(this.#producers.map((backend) => backend.flush()));
  }

  /** Flushes until Redis has taken everything. */
  async flushAll(): Promise<void> {
    await until('a flush of everything', () =>
      Promise.all(this.#producers.map((backend) => backend.flush())).catch(() => undefined),
    );
  }

  /** Asserts that a reader finds the totals of all rounds. */
  async check(): Promise<void> {
    const reader = await openBackend(this.#options);
    for (const snapshot of await reader.snapshot({ families: this.families, scopes: [] })) {
      assert.deepEqual(
        rowsOf(snapshot).map(([label, [value]]) => [label, value]),
        [['a=x', this.rounds]],
      );
    }
    await reader.close();
  }

  async close(): Promise<void> {
    for (const backend of this.#producers) await backend.close();
  }
}

/** Asserts that the only warnings are those of an outage. */
function assertNothingLost(): void {
  for (const warning of warnings) assert.match(warning, /^Redis is (unavailable|available again)/);
}

describe('failover', { skip: requireTool('redis-server') }, () => {
  async function startSentinel(primary: RedisServer): Promise<RunningProcess & { port: number }> {
    const port = await freePort();
    const file = join(primary.directory, `sentinel-${port}.conf`);
    writeFileSync(
      file,
      `port ${port}
bind 127.0.0.1
dir ${primary.directory}
sentinel monitor main 127.0.0.1 ${primary.port} 1
sentinel down-after-milliseconds main 300
sentinel failover-timeout main 2000
`,
    );
    return { ...startProcess('redis-server', [file, '--sentinel']), port };
  }

  it('by Sentinel keeps totals exact when the primary is killed', async () => {
    const primary = await startRedis();
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
    await untilReplicated(primary.client);
    const sentinel = await startSentinel(primary);
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }];
    await until('a Sentinel that knows the replica', async () => {
      return /\+slave slave/.test(sentinel.output()) ? true : undefined;
    });
    warnings.length = 0;
    const ioredis = { sentinels, name: 'main', retryStrategy: () => 50 };
    const { host: _, port: __, ...options } = optionsFor(primary, { timeout: 0.5, ioredis });
    const counting = new CountingProducers(options);
    await counting.start();
    for (let i = 0; i < 20; i++) await counting.countRound();
    await untilReplicated(primary.client);
    await primary.kill();
    for (let i = 0; i < 20; i++) await counting.countRound();
    await counting.flushAll();
    for (let i = 0; i < 20; i++) await counting.countRound();
    await counting.flushAll();
    assert.match(await replica.client.info('replication'), /role:master/);
    await counting.check();
    assert.ok(warnings.length > 0, 'the outage was noticed');
    assertNothingLost();
    await counting.close();
    await sentinel.stop();
    for (const server of [replica, primary]) await server.stop();
  });

  it('by Sentinel keeps totals exact when it is planned, though the old primary drops what it takes until it is demoted', async () => {
    const primary = await startRedis();
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
    await untilReplicated(primary.client);
    const running = await Promise.all([1, 2, 3].map(() => startSentinel(primary)));
    await until('Sentinels that know the replica and each other', async () => {
      const isReady = running.every(
        ({ output }) => output().match(/\+(slave slave|sentinel sentinel)/g)?.length === 3,
      );
      return isReady ? true : undefined;
    });
    const sentinels = running.map(({ port }) => ({ host: '127.0.0.1', port }));
    const ioredis = { sentinels, name: 'main', retryStrategy: () => 50 };
    const { host: _, port: __, ...options } = optionsFor(primary, { timeout: 0.5, ioredis });
    const counting = new CountingProducers(options);
    await counting.start();
    for (let i = 0; i < 5; i++) await counting.countRound();
    const control = new Redis(running[1]!.port, '127.0.0.1');
    await control.call('SENTINEL', 'FAILOVER', 'main');
    const before = counting.rounds;
    // Programs that end during the failover. Each ends once: nothing can be sent again afterwards.
    const family = makeFamily({ labelNames: [] });
    let ended = 0;
    await until(
      'the demotion of the old primary',
      async () => {
        await counting.countRound();
        const backend = await openBackend(options);
        const { page, offset } = backend.reserve({ family, labels: [] });
        page[offset] = 1;
        await backend.close();
        ended += 1;
        const info = await primary.client.info('replication').catch(() => '');
        return /role:slave/.test(info) ? true : undefined;
      },
      60,
    );
    assert.ok(counting.rounds > before + 5, 'flushes between promotion and demotion');
    await until('the new primary', async () => {
      const info = await replica.client.info('replication');
      return /role:master/.test(info) ? true : undefined;
    });
    await counting.flushAll();
    await counting.countRound();
    await counting.flushAll();
    await counting.check();
    const reader = await openBackend(options);
    const [snapshot] = await reader.snapshot({ families: [family], scopes: [] });
    assert.deepEqual(rowsOf(snapshot!), [['', [ended]]]);
    assert.ok(ended > 5, `${ended} programs have ended`);
    for (const each of [counting, reader]) await each.close();
    control.disconnect();
    for (const server of [...running, replica, primary]) await server.stop();
  });

  it('of a cluster node keeps totals exact when its replica takes over its slots', async () => {
    const args = ['--cluster-node-timeout', '1000', '--cluster-replica-validity-factor', '0'];
    const nodes = await startCluster(args);
    const primary = nodes[0]!;
    const replica = await startNode(args);
    await replica.call('CLUSTER', 'MEET', '127.0.0.1', primary.port);
    const id = (await primary.call('CLUSTER', 'MYID')) as string;
    await until('a replica', () => replica.call('CLUSTER', 'REPLICATE', id).catch(() => undefined));
    await untilReplicated(primary.client);
    // The other nodes elect the replica, so they must know it.
    await until('all nodes to know the replica', async () => {
      const lists = await Promise.all(nodes.map(({ call }) => call('CLUSTER', 'NODES')));
      return lists.every((list) => / slave /.test(String(list))) ? true : undefined;
    });
    warnings.length = 0;
    const ioredis = { retryStrategy: () => 50 };
    const { host: _, port: __, ...options } = optionsFor(primary, { timeout: 1, ioredis });
    const cluster = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const counting = new CountingProducers({ ...options, cluster });
    await counting.start();
    for (let i = 0; i < 20; i++) await counting.countRound();
    const keys = counting.families.map((family) => `${options.keyPrefix}:{${familyId(family)}}`);
    const held = (await primary.call('KEYS', '*')) as string[];
    assert.ok(
      keys.some((key) => held.includes(key)),
      'the primary has some of the families',
    );
    await untilReplicated(primary.client);
    await primary.kill();
    for (let i = 0; i < 5; i++) await counting.countRound();
    await counting.flushAll();
    for (let i = 0; i < 20; i++) await counting.countRound();
    await counting.flushAll();
    assert.match(await replica.client.info('replication'), /role:master/);
    await counting.check();
    assert.ok(warnings.length > 0, 'the outage was noticed');
    assertNothingLost();
    await counting.close();
    for (const node of [replica, ...nodes]) await node.stop();
  });
});
