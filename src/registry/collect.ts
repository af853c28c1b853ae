/** Collecting: the families of metrics, of other threads and processes, and of collectors, each name once. */
import { activeBackend } from '../backends/active.js';
import { MetheusError, show, warnOnce } from '../errors.js';
import type { Collector, MetricSource } from '../model/collector.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { joinParts } from './join-parts.js';
import { sampleNames } from './sample-names.js';

/** @throws `METHEUS_COLLECTOR_FAILED`, `METHEUS_DUPLICATE_FAMILY` */
export async function collectAll(
  sources: readonly MetricSource[],
  scopes: readonly string[],
  collectors: readonly Collector[],
): Promise<FamilySnapshot[]> {
  const families = sources.map(({ family }) => family);
  const parts = sources.flatMap((source) => source.parts ?? []);
  const [snapshots, ...collected] = await Promise.all([
    activeBackend().snapshot({ families: [...families, ...parts], scopes }),
    ...collectors.map(collectFrom),
  ]);
  const metrics = await joinParts(snapshots);
  const names = new SampleNames();
  for (const family of families) names.take(family);
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
  return [...metrics.slice(0, families.length), ...others, ...collected.flat()];
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
