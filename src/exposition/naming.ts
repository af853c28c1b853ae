/**
 * Names of families and labels in an exposition: escaped for readers that do not support UTF-8 names, and unique.
 *
 * Names are unique when they are registered, but may clash after escaping, or after a format has removed an ending. Of
 * names that clash, one that needs no escaping is kept. If all need it, the first is kept. The others are written by
 * the scheme `values`, with underscores appended until they are unique.
 *
 * @see https://prometheus.io/docs/instrumenting/escaping_schemes/
 */
import { MetheusError, show, warnOnce } from '../errors.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { escapeLabelValue, labelPairs, unescapeLabelValue } from '../model/labels.js';
import { METRIC_TYPES, type MetricType } from '../model/metric-types.js';
import { isLegacyLabelName, isLegacyMetricName } from '../model/names.js';
import { PAUSE } from './chunk.js';
import type { Escaping } from './formats.js';

/** Number of families between two pauses of an encoder. They take about a millisecond when they are first exposed. */
export const FAMILIES_AT_ONCE = 64;

const ESCAPINGS: readonly Escaping[] = ['underscores', 'dots', 'values', 'allow-utf-8'];

/** Reports whether this is the name of an escaping scheme. */
export function isEscaping(given: unknown): given is Escaping {
  return (ESCAPINGS as readonly unknown[]).includes(given);
}

/** Escapes a metric's name. Legacy names are returned unchanged. */
export function escapeName(name: string, escaping: Escaping): string {
  return isLegacyMetricName(name) ? name : escapeCharacters(name, escaping, /[a-zA-Z0-9:]/);
}

/** Escapes a label's name, in which a colon needs escaping too. */
export function escapeLabelName(name: string, escaping: Escaping): string {
  return isLegacyLabelName(name) ? name : escapeCharacters(name, escaping, /[a-zA-Z0-9]/);
}

function escapeCharacters(name: string, escaping: Escaping, known: RegExp): string {
  if (escaping === 'allow-utf-8') return name;
  const escaped = Array.from(name, (char, i) =>
    known.test(char) && !(i === 0 && /\d/.test(char)) ? char : REPLACEMENTS[escaping](char),
  );
  return (escaping === 'values' ? 'U__' : '') + escaped.join('');
}

const REPLACEMENTS = {
  underscores: () => '_',
  dots: (char: string) => (char === '.' ? '_dot_' : '__'),
  values: (char: string) => (char === '_' ? '__' : `_${char.codePointAt(0)!.toString(16)}_`),
};

/** Puts a name in quotes. Text formats require this for names that are not legacy names. */
export function quoted(name: string): string {
  return `"${escapeLabelValue(name)}"`;
}

/** Undoes {@link quoted} for a name that is in quotes. */
export function unquoted(name: string): string {
  return name.startsWith('"') ? unescapeLabelValue(name.slice(1, -1)) : name;
}

/** Names that one family has in a format. */
export interface Shape {
  /** The family's name in metadata lines. */
  readonly family: string;
  /** The format's word for the type. */
  readonly word: string;
  /** The name of samples without a suffix. */
  readonly sample: string;
  /** Suffixes that sample names append to that of the family. No other family may have one of the resulting names. */
  readonly suffixes: readonly string[];
}

/** Returns the possible shapes of a family, best first. If a name of one is taken, the next one is used. */
export type ShapesOf = (name: string, type: MetricType) => readonly [Shape, ...Shape[]];

/** A family's names, and the results that an encoder keeps for it. */
export interface Exposed<F> {
  readonly shape: Shape;
  /** Renames the labels in the text of a series; `undefined` where the text is written unchanged. */
  readonly relabel: ((text: string) => string) | undefined;
  /**
   * Results of the encoder that depend on nothing but the descriptor and the optional columns of a snapshot: one for
   * each combination of these columns.
   */
  readonly forms: F[];
}

/** The names of the families of one scrape. */
interface Assignment<F> {
  readonly families: readonly FamilyDescriptor[];
  /** In the order of `families`; `undefined` for hidden ones. */
  readonly exposed: readonly (Exposed<F> | undefined)[];
}

/** Assigns names to families for one format and escaping. A name is kept as long as its descriptor. */
export class FamilyNamer<F> {
  readonly #escaping: Escaping;
  readonly #shapesOf: ShapesOf;
  readonly #preferred = new WeakMap<FamilyDescriptor, Exposed<F>>();
  /** The names last assigned to the families of a scrape, by its first family, which stands for the registry. */
  readonly #assignments = new WeakMap<FamilyDescriptor, Assignment<F>>();

  constructor(escaping: Escaping, shapesOf: ShapesOf) {
    this.#escaping = escaping;
    this.#shapesOf = shapesOf;
  }

  /**
   * Returns a function that names the families of one scrape by their positions; `undefined` for hidden families. If
   * the families are an array, all are known before the first is named, so the names do not depend on their order.
   * Yields empty chunks as pauses in which the event loop may run.
   */
  *begin(
    snapshots: Iterable<FamilySnapshot>,
  ): Generator<Uint8Array, (family: FamilyDescriptor, position: number) => Exposed<F> | undefined> {
    if (Array.isArray(snapshots)) {
      const exposed = yield* this.#assign(snapshots);
      return (_family, position) => exposed[position];
    }
    const exposedOf = new Map<FamilyDescriptor, Exposed<F>>();
    const taken = new Set<string>();
    return (family) => this.#name(family, exposedOf, taken);
  }

  *#assign(snapshots: readonly FamilySnapshot[]): Generator<Uint8Array, Assignment<F>['exposed']> {
    const first = snapshots[0]?.family;
    if (first === undefined) return [];
    const last = this.#assignments.get(first);
    const isSame =
      last?.families.length === snapshots.length &&
      snapshots.every(({ family }, i) => family === last.families[i]);
    if (isSame) return last.exposed;
    const families = snapshots.map(({ family }) => family);
    const exposedOf = new Map<FamilyDescriptor, Exposed<F>>();
    const taken = new Set<string>();
    const ranked: FamilyDescriptor[][] = [[], [], []];
    for (const family of families) ranked[rankOf(family)]!.push(family);
    for (const [i, family] of ranked.flat().entries()) {
      this.#name(family, exposedOf, taken);
      if (i % FAMILIES_AT_ONCE === 0) yield PAUSE;
    }
    const exposed = families.map((family) => exposedOf.get(family));
    this.#assignments.set(first, { families, exposed });
    return exposed;
  }

  /** Names a family, unless it has been named or is hidden. Adds its names to those that are taken. */
  #name(
    family: FamilyDescriptor,
    exposedOf: Map<FamilyDescriptor, Exposed<F>>,
    taken: Set<string>,
  ): Exposed<F> | undefined {
    if (exposedOf.has(family) || METRIC_TYPES[family.type].isHidden) return exposedOf.get(family);
    let exposed = this.#preferredOf(family);
    let names = namesOf(exposed.shape);
    if (names.some((name) => taken.has(name))) {
      exposed = this.#alternativeOf(family, taken);
      names = namesOf(exposed.shape);
    }
    for (const name of names) taken.add(name);
    exposedOf.set(family, exposed);
    return exposed;
  }

  /** Returns the names that a family gets unless another family has taken one of them. */
  #preferredOf(family: FamilyDescriptor): Exposed<F> {
    let exposed = this.#preferred.get(family);
    if (exposed === undefined) {
      exposed = this.#expose(family, this.#shapesOf(escapeName(family.name, this.#escaping), family.type)[0]);
      this.#preferred.set(family, exposed);
    }
    return exposed;
  }

  /** Returns the best names that are not taken. */
  #alternativeOf(family: FamilyDescriptor, taken: ReadonlySet<string>): Exposed<F> {
    const { name, type } = family;
    for (const candidate of candidates(name, this.#escaping, escapeName)) {
      const shape = this.#shapesOf(candidate, type).find(
        (one) => !namesOf(one).some((name) => taken.has(name)),
      );
      if (shape === undefined) continue;
      if (candidate !== escapeName(name, this.#escaping)) warnOfName(name, candidate);
      return this.#expose(family, shape);
    }
    throw new RangeError('There is always another name');
  }

  #expose(family: FamilyDescriptor, shape: Shape): Exposed<F> {
    return { shape, relabel: relabelling(family, shape, this.#escaping), forms: [] };
  }
}

/**
 * Returns the rank of a family, from 0 to 2: counters after other types, since they have a second name, and escaped
 * names last. Families of a lower rank choose their names first.
 */
function rankOf({ name, type }: FamilyDescriptor): number {
  return isLegacyMetricName(name) ? Number(type === 'counter') : 2;
}

/**
 * Creates a namer for each escaping, and returns a function that finds it.
 *
 * @throws `METHEUS_INVALID_OPTIONS` in that function, for an unknown escaping
 */
export function createNamers<F>(shapesOf: ShapesOf): (escaping: Escaping) => FamilyNamer<F> {
  const namers = new Map(ESCAPINGS.map((escaping) => [escaping, new FamilyNamer<F>(escaping, shapesOf)]));
  return (escaping) => {
    const namer = namers.get(escaping);
    if (namer !== undefined) return namer;
    const expected = `one of ${ESCAPINGS.join(', ')}`;
    throw new MetheusError('METHEUS_INVALID_OPTIONS', { given: `escaping: ${show(escaping)}`, expected });
  };
}

/** Returns the names that no other family may have. A name may be in the list twice. */
function namesOf({ family, sample, suffixes }: Shape): string[] {
  const names = [family];
  if (sample !== family) names.push(sample);
  for (const suffix of suffixes) if (suffix !== '') names.push(family + suffix);
  return names;
}

/** Yields the possible spellings of a name, best first, without end. */
function* candidates(name: string, escaping: Escaping, escaped: typeof escapeName): Generator<string> {
  yield escaped(name, escaping);
  for (let last = escaped(name, 'values'); ; last += '_') yield last;
}

function warnOfName(name: string, written: string): void {
  const message = `Metric '${name}' is exposed as '${written}', since another metric has the name it would have.`;
  warnOnce(`exposed ${name} ${written}`, message);
}

function relabelling(family: FamilyDescriptor, shape: Shape, escaping: Escaping): Exposed<never>['relabel'] {
  const { labelNames, type } = family;
  if (type !== 'stateset' && labelNames.every(isLegacyLabelName)) return undefined;
  const written = labelNamesOf(labelNames, escaping);
  // The last label of a stateset contains the state. Its name is the exposed name of the family, with the prefix.
  const ownName = quotedLabel(escapeLabelName(shape.family, escaping));
  const isTaken = labelNames.some((name) => written.get(name) === ownName);
  if (type === 'stateset' && !isTaken) written.set(labelNames.at(-1) ?? '', ownName);
  if (labelNames.every((name) => written.get(name) === name)) return undefined;
  return (text) =>
    labelPairs(text)
      .map(([name, value]) => {
        const plain = unescapeLabelValue(name);
        return `${written.get(plain) ?? quotedLabel(plain)}="${value}"`;
      })
      .join(',');
}

/** Label names that Prometheus and its formats reserve. */
const RESERVED = ['__name__', 'le', 'quantile'];

/** Returns the spelling of each label name, in quotes where it needs them. */
export function labelNamesOf(names: readonly string[], escaping: Escaping): Map<string, string> {
  const taken = new Set([...RESERVED, ...names.filter(isLegacyLabelName)]);
  const written = new Map<string, string>();
  for (const name of names) {
    if (isLegacyLabelName(name)) {
      written.set(name, name);
      continue;
    }
    for (const candidate of candidates(name, escaping, escapeLabelName)) {
      if (taken.has(candidate)) continue;
      taken.add(candidate);
      written.set(name, quotedLabel(candidate));
      break;
    }
  }
  return written;
}

/** Returns a label's name as it is written before the `=`. */
function quotedLabel(name: string): string {
  return isLegacyLabelName(name) ? name : quoted(name);
}

/** Returns the text of an exemplar's labels. */
export function labelsText(labels: Readonly<Record<string, string>>, escaping: Escaping): string {
  const names = labelNamesOf(Object.keys(labels), escaping);
  return Array.from(names, ([name, written]) => `${written}="${escapeLabelValue(labels[name]!)}"`).join(',');
}
