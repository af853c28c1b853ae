/**
 * Gauges: numbers that go up and down, such as queue lengths or temperatures. Two cells: the value, and the time at
 * which it was set.
 */
import type { GaugeMode, TOUCHED } from '../model/metric-types.js';
import { coarseNow } from '../system/clock.js';
import { type Timed, TimedMetric } from './timed-metric.js';
import { type CallDecorator, checkFunction, decoratorOr, watch } from './wrapped-functions.js';

// Local copies of imported constants. See docs/v8.md: imported constants.
const SET_AT: typeof TOUCHED = 1;
const now = coarseNow;

/** Options of gauges. */
export interface GaugeOptions {
  /** The rule by which the values of several threads, processes or machines become one. @defaultValue `'shared'` */
  readonly multiprocessMode?: GaugeMode;
}

/** The operations of a gauge whose labels are complete. */
export interface ObservableGauge extends Timed {
  /** @throws `METHEUS_INVALID_INCREMENT` unless `by` is a finite number */
  inc(by?: number): void;
  /** @throws `METHEUS_INVALID_INCREMENT` unless `by` is a finite number */
  dec(by?: number): void;
  /**
   * Sets the gauge. In the mode `shared`, a first call with the value that the gauge already has in this thread, such
   * as the initial 0, does not count as setting it, so that the increments of all writers still add up.
   *
   * @throws `METHEUS_INVALID_VALUE` unless `value` is a number; NaN and the infinities are allowed
   */
  set(value: number): void;
  /** Sets the gauge to Unix time in seconds. */
  setToCurrentTime(): void;
  /**
   * Adds 1, calls `fn`, and subtracts 1 when it has ended, also when it fails. A promise ends when it settles. The
   * result or error is passed through. As a decorator, `@gauge.trackInProgress`, it tracks every call of the method.
   *
   * Without arguments, it adds 1 and returns an object that subtracts it again when it is disposed of:
   * `using _ = gauge.trackInProgress()` tracks the rest of the block.
   *
   * @throws `METHEUS_INVALID_CALLBACK`
   */
  readonly trackInProgress: CallDecorator & {
    (): Disposable;
    <R>(fn: () => R): R;
  };
  /** Returns the value in this thread. For tests. */
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
    // The time is compared first: gauges that were set before need no other comparison.
    const isUnchanged = page[offset + SET_AT]! <= 1 && page[offset] === value;
    page[offset] = value;
    page[offset + SET_AT] = isUnchanged && this.descriptor.merge === 'shared' ? 1 : now();
  }

  setToCurrentTime(): void {
    this.set(Date.now() / 1000);
  }

  get trackInProgress() {
    const start = () => {
      this.inc();
      let isOver = false;
      return () => {
        if (!isOver) this.dec();
        isOver = true;
      };
    };
    const tracking = () => {
      this.checkObservable();
      return <R>(fn: () => R): R => watch(fn, start());
    };
    return decoratorOr('trackInProgress()', tracking, (...args) => {
      if (args.length === 0) return { [Symbol.dispose]: start() };
      const [fn] = args;
      checkFunction(fn, 'trackInProgress()');
      return tracking()(fn);
    });
  }

  protected observeDuration(seconds: number): void {
    this.set(seconds);
  }

  get(): number {
    if (this.offset < 0) throw this.unobservable();
    return this.page[this.offset]!;
  }
}
