/** A connection to Redis: every call settles within the time limit, and no error shows a secret. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { missingPackage } from '../../errors.js';
import type { Argument, RedisClient, Settings } from './config.js';
import { isConnectedToPrimary } from './sentinel.js';

/** A Lua script. It is called by its digest, and sent as text if Redis does not know the digest. */
export class Script {
  readonly text: string;
  readonly digest: string;

  constructor(text: string) {
    this.text = text;
    this.digest = createHash('sha1').update(text).digest('hex');
  }
}

/** Pause between two attempts to reach Redis while the backend is opened. */
const RETRY_MS = 10;
/** Maximum pause between two attempts to reconnect. */
const MAX_RECONNECT_MS = 2000;

/** Messages of ioredis that report a missing connection without its reason. */
const NO_CONNECTION =
  /^(Stream isn't|Reached the max|Connection is closed|Cluster isn't|Cluster is ended|None of startup)/;

export class Connection {
  readonly #client: RedisClient;
  readonly #settings: Settings;
  readonly #listeners: [event: string, listener: (...args: never[]) => void][] = [];
  /** The last error of the connection; undefined while it works. */
  #connectionError: Error | undefined;

  private constructor(client: RedisClient, settings: Settings) {
    this.#client = client;
    this.#settings = settings;
    // Without a listener, an 'error' event would end the process. A cluster emits 'node error' for errors of its nodes.
    for (const event of ['error', 'node error']) {
      this.#listen(event, (error: Error) => {
        if (!NO_CONNECTION.test(causeOf(error))) this.#connectionError = error;
      });
    }
    this.#listen('ready', () => {
      this.#connectionError = undefined;
    });
  }

  /**
   * Connects, and waits until that has succeeded, has failed or has taken too long.
   *
   * @throws `METHEUS_DEPENDENCY_MISSING`; with `failFast`, the error of Redis or the network
   */
  static async open(settings: Settings): Promise<Connection> {
    const connection = new Connection(settings.client ?? (await createClient(settings)), settings);
    await connection.#waitForReply(settings.failFast);
    return connection;
  }

  /** Calls `listener` after every connect. */
  onReady(listener: () => void): void {
    this.#listen('ready', listener);
  }

  #listen(event: string, listener: (...args: never[]) => void): void {
    this.#client.on(event, listener);
    this.#listeners.push([event, listener]);
  }

  call(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#withLimit(this.#client.call(command, ...args));
  }

  run(script: Script, key: string, args: readonly Argument[]): Promise<unknown> {
    return this.#evaluate('call', script, key, args);
  }

  /** Runs a script like {@link run}, but the reply has a `Buffer` wherever that of `run` has text. */
  runForBytes(script: Script, key: string, args: readonly Argument[]): Promise<unknown> {
    return this.#evaluate('callBuffer', script, key, args);
  }

  /** Reports whether the sentinels name the connected server as the primary; always `true` without sentinels. */
  async isPrimary(): Promise<boolean> {
    const { options } = this.#client as unknown as ClientInternals;
    if (!options?.sentinels?.length) return true;
    const { Redis } = await importIoredis();
    return isConnectedToPrimary(this.#client, Redis, 1000 * this.#settings.timeout);
  }

  /** Reconnects to the server that a sentinel now names. Resolves when the server replies or the time limit expires. */
  async reconnect(): Promise<void> {
    (this.#client as unknown as ClientInternals).disconnect(true);
    await this.#waitForReply(false);
  }

  /** Disconnects. A client that the user supplied stays connected, and only the listeners are removed. */
  close(): void {
    if (this.#settings.client === undefined) disconnect(this.#client);
    else for (const [event, listener] of this.#listeners) this.#client.off(event, listener);
  }

  async #waitForReply(failFast: boolean): Promise<void> {
    const deadline = performance.now() + 1000 * this.#settings.timeout;
    for (;;) {
      try {
        await this.call('PING');
        return;
      } catch (error) {
        const isLate = performance.now() > deadline;
        if (failFast && (isLate || isRedisError(error) || isRedisError(this.#connectionError))) {
          this.close();
          throw error;
        }
        if (!failFast && (isLate || this.#connectionError !== undefined)) return;
        await sleep(RETRY_MS);
      }
    }
  }

  async #evaluate(
    method: 'call' | 'callBuffer',
    { text, digest }: Script,
    key: string,
    args: readonly Argument[],
  ): Promise<unknown> {
    try {
      return await this.#withLimit(this.#client[method]('EVALSHA', digest, 1, key, ...args));
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return this.#withLimit(this.#client[method]('EVAL', text, 1, key, ...args));
    }
  }

  async #withLimit(reply: Promise<unknown>): Promise<unknown> {
    try {
      return await within(1000 * this.#settings.timeout, reply);
    } catch (error) {
      throw this.#describe(error as Error);
    }
  }

  /**
   * Returns a new error with only the name and the reason of a failure. Errors of ioredis also contain the command,
   * which may be AUTH with a password, or a batch with all its numbers.
   */
  #describe(given: Error): Error {
    const isVague = NO_CONNECTION.test(causeOf(given));
    const reason = isVague ? (this.#connectionError ?? new Error('there is no connection')) : given;
    const error = new Error(causeOf(reason));
    error.name = reason.name;
    if (!isRedisError(reason) || SERVER_STATE.test(error.message)) outages.add(error);
    return error;
  }
}

/** Parts of a message that do not describe the cause: digests of scripts, and the client's count of attempts. */
const LOCATIONS = [
  / ?script: [0-9a-f]{40}, on @user_script:\d+\.?/g,
  /^ERR Error running script \(call to f_[0-9a-f]{40}\): (@user_script: ?\d+: )*-?/,
  /^Too many Cluster redirections\. Last error: (\w*Error: )?/,
];

/** Returns the message of the innermost cause. */
function causeOf(error: Error): string {
  const { lastNodeError } = error as { lastNodeError?: Error | null };
  if (lastNodeError) return causeOf(lastNodeError);
  return LOCATIONS.reduce((message, location) => message.replace(location, ''), error.message);
}

/** Rejects when there is no reply after `milliseconds`. Redis may have executed the command nevertheless. */
function within<T>(milliseconds: number, reply: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // Keeps the process alive until the reply arrives, so that a program without other work sends everything.
    const timer = setTimeout(
      () => reject(new Error(`Redis did not answer within ${milliseconds} ms`)),
      milliseconds,
    );
    reply.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Codes of errors that concern the state of the server, whichever command was sent. */
const SERVER_STATE =
  /\b(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOAUTH|WRONGPASS|OOM|BUSY|MISCONF|NOREPLICAS)\b/;

/** Connection errors, and errors of a server that cannot serve any family. */
const outages = new WeakSet<Error>();

/**
 * Reports whether an error concerns a single family: Redis refuses a command for it, or has invalid data of it.
 * Commands for other families may succeed.
 */
export const isRefusal = (error: unknown): boolean => !outages.has(error as Error);

/** Reports whether an error is a reply of Redis, and not one of the connection. */
const isRedisError = (error: unknown): boolean => (error as Error | undefined)?.name === 'ReplyError';

/**
 * ioredis needs no queue, since the outboxes keep all changes. With its defaults, commands would fail only after more
 * than a minute of an outage.
 */
const WITHOUT_QUEUE = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
};

/**
 * Creates an ioredis client that fails at once while Redis is unavailable, and does not keep the process alive.
 *
 * @throws `METHEUS_DEPENDENCY_MISSING` without ioredis
 */
async function createClient({ timeout, url, cluster, connection }: Settings): Promise<RedisClient> {
  const { Redis, Cluster } = await importIoredis();
  const options = {
    connectTimeout: Math.max(1000 * timeout, 100),
    // Closes a connection on which no replies arrive, so that commands do not pile up in it.
    socketTimeout: 1000 * timeout,
    retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RECONNECT_MS),
    // After a failover, the old primary replies READONLY. A new connection then leads to the new primary.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    ...connection,
    ...WITHOUT_QUEUE,
  };
  const { host: _, port: __, ...others } = options as Record<string, unknown>;
  if (cluster !== undefined) {
    // Some options are for the cluster, others for its nodes. Both ignore options that they do not know.
    const { redisOptions, ...shared } = others as { redisOptions?: object };
    const nodes = new Cluster([...cluster], {
      clusterRetryStrategy: options.retryStrategy,
      ...shared,
      redisOptions: { ...shared, ...redisOptions, ...WITHOUT_QUEUE },
    });
    nodes.on('+node', unref);
    unref(nodes);
    return nodes as unknown as RedisClient;
  }
  const client = url === undefined ? new Redis(options) : new Redis(url, others);
  unref(client);
  return client as unknown as RedisClient;
}

async function importIoredis(): Promise<typeof import('ioredis')> {
  try {
    return (await import('ioredis')) as unknown as typeof import('ioredis');
  } catch (cause) {
    throw missingPackage('ioredis', 'ioredis, which the Redis backend connects with', cause);
  }
}

/** The rarely used members of an ioredis client or cluster. */
interface ClientInternals {
  readonly options?: { readonly sentinels?: readonly unknown[] | null };
  disconnect(reconnect: boolean): void;
  on(event: string, listener: () => void): unknown;
  readonly stream?: { unref?(): void; on?(event: 'error', listener: () => void): unknown };
  readonly reconnectTimeout?: NodeJS.Timeout | null;
  nodes?(role: 'all'): readonly ClientInternals[];
}

/** Lets the process end while a client is connected or waits to reconnect. */
function unref(client: object): void {
  const internals = client as ClientInternals;
  internals.on('connect', () => internals.stream?.unref?.());
  for (const event of ['reconnecting', 'close']) {
    internals.on(event, () => internals.reconnectTimeout?.unref());
  }
}

/**
 * Disconnects. If a TLS handshake is under way, the server answers its end with an alert, and the socket emits an
 * 'error' event. ioredis does not listen to this event any more, so without the listener here it would end the process.
 */
function disconnect(client: RedisClient): void {
  const internals = client as unknown as ClientInternals;
  for (const { stream } of [internals, ...(internals.nodes?.('all') ?? [])]) stream?.on?.('error', () => {});
  client.disconnect();
}
