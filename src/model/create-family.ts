/** Families of collectors, checked as metrics are. */
import { MetheusError, show } from '../errors.js';
import type { FamilyOptions, FamilySeries } from './collector.js';
import { exemplarLabels } from './exemplar.js';
import { type Exemplar, type FamilyDescriptor, type FamilySnapshot, isTime } from './family.js';
import { LabelColumn } from './label-column.js';
import { checkLabels, labelString, labelText } from './labels.js';
import { cellsOf, exemplarCellsOf, METRIC_TYPES, TYPE_NAMES } from './metric-types.js';
import { checkHelp, checkLabelNames, checkMetricName } from './names.js';
import { isNativeBuckets } from './native/buckets.js';
import {
  areQuantiles,
  checkBuckets,
  checkOptionNames,
  checkUnit,
  invalidOption,
  withoutNegativeZero,
} from './options.js';

const FAMILY_OPTIONS = ['type', 'unit', 'labelNames', 'buckets', 'quantiles', 'utf8Names', 'series'];
const SERIES_OPTIONS = [
  'labels',
  'value',
  'timestamp',
  'created',
  'exemplar',
  'exemplars',
  'quantiles',
  'native',
];

/**
 * Returns a family for a custom `Collector`.
 *
 * @throws the errors of an invalid name, label, bucket or exemplar, as for metrics; `METHEUS_INVALID_OPTIONS` for an
 * unknown type, or a unit, label names or quantiles that the type cannot have; `METHEUS_INVALID_VALUE` for a wrong
 * number of values, or a value that the type cannot have; `METHEUS_DUPLICATE_SERIES`
 */
export function createFamily(name: string, help: string, options: FamilyOptions): FamilySnapshot {
  checkMetricName(name, (options as FamilyOptions | undefined)?.utf8Names);
  checkOptionNames(`createFamily of ${show(name)}`, options, FAMILY_OPTIONS);
  if (typeof options.series?.[Symbol.iterator] !== 'function') {
    throw invalidOption(name, 'series', options.series, 'an array of series, or another iterable');
  }
  const series = [...options.series];
  const owner = `a series of ${show(name)}`;
  for (const one of series) checkOptionNames(owner, one, SERIES_OPTIONS);
  const family = describe(name, help, options, series);
  const columns = new SeriesColumns(family, series.length);
  for (const [row, one] of series.entries()) columns.add(row, one);
  const some = (property: keyof FamilySeries) => series.some((one) => one[property] !== undefined);
  const { exemplars, rows, values, created, timestamps, quantiles } = columns;
  return {
    family,
    rows: rows.view(),
    values,
    ...(some('created') && { created }),
    ...(some('timestamp') && { timestamps }),
    ...(some('quantiles') && { quantiles }),
    ...(exemplars.size > 0 && { exemplars }),
    ...(some('native') && { native: series.map(({ native }) => native) }),
  };
}

function describe(
  name: string,
  help: string,
  { type = 'gauge', unit, labelNames = [], buckets, quantiles = [], utf8Names }: FamilyOptions,
  series: readonly FamilySeries[],
): FamilyDescriptor {
  checkHelp(name, help);
  if (!Array.isArray(labelNames)) throw invalidOption(name, 'labelNames', labelNames, 'an array of names');
  checkLabelNames(name, labelNames, utf8Names);
  if (!TYPE_NAMES.includes(type)) throw invalidOption(name, 'type', type, `one of ${TYPE_NAMES.join(', ')}`);
  if (type === 'stateset' && labelNames.at(-1) !== name) {
    throw invalidOption(name, 'labelNames', labelNames, 'the name of the family as the last one');
  }
  if (!Array.isArray(quantiles) || !areQuantiles(quantiles)) {
    throw invalidOption(name, 'quantiles', quantiles, 'numbers from 0 to 1, ascending');
  }
  const { layout, merge } = METRIC_TYPES[type];
  const isWithoutBuckets =
    buckets === undefined
      ? series.length === 0 || series.some(({ native }) => native !== undefined)
      : Array.isArray(buckets) && buckets.length === 0;
  let bounds = quantiles.map(withoutNegativeZero);
  if (layout === 'buckets') bounds = isWithoutBuckets ? [] : checkBuckets(name, buckets);
  return {
    scope: '',
    name,
    help,
    type,
    unit: checkUnit(type, name, unit),
    labelNames,
    cells: cellsOf(type, bounds),
    merge,
    bounds,
  };
}

/** The columns of a family, filled series by series. */
class SeriesColumns {
  readonly rows = new LabelColumn();
  readonly exemplars = new Map<number, Exemplar>();
  readonly values: Float64Array;
  readonly created: Float64Array;
  readonly timestamps: Float64Array;
  readonly quantiles: Float64Array;
  readonly #family: FamilyDescriptor;
  readonly #texts = new Set<string>();

  constructor(family: FamilyDescriptor, size: number) {
    this.#family = family;
    this.values = new Float64Array(size * family.cells);
    this.created = new Float64Array(size);
    this.timestamps = new Float64Array(size).fill(Number.NaN);
    this.quantiles = new Float64Array(size * family.bounds.length).fill(Number.NaN);
  }

  add(row: number, { labels = {}, value, ...more }: FamilySeries): void {
    const { name, labelNames, type, cells, bounds } = this.#family;
    const { layout } = METRIC_TYPES[type];
    checkLabels(name, labelNames, labels);
    const texts = labelNames.map((label) =>
      labelString(name, label, Object.hasOwn(labels, label) ? labels[label] : undefined),
    );
    const text = labelText(labelNames, texts);
    if (this.#texts.has(text)) {
      const given = `{${text}} of '${name}' twice`;
      throw new MetheusError('METHEUS_DUPLICATE_SERIES', { given, expected: 'each label set once' });
    }
    this.#texts.add(text);
    this.rows.add(text);
    this.values.set(this.#cellsOf(value), row * cells);
    const { timestamp, created, quantiles, exemplar, exemplars = [exemplar], native } = more;
    if (timestamp !== undefined) this.timestamps[row] = this.#check(timestamp, isTime(timestamp), SECONDS);
    if (created !== undefined) {
      const isRight = layout !== 'gauge' && isTime(created) && created > 0;
      this.created[row] = this.#check(created, isRight, `${SECONDS}, not for gauges`);
    }
    if (quantiles !== undefined) {
      this.#check(
        quantiles,
        type === 'summary' && areNumbers(quantiles) && quantiles.length === bounds.length,
        'a value for each quantile',
      );
      this.quantiles.set(quantiles, row * bounds.length);
    }
    if (native !== undefined) {
      this.#check(native, layout === 'buckets' && isNativeBuckets(native), 'native buckets of a histogram');
      for (const one of native.exemplars ?? []) this.#checkExemplar(one);
    }
    const exemplarCells = exemplarCellsOf(type, bounds);
    this.#check(
      exemplars,
      Array.isArray(exemplars),
      'an array with an exemplar or undefined for each bucket',
    );
    for (const [cell, one] of exemplars.entries()) {
      if (one === undefined) continue;
      this.#check(one, cell < exemplarCells, 'exemplars of a counter or of buckets');
      this.exemplars.set(row * cells + cell, this.#checkExemplar(one));
    }
  }

  #checkExemplar(given: Exemplar): Exemplar {
    const hasTime = given?.timestamp === undefined || isTime(given.timestamp);
    this.#check(given, isNumber(given?.value) && hasTime, `an exemplar: a value, and ${SECONDS} if any`);
    return { ...given, labels: exemplarLabels(this.#family.name, given.labels, true) };
  }

  /** Returns the cells of a series. The second cell of a gauge marks it as set. */
  #cellsOf(value: number | readonly number[]): readonly number[] {
    const { type, cells } = this.#family;
    const { layout } = METRIC_TYPES[type];
    const isGauge = layout === 'gauge';
    const given = areNumbers(value) ? value : [value];
    const all = (isGauge && given.length === 1 ? [...given, 1] : given) as readonly number[];
    const isRight = all.length === cells && all.every(isNumber);
    this.#check(value, isRight, isGauge || cells === 1 ? 'a number' : `${cells} numbers`);
    const counts = layout === 'buckets' ? all.slice(0, -1) : layout === 'summary' ? all.slice(1) : [];
    this.#check(
      value,
      counts.every((count) => count >= 0),
      'counts of at least 0',
    );
    if (type === 'info') this.#check(value, all[0] === 1, '1');
    if (type === 'stateset') this.#check(value, all[0] === 0 || all[0] === 1, '0 or 1');
    return all;
  }

  #check<V>(value: V, isRight: boolean, expected: string): V {
    if (isRight) return value;
    const { type, name } = this.#family;
    throw new MetheusError('METHEUS_INVALID_VALUE', {
      given: `${show(value)} for a ${type} '${name}'`,
      expected,
    });
  }
}

const isNumber = (given: unknown): given is number => typeof given === 'number';

/** Reports whether a value is an array or a typed array of numbers. */
const areNumbers = (given: unknown): given is readonly number[] =>
  (Array.isArray(given) || (ArrayBuffer.isView(given) && 'every' in given)) &&
  (given as readonly unknown[]).every(isNumber);

const SECONDS = 'Unix seconds';
