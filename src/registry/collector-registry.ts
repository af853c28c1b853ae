/** A set of metrics and collectors that are exposed together. */
import { MetheusError, show } from '../errors.js';
import type { Collector, MetricSource, Registerer } from '../model/collector.js';
import { DEFAULT_REGISTRY, DEFAULT_SCOPE, isPrivateScope, privateScope } from '../model/collector.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { sampleNames } from '../model/metric-types.js';
import { checkMetricName } from '../model/names.js';
import type { Collection, MetricFamilies } from './collect.js';

/** Options of a {@link CollectorRegistry}. */
export interface RegistryOptions {
  /** The prefix of every family's name in an exposition, separated by an underscore. */
  readonly prefix?: string;
  /**
   * Identity of the registry. The numbers of registries of one scope in different threads, processes or machines are
   * added up.
   *
   * @defaultValue the prefix; a registry without a prefix is private to its thread
   */
  readonly scope?: string;
  /** Whether the prefix may have any characters, as for names of metrics. @defaultValue `false` */
  readonly utf8Names?: boolean;
}

/** A metric or a collector. */
export type Registrable = MetricSource | Collector;

/**
 * Holds metrics and custom collectors, and collects their families.
 *
 * Registries are independent: the same name in two of them is two metrics.
 */
export class CollectorRegistry implements Registerer {
  readonly scope: string;
  readonly prefix: string;
  readonly #metrics = new Map<string, MetricSource>();
  readonly #collectors = new Set<Collector>();
  /** The registered metric of every sample name. */
  readonly #taken = new Map<string, MetricSource>();
  #collection: Collection | undefined;

  /** @throws `METHEUS_INVALID_METRIC_NAME` when the prefix cannot begin a name; `METHEUS_INVALID_OPTIONS` */
  constructor({ prefix = '', scope, utf8Names }: RegistryOptions = {}) {
    if (prefix !== '') checkMetricName(prefix, utf8Names);
    this.prefix = prefix === '' || prefix.endsWith('_') ? prefix : `${prefix}_`;
    this.scope = scopeOf(scope, this.prefix);
  }

  /**
   * Registers a metric or a collector. Registering it twice has no effect.
   *
   * @throws `METHEUS_CONFLICTING_METRIC` when the name is taken by another metric,
   * `METHEUS_INVALID_COLLECTOR` when it has no `collect()`
   */
  register(source: Registrable): void {
    if (isMetric(source)) this.#add(source);
    else if (typeof (source as Collector | null)?.collect === 'function') this.#collectors.add(source);
    else {
      const expected = 'a metric, or an object with a collect() method';
      throw new MetheusError('METHEUS_INVALID_COLLECTOR', { given: show(source), expected });
    }
  }

  /** Reports whether a metric or a collector is registered. */
  has(source: Registrable): boolean {
    if (!isMetric(source)) return this.#collectors.has(source);
    return this.#metrics.get(source.descriptor.name) === source;
  }

  /**
   * Unregisters a metric or a collector, and reports whether it was registered. The series of a metric are deleted from
   * the backend, together with those that ended threads and processes left. The metric keeps the numbers of this
   * thread, and brings them along when it is registered again.
   */
  unregister(source: Registrable): boolean {
    if (!isMetric(source)) return this.#collectors.delete(source);
    if (!this.has(source)) return false;
    this.#metrics.delete(source.descriptor.name);
    for (const name of sampleNames(source.descriptor)) this.#taken.delete(name);
    source.leave?.();
    return true;
  }

  findOrCreate<M extends MetricSource>(definition: string, family: FamilyDescriptor, make: () => M): M {
    const known = this.#metrics.get(family.name);
    if (known?.definition === definition) return known as M;
    this.#refuseTaken(family, definition);
    const made = make();
    this.#add(made);
    return made;
  }

  /**
   * Collects all families: registered metrics in the order of registration, then metrics that only other threads or
   * processes have created, then the families of collectors.
   *
   * @throws `METHEUS_COLLECTOR_FAILED`, `METHEUS_DUPLICATE_FAMILY`
   */
  async collect(): Promise<FamilySnapshot[]> {
    // Loaded on first use: most threads and many processes never collect.
    this.#collection ??= new (await import('./collect.js')).Collection(this.prefix);
    const isDefault = (globalThis as { [DEFAULT_REGISTRY]?: { registry: unknown } })[DEFAULT_REGISTRY];
    const scopes = isDefault?.registry === this ? [DEFAULT_SCOPE, this.scope] : [this.scope];
    return this.#collection.collect(familiesOf(this.#metrics.values()), scopes, [...this.#collectors]);
  }

  #add(metric: MetricSource): void {
    const { descriptor: family, definition } = metric;
    if (this.has(metric)) return;
    this.#refuseTaken(family, definition);
    for (const name of sampleNames(family)) this.#taken.set(name, metric);
    this.#metrics.set(family.name, metric);
    metric.join?.(this.scope);
  }

  /**
   * Throws if another metric has a name of this family. Called before the metric is made, so that nothing is left of a
   * metric that cannot be registered.
   */
  #refuseTaken(family: FamilyDescriptor, definition: string): void {
    for (const name of sampleNames(family)) {
      const other = this.#taken.get(name);
      if (other !== undefined) throw conflict(other.definition, definition);
    }
  }
}

function familiesOf(metrics: Iterable<MetricSource>): MetricFamilies {
  const visible: FamilyDescriptor[] = [];
  const hidden: FamilyDescriptor[] = [];
  for (const { descriptor, blocks } of metrics) {
    visible.push(descriptor);
    if (blocks !== undefined) hidden.push(blocks);
  }
  return { visible, hidden };
}

/** @throws `METHEUS_INVALID_OPTIONS` */
function scopeOf(given: unknown, prefix: string): string {
  if (given === undefined && prefix === '') return privateScope();
  const scope = given === undefined ? prefix.replace(/(?<=.)_$/, '') : given;
  if (typeof scope === 'string' && !isPrivateScope(scope)) return scope;
  const expected = "a string that does not begin with 'private:'";
  throw new MetheusError('METHEUS_INVALID_OPTIONS', { given: `scope: ${show(scope)}`, expected });
}

function isMetric(source: Registrable): source is MetricSource {
  return typeof (source as MetricSource | null)?.descriptor === 'object' && 'definition' in source;
}

function conflict(registered: string, given: string): MetheusError {
  return new MetheusError('METHEUS_CONFLICTING_METRIC', {
    given,
    expected: registered,
    todo: 'Use another name, the same definition, or another registry',
  });
}
