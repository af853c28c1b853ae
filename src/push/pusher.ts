/** Deliveries at an interval, in order, with retries and a bounded queue. */

import { messageOf, warnOnce } from '../errors.js';
import { invalidValue, MAX_TIMER_SECONDS } from '../model/options.js';
import { addExitStep, removeExitStep } from '../system/exit-steps.js';
import type { Destination, DestinationOptions, PushError } from './request.js';

/** Options of everything that is sent at an interval. */
export interface PusherOptions extends DestinationOptions {
  /** Seconds between two collections. @defaultValue 15 */
  readonly interval?: number;
  /**
   * Maximum bytes of requests that wait while the server cannot be reached. Beyond that, the oldest are dropped.
   *
   * @defaultValue 33_554_432
   */
  readonly maxQueueBytes?: number;
  /** Seconds that `close` and the end of the program wait for the server. @defaultValue 5 */
  readonly closeTimeout?: number;
}

/** Names of the options in {@link PusherOptions} that {@link DestinationOptions} lacks. */
export const PUSHER_OPTIONS = ['interval', 'maxQueueBytes', 'closeTimeout'];

/** A request that waits to be sent. */
export interface Delivery {
  readonly body: Uint8Array;
  readonly samples: number;
}

/** Numbers of samples since the start. */
export interface SampleCounts {
  /** Accepted by the server. */
  readonly sent: number;
  /** Refused by the server, or dropped since too many were waiting. */
  readonly dropped: number;
  readonly pending: number;
}

/** The work that differs between protocols. */
export interface Protocol {
  /** For warnings. */
  readonly name: string;
  /** Appended to the URL of the destination. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Collects the current numbers, and adds their requests to the queue.
   *
   * @param isLast - whether no further collection follows
   */
  collect(enqueue: (delivery: Delivery) => void, isLast: boolean): Promise<void>;
  /** Reports whether a later attempt may succeed after an answer with this status. */
  isRetryable(status: number): boolean;
  /** Returns what an answer that accepts a request says about samples that it refuses. */
  refusalOf?(body: Buffer): { readonly samples: number; readonly message: string } | undefined;
}

/** Milliseconds before the first and between later retries, as in Prometheus. */
const MIN_BACKOFF_MS = 30;
const MAX_BACKOFF_MS = 5000;
/** The longest pause that a server can demand. */
const MAX_PAUSE_MS = 60_000;
/** The reason why samples are dropped after the end. */
const ENDED = 'the program has ended';

/**
 * Collects and delivers at an interval, until it is closed. Does not keep the process running. When the program has
 * nothing left to do, the last numbers are delivered.
 */
export class Pusher implements AsyncDisposable {
  readonly #destination: Destination;
  readonly #protocol: Protocol;
  readonly #maxQueueBytes: number;
  readonly #closeTimeout: number;
  readonly #timer: NodeJS.Timeout;
  readonly #queue: Delivery[] = [];
  /** Functions that settle the promises of {@link flush}. */
  readonly #flushes = new Set<(error: unknown) => void>();
  readonly #stop = new AbortController();
  #sent = 0;
  #dropped = 0;
  /** The running collection. Never rejects. */
  #collecting: Promise<{ readonly error: unknown } | undefined> | undefined;
  /** The running delivery; undefined while nothing waits. Never rejects. */
  #delivering: Promise<void> | undefined;
  /** Ends the pause before the next attempt. */
  #wake: () => void = () => {};
  #closed: Promise<void> | undefined;

  /** @throws `METHEUS_INVALID_OPTIONS` */
  constructor(destination: Destination, options: PusherOptions, protocol: Protocol) {
    const { interval = 15, maxQueueBytes = 33_554_432, closeTimeout = 5 } = options;
    checkNumber('interval', interval, MAX_TIMER_SECONDS);
    checkNumber('maxQueueBytes', maxQueueBytes, Number.MAX_SAFE_INTEGER);
    checkNumber('closeTimeout', closeTimeout, MAX_TIMER_SECONDS);
    this.#destination = destination;
    this.#protocol = protocol;
    this.#maxQueueBytes = maxQueueBytes;
    this.#closeTimeout = closeTimeout;
    // A collection that takes longer than the interval is not followed by another one at once.
    this.#timer = setInterval(() => void (this.#collecting ?? this.#collect()), 1000 * interval).unref();
    addExitStep('push', this.#atExit);
  }

  get samples(): SampleCounts {
    const pending = this.#queue.reduce((sum, { samples }) => sum + samples, 0);
    return { sent: this.#sent, dropped: this.#dropped, pending };
  }

  /**
   * Collects the current numbers, and resolves when everything that waits has been sent.
   *
   * @throws the error of the collection; `METHEUS_PUSH_FAILED` after a failed attempt. Samples keep waiting, unless the
   * server has refused them
   */
  async flush(): Promise<void> {
    if (this.#closed !== undefined) return this.#closed;
    const failure = await this.#collect();
    this.#wake();
    if (failure !== undefined) throw failure.error;
    if (this.#delivering === undefined) return;
    await new Promise<void>((resolve, reject) => {
      this.#flushes.add((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /**
   * Sends the last numbers, and gives up after `closeTimeout` seconds. Further calls return the same promise. Never
   * rejects.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    removeExitStep('push', this.#atExit);
    // The timer keeps the process running until the delivery has ended.
    const limit = setTimeout(() => this.#stop.abort(), 1000 * this.#closeTimeout);
    const stopped = new Promise((resolve) => this.#stop.signal.addEventListener('abort', resolve));
    await Promise.race([this.#deliverAll(), stopped]);
    clearTimeout(limit);
    this.#stop.abort();
    if (this.#queue.length > 0) this.#drop(this.#queue.splice(0), ENDED);
  }

  async #deliverAll(): Promise<void> {
    await this.#collect(true);
    this.#wake();
    await this.#delivering;
  }

  readonly #atExit = (): void => void this.close();

  /**
   * Adds the current numbers to the queue, after the running collection. Returns the error of a failed collection. Never
   * rejects.
   */
  #collect(isLast = false): Promise<{ readonly error: unknown } | undefined> {
    const collecting = (this.#collecting ?? Promise.resolve())
      .then(() => this.#protocol.collect((delivery) => this.#enqueue(delivery), isLast))
      .then(
        () => undefined,
        (error: unknown) => {
          this.#warn('collection', `Metrics could not be collected: ${messageOf(error)}`);
          return { error };
        },
      )
      .finally(() => {
        if (this.#collecting === collecting) this.#collecting = undefined;
      });
    this.#collecting = collecting;
    return collecting;
  }

  #enqueue(delivery: Delivery): void {
    if (this.#stop.signal.aborted) {
      this.#drop([delivery], ENDED);
      return;
    }
    this.#queue.push(delivery);
    let bytes = this.#queue.reduce((sum, { body }) => sum + body.length, 0);
    const excess: Delivery[] = [];
    // The first one may be on its way.
    while (bytes > this.#maxQueueBytes && this.#queue.length > 2) {
      const [oldest] = this.#queue.splice(1, 1);
      bytes -= oldest!.body.length;
      excess.push(oldest!);
    }
    if (excess.length > 0) this.#drop(excess, 'too many are waiting');
    this.#delivering ??= this.#deliver();
  }

  /** @param kind - see {@link #warn} */
  #drop(deliveries: readonly Delivery[], why: string, kind = why): void {
    for (const { samples } of deliveries) this.#dropped += samples;
    this.#warn(kind, `Samples were dropped: ${why}`);
  }

  /** Emits a warning. @param kind - later warnings of the same kind are dropped, whatever the server answers */
  #warn(kind: string, message: string): void {
    const { name } = this.#protocol;
    const { host } = this.#destination.base;
    warnOnce(`${name} ${host} ${kind}`, `${name} to ${host}: ${message}`);
  }

  /** Sends the requests of the queue in order, each until it is accepted or refused. */
  async #deliver(): Promise<void> {
    let backoff = MIN_BACKOFF_MS;
    while (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      const error = await this.#attempt(this.#queue[0]!);
      if (error === undefined) {
        backoff = MIN_BACKOFF_MS;
        continue;
      }
      this.#settleFlushes(error);
      if (!this.#isRetryable(error)) continue;
      this.#warn('waiting', `Samples wait to be sent again: ${error.message}`);
      await this.#pause(Math.max(backoff, Math.min(1000 * (error.retryAfter ?? 0), MAX_PAUSE_MS)));
      backoff = Math.min(2 * backoff, MAX_BACKOFF_MS);
    }
    this.#delivering = undefined;
    this.#settleFlushes(undefined);
  }

  /** Sends a request, and removes it from the queue unless it has to be sent again. Returns the error, if any. */
  async #attempt(delivery: Delivery): Promise<PushError | undefined> {
    const { path, headers } = this.#protocol;
    const { body, samples } = delivery;
    try {
      const reply = await this.#destination.deliver('POST', path, {
        headers,
        body,
        signal: this.#stop.signal,
      });
      const refused = this.#protocol.refusalOf?.(reply.body);
      this.#queue.shift();
      this.#sent += samples - (refused?.samples ?? 0);
      this.#dropped += refused?.samples ?? 0;
      if (refused !== undefined) this.#warn('refused in part', `The server answers: ${refused.message}`);
      return undefined;
    } catch (failure) {
      const error = failure as PushError;
      if (this.#isRetryable(error)) return error;
      this.#queue.shift();
      this.#drop([delivery], error.message, `refused ${error.status}`);
      return error;
    }
  }

  #isRetryable({ status }: PushError): boolean {
    return status === undefined || this.#protocol.isRetryable(status);
  }

  #settleFlushes(error: unknown): void {
    const flushes = [...this.#flushes];
    this.#flushes.clear();
    for (const settle of flushes) settle(error);
  }

  /** Waits before the next attempt, but not longer than until the next flush or the end. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener('abort', this.#wake);
    });
    signal.removeEventListener('abort', this.#wake);
    this.#wake = () => {};
  }
}

/** @throws `METHEUS_INVALID_OPTIONS` unless the option is a number above 0 and up to a limit */
export function checkNumber(option: string, given: unknown, most: number): void {
  if (typeof given === 'number' && given > 0 && given <= most) return;
  throw invalidValue(option, given, `a number above 0, at most ${most}`);
}
