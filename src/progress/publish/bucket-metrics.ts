/** Buckets as metric families: under fixed names with labels, or under names from the user's function. */
import { messageOf, show, warnOnce } from '../../errors.js';
import { createFamily } from '../../model/create-family.js';
import type { FamilySnapshot } from '../../model/family.js';
import { REMOVED } from '../../model/label-column.js';
import type { Labels } from '../../model/labels.js';
import type { MetricType } from '../../model/metric-types.js';
import { findOrCreate } from '../../system/find-or-create.js';
import { type BarProperty, type Bucket, publishedNumber } from './buckets.js';

/**
 * Names the metric of a bucket's property. Called once for each; the name is kept.
 *
 * @param bucket - the name of the bucket
 * @param property - `completed`, `total`, `active` or `finished`, or one of the option `properties`
 * @param unit - the unit of the bucket's bars: `it`, `B` …
 */
export type MetricFunc = (bucket: string, property: BarProperty, unit: string) => string;

/** Options that name the metrics of buckets. */
export interface MetricNaming {
  /**
   * Names the metrics.
   *
   * @defaultValue fixed names such as `progress_completed_total`, with the labels `bucket` and `unit`: one dashboard
   *   then fits every program
   */
  readonly metricFunc?: MetricFunc;
  /**
   * `'python'`: the names of the Python package `tqdm-prometheus-exporter`, so that its dashboards can be used:
   * `<bucket>_<property>_<unit>`, `<bucket>_active_count` and `<bucket>_finished_count`. Excludes `metricFunc`.
   */
  readonly names?: 'python';
  /**
   * The published properties.
   *
   * @defaultValue all; with `metricFunc`: `completed`, `total`, `active` and `finished`; with the names of Python, also
   *   `rate`
   */
  readonly properties?: readonly BarProperty[];
}

/** A published property of a bucket: the fixed name of its metric, and the help. */
type Published = readonly [property: BarProperty, name: string, help: string];

const PUBLISHED: readonly Published[] = [
  ['completed', 'progress_completed_total', 'Units of work done by all bars.'],
  ['total', 'progress_expected', 'Units of work expected of all bars with a known total.'],
  [
    'running_completed',
    'progress_running_completed',
    'Units of work done by the running bars with a known total.',
  ],
  [
    'running_expected',
    'progress_running_expected',
    'Units of work expected of the running bars with a known total.',
  ],
  ['active', 'progress_active_bars', 'Bars that are running.'],
  ['finished', 'progress_finished_bars_total', 'Bars that came to their end.'],
  ['incomplete', 'progress_incomplete_bars_total', 'Bars that were closed before they reached their total.'],
  ['failed', 'progress_failed_bars_total', 'Bars that were closed as failed or whose process is gone.'],
  ['rate', 'progress_rate_per_second', 'Units of work per second of all running bars.'],
  ['eta', 'progress_eta_seconds', 'Estimated seconds until the last running bar is done.'],
  ['updated', 'progress_last_update_timestamp_seconds', 'Unix time of the newest update of a bar.'],
];

/** All properties, in the order in which they are published. */
export const BAR_PROPERTIES: readonly BarProperty[] = PUBLISHED.map(([property]) => property);
/** Properties that `metricFunc` is called for if the option `properties` is not given. */
const NAMED: readonly BarProperty[] = ['completed', 'total', 'active', 'finished'];

/** Properties measured in units of work. The metrics of other properties have no label `unit`. */
const OF_UNITS: readonly BarProperty[] = [
  'completed',
  'total',
  'running_completed',
  'running_expected',
  'rate',
];
const GROWING: readonly BarProperty[] = ['completed', 'finished', 'incomplete', 'failed'];
const TIMES: readonly BarProperty[] = ['eta', 'updated'];

/**
 * Returns a metric type that linters accept. A name that ends in `_total` is a counter if the property only
 * grows, otherwise `unknown`. A name with an ending of histograms is `unknown`. All other names are gauges.
 */
function typeOf(name: string, property: BarProperty): MetricType {
  if (/_(count|sum|bucket)$/.test(name)) return 'unknown';
  if (!name.endsWith('_total')) return 'gauge';
  return GROWING.includes(property) ? 'counter' : 'unknown';
}

type NumberOf = typeof publishedNumber;

/** Returns a number as in `tqdm-prometheus-exporter`, where a bar that was left early counts as finished. */
const pythonNumber: NumberOf = (bucket, property) =>
  publishedNumber(bucket, property) + (property === 'finished' ? bucket.incomplete : 0);

/** Names metrics as `tqdm-prometheus-exporter` for Python does. */
const pythonName: MetricFunc = (bucket, property, unit) => {
  const isCount = !OF_UNITS.includes(property) && !TIMES.includes(property);
  return validName(`${bucket}_${property}_${isCount ? 'count' : unit}`.replaceAll(':', '_'));
};

/** Returns a valid metric name: invalid characters are replaced by `_`. */
function validName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=[0-9])/, '_');
}

/** A family, and the buckets that each of its series adds up. */
interface BucketFamily {
  readonly property: BarProperty;
  readonly snapshot: FamilySnapshot;
  readonly series: readonly { readonly buckets: readonly Bucket[] }[];
}

/** Returns the family of a property: with the given name and no labels, or else with the fixed name and labels. */
function familyOf(
  [property, fixedName, help]: Published,
  all: readonly Bucket[],
  name?: string,
): BucketFamily {
  const fixedLabels = OF_UNITS.includes(property) ? (['bucket', 'unit'] as const) : (['bucket'] as const);
  const labelNames = name === undefined ? fixedLabels : [];
  const series = new Map<string, { readonly labels: Labels; readonly value: number; buckets: Bucket[] }>();
  for (const bucket of all) {
    const labels = Object.fromEntries(labelNames.map((label) => [label, bucket[label]]));
    const one = findOrCreate(series, JSON.stringify(labels), () => ({ labels, value: 0, buckets: [] }));
    one.buckets.push(bucket);
  }
  const type = typeOf(name ?? fixedName, property);
  const given = Array.from(series.values(), ({ labels, value }) => ({ labels, value }));
  const snapshot = createFamily(name ?? fixedName, help, { type, labelNames, series: given });
  return { property, snapshot, series: [...series.values()] };
}

/**
 * Returns the family with the current numbers of its buckets. Buckets with the same series are combined: by the maximum
 * for times, by the sum for other properties. Series whose number is unknown are left out.
 */
function snapshotOf({ property, snapshot, series }: BucketFamily, numberOf: NumberOf): FamilySnapshot {
  const values = snapshot.values.slice();
  let { rows } = snapshot;
  for (const [row, { buckets }] of series.entries()) {
    const known = buckets
      .map((bucket) => numberOf(bucket, property))
      .filter((number) => !Number.isNaN(number));
    if (known.length === 0) {
      if (rows === snapshot.rows) rows = { ...rows, lengths: rows.lengths.slice() };
      rows.lengths[row] = REMOVED;
    }
    const value = TIMES.includes(property) ? Math.max(...known) : known.reduce((a, b) => a + b, 0);
    values[row * snapshot.family.cells] = value;
  }
  return { ...snapshot, rows, values };
}

/** The families of a proxy, kept until the set of buckets changes. Until then, a snapshot only reads numbers. */
export class BucketFamilies {
  readonly #proxy: string;
  readonly #metricFunc: MetricFunc | undefined;
  readonly #numberOf: NumberOf;
  readonly #published: readonly Published[];
  /** Results of the function by bucket, unit and property; empty where it returned no usable name. */
  readonly #names = new Map<string, string>();
  #buckets: readonly Bucket[] | undefined;
  #families: readonly BucketFamily[] = [];

  /** @param proxy - the name of the proxy, so that a warning is given once for each proxy */
  constructor(proxy: string, { metricFunc, names, properties }: MetricNaming = {}) {
    this.#proxy = proxy;
    this.#metricFunc = names === 'python' ? pythonName : metricFunc;
    this.#numberOf = names === 'python' ? pythonNumber : publishedNumber;
    const byDefault = names === 'python' ? [...NAMED, 'rate'] : metricFunc ? NAMED : BAR_PROPERTIES;
    const chosen = properties ?? byDefault;
    this.#published = PUBLISHED.filter(([property]) => chosen.includes(property));
  }

  snapshot(buckets: readonly Bucket[]): FamilySnapshot[] {
    if (buckets !== this.#buckets) this.#families = this.#familiesOf(buckets);
    this.#buckets = buckets;
    return this.#families.map((family) => snapshotOf(family, this.#numberOf));
  }

  #familiesOf(all: readonly Bucket[]): BucketFamily[] {
    const metricFunc = this.#metricFunc;
    if (metricFunc === undefined) return this.#published.map((published) => familyOf(published, all));
    const named = new Map<string, { readonly published: Published; readonly buckets: Bucket[] }>();
    for (const bucket of all) {
      for (const published of this.#published) {
        const [property] = published;
        const key = JSON.stringify([bucket.bucket, bucket.unit, property]);
        const name = findOrCreate(this.#names, key, () => this.#nameOf(metricFunc, bucket, property));
        if (name === '') continue;
        const known = findOrCreate(named, name, () => ({ published, buckets: [] }));
        const [taken] = known.published;
        if (taken === property) known.buckets.push(bucket);
        else this.#warn(bucket, `gave ${show(name)} for '${property}', which is the name of '${taken}'`);
      }
    }
    return Array.from(named, ([name, { published, buckets }]) => familyOf(published, buckets, name));
  }

  #nameOf(metricFunc: MetricFunc, bucket: Bucket, property: BarProperty): string {
    let name: unknown;
    try {
      name = metricFunc(bucket.bucket, property, bucket.unit);
    } catch (error) {
      this.#warn(bucket, `threw for '${property}': ${messageOf(error)}`);
      return '';
    }
    if (typeof name !== 'string' || name === '') {
      this.#warn(bucket, `gave ${show(name)} for '${property}', which is not a metric name`);
      return '';
    }
    const fit = validName(name);
    if (fit !== name) this.#warn(bucket, `gave ${show(name)} for '${property}'; it is published as '${fit}'`);
    return fit;
  }

  /** Warns once for each bucket, however many of its properties have no usable name. */
  #warn({ bucket }: Bucket, problem: string): void {
    warnOnce(
      `metricFunc ${this.#proxy} ${bucket}`,
      `metricFunc, for the bucket ${show(bucket)}, ${problem}.`,
    );
  }
}
