/** The functions and classes with which users create metrics. */
import { DEFAULT_REGISTRY, privateScope, type Registerer } from '../model/collector.js';
import type { MetricType } from '../model/metric-types.js';
import {
  CounterMetric,
  type ExemplarOptions,
  type ObservableCounter,
  TracedCounterMetric,
} from './counter.js';
import { checkOptions, define, type GivenOptions } from './definition.js';
import { GaugeMetric, type GaugeOptions, type ObservableGauge } from './gauge.js';
import {
  HistogramMetric,
  type HistogramOptions,
  type ObservableHistogram,
  TracedHistogramMetric,
} from './histogram.js';
import { InfoMetric, type InfoOptions, type Info as LabelledInfo } from './info.js';
import type { Created, LabelsOf, MetricOptions, Named, WithLabels } from './labelled.js';
import type { Metric, MetricConstructor } from './metric.js';
import { MetricFamily } from './metric-family.js';
import { NativeHistogramMetric, QuantileSummaryMetric } from './native/metric.js';
import { NativeFamily } from './native/series.js';
import { definitionText } from './settings.js';
import { type ObservableStateSet, StateSetMetric, type StateSetOptions } from './stateset.js';
import { type ObservableSummary, SummaryMetric, type SummaryOptions } from './summary.js';

// biome-ignore lint/complexity/noBannedTypes: an object without properties
type NoDefaults = {};

/**
 * Creates a metric and registers it. `createCounter` and `new Counter` are the same.
 *
 * The same definition under the same name returns the existing metric, so a module may be loaded twice.
 *
 * @param name - `[a-zA-Z_:][a-zA-Z0-9_:]*`, or any text with `utf8Names`
 * @param help - a description for people. If only this text differs from an existing definition, it replaces the text
 * of the existing metric
 * @throws `METHEUS_CONFLICTING_METRIC` when the name is taken by another definition;
 * `METHEUS_INVALID_METRIC_NAME`, `METHEUS_INVALID_HELP`, `METHEUS_INVALID_LABEL_NAME`,
 * `METHEUS_RESERVED_LABEL_NAME`, `METHEUS_DUPLICATE_LABEL_NAME`, `METHEUS_INVALID_OPTIONS`,
 * `METHEUS_INVALID_BUCKETS`
 */
export interface Create<Operations extends object, Options> {
  <const Name extends string = never, const Defaults extends LabelsOf<Defaults, Name> = NoDefaults>(
    name: string,
    help: string,
    options?: MetricOptions<Name, Defaults> & Options,
  ): Created<Operations, Name, Named<Defaults>>;
  new <const Name extends string = never, const Defaults extends LabelsOf<Defaults, Name> = NoDefaults>(
    name: string,
    help: string,
    options?: MetricOptions<Name, Defaults> & Options,
  ): Created<Operations, Name, Named<Defaults>>;
}

/** Creates an info: see {@link Create}. */
export interface CreateInfo {
  <const Name extends string = never, const Defaults extends LabelsOf<Defaults, Name> = NoDefaults>(
    name: string,
    help: string,
    options?: InfoOptions<Name, Defaults>,
  ): LabelledInfo<Name, Exclude<Name, Named<Defaults>>>;
  new <const Name extends string = never, const Defaults extends LabelsOf<Defaults, Name> = NoDefaults>(
    name: string,
    help: string,
    options?: InfoOptions<Name, Defaults>,
  ): LabelledInfo<Name, Exclude<Name, Named<Defaults>>>;
}

/** Creates a stateset: see {@link Create}. */
export interface CreateStateSet {
  <
    const State extends string,
    const Name extends string = never,
    const Defaults extends LabelsOf<Defaults, Name> = NoDefaults,
  >(
    name: string,
    help: string,
    options: StateSetOptions<State, Name, Defaults>,
  ): Created<ObservableStateSet<State>, Name, Named<Defaults>>;
  new <
    const State extends string,
    const Name extends string = never,
    const Defaults extends LabelsOf<Defaults, Name> = NoDefaults,
  >(
    name: string,
    help: string,
    options: StateSetOptions<State, Name, Defaults>,
  ): Created<ObservableStateSet<State>, Name, Named<Defaults>>;
}

/** The classes of a kind. A metric is of the simplest one that its options allow. */
interface Classes {
  readonly Plain: MetricConstructor;
  /** With the option `exemplars`. */
  readonly Traced?: MetricConstructor;
  /** Returns the class with native buckets or quantiles, which is loaded when it is first needed. */
  readonly native?: () => MetricConstructor;
}

/** Returns the function and class of one kind: `new` creates a metric too, and `instanceof` recognizes its metrics. */
function creatorOf<Creator>(kind: MetricType, classes: Classes): Creator {
  const { Plain, Traced = Plain } = classes;
  const create = (name: string, help: string, options: GivenOptions = {}): Metric => {
    checkOptions(kind, name, options);
    const registry = options.registry === undefined ? defaultRegistry() : options.registry;
    const scope = registry?.scope ?? privateScope();
    const { descriptor, rule, settings } = define(kind, scope, name, help, options, { registry, droppedIn });
    const make = () => {
      const Class = settings.exemplars !== undefined ? Traced : Plain;
      if (rule === undefined) return new MetricFamily(descriptor, settings, Class).root;
      return new MetricFamily(descriptor, settings, classes.native!(), new NativeFamily(rule)).root;
    };
    if (registry === null) return make();
    return registry.findOrCreate(() => definitionText(descriptor, settings, rule), descriptor, make);
  };
  type Arguments = Parameters<typeof create>;
  return new Proxy(Plain, {
    apply: (_, __, args) => create(...(args as Arguments)),
    construct: (_, args) => create(...(args as Arguments)),
  }) as unknown as Creator;
}

function defaultRegistry(): Registerer {
  return (globalThis as { [DEFAULT_REGISTRY]?: Registerer })[DEFAULT_REGISTRY]!;
}

/** Returns the counter of the refused label sets of a family, in the registry of that family. */
function droppedIn(registry: Registerer | null, family: string): ObservableCounter {
  return createCounter(
    'metheus_series_dropped_total',
    'Calls of labels() for a label set that had no place under maxSeries.',
    { requiredLabels: ['family'], registry },
  ).labels({ family });
}

/** Creates a counter: a number that only grows. Its name should end with `_total`. See {@link Create}. */
export const createCounter = creatorOf<Create<ObservableCounter, ExemplarOptions>>('counter', {
  Plain: CounterMetric,
  Traced: TracedCounterMetric,
});
/** Creates a gauge: a number that goes up and down. See {@link Create}. */
export const createGauge = creatorOf<Create<ObservableGauge, GaugeOptions>>('gauge', { Plain: GaugeMetric });
/** Creates a histogram: the distribution of values over buckets. See {@link Create}. */
export const createHistogram = creatorOf<Create<ObservableHistogram, HistogramOptions>>('histogram', {
  Plain: HistogramMetric,
  Traced: TracedHistogramMetric,
  native: () => NativeHistogramMetric,
});
/** Creates a summary: the count and sum of values, and quantiles on request. See {@link Create}. */
export const createSummary = creatorOf<Create<ObservableSummary, SummaryOptions>>('summary', {
  Plain: SummaryMetric,
  native: () => QuantileSummaryMetric,
});
/** Creates an info: facts in words. See {@link Create}. */
export const createInfo = creatorOf<CreateInfo>('info', { Plain: InfoMetric });
/** Creates a stateset: which of several states are true. See {@link Create}. */
export const createStateSet = creatorOf<CreateStateSet>('stateset', { Plain: StateSetMetric });

/** A counter whose labels `Open` may still be given and `Missing` must be. */
export type Counter<Open extends string = never, Missing extends string = never> = WithLabels<
  ObservableCounter,
  Open,
  Missing
>;
/** `new Counter(…)` is {@link createCounter}. */
export const Counter = createCounter;

/** A gauge; labels as for {@link Counter}. */
export type Gauge<Open extends string = never, Missing extends string = never> = WithLabels<
  ObservableGauge,
  Open,
  Missing
>;
/** `new Gauge(…)` is {@link createGauge}. */
export const Gauge = createGauge;

/** A histogram; labels as for {@link Counter}. */
export type Histogram<Open extends string = never, Missing extends string = never> = WithLabels<
  ObservableHistogram,
  Open,
  Missing
>;
/** `new Histogram(…)` is {@link createHistogram}. */
export const Histogram = createHistogram;

/** A summary; labels as for {@link Counter}. */
export type Summary<Open extends string = never, Missing extends string = never> = WithLabels<
  ObservableSummary,
  Open,
  Missing
>;
/** `new Summary(…)` is {@link createSummary}. */
export const Summary = createSummary;

/** An info; labels as for {@link Counter}. */
export type Info<Open extends string = never, Missing extends string = never> = LabelledInfo<Open, Missing>;
/** `new Info(…)` is {@link createInfo}. */
export const Info = createInfo;

/** A stateset of the states `State`; labels as for {@link Counter}. */
export type StateSet<
  State extends string = string,
  Open extends string = never,
  Missing extends string = never,
> = WithLabels<ObservableStateSet<State>, Open, Missing>;
/** `new StateSet(…)` is {@link createStateSet}. */
export const StateSet = createStateSet;
