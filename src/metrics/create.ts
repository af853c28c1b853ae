/** Creating metrics: the functions and classes that users call. */
import { DEFAULT_REGISTRY, type Registerer } from '../model/collector.js';
import type { Labels } from '../model/labels.js';
import type { GaugeMode, MetricType } from '../model/metric-types.js';
import { nextScope } from '../model/scope.js';
import { CounterMetric, type ObservableCounter, TracedCounterMetric } from './counter.js';
import { checkOptions, define, type GivenOptions } from './definition.js';
import { GaugeMetric, type ObservableGauge } from './gauge.js';
import { HistogramMetric, type ObservableHistogram, TracedHistogramMetric } from './histogram.js';
import { type CreateInfo, type InfoClass, InfoMetric, type Info as LabelledInfo } from './info.js';
import type { Values } from './label-tree.js';
import type { Create, MetricClass, WithLabels } from './labelled.js';
import type { Metric } from './metric.js';
import { MetricFamily } from './metric-family.js';
import { type MetricConstructor, makerOf } from './native/metric.js';
import type { NativeOptions, QuantileOptions } from './native/options.js';
import {
  type CreateStateSet,
  type ObservableStateSet,
  type StateSetClass,
  StateSetMetric,
} from './stateset.js';
import { type ObservableSummary, SummaryMetric } from './summary.js';

/** What gauges take besides the options of every metric. */
export interface GaugeOptions {
  /** How the values of several threads, processes or machines become one; `shared` by default. */
  readonly multiprocessMode?: GaugeMode;
}

/** What counters and histograms take besides the options of every metric. */
export interface ExemplarOptions {
  /**
   * Asked for an exemplar by every observation that brings none: gives labels, or `undefined`. `currentTrace()`
   * of `metheus/opentelemetry` is one such. Left out: there is none then.
   */
  readonly exemplars?: () => Labels | undefined;
}

/** What histograms take besides the options of every metric. */
export interface HistogramOptions extends ExemplarOptions {
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

/** The classes of a type, each for those who pay for it. */
interface Classes {
  readonly Plain: MetricConstructor;
  /** With the option `exemplars`. */
  readonly Traced?: MetricConstructor;
}

/** Makes the function that creates metrics of a type. */
function creator<Creates>(type: MetricType, { Plain, Traced = Plain }: Classes): Creates {
  const create = (name: string, help: string, options: GivenOptions & InRegistry = {}): Metric => {
    checkOptions(name, options);
    const registry = options.registry === undefined ? defaultRegistry() : options.registry;
    const scope = registry?.scope ?? nextScope('unregistered');
    const { family, rule, ...defined } = define(type, scope, name, help, options);
    const settings = { ...defined, onOverflow: countDropped(family.name, registry) };
    const Class = defined.exemplars === undefined ? Plain : Traced;
    const make = () => {
      const makeMetric =
        rule === undefined
          ? (family: MetricFamily<Metric>, given: Values) => new Class(family, given)
          : makerOf(Plain, rule);
      return new MetricFamily(family, settings, makeMetric).root;
    };
    return registry === null ? make() : registry.findOrCreate(defined.definition, family, make);
  };
  return create as unknown as Creates;
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
function classOf<MadeBy>(Class: MetricConstructor, create: (...args: never[]) => object): MadeBy {
  const construct = (_: unknown, args: unknown[]) => create(...(args as never[]));
  return new Proxy(Class, { construct }) as unknown as MadeBy;
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

/** A stateset of the states `State`; labels as for {@link Counter}. */
export type StateSet<
  State extends string = string,
  Open extends string = never,
  Missing extends string = never,
> = WithLabels<ObservableStateSet<State>, Open, Missing>;
/** An info; labels as for {@link Counter}. */
export type Info<Open extends string = never, Missing extends string = never> = LabelledInfo<Open, Missing>;

/** Creates a counter: a number that only grows. Its name should end with `_total`. See {@link Create}. */
export const createCounter = creator<Create<ObservableCounter, ExemplarOptions>>('counter', {
  Plain: CounterMetric,
  Traced: TracedCounterMetric,
});
/** Creates a gauge: a number that goes up and down. See {@link Create}. */
export const createGauge = creator<Create<ObservableGauge, GaugeOptions>>('gauge', { Plain: GaugeMetric });
/** Creates a histogram: how values are distributed over buckets. See {@link Create}. */
export const createHistogram = creator<Create<ObservableHistogram, HistogramOptions>>('histogram', {
  Plain: HistogramMetric,
  Traced: TracedHistogramMetric,
});
/** Creates a summary: how many values there were, their sum, and quantiles if asked for. See {@link Create}. */
export const createSummary = creator<Create<ObservableSummary, SummaryOptions>>('summary', {
  Plain: SummaryMetric,
});
/** Creates an info: what is known in words. See {@link Create}. */
export const createInfo = creator<CreateInfo>('info', { Plain: InfoMetric });
/** Creates a stateset: which of some states are true. See {@link Create}. */
export const createStateSet = creator<CreateStateSet>('stateset', { Plain: StateSetMetric });

/** `new Counter(…)` is {@link createCounter}. */
export const Counter = classOf<MetricClass<ObservableCounter, ExemplarOptions>>(CounterMetric, createCounter);
/** `new Gauge(…)` is {@link createGauge}. */
export const Gauge = classOf<MetricClass<ObservableGauge, GaugeOptions>>(GaugeMetric, createGauge);
/** `new Histogram(…)` is {@link createHistogram}. */
export const Histogram = classOf<MetricClass<ObservableHistogram, HistogramOptions>>(
  HistogramMetric,
  createHistogram,
);
/** `new Summary(…)` is {@link createSummary}. */
export const Summary = classOf<MetricClass<ObservableSummary, SummaryOptions>>(SummaryMetric, createSummary);
/** `new Info(…)` is {@link createInfo}. */
export const Info = classOf<InfoClass>(InfoMetric, createInfo);
/** `new StateSet(…)` is {@link createStateSet}. */
export const StateSet = classOf<StateSetClass>(StateSetMetric, createStateSet);
