/**
 * The sources of families: metrics, whose numbers a backend keeps, and collectors, which make their families at each
 * scrape. Registries know both by these contracts alone.
 */
import type { Exemplar, FamilyDescriptor, FamilySnapshot, NativeBuckets } from './family.js';
import type { Labels } from './labels.js';
import type { MetricType } from './metric-types.js';

/** A metric as a registry sees it. */
export interface MetricSource {
  readonly descriptor: FamilyDescriptor;
  /**
   * The definition without the help text, one option per line. Equal definitions under one name are the same metric.
   * Errors of conflicts show the lines that differ.
   */
  readonly definition: string;
  /** The help text to serve, set when the metric is created again. @defaultValue that of the descriptor */
  help?: string;
  /** The hidden family of the series' native buckets, if the metric has any. */
  readonly blocks?: FamilyDescriptor | undefined;
  /**
   * Called when the metric is registered. A metric without a shared scope takes that of the registry, and its numbers
   * move to the backend in force.
   */
  join?(scope: string): void;
  /**
   * Called when the metric is unregistered. After the last registry, its series are deleted from the backend, and its
   * numbers move to private memory.
   */
  leave?(): void;
}

/** Passed to a collector at each scrape. */
export interface CollectContext {
  /** Aborted when the time limit of the collector has passed. Families that it returns later are not served. */
  readonly signal: AbortSignal;
}

/** An object that creates families at each scrape. */
export interface Collector {
  /**
   * Identifies the collector in errors, in warnings, and in the label `collector` of `metheus_collector_errors_total`.
   *
   * @defaultValue the name of its class, else `collector-1`, `collector-2` … in the order of registration
   */
  readonly name?: string;
  /** Seconds after which a scrape goes on without the families of this collector. @defaultValue 5 */
  readonly collectTimeout?: number;
  collect(context: CollectContext): CollectedSources | Promise<CollectedSources>;
}

/**
 * Families of `createFamily`, and metrics, such as those that a collector has created with `registry: null`. A metric
 * stands for all of its series.
 */
export type CollectedSources =
  | Iterable<FamilySnapshot | MetricSource>
  | AsyncIterable<FamilySnapshot | MetricSource>;

/**
 * The effect of a failed collector on a collection.
 *
 * - `partial`: the families of all others are returned. The failure is counted in `metheus_collector_errors_total`, and
 *   the first one of each kind emits a warning.
 * - `fail`: the collection rejects with the error of the collector.
 */
export type OnCollectorError = 'partial' | 'fail';

/** Options of a collection. */
export interface CollectOptions {
  /** @defaultValue the option of the registry */
  readonly onError?: OnCollectorError;
  /**
   * Whether to leave out the numbers of other processes that share the backend. Set this if each process delivers its
   * own numbers. @defaultValue `false`
   */
  readonly own?: boolean;
  /** Maximum seconds for each collector, even if its own time limit is longer. @defaultValue no further limit */
  readonly timeout?: number;
}

/** The key of the default registry on `globalThis`, which all copies of this package share. */
export const DEFAULT_REGISTRY = Symbol.for('metheus.default-registry.v4');

/** The part of a registry that metrics use. */
export interface Registerer {
  /** Identifies the registry in other threads and processes: see {@link FamilyDescriptor.scope}. */
  readonly scope: string;
  /**
   * Returns the metric registered under this name with the same definition, or registers a new one.
   *
   * @param definition - returns the definition as text; called only for comparison with a registered metric
   * @throws `METHEUS_CONFLICTING_METRIC` when the definition differs
   */
  findOrCreate<M extends MetricSource>(definition: () => string, family: FamilyDescriptor, make: () => M): M;
}

/** One series of a family of a collector. Times are Unix seconds. */
export interface FamilySeries {
  readonly labels?: Labels;
  /**
   * A number; 1 for an info, 0 or 1 for a state; for histograms the non-cumulative counts of all buckets including
   * `+Inf`, then the sum of the values; for summaries sum and count.
   */
  readonly value: number | readonly number[];
  /** The time of the value. @defaultValue the time of the scrape */
  readonly timestamp?: number;
  /** The time at which the series began to count. Not for gauges, infos and statesets. */
  readonly created?: number;
  /** A counter's exemplar. */
  readonly exemplar?: Exemplar;
  /** A histogram's exemplars: one or `undefined` for each bucket, including `+Inf`. */
  readonly exemplars?: readonly (Exemplar | undefined)[];
  /** A summary's values at the quantiles of the family, NaN if unknown. */
  readonly quantiles?: readonly number[];
  /** A histogram's native buckets. */
  readonly native?: NativeBuckets;
}

export interface FamilyOptions {
  readonly type?: MetricType;
  readonly unit?: string;
  /** The last label of a stateset has the name of the family; its value is the state. */
  readonly labelNames?: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, `+Inf` optional. Left out for native buckets alone. */
  readonly buckets?: readonly number[];
  /** Quantiles of a summary: from 0 to 1, ascending. */
  readonly quantiles?: readonly number[];
  /** Whether names may have any characters, as for metrics. @defaultValue `false` */
  readonly utf8Names?: boolean;
  readonly series: Iterable<FamilySeries>;
}

export const DEFAULT_SCOPE = '';

/** Start of the scopes whose families are private to a thread. No other scope begins with it. */
export const PRIVATE_SCOPE = 'private:';

const COUNT = Symbol.for('metheus.private-scopes.v1');
const global = globalThis as { [COUNT]?: number };

/** Returns a scope that no other registry or metric of this thread has. Its families never reach a shared backend. */
export function privateScope(): string {
  global[COUNT] = (global[COUNT] ?? 0) + 1;
  return PRIVATE_SCOPE + global[COUNT];
}

/** Reports whether families of this scope are private to their thread. */
export function isPrivateScope(scope: string): boolean {
  return scope.startsWith(PRIVATE_SCOPE);
}
