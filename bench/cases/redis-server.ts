/**
 * A Redis server for the benchmark, on the loopback interface and without persistence. It ends with the
 * process that started it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { atExit } from './fleet-processes.js';

const PROGRAM = 'redis-server';
const HOST = '127.0.0.1';
const TRIES = 100;

export function hasRedisServer(): boolean {
  return spawnSync(PROGRAM, ['--version']).status === 0;
}

export interface Server {
  readonly host: string;
  readonly port: number;
  /** Sends one command on a new connection. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

export async function startRedisServer(): Promise<Server> {
  const port = await freePort();
  const args = ['--bind', HOST, '--port', String(port), '--save', '', '--appendonly', 'no'];
  const server = spawn(PROGRAM, args, { cwd: tmpdir(), stdio: 'ignore' });
  server.unref();
  atExit(() => server.kill('SIGKILL'));
  const call = (command: string, ...args: string[]) => callOn(port, command, args);
  for (let i = 1; ; i++) {
    try {
      await call('PING');
      return { host: HOST, port, call };
    } catch (error) {
      if (i === TRIES) throw error;
      await sleep(50);
    }
  }
}

async function callOn(port: number, command: string, args: readonly string[]): Promise<unknown> {
  const client = new Redis({ host: HOST, port, lazyConnect: true, retryStrategy: () => null });
  // Without a listener ioredis prints the error; the call below rejects with it.
  client.on('error', () => {});
  try {
    await client.connect();
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
