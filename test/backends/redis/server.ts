/** Redis servers for tests, on the loopback interface, each in a directory of its own and without persistence. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MultiProcessRedisBackend, type RedisBackendConfig } from 'metheus/backends/redis';
import { freePort, type RunningProcess, startProcess, until } from '../../support/processes.js';

/** Runs a command by name. */
export type Command = (name: string, ...args: (string | number)[]) => Promise<unknown>;

export interface RedisServer {
  readonly port: number;
  readonly directory: string;
  /** Runs a command on the test's own connection. */
  readonly call: Command;
  readonly client: Redis;
  /** Kills the server, as a crash would. */
  kill(): Promise<void>;
  /** Starts the server again, on the same port. */
  start(more?: readonly string[]): Promise<void>;
  /** Stops the server and removes its directory. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly args?: readonly string[];
  readonly port?: number;
  /** Options of the test's own client. */
  readonly client?: object;
  /** Whether the test starts the server itself. */
  readonly later?: boolean;
}

export async function startRedis(options: ServerOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const directory = mkdtempSync(join(tmpdir(), 'metheus-redis-'));
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => 50,
    ...options.client,
  });
  client.on('error', () => {});
  const call: Command = (name, ...args) => client.call(name, ...args);
  let running: RunningProcess | undefined;
  const start = async (more: readonly string[] = []) => {
    const quiet = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--port', String(port)];
    running = startProcess('redis-server', [...quiet, ...(options.args ?? []), ...more], { cwd: directory });
    const { output } = running;
    await until(`Redis: ${output()}`, async () => (/Ready to accept/.test(output()) ? true : undefined));
  };
  const kill = async () => {
    const { child, stop } = running!;
    child.kill('SIGKILL');
    await stop();
  };
  const stop = async () => {
    client.disconnect();
    await running?.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  if (options.later !== true) await start();
  return { port, directory, call, client, kill, start, stop };
}

/** Runs a test with a server of its own. */
export async function withServer(
  options: ServerOptions,
  run: (own: RedisServer) => Promise<void>,
): Promise<void> {
  const own = await startRedis(options);
  try {
    await run(own);
  } finally {
    await own.stop();
  }
}

/** Returns options of a backend that flushes only on demand, with a key prefix of its own. */
export function optionsFor({ port }: { readonly port: number }, given: object = {}) {
  const keyPrefix = `test-${randomBytes(4).toString('hex')}`;
  return { host: '127.0.0.1', port, flushInterval: 3600, heartbeat: 15, keyPrefix, ...given };
}

/** Returns an open backend. */
export async function openBackend(options: RedisBackendConfig): Promise<MultiProcessRedisBackend> {
  const backend = new MultiProcessRedisBackend(options);
  await backend.open();
  return backend;
}

/** Flushes until Redis has taken everything. */
export async function untilFlushed(backend: MultiProcessRedisBackend): Promise<void> {
  const tryFlush = () =>
    backend.flush().then(
      () => true,
      () => undefined,
    );
  await until('a flush', tryFlush, 20);
}

/** Returns the first cell of a family of sums, read from Redis without a backend. */
export async function sumOf({ client }: RedisServer, key: string): Promise<number> {
  const block = await client.hgetBuffer(key, 'b:0');
  // The generation of the block comes first.
  return block!.readDoubleLE(8);
}
