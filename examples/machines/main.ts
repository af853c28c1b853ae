/**
 * Two machines that count in Redis, and an exporter that serves the totals of both.
 *
 * `node build/examples/machines/main.js [redis://…]`: without a URL, in the argument or in `REDIS_URL`, it starts a
 * Redis of its own. Here a machine is a process in a directory of its own: they share nothing but Redis. None of the
 * programs names a backend, their environment does. Both machines have ended when the exporter is asked, and everything
 * that they counted is in the totals.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedisServer } from './redis-server.js';

const ORDERS = [300, 450];

function environmentFor(url: string): NodeJS.ProcessEnv {
  // A prefix of this run: what another run counted in the same Redis is not ours.
  const config = JSON.stringify({ url, keyPrefix: `shop-${process.pid}`, expireKeyTime: 60 });
  return { ...process.env, METHEUS_BACKEND_CLASS: 'redis', METHEUS_BACKEND_CONFIG: config };
}

function program(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

/** Resolves when all that the machine counted is in Redis, and its program has ended. */
async function runMachine(orders: number, env: NodeJS.ProcessEnv): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), 'metheus-machine-'));
  const [code] = await once(fork(program('counting'), [String(orders)], { cwd, env }), 'exit');
  await rm(cwd, { recursive: true });
  if (code !== 0) throw new Error(`A machine ended with ${code}.`);
}

/** Asks an exporter for its metrics, as Prometheus would. */
async function scrape(env: NodeJS.ProcessEnv): Promise<string> {
  const exporter = fork(program('exporter'), { env });
  const gone = once(exporter, 'exit').then(() => Promise.reject(new Error('The exporter ended.')));
  const [url] = (await Promise.race([once(exporter, 'message'), gone])) as [string];
  const text = await (await fetch(url)).text();
  exporter.disconnect();
  await gone.catch(() => {});
  return text;
}

async function run(url: string): Promise<void> {
  const env = environmentFor(url);
  await Promise.all(ORDERS.map((orders) => runMachine(orders, env)));
  const lines = (await scrape(env)).split('\n').filter((line) => line.startsWith('order'));
  console.log(lines.join('\n'));
}

const given = process.argv[2] ?? process.env.REDIS_URL;
if (given !== undefined) {
  await run(given);
} else {
  const redis = await startRedisServer(tmpdir());
  await run(redis.url).finally(redis.stop);
}
