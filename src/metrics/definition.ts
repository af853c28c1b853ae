/** Checks the options of a metric and turns them into a descriptor. */
import { MetheusError, show, warnOnce } from '../errors.js';
import type { Registerer } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';
import { checkLabels, labelString } from '../model/labels.js';
import {
  cellsOf,
  GAUGE_MODES,
  type GaugeMode,
  METRIC_TYPES,
  type MergeMode,
  type MetricType,
} from '../model/metric-types.js';
import { checkHelp, checkLabelNames, checkMetricName } from '../model/names.js';
import { checkBuckets, checkOptionNames, checkUnitOfName, invalidOption } from '../model/options.js';
import type { Values } from './label-tree.js';
import { checkQuantiles, type NativeRule, nativeRule } from './native/options.js';
import type { FamilySettings } from './settings.js';

/** The buckets of other Prometheus clients: seconds, chosen for web requests. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Arrays that descriptors share. */
const SHARED_BUCKETS: readonly number[] = Object.freeze([...DEFAULT_BUCKETS]);
const NO_BOUNDS: readonly number[] = Object.freeze([]);
const NO_NAMES: readonly string[] = Object.freeze([]);

/** The options of all kinds of metrics. All but `registry` are not checked yet: see {@link checkOptions}. */
export interface GivenOptions {
  readonly registry?: Registerer | null;
  readonly requiredLabels?: readonly unknown[];
  readonly defaultLabels?: Readonly<Record<string, unknown>>;
  readonly unit?: unknown;
  readonly utf8Names?: unknown;
  readonly strict?: unknown;
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
  readonly rule: NativeRule | undefined;
  readonly settings: FamilySettings;
}

const LABEL_OPTIONS = ['requiredLabels', 'defaultLabels', 'registry', 'utf8Names', 'strict'];
const NUMBER_OPTIONS = [...LABEL_OPTIONS, 'unit', 'maxSeries'];

/** The options of each kind of metric. A stateset has no `maxSeries`, which would split a set. */
const OPTIONS: Readonly<Partial<Record<MetricType, readonly string[]>>> = {
  counter: [...NUMBER_OPTIONS, 'exemplars'],
  gauge: [...NUMBER_OPTIONS, 'multiprocessMode'],
  histogram: [...NUMBER_OPTIONS, 'buckets', 'native', 'exemplars'],
  summary: [...NUMBER_OPTIONS, 'quantiles', 'relativeError', 'maxAge', 'ageBuckets'],
  info: [...LABEL_OPTIONS, 'maxSeries'],
  stateset: [...LABEL_OPTIONS, 'states'],
};

/**
 * @throws `METHEUS_INVALID_METRIC_NAME` for one object instead of a name; `METHEUS_INVALID_OPTIONS` unless the options
 * are an object without unknown names, and `registry` in them is a registry
 */
export function checkOptions(type: MetricType, name: unknown, options: GivenOptions): void {
  if (typeof name === 'object' && name !== null) {
    const { name: inner = 'name', help = 'help' } = name as {
      readonly name?: unknown;
      readonly help?: unknown;
    };
    throw new MetheusError('METHEUS_INVALID_METRIC_NAME', {
      given: show(name),
      expected: 'the name, the help text and the options as three arguments',
      todo: `Write (${show(inner)}, ${show(help)}, { … })`,
    });
  }
  checkOptionNames(`${type} ${show(name)}`, options, OPTIONS[type]!);
  const { registry } = options;
  if (registry === undefined || registry === null || typeof registry.findOrCreate === 'function') return;
  throw invalidOption(String(name), 'registry', registry, 'a registry, or null');
}

/** @throws the errors of bad names, labels, buckets and options */
export function define(
  type: MetricType,
  scope: string,
  name: unknown,
  help: unknown,
  options: GivenOptions,
  { registry, droppedIn }: Pick<FamilySettings, 'registry' | 'droppedIn'>,
): Definition {
  const utf8Names = options.utf8Names === true;
  const strict = options.strict === true;
  checkMetricName(name, utf8Names);
  checkHelp(name, help);
  const refuse = (option: keyof GivenOptions, expected: string) =>
    invalidOption(name, option, options[option], expected);
  const { requiredLabels, defaultLabels, maxSeries = Number.POSITIVE_INFINITY, exemplars } = options;
  if (requiredLabels !== undefined && !Array.isArray(requiredLabels)) {
    throw refuse('requiredLabels', 'an array of names');
  }
  const states = type === 'stateset' ? checkStates(name, options) : undefined;
  const labelNames =
    requiredLabels === undefined && states === undefined
      ? NO_NAMES
      : [...(requiredLabels ?? []), ...(states === undefined ? [] : [name])];
  checkLabelNames(name, labelNames, utf8Names);
  if (defaultLabels !== undefined) {
    if (typeof defaultLabels !== 'object' || defaultLabels === null) {
      throw refuse('defaultLabels', 'an object with label values');
    }
    checkLabels(name, labelNames, defaultLabels);
  }
  if (typeof maxSeries !== 'number' || !(maxSeries >= 1)) throw refuse('maxSeries', 'a number of at least 1');
  if (exemplars !== undefined && typeof exemplars !== 'function') {
    throw refuse('exemplars', 'a function that returns labels');
  }
  const defaults = labelNames === NO_NAMES ? NO_NAMES : defaultsOf(name, labelNames, defaultLabels);
  const bounds = boundsOf(type, name, options);
  const descriptor: FamilyDescriptor = Object.freeze({
    scope,
    name,
    help,
    type,
    unit: checkUnitOfName(type, name, options.unit),
    labelNames: Object.freeze(labelNames),
    cells: cellsOf(type, bounds),
    merge: mergeOf(type, name, labelNames, options.multiprocessMode),
    bounds,
  });
  const rule = nativeRule(descriptor, options);
  if (type === 'counter' && !name.endsWith('_total')) {
    const text = `Counter '${name}' has no type and no exemplars in OpenMetrics. Name it '${name}_total'.`;
    warnOnce(text, text);
  }
  const source = exemplars as FamilySettings['exemplars'];
  const settings = { registry, defaults, strict, maxSeries, droppedIn, exemplars: source, states };
  return { descriptor, rule, settings };
}

function defaultsOf(
  name: string,
  labelNames: readonly string[],
  given: GivenOptions['defaultLabels'],
): Values {
  return labelNames.map((label) => {
    const value = given !== undefined && Object.hasOwn(given, label) ? given[label] : undefined;
    return value === undefined ? undefined : labelString(name, label, value);
  });
}

function checkStates(name: string, { states }: GivenOptions): readonly string[] {
  const isList = Array.isArray(states) && states.length > 0 && new Set(states).size === states.length;
  if (!isList || !states.every((state) => typeof state === 'string')) {
    throw invalidOption(name, 'states', states, 'an array of different strings, at least one');
  }
  return states.map((state: string) => labelString(name, name, state));
}

function boundsOf(
  type: MetricType,
  name: string,
  { native, buckets = native ? undefined : DEFAULT_BUCKETS, quantiles }: GivenOptions,
): readonly number[] {
  if (type === 'histogram' && buckets === DEFAULT_BUCKETS) return SHARED_BUCKETS;
  if (type === 'histogram' && buckets !== undefined) return Object.freeze(checkBuckets(name, buckets));
  if (type === 'summary' && quantiles !== undefined) return Object.freeze(checkQuantiles(name, quantiles));
  return NO_BOUNDS;
}

function mergeOf(
  type: MetricType,
  name: string,
  labelNames: readonly string[],
  mode: unknown = 'shared',
): MergeMode {
  if (type !== 'gauge') return METRIC_TYPES[type].merge;
  if (!(GAUGE_MODES as readonly unknown[]).includes(mode)) {
    throw invalidOption(name, 'multiprocessMode', mode, `one of ${GAUGE_MODES.join(', ')}`);
  }
  if ((mode === 'all' || mode === 'liveall') && labelNames.includes('pid')) {
    throw new MetheusError('METHEUS_RESERVED_LABEL_NAME', {
      given: `'pid' on metric '${name}'`,
      expected: `another name, since multiprocessMode '${mode}' adds this label`,
    });
  }
  return mode as GaugeMode;
}
