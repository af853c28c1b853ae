/** Measuring how long something takes. */
import type { Method } from './passing-through.js';

/** Runs from its making until `stop`, or until the end of the block of a `using`. */
export class Timer {
  readonly #start = performance.now();
  readonly #observe: (seconds: number) => void;
  #seconds: number | undefined;

  /** @param observe - given the seconds, once */
  constructor(observe: (seconds: number) => void) {
    this.#observe = observe;
  }

  /** Observes and returns the seconds since the start. Further calls return the same and observe nothing. */
  stop(): number {
    if (this.#seconds === undefined) {
      this.#seconds = (performance.now() - this.#start) / 1000;
      this.#observe(this.#seconds);
    }
    return this.#seconds;
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/** Timing, for every metric that takes durations. Seconds, on a monotonic clock. */
export interface Timed {
  /** Starts a timer. `using timer = metric.startTimer()` stops it at the end of the block. */
  startTimer(): Timer;
  /**
   * Calls `fn` and takes its duration, also when it fails. A promise is timed to its end. The result or error
   * passes through. As a decorator, `@metric.time`, it times every call of the method.
   *
   * @throws `METHEUS_INVALID_CALLBACK`
   */
  time<This, Args extends unknown[], R>(
    method: Method<This, Args, R>,
    context: ClassMethodDecoratorContext,
  ): Method<This, Args, R>;
  time<R>(fn: () => R): R;
  /** The same function, each call timed: for a decorator, `@metric.timed`, or to wrap one that is called later. */
  timed<This, Args extends unknown[], R>(
    method: Method<This, Args, R>,
    context?: ClassMethodDecoratorContext,
  ): Method<This, Args, R>;
}
