/** Collects the families of a registry: metrics, metrics of other threads and processes, and collectors. */
import { activeBackend } from '../backends/active-backend.js';
import { MetheusError, messageOf, show, warnOnce } from '../errors.js';
import type { Collector } from '../model/collector.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { LabelColumn, type LabelRows, REMOVED, rowText } from '../model/label-column.js';
import { labelText, parseLabelText } from '../model/labels.js';
import { METRIC_TYPES, sampleNames, TOUCHED } from '../model/metric-types.js';

/** The families of a registry's metrics. */
export interface MetricFamilies {
  readonly visible: readonly FamilyDescriptor[];
  /** Families with the native buckets of visible ones. */
  readonly hidden: readonly FamilyDescriptor[];
}

/** Collects the families of one registry. Descriptors with prefixed names are kept for the next collection. */
export class Collection {
  readonly #prefix: string;
  readonly #renamed = new WeakMap<FamilyDescriptor, FamilyDescriptor>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** @throws `METHEUS_COLLECTOR_FAILED`, `METHEUS_DUPLICATE_FAMILY` */
  async collect(
    { visible, hidden }: MetricFamilies,
    scopes: readonly string[],
    collectors: readonly Collector[],
  ): Promise<FamilySnapshot[]> {
    const [snapshots, ...collected] = await Promise.all([
      activeBackend().snapshot({ families: [...visible, ...hidden], scopes }),
      ...collectors.map(collectFrom),
    ]);
    const metrics = snapshots.some(({ family }) => METRIC_TYPES[family.type].isHidden)
      ? await (await import('./native.js')).attachNative(snapshots)
      : snapshots;
    const all: FamilySnapshot[] = [];
    for (let i = 0; i < visible.length; i++) all.push(withoutUntouched(metrics[i]!));
    if (metrics.length > visible.length || collected.length > 0) {
      const taken = new Set(visible.flatMap(sampleNames));
      for (const other of metrics.slice(visible.length)) {
        if (reserve(other.family, taken)) all.push(withoutUntouched(other));
        // A conflict with another thread or program must not make the collection fail.
        else warnOfConflict(other.family);
      }
      for (const snapshot of collected.flat()) {
        if (!reserve(snapshot.family, taken)) {
          const expected = 'each family from one metric or collector only';
          throw new MetheusError('METHEUS_DUPLICATE_FAMILY', { given: show(snapshot.family.name), expected });
        }
        all.push(snapshot);
      }
    }
    return this.#prefix === '' ? all : all.map((snapshot) => this.#withPrefix(snapshot));
  }

  #withPrefix(snapshot: FamilySnapshot): FamilySnapshot {
    let family = this.#renamed.get(snapshot.family);
    if (family === undefined) {
      const name = this.#prefix + snapshot.family.name;
      family = { ...snapshot.family, name };
      if (family.type === 'stateset') family = { ...family, labelNames: family.labelNames.with(-1, name) };
      this.#renamed.set(snapshot.family, family);
    }
    const renamed = { ...snapshot, family };
    return family.type === 'stateset'
      ? { ...renamed, rows: relabelled(snapshot, family.labelNames) }
      : renamed;
  }
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

/** Reserves all sample names of a family, or none if one of them is taken. Reports whether it did. */
function reserve(family: FamilyDescriptor, taken: Set<string>): boolean {
  const names = sampleNames(family);
  if (names.some((name) => taken.has(name))) return false;
  for (const name of names) taken.add(name);
  return true;
}

function warnOfConflict({ name, type }: FamilyDescriptor): void {
  const message = `Another thread or process has a ${type} '${name}' that differs from the one here; it is not served.`;
  warnOnce(`conflict ${name} ${type}`, message);
}

async function collectFrom(collector: Collector): Promise<FamilySnapshot[]> {
  try {
    const families = [...(await collector.collect())];
    const wrong = families.findIndex((given) => typeof given?.family?.name !== 'string');
    if (wrong >= 0) throw new TypeError(`${show(families[wrong])} was not made by createFamily`);
    return families;
  } catch (cause) {
    throw new MetheusError('METHEUS_COLLECTOR_FAILED', {
      given: `${collector.constructor?.name ?? 'a collector'} (${messageOf(cause)})`,
      expected: 'families',
      cause,
    });
  }
}
