/** How values are distributed: durations, sizes. A cell for each bucket, not cumulative, and one for the sum. */
import type { NativeBuckets } from '../model/family.js';
import type { Labels } from '../model/labels.js';
import { TimedMetric } from './timed-metric.js';
import type { Timed } from './timer.js';

/** What a histogram holds, as it is exposed. */
export interface HistogramValue {
  readonly count: number;
  readonly sum: number;
  /** Upper bound and how many values were not above it, ascending, `Infinity` last. */
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  /** Native buckets, of a histogram with the option `native`. */
  readonly native?: NativeBuckets;
}

/** What a histogram does once its labels are complete. */
export interface ObservableHistogram extends Timed {
  /**
   * Puts a value in its bucket: the first whose bound is not below it.
   *
   * @param exemplar - labels that lead to the cause of this value, a trace's id for instance: the newest of each
   * bucket is kept. With their names at most 128 code points
   * @throws `METHEUS_INVALID_VALUE` unless `value` is a number other than NaN; `METHEUS_INVALID_EXEMPLAR`,
   * `METHEUS_INVALID_LABEL_VALUE`. Nothing is counted then
   */
  observe(value: number, exemplar?: Labels): void;
  /** What this thread has observed: for tests. */
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

/** A histogram that takes exemplars from where its option `exemplars` says. */
export class TracedHistogramMetric extends HistogramMetric {
  override observe(value: number, exemplar = this.family.settings.exemplars?.()): void {
    super.observe(value, exemplar);
  }
}
