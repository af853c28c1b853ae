/** A metric that takes durations. */
import { Metric } from './metric.js';
import { checkFunction, isMethodContext, type Method, watch, wrap } from './passing-through.js';
import { Timer } from './timer.js';

/** Implements `Timed`, whose overloads are what users see. */
export abstract class TimedMetric extends Metric {
  /** Takes a duration, in seconds. */
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
