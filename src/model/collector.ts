/**
 * Where families come from: metrics, whose numbers a backend keeps, and collectors, who make their families
 * when they are asked. A registry knows both by these contracts and by nothing else.
 */
import { MetheusError, show } from '../errors.js';
import { checkBuckets } from './buckets.js';
import { type FamilyDescriptor, type FamilySnapshot, GAUGE_CELLS, type MetricType } from './family.js';
import { LabelColumn } from './label-column.js';
import { type Labels, labelString, labelText, refuseUnknownLabels } from './labels.js';
import { checkHelp, checkLabelNames, checkMetricName } from './names.js';

/** A metric as a registry sees it. */
export interface MetricSource {
  readonly family: FamilyDescriptor;
  /** The whole definition as text: equal for two metrics that may be one, and shown where they differ. */
  readonly definition: string;
  /** A hidden family, of type `parts`, with the native buckets of the series. */
  readonly parts?: FamilyDescriptor | undefined;
}

/** Anything that makes families when it is asked. May be asynchronous; may give none. */
export interface Collector {
  collect(): Iterable<FamilySnapshot> | Promise<Iterable<FamilySnapshot>>;
}

/** Where the default registry is kept on `globalThis`, so that two copies of this package share one. */
export const DEFAULT_REGISTRY = Symbol.for('metheus.default-registry.v1');

/** Takes metrics in. The write side of a registry, and all of it that a metric needs to know. */
export interface Registerer {
  /** Keeps families of this registry apart from equal names elsewhere: see {@link FamilyDescriptor.scope}. */
  readonly scope: string;
  /**
   * Registers a metric, or gives back the one that was registered under this name with the same definition.
   *
   * @throws `METHEUS_CONFLICTING_METRIC` when the definition differs
   */
  obtain<M extends MetricSource>(definition: string, family: FamilyDescriptor, make: () => M): M;
}

/** One series of a family that a collector gives. */
export interface FamilySeries {
  readonly labels?: Labels;
  /**
   * A number; for histograms the non-cumulative counts of all buckets, `+Inf` included, and the sum of the
   * observed values last; for summaries sum and count.
   */
  readonly value: number | readonly number[];
}

export interface FamilyOptions {
  readonly type?: MetricType;
  readonly unit?: string;
  readonly labelNames?: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, without `+Inf`. */
  readonly buckets?: readonly number[];
  /** Whether names may have any characters, as for metrics. @defaultValue `false` */
  readonly utf8Names?: boolean;
  readonly series: Iterable<FamilySeries>;
}

/** Cells of one series of a type. */
export function cellsOf(type: MetricType, bounds: readonly number[]): number {
  switch (type) {
    case 'gauge':
    case 'info':
    case 'stateset':
      return GAUGE_CELLS;
    case 'histogram':
    case 'gaugehistogram':
      return bounds.length + 2;
    case 'summary':
      return 2;
    default:
      return 1;
  }
}

/**
 * A family for a custom {@link Collector} to give.
 *
 * @throws the errors of a bad name, label or value, as for metrics; `METHEUS_INVALID_VALUE` when a series has
 * another number of values than its type asks for
 */
export function createFamily(name: string, help: string, options: FamilyOptions): FamilySnapshot {
  const { type = 'gauge', unit = '', labelNames = [], buckets = [], utf8Names, series } = options;
  checkMetricName(name, utf8Names);
  checkHelp(name, help);
  checkLabelNames(name, labelNames, utf8Names);
  const bounds = type === 'histogram' ? checkBuckets(name, buckets) : [];
  const cells = cellsOf(type, bounds);
  const family: FamilyDescriptor = {
    scope: '',
    name,
    help,
    type,
    unit,
    labelNames,
    cells,
    merge: type === 'gauge' ? 'shared' : 'add',
    bounds,
  };
  const rows = new LabelColumn();
  const values: number[] = [];
  for (const { labels = {}, value } of series) {
    const texts = labelNames.map((label) => labelString(label, labels[label]));
    refuseUnknownLabels(name, labelNames, labels);
    const given = typeof value === 'number' ? [value] : value;
    const padded = type === 'gauge' && given.length === 1 ? [...given, 1] : given;
    if (padded.length !== cells || !padded.every((cell) => typeof cell === 'number')) {
      throw new MetheusError('METHEUS_INVALID_VALUE', {
        given: `${show(value)} for a ${type} '${name}'`,
        expected: type === 'gauge' ? 'a number' : `${cells} numbers`,
      });
    }
    rows.add(labelText(labelNames, texts));
    values.push(...padded);
  }
  return { family, rows: rows.view(), values: Float64Array.from(values) };
}
