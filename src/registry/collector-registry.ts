/** A set of metrics and collectors that are exposed together. */
import { MetheusError, show } from '../errors.js';
import type {
  CollectOptions,
  Collector,
  MetricSource,
  OnCollectorError,
  Registerer,
} from '../model/collector.js';
import { DEFAULT_REGISTRY, DEFAULT_SCOPE, isPrivateScope, privateScope } from '../model/collector.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { sampleNames, withoutEnding } from '../model/metric-types.js';
import { checkMetricName } from '../model/names.js';
import { checkOptionNames, MAX_TIMER_SECONDS } from '../model/options.js';
import type { Collection } from './collect.js';
import {
  CONTENTS,
  contentsOf,
  isMetric,
  type MetricFamilies,
  type NestedRegistry,
  type RegistryContents,
  reaches,
} from './contents.js';

/** Options of a {@link CollectorRegistry}. */
export interface RegistryOptions {
  /** The prefix of every family's name in an exposition, separated by an underscore. */
  readonly prefix?: string;
  /**
   * Identity of the registry. The numbers of registries with the same scope in several threads, processes or machines
   * add up.
   *
   * @defaultValue the prefix; a registry without a prefix is private to its thread
   */
  readonly scope?: string;
  /** Whether the prefix may have any characters, as for names of metrics. @defaultValue `false` */
  readonly utf8Names?: boolean;
  /** The effect of a failed collector on a collection. @defaultValue `'partial'` */
  readonly onError?: OnCollectorError;
}

/** A metric, a collector, or another registry. */
export type Registrable = MetricSource | Collector | NestedRegistry;

/**
 * Holds metrics and custom collectors, and collects their families.
 *
 * Registries are independent: the same name in two of them is two metrics.
 */
export class CollectorRegistry implements Registerer {
  readonly scope: string;
  readonly prefix: string;
  /** The contents, for collections of this registry and of registries that contain it. */
  readonly [CONTENTS]: RegistryContents;
  readonly #metrics = new Map<string, MetricSource>();
  readonly #onError: OnCollectorError;
  /** The collectors and their names. */
  readonly #collectors = new Map<Collector | NestedRegistry, string>();
  /** The number of collectors registered so far. */
  #registered = 0;
  /** The registered metric of every sample name. */
  readonly #taken = new Map<string, MetricSource>();
  #collection: Collection | undefined;

  /** @throws `METHEUS_INVALID_METRIC_NAME` when the prefix cannot begin a name; `METHEUS_INVALID_OPTIONS` */
  constructor(options: RegistryOptions = {}) {
    checkOptionNames('a CollectorRegistry', options, ['prefix', 'scope', 'utf8Names', 'onError']);
    const { prefix = '', scope, utf8Names, onError = 'partial' } = options;
    if (prefix !== '') checkMetricName(prefix, utf8Names);
    this.#onError = checkOnError(onError);
    this.prefix = prefix === '' || prefix.endsWith('_') ? prefix : `${prefix}_`;
    this.scope = scopeOf(scope, this.prefix);
    this[CONTENTS] = {
      title: this.scope === DEFAULT_SCOPE ? 'the default registry' : `the registry ${show(this.scope)}`,
      prefix: this.prefix,
      taken: this.#taken,
      collectors: this.#collectors,
      families: () => familiesOf(this.#metrics.values()),
      scopes: () => {
        const isDefault = (globalThis as { [DEFAULT_REGISTRY]?: { registry: unknown } })[DEFAULT_REGISTRY];
        return isDefault?.registry === this ? [DEFAULT_SCOPE, this.scope] : [this.scope];
      },
    };
  }

  /**
   * Registers a metric, a collector, or another registry. Collections of this registry then include its families.
   * Registering it twice has no effect.
   *
   * @throws `METHEUS_CONFLICTING_METRIC` when the name is taken by another metric,
   * `METHEUS_INVALID_COLLECTOR` when it has no `collect()` or a wrong `collectTimeout`, or is a registry that collects
   * from this one
   */
  register(source: Registrable): void {
    if (isMetric(source)) this.#add(source);
    else if (!this.#collectors.has(source)) this.#addCollector(source);
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

  findOrCreate<M extends MetricSource>(definition: () => string, family: FamilyDescriptor, make: () => M): M {
    const known = this.#metrics.get(family.name);
    if (known !== undefined && known.definition === definition()) {
      known.help = family.help;
      return known as M;
    }
    const names = sampleNames(family);
    this.#refuseTaken(names, family, definition);
    const made = make();
    this.#put(made, names);
    return made;
  }

  /**
   * Collects all families: registered metrics in the order of registration, then metrics that only other threads or
   * processes have created, then the families of collectors. Collectors run first, so that the metrics that they set
   * have the new values.
   *
   * @throws with `onError: 'fail'`: `METHEUS_COLLECTOR_FAILED`, `METHEUS_DUPLICATE_FAMILY`, `METHEUS_DUPLICATE_SERIES`
   */
  async collect({
    onError = this.#onError,
    own = false,
    timeout = Infinity,
  }: CollectOptions = {}): Promise<FamilySnapshot[]> {
    // Loaded on first use: most threads and many processes never collect.
    this.#collection ??= new (await import('./collect.js')).Collection(this[CONTENTS]);
    return this.#collection.collect({ onError, own, timeout });
  }

  #addCollector(source: Collector | NestedRegistry): void {
    const refuse = (given: string, expected: string) =>
      new MetheusError('METHEUS_INVALID_COLLECTOR', { given, expected });
    if (typeof (source as Collector | null)?.collect !== 'function') {
      throw refuse(show(source), 'a metric, or an object with a collect() method');
    }
    const contents = contentsOf(source);
    if (reaches(source, this[CONTENTS])) {
      const given = `${contents?.title} in ${this[CONTENTS].title}`;
      throw refuse(given, 'a registry that does not collect from the one that it is registered in');
    }
    this.#registered += 1;
    const name = contents?.title ?? nameOf(source) ?? `collector-${this.#registered}`;
    const timeout = (source as Collector).collectTimeout;
    if (
      timeout !== undefined &&
      !(typeof timeout === 'number' && timeout > 0 && timeout <= MAX_TIMER_SECONDS)
    ) {
      throw refuse(
        `collectTimeout: ${show(timeout)} of ${name}`,
        `seconds greater than 0, at most ${MAX_TIMER_SECONDS}`,
      );
    }
    this.#collectors.set(source, name);
  }

  #add(metric: MetricSource): void {
    if (this.has(metric)) return;
    const names = sampleNames(metric.descriptor);
    this.#refuseTaken(names, metric.descriptor, () => metric.definition);
    this.#put(metric, names);
  }

  #put(metric: MetricSource, names: readonly string[]): void {
    for (const name of names) this.#taken.set(name, metric);
    this.#metrics.set(metric.descriptor.name, metric);
    metric.join?.(this.scope);
  }

  /**
   * Throws if another metric has one of the family's names. A counter `x` or `x_total` also conflicts with a metric
   * `x_total` or `x_created`, since OpenMetrics gives these names to samples of the counter. Called before the metric
   * is created, so that a metric that cannot be registered leaves nothing behind.
   */
  #refuseTaken(names: readonly string[], family: FamilyDescriptor, definition: () => string): void {
    const refuse = (other: MetricSource | undefined) => {
      if (other !== undefined) throw conflict(other, family, definition());
    };
    for (const one of names) refuse(this.#taken.get(one) ?? this.#counterWith(one));
    if (family.type !== 'counter') return;
    const base = withoutEnding(family.name, '_total');
    for (const suffix of ['_total', '_created']) refuse(this.#taken.get(base + suffix));
  }

  /** Returns the registered counter whose samples have this name in OpenMetrics. */
  #counterWith(name: string): MetricSource | undefined {
    const base = name.replace(/_(total|created)$/, '');
    if (base === name) return undefined;
    const metrics = [base, `${base}_total`].map((one) => this.#metrics.get(one));
    return metrics.find((metric) => metric?.descriptor.type === 'counter');
  }
}

function familiesOf(metrics: Iterable<MetricSource>): MetricFamilies {
  const families: FamilyDescriptor[] = [];
  const helps: string[] = [];
  for (const { descriptor, blocks, help = descriptor.help } of metrics) {
    families.push(descriptor);
    helps.push(help);
    if (blocks !== undefined) families.push(blocks);
  }
  return { families, helps };
}

/** @throws `METHEUS_INVALID_OPTIONS` */
function scopeOf(given: unknown, prefix: string): string {
  if (given === undefined && prefix === '') return privateScope();
  const scope = given === undefined ? prefix.replace(/(?<=.)_$/, '') : given;
  if (typeof scope === 'string' && !isPrivateScope(scope)) return scope;
  const expected = "a string that does not begin with 'private:'";
  throw new MetheusError('METHEUS_INVALID_OPTIONS', { given: `scope: ${show(scope)}`, expected });
}

/** Returns the name of a collector or of its class; `undefined` if it has neither. */
function nameOf(collector: object): string | undefined {
  const { name } = collector as { readonly name?: unknown };
  if (typeof name === 'string' && name !== '') return name;
  const ofClass: unknown = collector.constructor?.name;
  return typeof ofClass === 'string' && ofClass !== '' && ofClass !== 'Object' ? ofClass : undefined;
}

/** @throws `METHEUS_INVALID_OPTIONS` */
export function checkOnError(onError: OnCollectorError): OnCollectorError {
  if (onError === 'partial' || onError === 'fail') return onError;
  throw new MetheusError('METHEUS_INVALID_OPTIONS', {
    given: `onError: ${show(onError)}`,
    expected: "'partial' or 'fail'",
  });
}

/** Returns the error for a family with a name that a registered metric uses for itself or its samples. */
function conflict({ descriptor, definition }: MetricSource, family: FamilyDescriptor, given: string) {
  const differing = (of: string, from: string) =>
    of
      .split('\n')
      .filter((line) => !from.split('\n').includes(line))
      .join(', ');
  const isSame = descriptor.name === family.name;
  const what = isSame ? differing(given, definition) : `a name of ${descriptor.type} '${descriptor.name}'`;
  return new MetheusError('METHEUS_CONFLICTING_METRIC', {
    given: `${what || 'another'} for metric '${family.name}'`,
    expected: (isSame && differing(definition, given)) || 'another name',
    todo: 'Use another name, the same definition, or another registry',
  });
}
