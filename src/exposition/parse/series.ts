/** Builds the columns of a family from its samples. */
import type { Exemplar, FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn } from '../../model/label-column.js';
import { labelText } from '../../model/labels.js';
import { cellsOf, METRIC_TYPES, type MetricType } from '../../model/metric-types.js';
import { numberOf, type SampleLine } from './line.js';

/** The samples of one series. */
interface Series {
  readonly labels: ReadonlyMap<string, string>;
  readonly timestamp: number | undefined;
  value?: number;
  sum?: number;
  count?: number;
  created?: number;
  /** Cumulative counts by upper bound; of a summary, values by quantile. */
  readonly points: Map<number, number>;
  /** The last bound or quantile that was added. */
  last?: number;
  readonly exemplars: Map<number, Exemplar>;
}

/** Throws an error that names what was expected. */
export type Refuse = (expected: string) => never;

/** Key of the exemplar of a counter in a map whose other keys are bounds. */
const VALUE_EXEMPLAR = Number.NaN;

/** Collects the samples of one family. */
export class FamilyBuilder {
  readonly name: string;
  readonly isStrict: boolean;
  type: MetricType | undefined;
  help: string | undefined;
  unit: string | undefined;
  readonly #refuse: Refuse;
  readonly #series = new Map<string, Series>();

  /**
   * @param isStrict - whether to apply the rules of OpenMetrics
   * @param refuse - throws an error about the line that is added, or about the family that is built
   */
  constructor(name: string, isStrict: boolean, refuse: Refuse) {
    this.name = name;
    this.isStrict = isStrict;
    this.#refuse = refuse;
  }

  get hasSamples(): boolean {
    return this.#series.size > 0;
  }

  /** @param suffix - the rest of the sample's name after that of the family */
  add(sample: SampleLine, suffix: string): void {
    const { value, exemplar } = sample;
    switch (METRIC_TYPES[this.type ?? 'unknown'].layout) {
      case 'buckets':
        if (suffix === '_bucket') {
          const bound = this.#pointOf(sample, 'le');
          this.#addPoint(sample, 'le', bound);
          return;
        }
        break;
      case 'summary':
        if (suffix === '') {
          const quantile = this.#pointOf(sample, 'quantile');
          if (!(quantile >= 0 && quantile <= 1)) this.#refuse('a quantile from 0 to 1');
          if (exemplar !== undefined) this.#refuse('no exemplar here');
          this.#addPoint(sample, 'quantile', quantile);
          return;
        }
    }
    const series = this.#seriesOf(sample, undefined);
    const place = PLACES[suffix] ?? 'value';
    if (series[place] !== undefined) this.#refuse('each series once');
    if (exemplar !== undefined && suffix !== '_total') this.#refuse('no exemplar here');
    if (this.isStrict) this.#checkValue(place, value, sample);
    series[place] = value;
    if (exemplar !== undefined) series.exemplars.set(VALUE_EXEMPLAR, exemplar);
  }

  #pointOf({ labels }: SampleLine, name: 'le' | 'quantile'): number {
    const text = labels.get(name);
    const point = text === undefined ? undefined : numberOf(text);
    if (point === undefined || Number.isNaN(point)) this.#refuse(`a label ${name} that is a number`);
    return point;
  }

  #addPoint(sample: SampleLine, without: string, point: number): void {
    const series = this.#seriesOf(sample, without);
    if (series.points.has(point)) this.#refuse('each series once');
    if (this.isStrict && without === 'le') {
      if (!(sample.value >= 0)) this.#refuse('a count of at least 0');
      if (point < (series.last ?? point)) this.#refuse('buckets by their bounds, lowest first');
    }
    series.points.set(point, sample.value);
    series.last = point;
    if (sample.exemplar !== undefined) series.exemplars.set(point, sample.exemplar);
  }

  #checkValue(place: string, value: number, { labels }: SampleLine): void {
    const { type } = this;
    if (place === 'count' && !(value >= 0)) this.#refuse('a count of at least 0');
    if (place === 'created' && !Number.isFinite(value)) this.#refuse('a time in seconds');
    if (type === 'counter' && place === 'value' && !(value >= 0)) this.#refuse('a number of at least 0');
    if (type === 'info' && value !== 1) this.#refuse('an info, which is always 1');
    if (type !== 'stateset') return;
    if (!labels.has(this.name)) this.#refuse(`a label ${this.name} with the state`);
    if (value !== 0 && value !== 1) this.#refuse('a state, which is 0 or 1');
  }

  #seriesOf({ labels: given, timestamp }: SampleLine, without: string | undefined): Series {
    const labels = new Map(given);
    if (without !== undefined) labels.delete(without);
    const pairs = labels.size > 1 ? [...labels].sort(byName) : [...labels];
    // OpenMetrics allows several points of one series with different times.
    const key = JSON.stringify(this.isStrict ? [pairs, timestamp] : pairs);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels, timestamp, points: new Map(), exemplars: new Map() };
      this.#series.set(key, series);
    }
    return series;
  }

  build(): FamilySnapshot {
    const type = this.type ?? 'unknown';
    const series = [...this.#series.values()];
    const bounds = this.#boundsOf(type, series);
    const cells = cellsOf(type, bounds);
    const rows = new LabelColumn();
    const values = new Float64Array(series.length * cells);
    const exemplars = new Map<number, Exemplar>();
    const names = new Set<string>();
    for (const [row, one] of series.entries()) {
      rows.add(this.#textOf(one.labels, names));
      values.set(this.#cellsOf(type, one, bounds), row * cells);
      for (const [bound, exemplar] of one.exemplars) {
        const at = Number.isNaN(bound) ? 0 : bounds.indexOf(bound);
        exemplars.set(row * cells + (at < 0 ? bounds.length : at), exemplar);
      }
    }
    const quantiles = series.flatMap(({ points }) => bounds.map((bound) => points.get(bound) ?? Number.NaN));
    const isSet = (place: 'created' | 'timestamp') => series.some((one) => one[place] !== undefined);
    const column = (place: 'created' | 'timestamp', none: number) =>
      Float64Array.from(series, (one) => one[place] ?? none);
    return {
      family: this.#descriptor(type, bounds, cells, [...names]),
      rows: rows.view(),
      values,
      ...(isSet('created') ? { created: column('created', 0) } : {}),
      ...(isSet('timestamp') ? { timestamps: column('timestamp', Number.NaN) } : {}),
      ...(exemplars.size > 0 ? { exemplars } : {}),
      ...(type === 'summary' && bounds.length > 0 ? { quantiles: Float64Array.from(quantiles) } : {}),
    };
  }

  #descriptor(
    type: MetricType,
    bounds: readonly number[],
    cells: number,
    labelNames: readonly string[],
  ): FamilyDescriptor {
    return {
      scope: '',
      // Counters of OpenMetrics get the name that they have in every other format.
      name: this.isStrict && type === 'counter' ? `${this.name}_total` : this.name,
      help: this.help ?? '',
      type,
      unit: this.unit ?? '',
      labelNames,
      cells,
      merge: METRIC_TYPES[type].merge,
      bounds,
    };
  }

  #textOf(labels: ReadonlyMap<string, string>, names: Set<string>): string {
    const ordered = [...labels];
    // The state is the last label of a stateset.
    if (this.type === 'stateset')
      ordered.sort(([a], [b]) => Number(a === this.name) - Number(b === this.name));
    for (const [name] of ordered) names.add(name);
    return labelText(
      ordered.map(([name]) => name),
      ordered.map(([, value]) => value),
    );
  }

  /** Returns the upper bounds without +Inf; of a summary, the quantiles. */
  #boundsOf(type: MetricType, series: readonly Series[]): number[] {
    const ascending = (values: Iterable<number>) => [...values].sort((a, b) => a - b);
    if (type === 'summary') return ascending(new Set(series.flatMap(({ points }) => [...points.keys()])));
    if (METRIC_TYPES[type].layout !== 'buckets') return [];
    const [first, ...others] = series.map(({ points }) =>
      ascending([...points.keys()].filter((bound) => bound !== Number.POSITIVE_INFINITY)),
    );
    if (others.some((bounds) => bounds.join() !== first!.join())) {
      this.#refuse('the same buckets in each series of a histogram');
    }
    return first ?? [];
  }

  #cellsOf(type: MetricType, series: Series, bounds: readonly number[]): number[] {
    const { value = Number.NaN, sum = Number.NaN, count = 0, points } = series;
    switch (METRIC_TYPES[type].layout) {
      case 'gauge':
        return [value, 1];
      case 'summary':
        return [sum, count];
      case 'buckets':
        return [...this.#countsOf(series, bounds), sum];
      default:
        return [points.size > 0 ? Number.NaN : value];
    }
  }

  /** Returns the non-cumulative count of each bucket. */
  #countsOf({ points, count, sum }: Series, bounds: readonly number[]): number[] {
    const inf = points.get(Number.POSITIVE_INFINITY) ?? (this.isStrict ? undefined : count);
    if (inf === undefined) this.#refuse('a bucket +Inf in each series of a histogram');
    const cumulative = [...bounds.map((bound) => points.get(bound)!), inf];
    const counts = cumulative.map((sum, i) => (i === 0 ? sum : sum - cumulative[i - 1]!));
    if (this.isStrict) {
      if (counts.some((one) => one < 0))
        this.#refuse('buckets of which each has at least the count of the one before');
      if ((count === undefined) !== (sum === undefined)) this.#refuse('both count and sum, or none of them');
      if (count !== undefined && count !== inf) this.#refuse('a count that is the count of the bucket +Inf');
    }
    return counts;
  }
}

const PLACES: Readonly<Record<string, 'sum' | 'count' | 'created'>> = {
  _sum: 'sum',
  _gsum: 'sum',
  _count: 'count',
  _gcount: 'count',
  _created: 'created',
};

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}
