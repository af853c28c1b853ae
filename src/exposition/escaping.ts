/**
 * Names for readers that do not know all of UTF-8 in them.
 *
 * @see https://prometheus.io/docs/instrumenting/escaping_schemes/
 */
import { MetheusError, show } from '../errors.js';
import { escapeLabelValue, unescapeLabelValue } from '../model/labels.js';
import { isLegacyLabelName, isLegacyMetricName } from '../model/names.js';
import type { Escaping } from './encoder.js';

const ESCAPINGS: readonly unknown[] = ['underscores', 'dots', 'values', 'allow-utf-8'] satisfies Escaping[];

export function isEscaping(given: unknown): given is Escaping {
  return ESCAPINGS.includes(given);
}

/** @throws `METHEUS_INVALID_OPTIONS` */
export function checkEscaping(given: unknown): asserts given is Escaping {
  if (isEscaping(given)) return;
  const expected = `one of ${ESCAPINGS.join(', ')}`;
  throw new MetheusError('METHEUS_INVALID_OPTIONS', { given: `escaping: ${show(given)}`, expected });
}

/** A metric's name as a scheme writes it. What every reader knows stays as it is. */
export function escapeName(name: string, escaping: Escaping): string {
  return isLegacyMetricName(name) ? name : escapeCharacters(name, escaping, /[a-zA-Z0-9:]/);
}

/** The same for the name of a label, in which a colon is not known to every reader. */
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

/** A name in quotes, as it stands where only names of letters, digits and underscores need none. */
export function quoted(name: string): string {
  return `"${escapeLabelValue(name)}"`;
}

/** Undoes {@link quoted}, where a name is in quotes. */
export function unquoted(name: string): string {
  return name.startsWith('"') ? unescapeLabelValue(name.slice(1, -1)) : name;
}
