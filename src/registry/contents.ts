/**
 * The contents of a registry, for collections. The key is a symbol that all copies of this package share, so that a
 * registry of one copy can be registered in a registry of another.
 */
import type { Collector, MetricSource } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';

export const CONTENTS = Symbol.for('metheus.registry-contents.v2');

/** The families of a registry's metrics. */
export interface MetricFamilies {
  /** Each visible family is followed by the hidden one with its native buckets, if it has one. */
  readonly families: readonly FamilyDescriptor[];
  /** The help texts of the visible families. */
  readonly helps: readonly string[];
}

/** The metrics of a registry. */
export interface MetricsContents {
  /** The scopes whose families of other writers belong to this registry. */
  readonly scopes: () => readonly string[];
  readonly families: () => MetricFamilies;
  /** The registered metric of every sample name. */
  readonly taken: ReadonlyMap<string, MetricSource>;
}

export interface RegistryContents extends MetricsContents {
  /** The text that identifies the registry in errors. */
  readonly title: string;
  /** The prefix of all family names, including its underscore. */
  readonly prefix: string;
  /** The collectors and their names. */
  readonly collectors: ReadonlyMap<Collector | NestedRegistry, string>;
}

/** A registry that is registered in another one. */
export interface NestedRegistry {
  readonly [CONTENTS]: RegistryContents;
}

/** Reports whether a value is a metric that this or another copy of the package made. */
export function isMetric(given: unknown): given is MetricSource {
  const metric = Object(given) as Partial<MetricSource>;
  // The definition is not read, since each access builds its text.
  return typeof metric.descriptor === 'object' && 'definition' in metric;
}

/** Returns the contents of a registry; `undefined` for any other collector. */
export function contentsOf(collector: object): RegistryContents | undefined {
  return (collector as Partial<NestedRegistry>)[CONTENTS];
}

/**
 * Reports whether `source` is `target` or a registry that contains it, directly or through other registries.
 *
 * @param target - a registry or its contents
 */
export function reaches(source: object, target: object): boolean {
  const contents = contentsOf(source);
  if (source === target || contents === target) return true;
  return contents !== undefined && [...contents.collectors.keys()].some((one) => reaches(one, target));
}
