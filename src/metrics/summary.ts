/** How many values there were, and their sum. Two cells. */
import { TimedMetric } from './timed-metric.js';
import type { Timed } from './timer.js';

/** What a summary holds. */
export interface SummaryValue {
  readonly count: number;
  readonly sum: number;
  /** Estimates at its quantiles, of a summary with the option `quantiles`. */
  readonly quantiles?: readonly (readonly [quantile: number, value: number])[];
}

/** What a summary does once its labels are complete. */
export interface ObservableSummary extends Timed {
  /** @throws `METHEUS_INVALID_VALUE` unless `value` is a number other than NaN */
  observe(value: number): void;
  /** What this thread has observed: for tests. */
  get(): SummaryValue;
}

export class SummaryMetric extends TimedMetric {
  observe(value: number): void {
    if (typeof value !== 'number' || Number.isNaN(value) || this.offset < 0) {
      throw this.refuse('METHEUS_INVALID_VALUE', value, 'a number other than NaN');
    }
    const { page, offset } = this;
    page[offset]! -= -value;
    page[offset + 1]! -= -1;
  }

  protected observeDuration(seconds: number): void {
    this.observe(seconds);
  }

  get(): SummaryValue {
    if (this.offset < 0) throw this.unobservable();
    return { sum: this.page[this.offset]!, count: this.page[this.offset + 1]! };
  }
}
