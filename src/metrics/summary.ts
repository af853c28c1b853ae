/** Summaries: the count of values and their sum. Two cells. */
import type { QuantileOptions } from './native/options.js';
import { type Timed, TimedMetric } from './timed-metric.js';

/** Options of summaries. */
export interface SummaryOptions extends QuantileOptions {
  /** The quantiles to estimate: from 0 to 1, ascending. @defaultValue none */
  readonly quantiles?: readonly number[];
}

/** The state of a summary. */
export interface SummaryValue {
  readonly count: number;
  readonly sum: number;
  /** Quantiles and their estimates, of a summary with the option `quantiles`. */
  readonly quantiles?: readonly (readonly [quantile: number, value: number])[];
}

/** The operations of a summary whose labels are complete. */
export interface ObservableSummary extends Timed {
  /** @throws `METHEUS_INVALID_VALUE` unless `value` is a number other than NaN */
  observe(value: number): void;
  /** Returns the observations of this thread. For tests. */
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
