/** Infos: facts in words, such as a version and a commit. The facts are label values; the number is always 1. */
import { TOUCHED } from '../model/metric-types.js';
import { coarseNow } from '../system/clock.js';
import type {
  Described,
  Given,
  LabelOptions,
  LabelsOf,
  LabelValueOf,
  MetricOptions,
  Named,
} from './labelled.js';
import { Metric } from './metric.js';

/** The labels that complete an info. */
export type InfoLabels<Open extends string, Missing extends string> = Given<Open> & {
  readonly [Name in Missing]: LabelValueOf<Name>;
};

/** An info whose labels `Open` may still be given and `Missing` must be, here or to {@link Info.info}. */
export interface Info<Open extends string = never, Missing extends string = never>
  extends Described<Open, Missing> {
  /** Gives values to labels, as `Labelled.labels` of other metrics does. */
  labels<const G extends LabelsOf<G, Open>>(
    given: G & object,
  ): string extends Open ? Info<string, never> : Info<Exclude<Open, Named<G>>, Exclude<Missing, Named<G>>>;
  /**
   * Exposes these labels together with those that the metric has. They replace what the metric exposed before.
   *
   * @throws `METHEUS_MISSING_LABELS` and the errors of `labels`. Nothing is replaced then
   */
  info(
    ...labels: [Missing] extends [never] ? [labels?: Given<Open>] : [labels: InfoLabels<Open, Missing>]
  ): void;
  /** Returns all labels of each series in this thread. For tests. */
  get(): readonly Readonly<Record<string, string>>[];
}

/** Options of infos, which have no unit. */
export type InfoOptions<Name extends string, Defaults> = LabelOptions<Name, Defaults> &
  Pick<MetricOptions<Name, Defaults>, 'maxSeries'>;

export class InfoMetric extends Metric {
  info(given: Readonly<Record<string, unknown>> = {}): void {
    const metric = this.labels(given) as InfoMetric;
    if (metric.offset < 0) throw metric.unobservable();
    const { page, offset } = metric;
    // Removes the series that the metric exposed before. A complete metric is a single series, which is only set again.
    for (const [other] of this.isComplete ? [] : this.#series()) {
      const isSame = other.page === page && other.offset === offset;
      if (!isSame && other.page[other.offset + TOUCHED] !== 0) other.remove();
    }
    page[offset] = 1;
    page[offset + TOUCHED] = coarseNow();
  }

  get(): Record<string, string>[] {
    const { labelNames } = this.descriptor;
    return this.#series()
      .filter(([{ page, offset }]) => page[offset + TOUCHED] !== 0)
      .map(([, labels]) => Object.fromEntries(labelNames.map((name, i) => [name, labels[i]!])));
  }

  /** Returns the series with the metric's labels; none after it was removed. */
  #series() {
    const values = this.values();
    return values === undefined ? [] : [...this.family.series(values)];
  }
}
