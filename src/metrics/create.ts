/** Creating metrics: the functions and classes that users call. */
import { DEFAULT_REGISTRY, type Registerer } from '../model/collector.js';
import type { GaugeMode, MetricType } from '../model/family.js';
import { nextScope } from '../model/scope.js';
import { CounterMetric, type ObservableCounter } from './counter.js';
import { checkOptions, define, type GivenOptions } from './definition.js';
import { GaugeMetric, type ObservableGauge } from './gauge.js';
import { HistogramMetric, type ObservableHistogram } from './histogram.js';
import type { Create, MetricClass, WithLabels } from './labelled.js';
import type { Metric } from './metric.js';
import { MetricFamily, type Values } from './metric-family.js';
import { native } from './native-metric.js';
import type { NativeOptions, QuantileOptions } from './native-options.js';
import { NativeFamily } from './native-series.js';
import { type ObservableSummary, SummaryMetric } from './summary.js';

/** What gauges take besides the options of every metric. */
export interface GaugeOptions {
  /** How the values of several threads, processes or machines become one; `shared` by default. */
  readonly multiprocessMode?: GaugeMode;
}

/** What histograms take besides the options of every metric. */
export interface HistogramOptions {
  /**
   * Upper bounds of the buckets, ascending, in the unit of what is observed; `+Inf` is added. Left out: from
   * 5 ms to 10 s; none but `+Inf` with `native`.
   */
  readonly buckets?: readonly number[];
  /** Native buckets, whose bounds are powers: with these options, or `true` for their defaults. */
  readonly native?: NativeOptions | boolean;
}

/** What summaries take besides the options of every metric. */
export interface SummaryOptions extends QuantileOptions {
  /** Which quantiles are estimated: from 0 to 1, ascending. Left out: none. */
  readonly quantiles?: readonly number[];
}

type MetricMaker = new (members: MetricFamily<Metric>, given: Values) => Metric;

/** Makes the function that creates metrics of a type. */
function creator<Operations extends object, Extra = unknown>(
  type: MetricType,
  Class: MetricMaker,
  Native?: ReturnType<typeof native>,
) {
  const create = (name: string, help: string, options: GivenOptions & InRegistry = {}): Metric => {
    checkOptions(name, options);
    const registry = options.registry === undefined ? defaultRegistry() : options.registry;
    const { family, rule, defaults, maxSeries, text } = define(
      type,
      registry?.scope ?? nextScope('unregistered'),
      name,
      help,
      options,
    );
    const onOverflow = countDropped(family.name, registry);
    const settings = { definition: text, defaults, maxSeries, onOverflow };
    const make = () => {
      const natives = rule && new NativeFamily(rule);
      const makeMetric = (members: MetricFamily<Metric>, given: Values) =>
        natives ? new Native!(members, given, natives) : new Class(members, given);
      return new MetricFamily(family, settings, makeMetric).root;
    };
    return registry === null ? make() : registry.obtain(text, family, make);
  };
  return create as unknown as Create<Operations, Extra>;
}

interface InRegistry {
  readonly registry?: Registerer | null;
}

function defaultRegistry(): Registerer {
  return (globalThis as { [DEFAULT_REGISTRY]?: Registerer })[DEFAULT_REGISTRY]!;
}

/** Counts the label sets that a family turned away, where the family itself is registered. */
function countDropped(family: string, registry: Registerer | null): () => void {
  let dropped: ObservableCounter | undefined;
  return () => {
    dropped ??= createCounter(
      'metheus_series_dropped_total',
      'Calls of labels() for a label set that had no place under maxSeries.',
      { requiredLabels: ['family'], registry },
    ).labels({ family });
    dropped.inc();
  };
}

/** The class of a creator: `new` creates, and `instanceof` knows what was created. */
function classOf<Operations extends object, Extra>(Class: MetricMaker, create: Create<Operations, Extra>) {
  const construct = (_: unknown, args: Parameters<typeof create>) => create(...args);
  return new Proxy(Class, { construct }) as unknown as MetricClass<Operations, Extra>;
}

/** A counter whose labels `Open` may still be given and `Missing` must be. */
export type Counter<Open extends string = never, Missing extends string = never> = WithLabels<
  ObservableCounter,
  Open,
  Missing
>;
/** A gauge; labels as for {@link Counter}. */
export type Gauge<Open extends string = never, Missing extends string = never> = WithLabels<
  ObservableGauge,
  Open,
  Missing
>;
/** A histogram; labels as for {@link Counter}. */
export type Histogram<Open extends string = never, Missing extends string = never> = WithLabels<
  ObservableHistogram,
  Open,
  Missing
>;
/** A summary; labels as for {@link Counter}. */
export type Summary<Open extends string = never, Missing extends string = never> = WithLabels<
  ObservableSummary,
  Open,
  Missing
>;

/** Creates a counter: a number that only grows. Its name should end with `_total`. See {@link Create}. */
export const createCounter = creator<ObservableCounter>('counter', CounterMetric);
/** Creates a gauge: a number that goes up and down. See {@link Create}. */
export const createGauge = creator<ObservableGauge, GaugeOptions>('gauge', GaugeMetric);
/** Creates a histogram: how values are distributed over buckets. See {@link Create}. */
export const createHistogram = creator<ObservableHistogram, HistogramOptions>(
  'histogram',
  HistogramMetric,
  native(HistogramMetric),
);
/** Creates a summary: how many values there were, their sum, and quantiles if asked for. See {@link Create}. */
export const createSummary = creator<ObservableSummary, SummaryOptions>(
  'summary',
  SummaryMetric,
  native(SummaryMetric),
);

/** `new Counter(…)` is {@link createCounter}. */
export const Counter = classOf(CounterMetric, createCounter);
/** `new Gauge(…)` is {@link createGauge}. */
export const Gauge = classOf(GaugeMetric, createGauge);
/** `new Histogram(…)` is {@link createHistogram}. */
export const Histogram = classOf(HistogramMetric, createHistogram);
/** `new Summary(…)` is {@link createSummary}. */
export const Summary = classOf(SummaryMetric, createSummary);
