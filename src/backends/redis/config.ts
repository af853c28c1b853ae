/** Configuration of the Redis backend. */
import { MetheusError, show } from '../../errors.js';
import { checkOptionNames, MAX_TIMER_SECONDS } from '../../model/options.js';
import { withoutBrackets } from '../../system/host.js';
/** Argument of a command. Text is sent as UTF-8. */
export type Argument = string | number | Buffer;

/** A connected client of ioredis, or one with the same methods. */
export interface RedisClient {
  call(command: string, ...args: Argument[]): Promise<unknown>;
  /** Like `call`, but the reply has a `Buffer` wherever the reply of `call` has text. */
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>;
  disconnect(): void;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
}

/** Configuration of `MultiProcessRedisBackend`. An IPv6 host may be in brackets, as in a URL. */
export interface RedisBackendConfig {
  /** @defaultValue `'127.0.0.1'` */
  readonly host?: string;
  /** @defaultValue 6379 */
  readonly port?: number;
  /** `redis://…` or `rediss://…`, instead of host and port. */
  readonly url?: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Number of the database. @defaultValue 0 */
  readonly db?: number;
  /** Options of `tls.connect`, for a server that is reached through TLS. */
  readonly tls?: object;
  /** Nodes of a Redis Cluster, instead of host and port. */
  readonly cluster?: readonly { readonly host: string; readonly port: number }[];
  /** A connected client, instead of the options above. The backend does not close it. */
  readonly client?: RedisClient;
  /** Prefix of all keys. Programs with the same prefix share their metrics. @defaultValue `'metheus'` */
  readonly keyPrefix?: string;
  /** Seconds after the last flush or scrape until keys expire. @defaultValue 3600 */
  readonly expireKeyTime?: number;
  /** Seconds between flushes. @defaultValue 1 */
  readonly flushInterval?: number;
  /**
   * Seconds without a flush after which a process counts as ended.
   *
   * @defaultValue 15, or three flush intervals if that is more
   */
  readonly heartbeat?: number;
  /** Maximum seconds until Redis replies to a command. @defaultValue 2 */
  readonly timeout?: number;
  /** Whether loading the backend fails when Redis is unavailable, instead of connecting later. @defaultValue false */
  readonly failFast?: boolean;
  /**
   * Result of a scrape while Redis is unavailable. With `'own'`, it has the numbers of this process only, and
   * `metheus_backend_up 0`, so alerts on this process keep working. With `'error'`, the scrape fails, so dashboards
   * never show sums in which the numbers of other processes are missing.
   *
   * @defaultValue `'own'`
   */
  readonly whenDown?: 'own' | 'error';
  /** Further options of ioredis, such as `sentinels` and `name`. */
  readonly ioredis?: Readonly<Record<string, unknown>>;
}

const OPTIONS = [
  'host',
  'port',
  'username',
  'password',
  'db',
  'tls',
  'url',
  'cluster',
  'client',
  'ioredis',
  'keyPrefix',
  'expireKeyTime',
  'flushInterval',
  'heartbeat',
  'timeout',
  'failFast',
  'whenDown',
];

/** The checked options of the backend. Its `connection` holds the options for ioredis. */
export type Settings = ReturnType<typeof settingsOf>;

/** @throws `METHEUS_INVALID_OPTIONS` */
export function settingsOf(config: RedisBackendConfig) {
  checkOptionNames('MultiProcessRedisBackend', config, OPTIONS, {
    todo: 'Put further options of ioredis into the option ioredis',
  });
  const {
    keyPrefix = 'metheus',
    expireKeyTime = 3600,
    flushInterval = 1,
    heartbeat = Math.max(15, 3 * flushInterval),
    timeout = 2,
    failFast = false,
    whenDown = 'own',
    client,
    url,
    cluster,
    ioredis = {},
    ...connection
  } = config;
  const check = (isValid: boolean, given: string, expected: string) => {
    if (!isValid) throw new MetheusError('METHEUS_INVALID_OPTIONS', { given, expected });
  };
  for (const [name, value] of Object.entries({ expireKeyTime, flushInterval, heartbeat, timeout })) {
    const isValid = typeof value === 'number' && value > 0 && value < MAX_TIMER_SECONDS;
    check(isValid, `${name}: ${show(value)}`, `seconds, more than 0 and less than ${MAX_TIMER_SECONDS}`);
  }
  check(typeof keyPrefix === 'string', `keyPrefix: ${show(keyPrefix)}`, 'a string');
  check(typeof failFast === 'boolean', `failFast: ${show(failFast)}`, 'true or false');
  check(typeof ioredis === 'object' && ioredis !== null, `ioredis: ${show(ioredis)}`, 'an object');
  check(whenDown === 'own' || whenDown === 'error', `whenDown: ${show(whenDown)}`, "'own' or 'error'");
  const isClient = client === undefined || typeof client?.callBuffer === 'function';
  check(isClient, 'an unsuitable client', 'a client with the methods call and callBuffer, as ioredis has');
  // The URL itself is never shown, since it may hold a password.
  const isUrl = url === undefined || URL.canParse(url);
  check(isUrl, 'an invalid url', "a URL that begins with 'redis://' or 'rediss://'");
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
    cluster: cluster?.map(plainAddress),
    connection: plainAddress({ host: '127.0.0.1', port: 6379, ...ioredis, ...connection }) as Readonly<
      Record<string, unknown>
    >,
  };
}

/** Returns an address without the brackets around IPv6 hosts, including the hosts of its sentinels. */
function plainAddress<Address extends { readonly host: string; readonly sentinels?: unknown }>(
  address: Address,
): Address {
  const { host, sentinels } = address;
  const others = Array.isArray(sentinels) ? { sentinels: sentinels.map(plainAddress) } : {};
  return { ...address, ...others, host: withoutBrackets(host) };
}

/** Returns the settings that can be shown. Settings that may contain a secret are left out. */
export function publicConfig({ client: _, url, cluster, connection, ...shown }: Settings) {
  const { host, port, db } = connection;
  const server =
    cluster === undefined
      ? { host, port, db }
      : { cluster: cluster.map(({ host, port }) => ({ host, port })) };
  return Object.freeze({ ...shown, ...(url === undefined ? server : hostOf(url)) });
}

function hostOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: withoutBrackets(hostname), port: Number(port || 6379) };
}
