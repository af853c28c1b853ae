/** Buckets as metric families: under fixed names with labels, or under names from the user's function. */
import { messageOf, show, warnOnce } from '../../errors.js';
import { createFamily } from '../../model/create-family.js';
import type { FamilySnapshot } from '../../model/family.js';
import type { MetricType } from '../../model/metric-types.js';
import type { Bucket, BucketNumbers } from './buckets.js';

/** A number of a bucket that is published as a metric. */
export type BarProperty = keyof BucketNumbers;

/**
 * Names the metric of a bucket's property. Called once for each; the name is kept.
 *
 * @param bucket - the name of the bucket
 * @param property - `completed`, `total`, `active`, `finished`, `failed`, `rate`, `eta` or `updated`
 * @param unit - the unit of the bucket's bars: `it`, `B` …
 */
export type MetricFunc = (bucket: string, property: BarProperty, unit: string) => string;

/** A published number of a bucket. */
interface Published {
  readonly property: BarProperty;
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  /** Whether the unit is a label: numbers of units have one, numbers of bars do not. */
  readonly perUnit: boolean;
}

const PUBLISHED: readonly Published[] = [
  published('completed', 'progress_completed_total', 'counter', 'Units of work done by all bars.'),
  published('total', 'progress_expected', 'gauge', 'Units of work expected of all bars with a known total.'),
  published('active', 'progress_active_bars', 'gauge', 'Bars that are running.'),
  published('finished', 'progress_finished_bars_total', 'counter', 'Bars that came to their end.'),
  published(
    'failed',
    'progress_failed_bars_total',
    'counter',
    'Bars that were closed as failed or whose process is gone.',
  ),
  published('rate', 'progress_rate_per_second', 'gauge', 'Units of work per second of all running bars.'),
  published('eta', 'progress_eta_seconds', 'gauge', 'Estimated seconds until the last running bar is done.'),
  published(
    'updated',
    'progress_last_update_timestamp_seconds',
    'gauge',
    'Unix time of the newest update of a bar.',
  ),
];

function published(property: BarProperty, name: string, type: MetricType, help: string): Published {
  return { property, name, help, type, perUnit: ['completed', 'total', 'rate'].includes(property) };
}

/** Returns families with fixed names and a label for the bucket, so that one dashboard serves every job. */
export function labelledFamilies(buckets: readonly Bucket[]): FamilySnapshot[] {
  return PUBLISHED.map(({ property, name, help, type, perUnit }) => {
    const labelNames = perUnit ? ['bucket', 'unit'] : ['bucket'];
    const values = new Map<string, { labels: Record<string, string>; value: number }>();
    for (const { bucket, unit, ...numbers } of buckets) {
      const labels: Record<string, string> = perUnit ? { bucket, unit } : { bucket };
      const key = JSON.stringify(labels);
      const known = values.get(key);
      if (known === undefined) values.set(key, { labels, value: numbers[property] });
      else known.value = combine(property, known.value, numbers[property]);
    }
    return createFamily(name, help, { type, labelNames, series: values.values() });
  });
}

/** Combines a number of two buckets: the later of times, the sum of everything else. */
function combine(property: BarProperty, a: number, b: number): number {
  return property === 'eta' || property === 'updated' ? Math.max(a, b) : a + b;
}

/** Families without labels, under the names from a {@link MetricFunc}. Buckets of one name add up. */
export class NamedFamilies {
  readonly #metricFunc: MetricFunc;
  readonly #proxy: string;
  /** Names by bucket, unit and property; undefined where the function returned no usable name. */
  readonly #names = new Map<string, string | undefined>();

  /** @param proxy - the name of the proxy, since each proxy gives its own warnings */
  constructor(metricFunc: MetricFunc, proxy: string) {
    this.#metricFunc = metricFunc;
    this.#proxy = proxy;
  }

  families(buckets: readonly Bucket[]): FamilySnapshot[] {
    const values = new Map<string, { published: Published; value: number }>();
    for (const bucket of buckets) {
      for (const published of PUBLISHED) {
        const { property } = published;
        const name = this.#nameOf(bucket, property);
        if (name === undefined) continue;
        const value = bucket[property];
        const known = values.get(name);
        if (known === undefined) values.set(name, { published, value });
        else if (known.published === published) known.value = combine(property, known.value, value);
        else {
          const taken = known.published.property;
          this.#warn(bucket, `gave ${show(name)} for '${property}', which is the name of '${taken}'`);
        }
      }
    }
    return [...values].map(([name, { published, value }]) => familyOf(name, published, value));
  }

  #nameOf(bucket: Bucket, property: BarProperty): string | undefined {
    const key = JSON.stringify([bucket.bucket, bucket.unit, property]);
    if (!this.#names.has(key)) this.#names.set(key, this.#callMetricFunc(bucket, property));
    return this.#names.get(key);
  }

  #callMetricFunc(bucket: Bucket, property: BarProperty): string | undefined {
    let name: unknown;
    try {
      name = this.#metricFunc(bucket.bucket, property, bucket.unit);
    } catch (error) {
      this.#warn(bucket, `threw for '${property}': ${messageOf(error)}`);
      return undefined;
    }
    if (typeof name !== 'string' || name === '') {
      this.#warn(bucket, `gave ${show(name)} for '${property}', which is not a metric name`);
      return undefined;
    }
    const fit = name.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=[0-9])/, '_');
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

/**
 * Returns a family whose type follows its name, so that any name is free of lint: a name that ends with `_total` is a
 * counter where the number only grows, and `unknown` where it does not; all others are gauges.
 */
function familyOf(name: string, { help, type }: Published, value: number): FamilySnapshot {
  const totalType = type === 'counter' ? 'counter' : 'unknown';
  return createFamily(name, help, {
    type: name.endsWith('_total') ? totalType : 'gauge',
    series: [{ value }],
  });
}
