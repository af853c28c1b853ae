/**
 * Histograms: distributions of values such as durations and sizes. A cell for each bucket, not cumulative, and the sum.
 */
import type { NativeBuckets } from '../model/family.js';
import type { Labels } from '../model/labels.js';
import type { ExemplarOptions } from './counter.js';
import type { NativeOptions } from './native/options.js';
import { type Timed, TimedMetric } from './timed-metric.js';

/** Options of histograms. */
export interface HistogramOptions extends ExemplarOptions {
  /**
   * Upper bounds of the buckets, ascending, in the unit of the values. `+Inf` is added.
   *
   * @defaultValue `DEFAULT_BUCKETS`, from 5 ms to 10 s; with `native`, `+Inf` alone
   */
  readonly buckets?: readonly number[];
  /** Options of native buckets, whose bounds are powers; `true` for the defaults. @defaultValue `false` */
  readonly native?: NativeOptions | boolean;
}

/** The state of a histogram, as it is exposed. */
export interface HistogramValue {
  readonly count: number;
  readonly sum: number;
  /** Upper bounds, and the number of values up to each: ascending, `Infinity` last. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  /** Native buckets, of a histogram with the option `native`. */
  readonly native?: NativeBuckets;
}

/** The operations of a histogram whose labels are complete. */
export interface ObservableHistogram extends Timed {
  /**
   * Counts a value in its bucket: the first one whose bound is not below the value.
   *
   * @param exemplar - labels that lead to the cause of this value, such as the id of a trace. The newest exemplar of
   * each bucket is kept. Names and values have at most 128 code points together
   * @throws `METHEUS_INVALID_VALUE` unless `value` is a number other than NaN; `METHEUS_INVALID_EXEMPLAR`,
   * `METHEUS_INVALID_LABEL_VALUE`. Nothing is counted then
   */
  observe(value: number, exemplar?: Labels): void;
  /** Returns the observations of this thread. For tests. */
  get(): HistogramValue;
}

export class HistogramMetric extends TimedMetric {
  observe(value: number, exemplar?: Labels): void {
    if (typeof value !== 'number' || Number.isNaN(value) || this.offset < 0) {
      throw this.refuse('METHEUS_INVALID_VALUE', value, 'a number other than NaN');
    }
    const { buckets } = this.family;
    const { page, offset } = this;
    const bucket = buckets.bucketOf(value);
    if (exemplar !== undefined) this.keepExemplar(bucket, value, exemplar);
    page[offset + bucket]! -= -1;
    page[offset + buckets.bounds.length]! -= -value;
  }

  protected observeDuration(seconds: number): void {
    this.observe(seconds);
  }

  get(): HistogramValue {
    if (this.offset < 0) throw this.unobservable();
    let count = 0;
    const buckets = this.family.buckets.bounds.map((bound, i) => {
      count += this.page[this.offset + i]!;
      return [bound, count] as const;
    });
    return { count, sum: this.page[this.offset + buckets.length]!, buckets };
  }
}

/** A histogram with the option `exemplars`. */
export class TracedHistogramMetric extends HistogramMetric {
  override observe(value: number, exemplar = this.family.settings.exemplars?.()): void {
    super.observe(value, exemplar);
  }
}
