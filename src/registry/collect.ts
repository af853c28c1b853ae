/** Collects the families of a registry: metrics, metrics of other threads and processes, and collectors. */
import { activeBackend } from '../backends/active-backend.js';
import { warnOnce } from '../errors.js';
import type { CollectOptions } from '../model/collector.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { LabelColumn, type LabelRows, REMOVED, rowText } from '../model/label-column.js';
import { labelText, parseLabelText } from '../model/labels.js';
import { METRIC_TYPES, sampleNames, TOUCHED } from '../model/metric-types.js';
import { findOrCreate } from '../system/find-or-create.js';
import { TimeSlice } from '../system/time-slice.js';
import { CollectorErrors } from './collector-errors.js';
import type { MetricsContents, RegistryContents } from './contents.js';
import { joinFamilies, type SourceFamily } from './join-families.js';
import { runCollectors } from './run-collectors.js';

/** Collects the families of one registry. Descriptors with prefixed names are kept for the next collection. */
export class Collection {
  readonly #registry: RegistryContents;
  /** Descriptors with prefixed names, by prefix and original descriptor. */
  readonly #renamed = new Map<string, WeakMap<FamilyDescriptor, FamilyDescriptor>>();
  /** Undefined until a collector fails. */
  #errors: CollectorErrors | undefined;

  constructor(registry: RegistryContents) {
    this.#registry = registry;
  }

  /**
   * Returns all families of the registry.
   *
   * @throws with `onError: 'fail'`: `METHEUS_COLLECTOR_FAILED`, `METHEUS_DUPLICATE_FAMILY`, `METHEUS_DUPLICATE_SERIES`
   */
  async collect(options: Required<CollectOptions>): Promise<FamilySnapshot[]> {
    const { collectors, prefix } = this.#registry;
    const collected = collectors.size > 0 ? await this.#runCollectors(options) : [];
    const taken = new Set(collected.flatMap(({ family }) => sampleNames(family)));
    const isTaken = (name: string) => taken.has(prefix + name);
    const metrics = await metricsOf(this.#registry, options.own, this.#errors?.family, isTaken);
    return [...(await this.#withPrefix(metrics, prefix)), ...collected];
  }

  /** Returns the families of collectors and nested registries, with their prefixes. */
  async #runCollectors({ onError, own, timeout }: Required<CollectOptions>): Promise<FamilySnapshot[]> {
    const { prefix, taken, scopes } = this.#registry;
    const { collected, failures } = await runCollectors(
      this.#registry,
      (contents) => metricsOf(contents, own),
      timeout,
    );
    const given: SourceFamily[] = [];
    for (const { source, prefix, families } of collected) {
      for (const snapshot of await this.#withPrefix(families, prefix)) given.push({ source, snapshot });
    }
    const joined = await joinFamilies(given, (name) =>
      name.startsWith(prefix) ? taken.get(name.slice(prefix.length))?.descriptor.name : undefined,
    );
    failures.push(...joined.failures);
    for (const { collector, cause, error } of failures) {
      this.#errors ??= new CollectorErrors(scopes()[0]!);
      this.#errors.count(collector, cause);
      if (onError === 'partial')
        warnOnce(`collector ${collector} ${cause}`, `${error.message} The rest is served.`);
    }
    if (onError === 'fail' && failures.length > 0) throw failures[0]!.error;
    return joined.families;
  }

  async #withPrefix(
    snapshots: readonly FamilySnapshot[],
    prefix: string,
  ): Promise<readonly FamilySnapshot[]> {
    if (prefix === '') return snapshots;
    const slice = new TimeSlice();
    const renamed: FamilySnapshot[] = [];
    for (const snapshot of snapshots) {
      renamed.push(this.#rename(snapshot, prefix));
      if (slice.isOverAfterStep()) await slice.next();
    }
    return renamed;
  }

  #rename(snapshot: FamilySnapshot, prefix: string): FamilySnapshot {
    const known = findOrCreate(this.#renamed, prefix, () => new WeakMap());
    let family = known.get(snapshot.family);
    if (family === undefined) {
      const name = prefix + snapshot.family.name;
      family = { ...snapshot.family, name };
      if (family.type === 'stateset') family = { ...family, labelNames: family.labelNames.with(-1, name) };
      known.set(snapshot.family, family);
    }
    const renamed = { ...snapshot, family };
    return family.type === 'stateset'
      ? { ...renamed, rows: relabelled(snapshot, family.labelNames) }
      : renamed;
  }
}

/**
 * Returns the families of a registry's metrics, without its prefix.
 *
 * @param own - whether only the numbers of this process are returned
 * @param extra - a family that is read in addition to those of the metrics
 * @param isTaken - reports whether a family of a collector uses a sample name
 */
async function metricsOf(
  { families, scopes, taken }: MetricsContents,
  own: boolean,
  extra?: FamilyDescriptor,
  isTaken: (sampleName: string) => boolean = () => false,
): Promise<FamilySnapshot[]> {
  const { families: known, helps } = families();
  const further = extra === undefined || taken.has(extra.name) ? [] : [extra];
  const requested = { families: [...known, ...further], scopes: scopes(), own };
  const snapshots = await activeBackend().snapshot(requested);
  const metrics = snapshots.some(({ family }) => METRIC_TYPES[family.type].isHidden)
    ? await (await import('./native.js')).attachNative(snapshots)
    : snapshots;
  const all: FamilySnapshot[] = [];
  const others = new Set<string>();
  const slice = new TimeSlice();
  for (const [i, snapshot] of metrics.entries()) {
    if (slice.isOverAfterStep()) await slice.next();
    if (i >= helps.length + further.length) {
      const names = sampleNames(snapshot.family);
      // A conflict with a family of another thread or process must not make the collection fail.
      if (names.some((name) => taken.has(name) || others.has(name) || isTaken(name))) {
        warnOfConflict(snapshot.family);
        continue;
      }
      for (const name of names) others.add(name);
    }
    const family = describedAs(snapshot.family, helps[i]);
    all.push(withoutUntouched(family === snapshot.family ? snapshot : { ...snapshot, family }));
  }
  return all;
}

/** Descriptors with the help text of a later definition, by the original ones. */
const described = new WeakMap<FamilyDescriptor, FamilyDescriptor>();

function describedAs(family: FamilyDescriptor, help = family.help): FamilyDescriptor {
  if (help === family.help) return family;
  const known = described.get(family);
  if (known?.help === help) return known;
  const changed = { ...family, help };
  described.set(family, changed);
  return changed;
}

/** Removes the series of infos and statesets that have not been set yet. */
function withoutUntouched(snapshot: FamilySnapshot): FamilySnapshot {
  const { family, rows, values } = snapshot;
  if (!METRIC_TYPES[family.type].isState) return snapshot;
  const lengths = rows.lengths.slice(0, rows.size);
  for (let row = 0; row < rows.size; row++)
    if (values[row * family.cells + TOUCHED] === 0) lengths[row] = REMOVED;
  return { ...snapshot, rows: { ...rows, lengths } };
}

/** Returns the rows with other label names. */
function relabelled({ family, rows }: FamilySnapshot, names: readonly string[]): LabelRows {
  const column = new LabelColumn();
  for (let row = 0; row < rows.size; row++) {
    const isRemoved = rows.lengths[row] === REMOVED;
    const labels = isRemoved ? {} : parseLabelText(rowText(rows, row));
    column.add(
      labelText(
        names,
        family.labelNames.map((name) => labels[name] ?? ''),
      ),
    );
  }
  const view = column.view();
  const lengths = view.lengths.map((length, row) => (rows.lengths[row] === REMOVED ? REMOVED : length));
  return { ...view, lengths };
}

function warnOfConflict({ name, type }: FamilyDescriptor): void {
  const message = `Another thread or process has a ${type} '${name}' that differs from the one here; it is not served.`;
  warnOnce(`conflict ${name} ${type}`, message);
}
