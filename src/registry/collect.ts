/** Collecting: the families of metrics, of other threads and processes, and of collectors, each name once. */
import { activeBackend } from '../backends/active-backend.js';
import { MetheusError, show, warnOnce } from '../errors.js';
import type { Collector, MetricSource } from '../model/collector.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { LabelColumn, type LabelRows, REMOVED, rowText } from '../model/label-column.js';
import { labelText, parseLabelText } from '../model/labels.js';
import { METRIC_TYPES, sampleNames, TOUCHED } from '../model/metric-types.js';
import { joinParts } from './join-parts.js';

/** Collects the families of one registry, again and again. */
export class Collection {
  readonly #prefix: string;
  readonly #renamed = new WeakMap<FamilyDescriptor, FamilyDescriptor>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** @throws `METHEUS_COLLECTOR_FAILED`, `METHEUS_DUPLICATE_FAMILY` */
  async collect(
    sources: readonly MetricSource[],
    scopes: readonly string[],
    collectors: readonly Collector[],
  ): Promise<FamilySnapshot[]> {
    const families = sources.map(({ descriptor }) => descriptor);
    const blocks = sources.flatMap((source) => source.blocks ?? []);
    const [snapshots, ...collected] = await Promise.all([
      activeBackend().snapshot({ families: [...families, ...blocks], scopes }),
      ...collectors.map(collectFrom),
    ]);
    const metrics = await joinParts(snapshots);
    const names = new SampleNames();
    for (const family of families) names.take(family);
    const own = metrics.slice(0, families.length).map(said);
    const others = metrics.slice(families.length).filter(({ family }) => {
      // Another thread or program may mean something else by a name. That is no reason to serve nothing.
      const isFree = names.take(family);
      if (!isFree) warnOfConflict(family);
      return isFree;
    });
    for (const { family } of collected.flat()) {
      if (names.take(family)) continue;
      const expected = 'each family from one metric or collector only';
      throw new MetheusError('METHEUS_DUPLICATE_FAMILY', { given: show(family.name), expected });
    }
    return [...own, ...others.map(said), ...collected.flat()].map((snapshot) => this.#withPrefix(snapshot));
  }

  #withPrefix(snapshot: FamilySnapshot): FamilySnapshot {
    if (this.#prefix === '') return snapshot;
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

/** Without the series of infos and statesets of which nobody has said anything yet. */
function said(snapshot: FamilySnapshot): FamilySnapshot {
  const { family, rows, values } = snapshot;
  if (!METRIC_TYPES[family.type].isState) return snapshot;
  const lengths = rows.lengths.slice(0, rows.size);
  for (let row = 0; row < rows.size; row++)
    if (values[row * family.cells + TOUCHED] === 0) lengths[row] = REMOVED;
  return { ...snapshot, rows: { ...rows, lengths } };
}

/** The same rows under other label names. */
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

class SampleNames {
  readonly #taken = new Set<string>();

  /** Takes all names of a family, or none when one of them is taken. */
  take(family: FamilyDescriptor): boolean {
    const names = sampleNames(family);
    if (names.some((name) => this.#taken.has(name))) return false;
    for (const name of names) this.#taken.add(name);
    return true;
  }
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
      given: `${collector.constructor?.name ?? 'a collector'} (${cause instanceof Error ? cause.message : show(cause)})`,
      expected: 'families',
      cause,
    });
  }
}
