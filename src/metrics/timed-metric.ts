/** Timing, for all metrics that observe durations. */
import { Metric } from './metric.js';
import { checkFunction, isMethodContext, type Method, watch, wrap } from './wrapped-functions.js';

/** A timer that runs from its creation until `stop`, or until the end of the block of a `using`. */
export class Timer {
  readonly #start = performance.now();
  readonly #observe: (seconds: number) => void;
  #seconds: number | undefined;

  /** @param observe - called once, with the duration */
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

/** Timing, in seconds of a monotonic clock. */
export interface Timed {
  /** Starts a timer. `using timer = metric.startTimer()` stops it at the end of the block. */
  startTimer(): Timer;
  /**
   * Calls `fn` and observes its duration, also when it fails. A promise is timed until it settles. The result or error
   * is passed through. As a decorator, `@metric.time`, it times every call of the method.
   *
   * @throws `METHEUS_INVALID_CALLBACK`
   */
  time<This, Args extends unknown[], R>(
    method: Method<This, Args, R>,
    context: ClassMethodDecoratorContext,
  ): Method<This, Args, R>;
  time<R>(fn: () => R): R;
  /**
   * Returns a function that calls `method` and observes the duration of each call. Also a decorator: `@metric.timed`.
   */
  timed<This, Args extends unknown[], R>(
    method: Method<This, Args, R>,
    context?: ClassMethodDecoratorContext,
  ): Method<This, Args, R>;
}

/** Implements {@link Timed}. Users see only the overloads declared there. */
export abstract class TimedMetric extends Metric {
  protected abstract observeDuration(seconds: number): void;

  startTimer(): Timer {
    if (this.offset < 0) throw this.unobservable();
    return new Timer((seconds) => this.observeDuration(seconds));
  }

  time<R>(fn: () => R, context?: unknown): R | (() => R) {
    checkFunction(fn, 'time()');
    return isMethodContext(context) ? this.timed(fn) : this.#timeCall(fn);
  }

  timed<This, Args extends unknown[], R>(method: Method<This, Args, R>): Method<This, Args, R> {
    checkFunction(method, 'timed()');
    return wrap(method, (call) => this.#timeCall(call));
  }

  #timeCall<R>(fn: () => R): R {
    const timer = this.startTimer();
    return watch(fn, () => timer.stop());
  }
}
