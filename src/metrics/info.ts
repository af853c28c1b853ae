/** What is known in words, version and commit for instance: labels are all of it, the value is always 1. */

import type { LabelValue } from '../model/labels.js';
import { TOUCHED } from '../model/metric-types.js';
import { coarseNow } from '../system/clock.js';
import type {
  Described,
  Given,
  LabelOptions,
  MetricOptions,
  OnlyOpen,
  StillMissing,
  StillOpen,
  Undefaulted,
} from './labelled.js';
import { Metric } from './metric.js';

/** The labels that complete an info. */
export type InfoLabels<Open extends string, Missing extends string> = Given<Open> & {
  readonly [Name in Missing]: LabelValue;
};

/** An info whose labels `Open` may still be given and `Missing` must be, here or to {@link Info.info}. */
export interface Info<Open extends string = never, Missing extends string = never>
  extends Described<Open, Missing> {
  /** As of every metric: see `Labelled.labels`. */
  labels<const G extends Given<Open>>(
    given: object & G & OnlyOpen<G, Open>,
  ): Info<StillOpen<Open, G>, StillMissing<Missing, G>>;
  /**
   * Says what is: the labels that are given, with those that the metric has. It takes the place of what was said
   * of this metric before.
   *
   * @throws `METHEUS_MISSING_LABELS` and the errors of `labels`. What was said before stays then
   */
  info(
    ...labels: [Missing] extends [never] ? [labels?: Given<Open>] : [labels: InfoLabels<Open, Missing>]
  ): void;
  /** What this thread says: all labels of each series. For tests. */
  get(): readonly Readonly<Record<string, string>>[];
}

/** What an info is created with: no unit, since it has none. */
export type InfoOptions<Names extends readonly string[], Defaults> = LabelOptions<Names, Defaults> &
  Pick<MetricOptions<Names, Defaults>, 'maxSeries'>;

/** Creates an info. @throws what `Create` throws */
export type CreateInfo = <
  const Names extends readonly string[] = readonly [],
  // biome-ignore lint/complexity/noBannedTypes: the type of no defaults at all
  const Defaults extends Given<Names[number]> = {},
>(
  name: string,
  help: string,
  options?: InfoOptions<Names, Defaults>,
) => Info<Names[number], Undefaulted<Names, Defaults>>;

/** A class whose `new` is {@link CreateInfo}. */
export interface InfoClass {
  new <
    const Names extends readonly string[] = readonly [],
    // biome-ignore lint/complexity/noBannedTypes: the type of no defaults at all
    const Defaults extends Given<Names[number]> = {},
  >(
    name: string,
    help: string,
    options?: InfoOptions<Names, Defaults>,
  ): Info<Names[number], Undefaulted<Names, Defaults>>;
}

export class InfoMetric extends Metric {
  info(given: Readonly<Record<string, unknown>> = {}): void {
    const metric = this.labels(given) as InfoMetric;
    if (metric.offset < 0) throw metric.unobservable();
    const { page, offset } = metric;
    // A complete metric stands for its one series; any other for all that it leads to.
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

  /** None when the metric was removed. */
  #series() {
    const values = this.values();
    return values === undefined ? [] : [...this.family.series(values)];
  }
}
