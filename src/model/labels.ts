/** Label values, and their escaped text as exposition formats write it between the braces. */
import { MetheusError, show, warnOnce } from '../errors.js';

/** The types of label values. Numbers and booleans become their JavaScript text: `500` is `'500'`. */
export type LabelValue = string | number | boolean;

/** Label values by label name. */
export type Labels = Readonly<Record<string, LabelValue>>;

const QUOTE = 34;
const BACKSLASH = 92;
/** The length of the parts in which long texts are replaced. */
const PART = 65_536;

const UNSAFE = /[\\"\n]/g;
const HAS_UNSAFE = /[\\"\n]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

/**
 * Returns the text of a label value. Lone surrogates become U+FFFD, as when they are encoded as UTF-8, so that values
 * with the same bytes are the same series.
 *
 * @param fallback - the text for `undefined` and `null`, which then cause one warning instead of an error
 * @throws `METHEUS_INVALID_LABEL_VALUE` when it is not a string, number or boolean
 */
export function labelString(metric: string, name: string, value: unknown, fallback?: string): string {
  if (fallback !== undefined && (value === undefined || value === null)) {
    const text = `Label '${name}' of metric '${metric}' is ${value}, and counts as '${fallback}'.`;
    warnOnce(text, text);
    return fallback;
  }
  switch (typeof value) {
    case 'string':
      return value.toWellFormed();
    case 'number':
    case 'boolean':
      return String(value);
    default:
      throw new MetheusError('METHEUS_INVALID_LABEL_VALUE', {
        given: `${show(value)} for label '${name}' of metric '${metric}'`,
        expected: 'a string, number or boolean',
      });
  }
}

/**
 * Returns `method="GET",route="/"`, with names and values escaped; `''` without labels.
 */
export function labelText(names: readonly string[], values: readonly string[]): string {
  let text = '';
  for (let i = 0; i < names.length; i++) {
    text += i === 0 ? '' : ',';
    text += escapeLabelValue(names[i]!);
    text += '="';
    text += escapeLabelValue(values[i]!);
    text += '"';
  }
  return text;
}

/** Escapes `\`, `"` and line feeds with `\`. */
export function escapeLabelValue(value: string): string {
  return HAS_UNSAFE.test(value) ? replaceEscapes(value, UNSAFE, (char) => ESCAPES[char]!) : value;
}

/**
 * Replaces matches as `String.replace` does. A long text is replaced in parts, since `replace` takes up to a hundred
 * bytes for each match. No part ends between a backslash and the character that it escapes.
 */
export function replaceEscapes(text: string, pattern: RegExp, replace: (match: string) => string): string {
  if (text.length <= PART) return text.replace(pattern, replace);
  const parts: string[] = [];
  for (let from = 0, to = PART; from < text.length; from = to, to += PART) {
    let end = to;
    while (end > from && text.charCodeAt(end - 1) === BACKSLASH) end -= 1;
    to += (to - end) % 2;
    parts.push(text.slice(from, to).replace(pattern, replace));
  }
  return parts.join('');
}

/**
 * Returns the index of the next quote that is not escaped, or -1 if there is none. Uses no regular expression, which
 * would overflow the stack for a value of some megabytes.
 */
export function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at;
  }
  return -1;
}

/**
 * Returns the names and values of a {@link labelText}, both still escaped. For malformed text, returns the pairs before
 * the first fault. A name ends at the first `="`, since quotes inside a name are escaped.
 */
export function labelPairs(text: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < text.length; ) {
    const equals = text.indexOf('="', at);
    const close = closingQuote(text, equals + 2);
    if (equals <= at || close < 0 || (text[close + 1] ?? ',') !== ',') break;
    pairs.push([text.slice(at, equals), text.slice(equals + 2, close)]);
    at = close + 2;
  }
  return pairs;
}

const PLAIN: object = {};

/** Reports whether an object inherits nothing but the members of every object, also if it is from another realm. */
function isPlain(given: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || Object.hasOwn(prototype as object, 'isPrototypeOf');
}

/** Undoes {@link escapeLabelValue}. */
export function unescapeLabelValue(text: string): string {
  return replaceEscapes(text, /\\./g, (pair) => (pair === '\\n' ? '\n' : pair[1]!));
}

/** Parses a {@link labelText}. */
export function parseLabelText(text: string): Record<string, string> {
  return Object.fromEntries(labelPairs(text).map((pair) => pair.map(unescapeLabelValue)));
}

/** Reports whether label values match a pattern, in which `undefined` stands for any value. */
export function matchesLabels(labels: readonly string[], pattern: readonly (string | undefined)[]): boolean {
  return pattern.every((value, i) => value === undefined || value === labels[i]);
}

/** Reports whether an object has all of the named properties and no others. Most objects with labels do. */
function hasExactly(given: object, names: readonly string[]): boolean {
  if (names.length === 0 || Object.keys(given).length !== names.length) return false;
  for (const name of names) if (!Object.hasOwn(given, name)) return false;
  return true;
}

/**
 * Checks that an object has no other labels than the named ones, and has none where they would be overlooked: in a map,
 * or in properties that it inherits.
 *
 * @throws `METHEUS_INVALID_LABEL_VALUE`, `METHEUS_UNKNOWN_LABEL`, `METHEUS_LABELS_NOT_ALLOWED`
 */
export function checkLabels(
  metric: string,
  names: readonly string[],
  given: unknown,
): asserts given is object {
  const refuse = (shown: string, todo?: string) =>
    new MetheusError('METHEUS_INVALID_LABEL_VALUE', {
      given: `${shown} as labels of metric '${metric}'`,
      expected: 'an object whose own properties are the labels',
      ...(todo !== undefined && { todo }),
    });
  if (typeof given !== 'object' || given === null) throw refuse(show(given));
  if (hasExactly(given, names)) return;
  const isOverlooked = (name: string) => name in given && !Object.hasOwn(given, name) && !(name in PLAIN);
  if ((Object.keys(given).length === 0 && !isPlain(given)) || names.some(isOverlooked)) {
    throw refuse(Object.prototype.toString.call(given), 'Use Object.fromEntries() for a map');
  }
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const on = `label '${unknown}' on metric '${metric}'`;
  if (names.length === 0) {
    throw new MetheusError('METHEUS_LABELS_NOT_ALLOWED', {
      given: on,
      expected: 'no labels',
      todo: 'Name them in requiredLabels when the metric is created',
    });
  }
  throw new MetheusError('METHEUS_UNKNOWN_LABEL', {
    given: on,
    expected: `only ${names.map((name) => `'${name}'`).join(', ')}`,
  });
}
