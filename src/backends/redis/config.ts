/** What the Redis backend is configured with. */
import { MetheusError, show } from '../../errors.js';

/** What a command is given: text is sent as UTF-8. */
export type Argument = string | number | Buffer;

/** A connected client: of ioredis, or anything that sends commands like it. */
export interface RedisClient {
  call(command: string, ...args: Argument[]): Promise<unknown>;
  /** The same, with a `Buffer` where `call` gives text. */
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>;
  disconnect(): void;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
}

/** Configuration of `MultiProcessRedisBackend`. Everything not named here is passed on to ioredis. */
export interface RedisBackendConfig {
  /** @defaultValue `'127.0.0.1'` */
  readonly host?: string;
  /** @defaultValue 6379 */
  readonly port?: number;
  /** `redis://…` or `rediss://…`, instead of host and port. */
  readonly url?: string;
  /** Nodes of a Redis Cluster, instead of host and port. */
  readonly cluster?: readonly { readonly host: string; readonly port: number }[];
  /** A ready client, instead of all of these. It is not closed with the backend. */
  readonly client?: RedisClient;
  /** What all keys begin with. Programs of one prefix add up. @defaultValue `'metheus'` */
  readonly keyPrefix?: string;
  /** Seconds after the last flush or scrape until keys expire. @defaultValue 3600 */
  readonly expireKeyTime?: number;
  /** Milliseconds between flushes. @defaultValue 1000 */
  readonly flushInterval?: number;
  /**
   * Seconds without a sign of life, which every flush is, after which a producer counts as gone.
   *
   * @defaultValue 15, and at least three flushes
   */
  readonly heartbeat?: number;
  /** Milliseconds that Redis may take to answer. @defaultValue 2000 */
  readonly timeout?: number;
  /** Whether loading fails when Redis cannot be reached; else it is tried again and again. @defaultValue false */
  readonly failFast?: boolean;
  /**
   * What a scrape gives while Redis is down: `'own'`, this process's numbers and `metheus_backend_up 0`, or
   * `'error'`. Own numbers keep the process's alerts working; an error keeps partial sums out of dashboards.
   *
   * @defaultValue `'own'`
   */
  readonly whenDown?: 'own' | 'error';
  /** `username`, `password`, `db`, `tls`, `sentinels` and whatever else ioredis takes. */
  readonly [option: string]: unknown;
}

/** The backend's own options, checked, and what is for ioredis. */
export interface Settings {
  readonly keyPrefix: string;
  readonly expireKeyTime: number;
  readonly flushInterval: number;
  readonly heartbeat: number;
  readonly timeout: number;
  readonly failFast: boolean;
  readonly whenDown: 'own' | 'error';
  readonly client: RedisClient | undefined;
  readonly url: string | undefined;
  readonly cluster: RedisBackendConfig['cluster'];
  readonly connection: Readonly<Record<string, unknown>>;
}

/** @throws `METHEUS_INVALID_OPTIONS` */
export function settingsOf(config: RedisBackendConfig): Settings {
  const {
    keyPrefix = 'metheus',
    expireKeyTime = 3600,
    flushInterval = 1000,
    heartbeat = Math.max(15, (3 * flushInterval) / 1000),
    timeout = 2000,
    failFast = false,
    whenDown = 'own',
    client,
    url,
    cluster,
    ...connection
  } = config;
  for (const [name, value] of Object.entries({ expireKeyTime, flushInterval, heartbeat, timeout })) {
    if (typeof value !== 'number' || !(value > 0 && value < 2 ** 31)) {
      const given = `${name}: ${show(value)}`;
      throw new MetheusError('METHEUS_INVALID_OPTIONS', { given, expected: 'a number greater than 0' });
    }
  }
  if (typeof keyPrefix !== 'string') {
    const given = `keyPrefix: ${show(keyPrefix)}`;
    throw new MetheusError('METHEUS_INVALID_OPTIONS', { given, expected: 'a string' });
  }
  if (whenDown !== 'own' && whenDown !== 'error') {
    const given = `whenDown: ${show(whenDown)}`;
    throw new MetheusError('METHEUS_INVALID_OPTIONS', { given, expected: "'own' or 'error'" });
  }
  if (client !== undefined && typeof client?.callBuffer !== 'function') {
    const expected = 'a client with the methods call and callBuffer, as those of ioredis are';
    throw new MetheusError('METHEUS_INVALID_OPTIONS', { given: 'another client', expected });
  }
  // The URL itself is never shown: it may hold a password.
  if (url !== undefined && !URL.canParse(url)) {
    const expected = "a URL that begins with 'redis://' or 'rediss://'";
    throw new MetheusError('METHEUS_INVALID_OPTIONS', { given: 'a url that is none', expected });
  }
  return {
    keyPrefix,
    expireKeyTime: Math.ceil(expireKeyTime),
    flushInterval,
    heartbeat,
    timeout,
    failFast,
    whenDown,
    client,
    url,
    cluster,
    connection: { host: '127.0.0.1', port: 6379, ...connection },
  };
}

/** What may be shown of a configuration: nothing that could be a secret. */
export function publicConfig(settings: Settings): Readonly<Record<string, unknown>> {
  const { keyPrefix, expireKeyTime, flushInterval, heartbeat, timeout, failFast, whenDown, cluster } =
    settings;
  const { host, port, db } = settings.connection;
  const where =
    settings.url !== undefined
      ? withoutSecrets(settings.url)
      : cluster !== undefined
        ? { cluster: cluster.map(({ host, port }) => ({ host, port })) }
        : { host, port, db };
  const shown = { keyPrefix, expireKeyTime, flushInterval, heartbeat, timeout, failFast, whenDown };
  return Object.freeze({ ...shown, ...where });
}

function withoutSecrets(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port || 6379) };
}
