/**
 * Two machines that count in Redis, and an exporter that serves the totals of both.
 *
 * `node build/examples/machines/main.js [redis://…]` starts a Redis of its own unless a URL is given, as the argument or in
 * `REDIS_URL`. Each "machine" is a process in its own directory, which shares only Redis with the other. The environment
 * configures the backend, not the programs. The exporter is scraped after both machines have ended, and its totals
 * contain everything that they counted.
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
  // A new prefix, so that the totals do not include other runs in the same Redis.
  const config = JSON.stringify({ url, keyPrefix: `shop-${process.pid}`, expireKeyTime: 60 });
  return { ...process.env, METHEUS_BACKEND_CLASS: 'redis', METHEUS_BACKEND_CONFIG: config };
}

function program(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}

/** Runs a machine until it has ended. Everything that it counted is in Redis then. */
async function runMachine(orders: number, env: NodeJS.ProcessEnv): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), 'metheus-machine-'));
  const [code] = await once(fork(program('counting'), [String(orders)], { cwd, env }), 'exit');
  await rm(cwd, { recursive: true });
  if (code !== 0) throw new Error(`A machine ended with ${code}.`);
}

/** Starts an exporter and scrapes it once, as Prometheus would. */
async function scrape(env: NodeJS.ProcessEnv): Promise<string> {
  const exporter = fork(program('exporter'), { env });
  const ended = once(exporter, 'exit').then(() => Promise.reject(new Error('The exporter ended.')));
  const [url] = (await Promise.race([once(exporter, 'message'), ended])) as [string];
  const text = await (await fetch(url)).text();
  exporter.disconnect();
  await ended.catch(() => {});
  return text;
}

async function run(url: string): Promise<void> {
  const env = environmentFor(url);
  await Promise.all(ORDERS.map((orders) => runMachine(orders, env)));
  const lines = (await scrape(env))
    .split('\n')
    .filter((line) => /^(order|progress_(completed|finished))/.test(line));
  console.log(lines.join('\n'));
}

const url = process.argv[2] ?? process.env.REDIS_URL;
if (url !== undefined) {
  await run(url);
} else {
  const redis = await startRedisServer(tmpdir());
  await run(redis.url).finally(redis.stop);
}
