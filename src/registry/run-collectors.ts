/** Runs the collectors of a registry, and of the registries in it, each within its time limit. */
import { MetheusError, messageOf, show } from '../errors.js';
import type { Collector, MetricSource } from '../model/collector.js';
import type { FamilySnapshot } from '../model/family.js';
import { TimeSlice } from '../system/time-slice.js';
import { contentsOf, isMetric, type MetricsContents, type RegistryContents } from './contents.js';

/** Time limit in seconds of a collector without `collectTimeout`. */
const DEFAULT_TIMEOUT = 5;

/**
 * The reason why families are not served. In the order of the names: the collector threw or rejected, was still running
 * at its time limit, returned a value that is not a family, or returned a family or series that another source has.
 */
export type FailureCause = 'error' | 'timeout' | 'invalid' | 'duplicate';

/** Returns the families of the metrics of a registry, without its prefix. */
export type MetricsReader = (contents: MetricsContents) => Promise<FamilySnapshot[]>;

export interface CollectorFailure {
  readonly collector: string;
  readonly cause: FailureCause;
  readonly error: MetheusError;
}

/** The families that one collector has returned, or those of one registry. */
export interface Collected {
  readonly source: string;
  /** The prefix of the registries that the source is registered in. */
  readonly prefix: string;
  readonly families: readonly FamilySnapshot[];
}

/** A collector, or the metrics of a nested registry. */
interface Source {
  readonly name: string;
  readonly prefix: string;
  readonly collector?: Collector;
  readonly metrics?: RegistryContents;
}

/**
 * Runs all collectors at the same time, and resolves when the last one has ended or has reached its time limit. Then
 * reads the metrics of nested registries, since collectors may have set them.
 *
 * @param most - upper bound in seconds for the time limit of each collector
 */
export async function runCollectors(
  root: RegistryContents,
  metricsOf: MetricsReader,
  most = Number.POSITIVE_INFINITY,
): Promise<{ collected: Collected[]; failures: CollectorFailure[] }> {
  const failures: CollectorFailure[] = [];
  const sources = [...sourcesOf(root, root.prefix)];
  const given = await Promise.all(
    sources.map(({ name, collector }) =>
      collector === undefined
        ? []
        : run(collector, name, metricsOf, most).catch((failure: CollectorFailure) => {
            failures.push(failure);
            return [];
          }),
    ),
  );
  const collected: Collected[] = [];
  for (const [i, { name, prefix, metrics }] of sources.entries()) {
    const families = metrics === undefined ? given[i]! : await metricsOf(metrics);
    collected.push({ source: name, prefix, families });
  }
  return { collected, failures };
}

/** Iterates over the collectors of a registry in the order of registration, with nested registries in their places. */
function* sourcesOf({ collectors }: RegistryContents, prefix: string): Generator<Source> {
  for (const [collector, name] of collectors) {
    const metrics = contentsOf(collector);
    if (metrics === undefined) yield { name, prefix, collector: collector as Collector };
    else {
      yield { name, prefix: prefix + metrics.prefix, metrics };
      yield* sourcesOf(metrics, prefix + metrics.prefix);
    }
  }
}

/** Runs a collector within its time limit, and returns its families. Rejects with a {@link CollectorFailure}. */
function run(
  collector: Collector,
  name: string,
  metricsOf: MetricsReader,
  most: number,
): Promise<FamilySnapshot[]> {
  const timeout = Math.min(collector.collectTimeout ?? DEFAULT_TIMEOUT, most);
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const fail = (cause: FailureCause, given: string, expected: string, thrown?: unknown) => {
      const details = { given: `${name} (${given})`, expected, cause: thrown };
      reject({ collector: name, cause, error: new MetheusError('METHEUS_COLLECTOR_FAILED', details) });
    };
    const timer = setTimeout(() => {
      fail('timeout', 'still running', `families within ${timeout} s`);
      controller.abort();
    }, 1000 * timeout);
    read(collector, controller.signal, metricsOf)
      .then(
        (families) => {
          const wrong = families.findIndex((family) => !isSnapshot(family));
          if (wrong < 0) resolve(families);
          else fail('invalid', show(families[wrong]), 'families made by createFamily, or metrics');
        },
        (thrown: unknown) => fail('error', messageOf(thrown), 'families', thrown),
      )
      .finally(() => clearTimeout(timer));
  });
}

/** Reads the families in time slices, since a generator may make many. Stops at the time limit. */
async function read(
  collector: Collector,
  signal: AbortSignal,
  metricsOf: MetricsReader,
): Promise<FamilySnapshot[]> {
  const families: FamilySnapshot[] = [];
  const slice = new TimeSlice();
  for await (const source of await collector.collect({ signal })) {
    if (signal.aborted) break;
    if (isMetric(source)) families.push(...(await metricsOf(contentsOfMetric(source))));
    else families.push(source);
    if (slice.isOver()) await slice.next();
  }
  return families;
}

/** Returns the contents of a registry that has only this metric. */
function contentsOfMetric({ descriptor, blocks, help = descriptor.help }: MetricSource): MetricsContents {
  const families = { families: blocks === undefined ? [descriptor] : [descriptor, blocks], helps: [help] };
  return { families: () => families, scopes: () => [], taken: new Map() };
}

/** Reports whether a value has the columns of a snapshot. */
function isSnapshot(given: FamilySnapshot | null | undefined): boolean {
  const { family, rows, values } = given ?? {};
  return (
    typeof family?.name === 'string' &&
    rows?.bytes instanceof Uint8Array &&
    values instanceof Float64Array &&
    values.length >= rows.size * family.cells
  );
}
