/** A connection to Redis that always answers in time, and whose errors say what is wrong and no secret. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, disconnect } from './client.js';
import type { Argument, RedisClient, Settings } from './config.js';

/** A script, sent by its digest, and whole when Redis does not know it yet or has forgotten it. */
export class Script {
  readonly text: string;
  readonly digest: string;

  constructor(text: string) {
    this.text = text;
    this.digest = createHash('sha1').update(text).digest('hex');
  }
}

/** Between two attempts to reach Redis at the start, in milliseconds. */
const RETRY_MS = 10;

/** What ioredis says when it has no connection, whatever the reason. */
const VAGUE =
  /^(Stream isn't|Reached the max|Connection is closed|Cluster isn't|Cluster is ended|None of startup)/;
const NO_CONNECTION = new Error('there is no connection');

export class Connection {
  readonly #client: RedisClient;
  readonly #settings: Settings;
  readonly #listeners: [event: string, listener: (...args: never[]) => void][] = [];
  /** Why there is no connection, as far as it is known. */
  #trouble: Error | undefined;

  private constructor(client: RedisClient, settings: Settings) {
    this.#client = client;
    this.#settings = settings;
    // Without a listener an error of the connection would end the process.
    this.#listen('error', (error: Error) => {
      this.#trouble = error;
    });
    this.#listen('ready', () => {
      this.#trouble = undefined;
    });
  }

  /**
   * Connects, and waits until that has succeeded, has failed or has taken too long.
   *
   * @throws `METHEUS_DEPENDENCY_MISSING`; with `failFast`, what Redis or the network answers
   */
  static async open(settings: Settings): Promise<Connection> {
    const connection = new Connection(await createClient(settings), settings);
    await connection.#firstAnswer();
    return connection;
  }

  /** Calls `listener` whenever a connection is made anew. */
  onReady(listener: () => void): void {
    this.#listen('ready', listener);
  }

  #listen(event: string, listener: (...args: never[]) => void): void {
    this.#client.on(event, listener);
    this.#listeners.push([event, listener]);
  }

  call(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#answer(this.#client.call(command, ...args));
  }

  /** The same, with a `Buffer` where `call` gives text. */
  callForBytes(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#answer(this.#client.callBuffer(command, ...args));
  }

  run(script: Script, key: string, args: readonly Argument[]): Promise<unknown> {
    return evaluate(script, (...how) => this.call(...how, 1, key, ...args));
  }

  runForBytes(script: Script, key: string, args: readonly Argument[]): Promise<unknown> {
    return evaluate(script, (...how) => this.callForBytes(...how, 1, key, ...args));
  }

  /** Disconnects, unless the client was given by the user. */
  close(): void {
    if (this.#settings.client === undefined) disconnect(this.#client);
    else for (const [event, listener] of this.#listeners) this.#client.off(event, listener);
  }

  async #firstAnswer(): Promise<void> {
    const { timeout, failFast } = this.#settings;
    const deadline = performance.now() + timeout;
    for (;;) {
      try {
        await this.call('PING');
        return;
      } catch (error) {
        const late = performance.now() > deadline;
        if (failFast && (late || isAnswer(error) || isAnswer(this.#trouble))) {
          this.close();
          throw error;
        }
        if (!failFast && (late || this.#trouble !== undefined)) return;
        await sleep(RETRY_MS);
      }
    }
  }

  async #answer(answer: Promise<unknown>): Promise<unknown> {
    try {
      return await within(this.#settings.timeout, answer);
    } catch (error) {
      throw this.#explain(error as Error);
    }
  }

  /**
   * What the client reports instead of the reason becomes the reason. The error is a new one: those of the
   * client carry the command, which may be AUTH with its password, or a whole batch.
   */
  #explain(given: Error): Error {
    const { name, message } = VAGUE.test(given.message) ? (this.#trouble ?? NO_CONNECTION) : given;
    const error = new Error(message);
    error.name = name;
    return error;
  }
}

async function evaluate(
  { text, digest }: Script,
  call: (command: string, script: string) => Promise<unknown>,
): Promise<unknown> {
  try {
    return await call('EVALSHA', digest);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return call('EVAL', text);
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

/** Answers that mean "not now", whatever is asked. */
const NOT_NOW =
  /\b(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOAUTH|WRONGPASS|OOM|BUSY|MISCONF|NOREPLICAS)\b/;

/** An answer of Redis itself, and about this one family: others may be taken. */
export function isRefusal(error: unknown): boolean {
  return isAnswer(error) && !NOT_NOW.test((error as Error).message);
}

/** An answer of Redis itself, not of the connection. */
export const isAnswer = (error: unknown): boolean => (error as Error | undefined)?.name === 'ReplyError';
