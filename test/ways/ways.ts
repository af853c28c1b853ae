/** The ways that `docs/architecture.md` describes, each as a program that walks one once it is warm. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { OutputFile } from 'metheus/progress';
import { get } from '../support/http.js';
import { until } from '../support/processes.js';
import { Coverage } from './coverage.js';

/** How often a way is walked before its files are counted, so that nothing is loaded or set up on it. */
const WARM_UPS = 3;

/** Returns the files in which a function runs while `walk` does, `prepare` apart. */
async function filesOf(walk: () => unknown, prepare: () => unknown = () => {}): Promise<string[]> {
  const coverage = new Coverage();
  let files: string[] = [];
  for (let i = 0; i <= WARM_UPS; i++) {
    await prepare();
    coverage.take();
    await walk();
    files = coverage.take();
  }
  return files;
}

/** A call that counts, and the scrape that shows it. */
async function scrape(): Promise<string[]> {
  const { createCounter } = await import('metheus');
  const { createMetricsHandler } = await import('metheus/http');
  const requests = createCounter('http_requests_total', 'Requests served.', {
    requiredLabels: ['method', 'route', 'status'],
    defaultLabels: { status: '200' },
  });
  const server = createServer(createMetricsHandler()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const files = await filesOf(async () => {
    requests.labels({ method: 'GET', route: '/' }).inc();
    await get(`http://127.0.0.1:${port}/metrics`);
  });
  server.close();
  return files;
}

/** A file that is a terminal, and keeps what is written to it. */
class TerminalFile extends Writable {
  readonly isTTY = true;
  readonly columns = 80;
  readonly rows = 24;
  written = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk;
    done();
  }
}

/** A call of `update` that draws into `file`. */
async function draw(file: OutputFile, written: () => string): Promise<string[]> {
  const { tqdm } = await import('metheus/progress');
  const bar = tqdm(null, { total: 100, desc: 'work', file, mininterval: 0, miniters: 1 });
  const files = await filesOf(
    () => bar.update(1),
    () => sleep(20),
  );
  if (!written().includes(`${WARM_UPS + 1}/100`)) throw new Error(`Nothing was drawn: ${written()}`);
  return files;
}

/** A bar whose output is any object that has a method `write`. */
function bar(): Promise<string[]> {
  let written = '';
  const write = (text: string): boolean => {
    written += text;
    return true;
  };
  return draw({ write }, () => written);
}

/** A bar whose output is a terminal, where other rows have to stay whole. */
function terminal(): Promise<string[]> {
  const file = new TerminalFile();
  return draw(file, () => file.written);
}

/** A call of `update` in a worker thread, until the main thread has drawn and published it. */
async function worker(): Promise<string[]> {
  const stderr = new TerminalFile();
  Object.defineProperty(process, 'stderr', { value: stderr });
  const { TqdmPromProxy } = await import('metheus/progress');
  const proxy = new TqdmPromProxy();
  const thread = new Worker(new URL('./bar-thread.js', import.meta.url));
  await once(thread, 'message');
  let walked = 0;
  let inThread: string[] = [];
  const inMain = await filesOf(async () => {
    walked += 1;
    thread.postMessage('update');
    [inThread] = await once(thread, 'message');
    await until('the frame', async () => (stderr.written.includes(`${walked}/100`) ? true : undefined));
    const families = await proxy.collect();
    const completed = families.find(({ family }) => family.name === 'progress_completed_total')!;
    if (completed.values[0] !== walked) throw new Error(`Published: ${completed.values}`);
  });
  await thread.terminate();
  return [...new Set([...inMain, ...inThread])].sort();
}

/** A flush of the Redis backend: a sum, and a value that each writer has for itself. Needs `REDIS_PORT`. */
async function redis(): Promise<string[]> {
  const { createCounter, createGauge, loadBackend } = await import('metheus');
  const { MultiProcessRedisBackend } = await import('metheus/backends/redis');
  const backend = await loadBackend(MultiProcessRedisBackend, {
    host: '127.0.0.1',
    port: Number(process.env.REDIS_PORT),
    flushInterval: 3600,
  });
  const requests = createCounter('requests_total', 'Requests served.');
  const open = createGauge('open_connections', 'Open connections.');
  const count = () => {
    requests.inc();
    open.inc();
  };
  const files = await filesOf(() => backend.flush!(), count);
  await backend.close!();
  return files.filter((file) => file.startsWith('backends/redis/'));
}

export const WAYS = { scrape, bar, terminal, worker, redis };
export type Way = keyof typeof WAYS;
