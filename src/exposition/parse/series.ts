/** Builds the columns of a family from its samples. */
import type { Exemplar, FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn } from '../../model/label-column.js';
import { labelText } from '../../model/labels.js';
import { cellsOf, METRIC_TYPES, type MetricType } from '../../model/metric-types.js';
import { numberOf, type SampleLine } from './line.js';
import { type ParseRules, type Refuse, SampleRules } from './sample-rules.js';

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

/** Key of the exemplar of a counter in a map whose other keys are bounds. */
const VALUE_EXEMPLAR = Number.NaN;

/**
 * Maximum cells added for missing buckets or quantiles, over all series of a family. Without a limit, a short text
 * could take any amount of memory.
 */
const MAX_ADDED_CELLS = 2 ** 24;

/** Collects the samples of one family. */
export class FamilyBuilder {
  readonly name: string;
  type: MetricType | undefined;
  help: string | undefined;
  unit: string | undefined;
  readonly #given: ParseRules;
  readonly #rules: SampleRules;
  readonly #refuse: Refuse;
  readonly #series = new Map<string, Series>();

  /** @param refuse - throws an error about the line that is added, or about the family that is built */
  constructor(name: string, rules: ParseRules, refuse: Refuse) {
    this.name = name;
    this.#given = rules;
    this.#refuse = refuse;
    this.#rules = new SampleRules(this, rules, refuse);
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
          if (this.#rules.areAll && value < 0) this.#refuse('a value of at least 0');
          this.#addPoint(sample, 'quantile', quantile);
          return;
        }
    }
    const series = this.#seriesOf(sample, undefined);
    const place = PLACES[suffix] ?? 'value';
    if (exemplar !== undefined && suffix !== '_total') this.#refuse('no exemplar here');
    if (this.#given.isOpenMetrics) this.#rules.checkValue(place, value, sample);
    else if (this.#given.isStrict && place === 'count') this.#rules.checkCount(value);
    if (series[place] !== undefined) {
      this.#rules.checkRepeated(sample);
      return;
    }
    series[place] = value;
    if (exemplar !== undefined) series.exemplars.set(VALUE_EXEMPLAR, exemplar);
  }

  #pointOf({ labels }: SampleLine, name: 'le' | 'quantile'): number {
    const text = labels.get(name);
    const point = text === undefined ? undefined : numberOf(text);
    if (point === undefined || Number.isNaN(point)) this.#refuse(`a label ${name} that is a number`);
    if (this.#rules.areAll && point === Number.POSITIVE_INFINITY && text !== '+Inf')
      this.#refuse("le as '+Inf'");
    return point;
  }

  #addPoint(sample: SampleLine, without: string, point: number): void {
    const series = this.#seriesOf(sample, without);
    if ((this.#given.isOpenMetrics || this.#given.isStrict) && without === 'le')
      this.#rules.checkCount(sample.value);
    if (this.#given.isOpenMetrics && without === 'le') {
      if (point < (series.last ?? point)) this.#refuse('buckets by their bounds, lowest first');
    }
    if (series.points.has(point)) {
      this.#rules.checkRepeated(sample);
      return;
    }
    // A NaN count carries no more information than a missing bucket.
    if (without === 'le' && Number.isNaN(sample.value)) return;
    series.points.set(point, sample.value);
    series.last = point;
    if (sample.exemplar !== undefined) series.exemplars.set(point, sample.exemplar);
  }

  #seriesOf({ labels: given, timestamp }: SampleLine, without: string | undefined): Series {
    const labels = new Map(given);
    if (without !== undefined) labels.delete(without);
    const pairs = labels.size > 1 ? [...labels].sort(byName) : [...labels];
    const identity = JSON.stringify(pairs);
    if (this.#rules.areAll) this.#rules.checkOrder(pairs, identity, timestamp);
    // Points of a series with different timestamps become separate rows. In text 0.0.4, this applies only to types with
    // one line per series, and not in strict mode.
    const isPoint =
      this.#given.isOpenMetrics || (!this.#given.isStrict && SINGLE.has(this.type ?? 'unknown'));
    const key = isPoint ? `${identity} ${timestamp}` : identity;
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
      ...(type === 'summary' && bounds.length > 0 ? { quantiles: this.#quantilesOf(series, bounds) } : {}),
    };
  }

  #quantilesOf(series: readonly Series[], quantiles: readonly number[]): Float64Array {
    const values = new Float64Array(series.length * quantiles.length);
    let i = 0;
    for (const { points } of series)
      for (const quantile of quantiles) values[i++] = points.get(quantile) ?? Number.NaN;
    return values;
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
      name: this.#given.isOpenMetrics && type === 'counter' ? `${this.name}_total` : this.name,
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

  /** Returns the upper bounds of all series, without +Inf; of a summary, the quantiles. */
  #boundsOf(type: MetricType, series: readonly Series[]): number[] {
    if (type !== 'summary' && METRIC_TYPES[type].layout !== 'buckets') return [];
    const bounds = new Set<number>();
    let given = 0;
    for (const { points } of series) {
      given += points.size;
      for (const bound of points.keys()) bounds.add(bound);
    }
    if (series.length * bounds.size - given > MAX_ADDED_CELLS) {
      this.#refuse(type === 'summary' ? 'series with the same quantiles' : 'series with the same buckets');
    }
    if (type !== 'summary') bounds.delete(Number.POSITIVE_INFINITY);
    return [...bounds].sort((a, b) => a - b);
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

  /** Returns the non-cumulative count of each bucket; NaN for a bucket that the series does not have. */
  #countsOf({ points, count, sum }: Series, bounds: readonly number[]): number[] {
    const inf = points.get(Number.POSITIVE_INFINITY) ?? (this.#given.isOpenMetrics ? undefined : count);
    if (inf === undefined) this.#refuse('a bucket +Inf in each series of a histogram');
    let before = 0;
    const counts = [...bounds, Number.POSITIVE_INFINITY].map((bound) => {
      const cumulative = bound === Number.POSITIVE_INFINITY ? inf : points.get(bound);
      if (cumulative === undefined) return Number.NaN;
      const own = cumulative - before;
      before = cumulative;
      return own;
    });
    if (this.#given.isOpenMetrics) {
      if (counts.some((one) => one < 0))
        this.#refuse('buckets of which each has at least the count of the one before');
      if ((count === undefined) !== (sum === undefined)) this.#refuse('both count and sum, or none of them');
      if (count !== undefined && count !== inf) this.#refuse('a count that is the count of the bucket +Inf');
    }
    if (this.#rules.areAll && sum !== undefined) this.#rules.checkSum(sum, points);
    return counts;
  }
}

/** Types whose series are one line each in text 0.0.4. */
const SINGLE: ReadonlySet<MetricType> = new Set(['counter', 'gauge', 'unknown']);

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
