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
import type { Created, Given, MetricOptions, Undefaulted, WithLabels } from './labelled.js';
import type { Metric, MetricConstructor } from './metric.js';
import { MetricFamily } from './metric-family.js';
import { NativeHistogramMetric, QuantileSummaryMetric } from './native/metric.js';
import { NativeFamily } from './native/series.js';
import { definitionText } from './settings.js';
import { type ObservableStateSet, StateSetMetric, type StateSetOptions } from './stateset.js';
import { type ObservableSummary, SummaryMetric, type SummaryOptions } from './summary.js';

/** The options of each kind of metric, and the metric that they create. A new kind is a row here. */
export interface MetricKinds<
  Names extends readonly string[],
  Defaults,
  States extends readonly string[] = readonly string[],
> {
  counter: {
    options: [options?: MetricOptions<Names, Defaults> & ExemplarOptions];
    metric: Created<ObservableCounter, Names, Defaults>;
  };
  gauge: {
    options: [options?: MetricOptions<Names, Defaults> & GaugeOptions];
    metric: Created<ObservableGauge, Names, Defaults>;
  };
  histogram: {
    options: [options?: MetricOptions<Names, Defaults> & HistogramOptions];
    metric: Created<ObservableHistogram, Names, Defaults>;
  };
  summary: {
    options: [options?: MetricOptions<Names, Defaults> & SummaryOptions];
    metric: Created<ObservableSummary, Names, Defaults>;
  };
  info: {
    options: [options?: InfoOptions<Names, Defaults>];
    metric: LabelledInfo<Names[number], Undefaulted<Names, Defaults>>;
  };
  stateset: {
    options: [options: StateSetOptions<States, Names, Defaults>];
    metric: Created<ObservableStateSet<States[number]>, Names, Defaults>;
  };
}

/** The name of a kind of metric. */
export type MetricKind = keyof MetricKinds<readonly string[], unknown>;

/**
 * Creates a metric of one kind and registers it. `createCounter` and `new Counter` are the same.
 *
 * The same definition under the same name returns the existing metric, so a module may be loaded twice.
 *
 * @param name - `[a-zA-Z_:][a-zA-Z0-9_:]*`, or any text with `utf8Names`
 * @param help - a description for people
 * @throws `METHEUS_CONFLICTING_METRIC` when the name is taken by another definition;
 * `METHEUS_INVALID_METRIC_NAME`, `METHEUS_INVALID_HELP`, `METHEUS_INVALID_LABEL_NAME`,
 * `METHEUS_RESERVED_LABEL_NAME`, `METHEUS_DUPLICATE_LABEL_NAME`, `METHEUS_INVALID_OPTIONS`,
 * `METHEUS_INVALID_BUCKETS`
 */
export interface Create<Kind extends MetricKind> {
  <
    const Names extends readonly string[] = readonly [],
    // biome-ignore lint/complexity/noBannedTypes: the type of no defaults at all
    const Defaults extends Given<Names[number]> = {},
    const States extends readonly string[] = readonly string[],
  >(
    name: string,
    help: string,
    ...options: MetricKinds<Names, Defaults, States>[Kind]['options']
  ): MetricKinds<Names, Defaults, States>[Kind]['metric'];
  new <
    const Names extends readonly string[] = readonly [],
    // biome-ignore lint/complexity/noBannedTypes: the type of no defaults at all
    const Defaults extends Given<Names[number]> = {},
    const States extends readonly string[] = readonly string[],
  >(
    name: string,
    help: string,
    ...options: MetricKinds<Names, Defaults, States>[Kind]['options']
  ): MetricKinds<Names, Defaults, States>[Kind]['metric'];
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
function creatorOf<Kind extends MetricKind & MetricType>(kind: Kind, classes: Classes): Create<Kind> {
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
  }) as unknown as Create<Kind>;
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
export const createCounter = creatorOf('counter', { Plain: CounterMetric, Traced: TracedCounterMetric });
/** Creates a gauge: a number that goes up and down. See {@link Create}. */
export const createGauge = creatorOf('gauge', { Plain: GaugeMetric });
/** Creates a histogram: the distribution of values over buckets. See {@link Create}. */
export const createHistogram = creatorOf('histogram', {
  Plain: HistogramMetric,
  Traced: TracedHistogramMetric,
  native: () => NativeHistogramMetric,
});
/** Creates a summary: the count and sum of values, and quantiles on request. See {@link Create}. */
export const createSummary = creatorOf('summary', {
  Plain: SummaryMetric,
  native: () => QuantileSummaryMetric,
});
/** Creates an info: facts in words. See {@link Create}. */
export const createInfo = creatorOf('info', { Plain: InfoMetric });
/** Creates a stateset: which of several states are true. See {@link Create}. */
export const createStateSet = creatorOf('stateset', { Plain: StateSetMetric });

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
