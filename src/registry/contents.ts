/**
 * The contents of a registry, as a collection reads them. They are found under a symbol that all copies of this package
 * share, so that a registry can be registered in another one as a collector.
 */
import type { Collector, MetricSource } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';

export const CONTENTS = Symbol.for('metheus.registry-contents.v1');

/** The families of a registry's metrics. */
export interface MetricFamilies {
  /** Each visible family is followed by the hidden one with its native buckets, if it has one. */
  readonly families: readonly FamilyDescriptor[];
  /** The number of visible families. */
  readonly visible: number;
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
  /** Identifies the registry in errors. */
  readonly title: string;
  /** Precedes the names of all families, with its underscore. */
  readonly prefix: string;
  /** The collectors and their names. */
  readonly collectors: ReadonlyMap<Collector | NestedRegistry, string>;
}

/** A registry that is registered in another one. */
export interface NestedRegistry {
  readonly [CONTENTS]: RegistryContents;
}

/** Reports whether a value is a metric, of this or another copy of the package. */
export function isMetric(given: unknown): given is MetricSource {
  const { descriptor, definition } = (given ?? {}) as Partial<MetricSource>;
  return typeof descriptor === 'object' && typeof definition === 'string';
}

/** Returns the contents of a registry; `undefined` for any other collector. */
export function contentsOf(collector: object): RegistryContents | undefined {
  return (collector as Partial<NestedRegistry>)[CONTENTS];
}

/**
 * Reports whether a collection from `source` reaches `target`, directly or through registries.
 *
 * @param target - a registry or its contents
 */
export function reaches(source: object, target: object): boolean {
  const contents = contentsOf(source);
  if (source === target || contents === target) return true;
  return contents !== undefined && [...contents.collectors.keys()].some((one) => reaches(one, target));
}
