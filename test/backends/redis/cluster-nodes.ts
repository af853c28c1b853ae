/** Nodes of a Redis Cluster for tests, on the loopback interface. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { freePort, until } from '../../support/processes.js';
import { type RedisServer, startRedis } from './server.js';

/** Returns a free port that leaves room for the cluster bus, whose port is 10,000 higher. */
async function clusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 55_000) return port;
  }
}

function redisCli(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('redis-cli', args, { encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

/** Starts a node outside any cluster. */
export async function startNode(args: readonly string[]): Promise<RedisServer> {
  return startRedis({ port: await clusterPort(), args: ['--cluster-enabled', 'yes', ...args] });
}

/** Starts a cluster of three nodes. */
export async function startCluster(args: readonly string[]): Promise<RedisServer[]> {
  const nodes = [await startNode(args), await startNode(args), await startNode(args)];
  redisCli('--cluster', 'create', ...nodes.map(({ port }) => `127.0.0.1:${port}`), '--cluster-yes');
  await until('a cluster', async () => {
    const infos = await Promise.all(nodes.map(({ call }) => call('CLUSTER', 'INFO')));
    return infos.every((info) => String(info).includes('cluster_state:ok')) ? true : undefined;
  });
  return nodes;
}
