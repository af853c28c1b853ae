/**
 * Where families come from: metrics, whose numbers a backend keeps, and collectors, who make their families
 * when they are asked. A registry knows both by these contracts and by nothing else.
 */
import type { Exemplar, FamilyDescriptor, FamilySnapshot, NativeBuckets } from './family.js';
import type { Labels } from './labels.js';
import type { MetricType } from './metric-types.js';

/** A metric as a registry sees it. */
export interface MetricSource {
  readonly descriptor: FamilyDescriptor;
  /** The whole definition as text: equal for two metrics that may be one, and shown where they differ. */
  readonly definition: string;
  /** The hidden family of the series' native buckets, if the metric has any. */
  readonly blocks?: FamilyDescriptor | undefined;
}

/** Anything that makes families when it is asked. May be asynchronous; may give none. */
export interface Collector {
  collect(): Iterable<FamilySnapshot> | Promise<Iterable<FamilySnapshot>>;
}

/** Where the default registry is kept on `globalThis`, so that two copies of this package share one. */
export const DEFAULT_REGISTRY = Symbol.for('metheus.default-registry.v2');

/** Takes metrics in. The write side of a registry, and all of it that a metric needs to know. */
export interface Registerer {
  /** Keeps families of this registry apart from equal names elsewhere: see {@link FamilyDescriptor.scope}. */
  readonly scope: string;
  /**
   * Registers a metric, or gives back the one that was registered under this name with the same definition.
   *
   * @throws `METHEUS_CONFLICTING_METRIC` when the definition differs
   */
  findOrCreate<M extends MetricSource>(definition: string, family: FamilyDescriptor, make: () => M): M;
}

/** One series of a family that a collector gives. Times are Unix seconds. */
export interface FamilySeries {
  readonly labels?: Labels;
  /**
   * A number; 1 for an info, 0 or 1 for a state; for histograms the non-cumulative counts of all buckets, `+Inf`
   * included, and the sum of the observed values last; for summaries sum and count.
   */
  readonly value: number | readonly number[];
  /** What time the value is of; left out: that of the scrape. */
  readonly timestamp?: number;
  /** When the series began to count. Not for gauges, infos and statesets. */
  readonly created?: number;
  /** Of a counter. */
  readonly exemplar?: Exemplar;
  /** Of a histogram: for each bucket that has one, `+Inf` included. */
  readonly exemplars?: readonly (Exemplar | undefined)[];
  /** Of a summary: its values at the family's quantiles, NaN where there is none. */
  readonly quantiles?: readonly number[];
  /** Of a histogram. */
  readonly native?: NativeBuckets;
}

export interface FamilyOptions {
  readonly type?: MetricType;
  readonly unit?: string;
  /** The last label of a stateset is called as the family: it names the state. */
  readonly labelNames?: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, without `+Inf`, which may be all. Left out: only native ones. */
  readonly buckets?: readonly number[];
  /** A summary's, from 0 to 1, ascending. */
  readonly quantiles?: readonly number[];
  /** Whether names may have any characters, as for metrics. @defaultValue `false` */
  readonly utf8Names?: boolean;
  readonly series: Iterable<FamilySeries>;
}

/** The scope of the default registry. */
export const DEFAULT_SCOPE = '';

const SCOPES = Symbol.for('metheus.scopes.v1');
const global = globalThis as { [SCOPES]?: Map<string, number> };

/**
 * Returns a scope that is unique in this thread, for all copies of this package. Programs that call it in the same
 * order get the same scopes, so the numbers of their processes and threads add up.
 */
export function nextScope(kind: 'registry' | 'unregistered' | 'progress'): string {
  global[SCOPES] ??= new Map();
  const number = (global[SCOPES].get(kind) ?? 0) + 1;
  global[SCOPES].set(kind, number);
  return `${kind}-${number}`;
}
