/**
 * Bar formats in the syntax of Python's `str.format`, with the fields of a progress bar:
 * `{desc}: {percentage:3.0f}%|{bar:20}| {postfix[1][value]:.3f}`.
 */

import { MetheusError, show } from '../../errors.js';
import { FIELDS, type LineNumbers } from './fields.js';
import { formatNumber, formatText } from './number-format.js';
import { valueText } from './postfix.js';
import { WallTime } from './wall-time.js';

/** A field of a format, with its specification. */
interface Replacement {
  readonly name: string;
  /** Attributes and indexes after the name: `[1][value]`. */
  readonly path: readonly string[];
  readonly specification: string;
}

/** A parsed format: literal text and fields in order. */
export type BarFormat = readonly (string | Replacement)[];

function invalid(format: string, problem: string): MetheusError {
  const names = [...Object.keys(FIELDS), 'bar'];
  return new MetheusError('METHEUS_INVALID_BAR_FORMAT', {
    given: `${show(format)} with ${problem}`,
    expected: `literal text and the fields ${names.map((name) => `{${name}}`).join(' ')}`,
    todo: 'Write a literal brace twice',
  });
}

const TOKEN = /\{\{|\}\}|\{(?<field>[^{}]*)\}|(?<stray>[{}])/g;
const FIELD = /^(?<name>\w+)(?<path>(?:\.\w+|\[[^\]]+\])*)(?::(?<specification>.*))?$/s;

function parseReplacement(format: string, field: string): Replacement {
  const groups = FIELD.exec(field)?.groups;
  const name = groups?.name ?? '';
  if (groups === undefined || !(name === 'bar' || Object.hasOwn(FIELDS, name))) {
    throw invalid(format, `the unknown field {${field}}`);
  }
  const path = [...(groups.path ?? '').matchAll(/\.(\w+)|\[([^\]]+)\]/g)];
  return {
    name,
    path: path.map((step) => step[1] ?? step[2] ?? ''),
    specification: groups.specification ?? '',
  };
}

function parse(format: string): BarFormat {
  const segments: (string | Replacement)[] = [];
  let end = 0;
  for (const token of format.matchAll(TOKEN)) {
    segments.push(format.slice(end, token.index));
    end = token.index + token[0].length;
    if (token.groups?.stray !== undefined) throw invalid(format, `the lone brace ${token.groups.stray}`);
    if (token.groups?.field === undefined) segments.push(token[0].charAt(0));
    else segments.push(parseReplacement(format, token.groups.field));
  }
  segments.push(format.slice(end));
  return segments.filter((segment) => segment !== '');
}

/** Cache of parsed formats: a program has few of them, and every frame needs one. */
const parsed = new Map<string, BarFormat>();
const MAX_PARSED = 100;

/**
 * Parses a format, or finds it among those parsed before.
 *
 * @throws `METHEUS_INVALID_BAR_FORMAT` for a stray brace or an unknown field
 */
export function parseBarFormat(format: string): BarFormat {
  let known = parsed.get(format);
  if (known === undefined) {
    known = parse(format);
    if (parsed.size >= MAX_PARSED) parsed.clear();
    parsed.set(format, known);
  }
  return known;
}

function resolve(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const step of path) {
    if (found === null || found === undefined) return undefined;
    found = found instanceof Map ? found.get(step) : (found as Record<string, unknown>)[step];
  }
  return found;
}

/** Returns the text of a value. An unknown value is `None`, or `?` if it has a specification: Python would throw. */
function formatValue(value: unknown, specification: string): string {
  if (value instanceof WallTime) return value.format(specification);
  if (typeof value === 'number') return formatNumber(value, specification);
  if (typeof value === 'bigint' && specification !== '') return formatNumber(Number(value), specification);
  if (value !== null && value !== undefined) return formatText(valueText(value), specification);
  if (specification === '') return 'None';
  const width = Number(/(\d+)?(?:\.\d+)?[a-zA-Z%]?$/.exec(specification)?.[1] ?? 0);
  return '?'.padStart(width);
}

function fieldText({ name, path, specification }: Replacement, line: LineNumbers): string {
  return formatValue(resolve(FIELDS[name]!(line), path), specification);
}

/**
 * Returns the line by a format. Every field is computed once; bars are drawn last, since their length depends on the
 * rest of the line.
 *
 * @param drawBar - returns a bar by its specification, given the line without bars
 */
export function renderBarFormat(
  format: BarFormat,
  line: LineNumbers,
  drawBar: (specification: string, lineWithoutBars: string) => string,
): string {
  const texts = format.map((segment) => {
    if (typeof segment === 'string') return segment;
    return segment.name === 'bar' ? '' : fieldText(segment, line);
  });
  const lineWithoutBars = texts.join('');
  for (const [index, segment] of format.entries()) {
    if (typeof segment === 'string' || segment.name !== 'bar') continue;
    texts[index] = drawBar(segment.specification, lineWithoutBars);
  }
  return texts.join('');
}
