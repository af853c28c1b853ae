/** The connection: ioredis, told to fail at once instead of waiting, and scripts by their digest. */
import { createHash } from 'node:crypto';
import { MetheusError } from '../../errors.js';
import type { RedisClient, Settings } from './config.js';

/** Longest pause between two attempts to connect, in milliseconds. */
const MOST_RETRY_MS = 2000;

/**
 * What makes ioredis answer at once while Redis is away. Its defaults take more than a minute to notice.
 * Commands are kept by us, not queued by the client.
 */
const IMPATIENT = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  connectTimeout: MOST_RETRY_MS,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), MOST_RETRY_MS),
  // After a failover the old primary answers so; a new connection finds the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
};

/** @throws `METHEUS_DEPENDENCY_MISSING` without ioredis */
export async function connect(settings: Settings): Promise<RedisClient> {
  if (settings.client !== undefined) return settings.client;
  const { Redis, Cluster } = await importIoredis();
  const { url, cluster, connection } = settings;
  if (cluster !== undefined) {
    const { host: _, port: __, ...redisOptions } = connection;
    return new Cluster([...cluster], {
      enableOfflineQueue: false,
      clusterRetryStrategy: IMPATIENT.retryStrategy,
      redisOptions: { ...redisOptions, ...IMPATIENT },
    }) as unknown as RedisClient;
  }
  const options = { ...connection, ...IMPATIENT };
  const { host: _, port: __, ...besides } = options as Record<string, unknown>;
  return (url === undefined ? new Redis(options) : new Redis(url, besides)) as unknown as RedisClient;
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

/** A script, sent by its digest, and whole when Redis does not know it yet or has forgotten it. */
export class Script {
  readonly #text: string;
  readonly #digest: string;

  constructor(text: string) {
    this.#text = text;
    this.#digest = createHash('sha1').update(text).digest('hex');
  }

  async run(client: RedisClient, key: string, args: readonly string[]): Promise<unknown> {
    try {
      return await client.call('EVALSHA', this.#digest, 1, key, ...args);
    } catch (error) {
      if (!(error as Error).message?.startsWith('NOSCRIPT')) throw error;
      return client.call('EVAL', this.#text, 1, key, ...args);
    }
  }
}

/** The answer, or an error after so many milliseconds: what was sent may have been done or not. */
export function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // Not unref'd: it keeps the process alive until the answer is there, at a clean exit too.
    const timer = setTimeout(
      () => reject(new Error(`Redis did not answer within ${milliseconds} ms`)),
      milliseconds,
    );
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
