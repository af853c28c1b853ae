/** Timing, for all metrics that observe durations. */
import { Metric } from './metric.js';
import {
  type CallDecorator,
  type CallWrapper,
  checkFunction,
  decoratorOr,
  watch,
  wrap,
} from './wrapped-functions.js';

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
  readonly time: CallDecorator & (<R>(fn: () => R) => R);
  /**
   * Returns a function that calls `method` and observes the duration of each call. Also a decorator: `@metric.timed`.
   */
  readonly timed: CallWrapper;
}

/** Implements {@link Timed}. Users see only the overloads declared there. */
export abstract class TimedMetric extends Metric {
  protected abstract observeDuration(seconds: number): void;

  startTimer(): Timer {
    this.checkObservable();
    return new Timer((seconds) => this.observeDuration(seconds));
  }

  get time() {
    return decoratorOr('time()', this.#timing, (fn) => {
      checkFunction(fn, 'time()');
      return this.#timing()(fn);
    });
  }

  get timed() {
    return decoratorOr('timed()', this.#timing, (fn) => {
      checkFunction(fn, 'timed()');
      return wrap(fn, this.#timing());
    });
  }

  get #timing() {
    return () => {
      this.checkObservable();
      return <R>(fn: () => R): R => {
        const timer = this.startTimer();
        return watch(fn, () => timer.stop());
      };
    };
  }
}
