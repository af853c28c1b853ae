/**
 * What families and their labels are called in an exposition, so that no two of them are called the same.
 *
 * Names differ when they are registered, but may not after escaping, or after a format has taken an ending away.
 * Then a name that every reader knows keeps it; of the others the later ones are written as the scheme `values`
 * writes them, and with underscores behind where even that is taken.
 */
import { warnOnce } from '../errors.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { escapeLabelValue, labelPairs, unescapeLabelValue } from '../model/labels.js';
import { isHidden } from '../model/metric-types.js';
import { isLegacyLabelName, isLegacyMetricName } from '../model/names.js';
import type { Escaping } from './encoder.js';
import { escapeLabelName, escapeName, quoted } from './escaping.js';
import type { Dialect, Shape } from './text/dialect.js';

/** A family with what it is called. */
export interface Exposed {
  readonly snapshot: FamilySnapshot;
  readonly shape: Shape;
  /** Writes the text of a row's labels anew; undefined where rows stand as they are. */
  readonly relabel: ((text: string) => string) | undefined;
}

/**
 * In the same order. Where all families are there already, in an array, names do not depend on that order.
 */
export function* expose(
  families: Iterable<FamilySnapshot>,
  escaping: Escaping,
  dialect: Dialect,
): Generator<Exposed> {
  const names = new ExposedNames(escaping, dialect);
  if (Array.isArray(families)) for (const { family } of byPrecedence(families)) names.shapeOf(family);
  for (const snapshot of families) {
    const { family } = snapshot;
    if (isHidden(family)) continue;
    const shape = names.shapeOf(family);
    yield { snapshot, shape, relabel: relabelling(family, shape, escaping) };
  }
}

/** Who is called what. */
class ExposedNames {
  readonly #escaping: Escaping;
  readonly #dialect: Dialect;
  readonly #shapes = new Map<FamilyDescriptor, Shape>();
  readonly #taken = new Set<string>();

  constructor(escaping: Escaping, dialect: Dialect) {
    this.#escaping = escaping;
    this.#dialect = dialect;
  }

  shapeOf(family: FamilyDescriptor): Shape {
    const known = this.#shapes.get(family);
    if (known !== undefined) return known;
    const shape = this.#find(family);
    for (const name of namesOf(shape)) this.#taken.add(name);
    this.#shapes.set(family, shape);
    return shape;
  }

  #find({ name, type }: FamilyDescriptor): Shape {
    for (const candidate of candidates(name, this.#escaping, escapeName)) {
      const shapes = this.#dialect.shapesOf(candidate, type);
      const shape = shapes.find((one) => !namesOf(one).some((taken) => this.#taken.has(taken)));
      if (shape === undefined) continue;
      if (candidate !== escapeName(name, this.#escaping)) warnOfName(name, candidate);
      return shape;
    }
    throw new RangeError('There is always another name');
  }
}

function namesOf({ family, sample, suffixes }: Shape): string[] {
  return [...new Set([family, sample, ...suffixes.map((suffix) => family + suffix)])];
}

/** Counters give way to others, for they have another name to take; names that are escaped give way to all. */
function byPrecedence(snapshots: readonly FamilySnapshot[]): FamilySnapshot[] {
  const rank = ({ name, type }: FamilyDescriptor) =>
    isLegacyMetricName(name) ? Number(type === 'counter') : 2;
  return snapshots.filter(({ family }) => !isHidden(family)).sort((a, b) => rank(a.family) - rank(b.family));
}

/** What a name may be written as, best first, without end. */
function* candidates(name: string, escaping: Escaping, escaped: typeof escapeName): Generator<string> {
  yield escaped(name, escaping);
  for (let last = escaped(name, 'values'); ; last += '_') yield last;
}

function warnOfName(name: string, written: string): void {
  const message = `Metric '${name}' is exposed as '${written}', since another has the name that it would have.`;
  warnOnce(`exposed ${name} ${written}`, message);
}

function relabelling(family: FamilyDescriptor, shape: Shape, escaping: Escaping): Exposed['relabel'] {
  const { labelNames, type } = family;
  const written = labelNamesOf(labelNames, escaping);
  // The label that says the state is called as the family is, whatever prefix that was given.
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

/** Names of labels that are Prometheus' own. */
const RESERVED = ['__name__', 'le', 'quantile'];

/** As what each label is written, in quotes where it must be. */
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

/** A label's name as it stands before the `=`. */
function quotedLabel(name: string): string {
  return isLegacyLabelName(name) ? name : quoted(name);
}

/** Labels as text with names as they are written: for exemplars. */
export function labelsText(labels: Readonly<Record<string, string>>, escaping: Escaping): string {
  const names = labelNamesOf(Object.keys(labels), escaping);
  return Array.from(names, ([name, written]) => `${written}="${escapeLabelValue(labels[name]!)}"`).join(',');
}
