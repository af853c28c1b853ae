/** A number that goes up and down: queue length, temperature, requests in progress. Its value, and when set. */
import type { TOUCHED } from '../model/metric-types.js';
import { coarseNow } from '../system/clock.js';
import { checkFunction, isMethodContext, type Method, watch, wrap } from './passing-through.js';
import { TimedMetric } from './timed-metric.js';
import type { Timed } from './timer.js';

/** The cell of when it was set, and the clock: copies for the hot path, where V8 would load what is imported each time. */
const SET_AT: typeof TOUCHED = 1;
const now = coarseNow;

/** What a gauge does once its labels are complete. */
export interface ObservableGauge extends Timed {
  /** @throws `METHEUS_INVALID_INCREMENT` unless `by` is a finite number */
  inc(by?: number): void;
  /** @throws `METHEUS_INVALID_INCREMENT` unless `by` is a finite number */
  dec(by?: number): void;
  /** @throws `METHEUS_INVALID_VALUE` unless `value` is a number; NaN and the infinities are */
  set(value: number): void;
  /** Sets the gauge to Unix time in seconds. */
  setToCurrentTime(): void;
  /**
   * Counts 1 up, calls `fn`, and counts 1 down when it has ended, however it ends. The result or error passes
   * through. As a decorator, `@gauge.trackInProgress`, it does so for every call of the method.
   *
   * @throws `METHEUS_INVALID_CALLBACK`
   */
  trackInProgress<This, Args extends unknown[], R>(
    method: Method<This, Args, R>,
    context: ClassMethodDecoratorContext,
  ): Method<This, Args, R>;
  trackInProgress<R>(fn: () => R): R;
  /** The value in this thread: for tests. */
  get(): number;
}

export class GaugeMetric extends TimedMetric {
  inc(by = 1): void {
    if (!(by - by === 0) || typeof by !== 'number' || this.offset < 0) {
      throw this.refuse('METHEUS_INVALID_INCREMENT', by, 'a finite number');
    }
    const { page, offset } = this;
    page[offset]! -= -by;
    if (page[offset + SET_AT] === 0) page[offset + SET_AT] = 1;
  }

  dec(by = 1): void {
    if (!(by - by === 0) || typeof by !== 'number') {
      throw this.refuse('METHEUS_INVALID_INCREMENT', by, 'a finite number');
    }
    this.inc(-by);
  }

  set(value: number): void {
    if (typeof value !== 'number' || this.offset < 0) {
      throw this.refuse('METHEUS_INVALID_VALUE', value, 'a number');
    }
    const { page, offset } = this;
    page[offset] = value;
    page[offset + SET_AT] = now();
  }

  setToCurrentTime(): void {
    this.set(Date.now() / 1000);
  }

  trackInProgress<R>(fn: () => R, context?: unknown): R | (() => R) {
    checkFunction(fn, 'trackInProgress()');
    if (this.offset < 0) throw this.unobservable();
    return isMethodContext(context) ? wrap(fn, (call) => this.#track(call)) : this.#track(fn);
  }

  protected observeDuration(seconds: number): void {
    this.set(seconds);
  }

  get(): number {
    if (this.offset < 0) throw this.unobservable();
    return this.page[this.offset]!;
  }

  #track<R>(fn: () => R): R {
    this.inc();
    return watch(fn, () => this.dec());
  }
}
