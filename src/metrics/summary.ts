/** How many values there were, and their sum. Two cells. */
import { Metric } from './metric.js';
import type { Method } from './passing-through.js';
import { type Timed, Timer, time, timed } from './timer.js';

/** What a summary holds. */
export interface SummaryValue {
  readonly count: number;
  readonly sum: number;
}

/** What a summary does once its labels are complete. */
export interface ObservableSummary extends Timed {
  /** @throws `METHEUS_INVALID_VALUE` unless `value` is a number other than NaN */
  observe(value: number): void;
  /** What this thread has observed: for tests. */
  get(): SummaryValue;
}

export class SummaryMetric extends Metric {
  observe(value: number): void {
    if (typeof value !== 'number' || Number.isNaN(value) || this.offset < 0) {
      throw this.refuse('METHEUS_INVALID_VALUE', value, 'a number other than NaN');
    }
    const { page, offset } = this;
    page[offset]! += value;
    page[offset + 1]! += 1;
  }

  startTimer(): Timer {
    if (this.offset < 0) throw this.unobservable();
    return new Timer((seconds) => this.observe(seconds));
  }

  time<R>(fn: () => R, context?: unknown): R | (() => R) {
    return time(fn, context, () => this.startTimer());
  }

  timed<This, Args extends unknown[], R>(method: Method<This, Args, R>): Method<This, Args, R> {
    return timed(method, () => this.startTimer());
  }

  get(): SummaryValue {
    if (this.offset < 0) throw this.unobservable();
    return { sum: this.page[this.offset]!, count: this.page[this.offset + 1]! };
  }
}
