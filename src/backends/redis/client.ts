/** The client: ioredis, told to fail at once instead of waiting, and not to keep the process alive. */
import { MetheusError } from '../../errors.js';
import type { RedisClient, Settings } from './config.js';

/** Longest pause between two attempts to connect, in milliseconds. */
const MOST_RETRY_MS = 2000;

const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 10), MOST_RETRY_MS);

/** What a user may choose otherwise. */
function defaults({ timeout }: Settings) {
  return {
    connectTimeout: Math.max(timeout, 100),
    // A connection that swallows commands is given up, so that they do not pile up in it.
    socketTimeout: timeout,
    retryStrategy,
    // After a failover the old primary answers so; a new connection finds the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
}

/**
 * What makes ioredis answer at once while Redis is away. Its defaults take more than a minute to notice.
 * Commands are kept by us, not queued or sent again by the client.
 */
const IMPATIENT = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
};

/** @throws `METHEUS_DEPENDENCY_MISSING` without ioredis */
export async function createClient(settings: Settings): Promise<RedisClient> {
  if (settings.client !== undefined) return settings.client;
  const { Redis, Cluster } = await importIoredis();
  const { url, cluster, connection } = settings;
  const options = { ...defaults(settings), ...connection, ...IMPATIENT };
  const { host: _, port: __, ...besides } = options as Record<string, unknown>;
  if (cluster !== undefined) {
    const nodes = new Cluster([...cluster], {
      enableOfflineQueue: false,
      clusterRetryStrategy: options.retryStrategy,
      redisOptions: besides,
    });
    nodes.on('+node', letGo);
    letGo(nodes);
    return nodes as unknown as RedisClient;
  }
  const client = url === undefined ? new Redis(options) : new Redis(url, besides);
  letGo(client);
  return client as unknown as RedisClient;
}

/** Of an ioredis client, what keeps a process alive. */
interface Emitter {
  on(event: string, listener: () => void): unknown;
  readonly stream?: { unref?(): void };
  readonly reconnectTimeout?: NodeJS.Timeout | null;
}

/** A connection, or the pause before the next one, is no reason to go on living. */
function letGo(client: object): void {
  const emitter = client as Emitter;
  emitter.on('connect', () => emitter.stream?.unref?.());
  for (const event of ['reconnecting', 'close']) {
    emitter.on(event, () => emitter.reconnectTimeout?.unref());
  }
}

/** Of an ioredis client or cluster, what has connections. */
interface Connected {
  readonly stream?: { on?(event: 'error', listener: () => void): unknown };
  nodes?(role: 'all'): readonly Connected[];
}

/**
 * Disconnects. A server answers a TLS handshake that is broken off with an alert: an error for which ioredis does not
 * listen any more, so that it would end the process.
 */
export function disconnect(client: RedisClient): void {
  const connected = client as Connected;
  for (const { stream } of [connected, ...(connected.nodes?.('all') ?? [])]) stream?.on?.('error', () => {});
  client.disconnect();
}

async function importIoredis(): Promise<typeof import('ioredis')> {
  try {
    return (await import('ioredis')) as unknown as typeof import('ioredis');
  } catch (cause) {
    throw new MetheusError('METHEUS_DEPENDENCY_MISSING', {
      given: 'no package ioredis',
      expected: 'ioredis, which the Redis backend connects with',
      todo: "Run 'npm install ioredis'",
      cause,
    });
  }
}
