/** Checks the options of a metric and turns them into a descriptor. */
import { MetheusError } from '../errors.js';
import type { FamilyDescriptor } from '../model/family.js';
import { type Labels, labelString, refuseUnknownLabels } from '../model/labels.js';
import {
  cellsOf,
  GAUGE_MODES,
  type GaugeMode,
  METRIC_TYPES,
  type MergeMode,
  type MetricType,
} from '../model/metric-types.js';
import { checkHelp, checkLabelNames, checkMetricName } from '../model/names.js';
import { checkBuckets, invalidOption } from '../model/options.js';
import type { Values } from './label-tree.js';
import { checkQuantiles, histogramRule, type NativeRule, summaryRule } from './native/options.js';

/** The buckets of other Prometheus clients: seconds, chosen for web requests. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The options of all kinds of metrics, before they are checked. */
export interface GivenOptions {
  readonly requiredLabels?: readonly unknown[];
  readonly defaultLabels?: Readonly<Record<string, unknown>>;
  readonly unit?: unknown;
  readonly utf8Names?: unknown;
  readonly maxSeries?: unknown;
  readonly buckets?: unknown;
  readonly native?: unknown;
  readonly quantiles?: unknown;
  readonly multiprocessMode?: unknown;
  readonly exemplars?: unknown;
  readonly states?: unknown;
}

/** A checked definition. */
export interface Definition {
  readonly descriptor: FamilyDescriptor;
  /** The rule of native buckets, if the metric has any. */
  readonly rule?: NativeRule | undefined;
  readonly defaults: Values;
  readonly maxSeries: number;
  readonly states: readonly string[] | undefined;
  readonly exemplars: (() => Labels | undefined) | undefined;
  /** The whole definition as text: equal for equal definitions, and readable in a message. */
  readonly definition: string;
}

/** @throws `METHEUS_INVALID_OPTIONS` unless the options are an object, and `registry` in them is one */
export function checkOptions(name: unknown, options: unknown): void {
  const metric = String(name);
  if (typeof options !== 'object' || options === null) {
    throw invalidOption(metric, 'options', options, 'an object');
  }
  const { registry } = options as { registry?: { findOrCreate?: unknown } | null };
  if (registry === undefined || registry === null || typeof registry.findOrCreate === 'function') return;
  throw invalidOption(metric, 'registry', registry, 'a registry, or null');
}

/** @throws the errors of bad names, labels, buckets and options */
export function define(
  type: MetricType,
  scope: string,
  name: unknown,
  help: unknown,
  options: GivenOptions,
): Definition {
  const utf8Names = options.utf8Names === true;
  checkMetricName(name, utf8Names);
  checkHelp(name, help);
  const {
    requiredLabels = [],
    defaultLabels = {},
    maxSeries = Number.POSITIVE_INFINITY,
    native = false,
    buckets = native ? undefined : DEFAULT_BUCKETS,
    quantiles,
  } = options;
  if (!Array.isArray(requiredLabels))
    throw invalidOption(name, 'requiredLabels', requiredLabels, 'an array of names');
  const states = type === 'stateset' ? checkStates(name, options) : undefined;
  const labelNames = states === undefined ? requiredLabels : [...requiredLabels, name];
  checkLabelNames(name, labelNames, utf8Names);
  if (typeof defaultLabels !== 'object' || defaultLabels === null) {
    throw invalidOption(name, 'defaultLabels', defaultLabels, 'an object with label values');
  }
  refuseUnknownLabels(name, labelNames, defaultLabels);
  if (typeof maxSeries !== 'number' || !(maxSeries >= 1)) {
    throw invalidOption(name, 'maxSeries', maxSeries, 'a number of at least 1');
  }
  const defaults = labelNames.map((label) => {
    const value = Object.hasOwn(defaultLabels, label) ? defaultLabels[label] : undefined;
    return value === undefined ? undefined : labelString(label, value);
  });
  const exemplars = checkExemplars(name, options.exemplars);
  const isNative = type === 'histogram' && native !== false;
  const hasQuantiles = type === 'summary' && quantiles !== undefined;
  const bounds = hasQuantiles
    ? checkQuantiles(name, quantiles)
    : type === 'histogram' && buckets !== undefined
      ? checkBuckets(name, buckets)
      : [];
  const descriptor: FamilyDescriptor = {
    scope,
    name,
    help,
    type,
    unit: checkUnit(type, name, options.unit),
    labelNames: Object.freeze([...labelNames]),
    cells: cellsOf(type, bounds),
    merge: mergeOf(type, name, labelNames, options.multiprocessMode),
    bounds: Object.freeze(bounds),
  };
  const { scope: _, cells: __, ...shown } = descriptor;
  const limits = maxSeries === Number.POSITIVE_INFINITY ? {} : { maxSeries };
  const rule = isNative
    ? histogramRule(descriptor, native)
    : hasQuantiles
      ? summaryRule(descriptor, options)
      : undefined;
  const definition = JSON.stringify({
    ...shown,
    defaults,
    ...limits,
    states,
    exemplars: exemplars && 'a function',
    native: rule && { ...rule, blockFamily: rule.blockFamily.bounds },
  });
  return { descriptor: Object.freeze(descriptor), rule, defaults, maxSeries, states, exemplars, definition };
}

/** Returns the states of a stateset. A limit of series is refused, since it would split a set. */
function checkStates(name: string, { states, maxSeries }: GivenOptions): readonly string[] {
  const isList = Array.isArray(states) && states.length > 0 && new Set(states).size === states.length;
  if (!isList || !states.every((state) => typeof state === 'string')) {
    throw invalidOption(name, 'states', states, 'an array of different strings, at least one');
  }
  if (maxSeries !== undefined) throw invalidOption(name, 'maxSeries', maxSeries, 'none for a stateset');
  return states.map((state: string) => labelString(name, state));
}

function checkExemplars(name: string, source: unknown): (() => Labels | undefined) | undefined {
  if (source === undefined || typeof source === 'function') return source as (() => Labels) | undefined;
  throw invalidOption(name, 'exemplars', source, 'a function that returns labels');
}

/** @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md#unit */
function checkUnit(type: MetricType, name: string, unit: unknown = ''): string {
  if (typeof unit !== 'string') throw invalidOption(name, 'unit', unit, 'a string');
  if (unit !== '' && METRIC_TYPES[type].isState)
    throw invalidOption(name, 'unit', unit, `none for type ${type}`);
  if (unit === '' || name.replace(/_total$/, '').endsWith(`_${unit}`)) return unit;
  throw invalidOption(name, 'unit', unit, `a unit that the name ends with, as in '${name}_${unit}'`);
}

function mergeOf(type: MetricType, name: string, labelNames: readonly string[], mode: unknown): MergeMode {
  return type === 'gauge' ? checkMode(name, labelNames, mode) : METRIC_TYPES[type].merge;
}

function checkMode(name: string, labelNames: readonly string[], mode: unknown = 'shared'): MergeMode {
  if ((mode === 'all' || mode === 'liveall') && labelNames.includes('pid')) {
    throw new MetheusError('METHEUS_RESERVED_LABEL_NAME', {
      given: `'pid' on metric '${name}'`,
      expected: `another name, since multiprocessMode '${mode}' adds this label`,
    });
  }
  if ((GAUGE_MODES as readonly unknown[]).includes(mode)) return mode as GaugeMode;
  throw invalidOption(name, 'multiprocessMode', mode, `one of ${GAUGE_MODES.join(', ')}`);
}
