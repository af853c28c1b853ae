/**
 * A bar format: Python's `str.format` text with the fields of a progress bar, such as
 * `{desc}: {percentage:3.0f}%|{bar:20}| {postfix[1][value]:.3f}`.
 */

import { MetheusError, show } from '../../errors.js';
import { Float, formatNumber, formatText } from './format-spec.js';
import { type BarGlyphs, formatBar } from './glyphs.js';
import { escaped, pythonText, representation } from './python-text.js';
import { WallTime } from './strftime.js';

/** Every name that a bar format may use. */
const FIELD_NAMES = [
  'n',
  'n_fmt',
  'total',
  'total_fmt',
  'elapsed',
  'elapsed_s',
  'ncols',
  'nrows',
  'desc',
  'unit',
  'rate',
  'rate_fmt',
  'rate_noinv',
  'rate_noinv_fmt',
  'rate_inv',
  'rate_inv_fmt',
  'postfix',
  'unit_divisor',
  'colour',
  'remaining',
  'remaining_s',
  'l_bar',
  'r_bar',
  'eta',
  'percentage',
  'bar',
] as const;

export type FieldName = (typeof FIELD_NAMES)[number];

/** Values of all fields but the bar, which depends on what they leave of the line. */
export type BarFields = Record<Exclude<FieldName, 'bar'>, unknown>;

interface Replacement {
  readonly name: FieldName;
  /** Attributes and indexes after the name: `[1][value]`. */
  readonly path: readonly string[];
  /** `r`, `s` or `a`: the value is made text first. */
  readonly conversion: string | null;
  readonly specification: string;
}

/** A parsed format: literal text and replacements in turn. */
export type BarFormat = readonly (string | Replacement)[];

function invalid(format: string, problem: string): MetheusError {
  return new MetheusError('METHEUS_INVALID_BAR_FORMAT', {
    given: `${show(format)} with ${problem}`,
    expected: `literal text and the fields ${FIELD_NAMES.map((name) => `{${name}}`).join(' ')}`,
    todo: 'Write a literal brace twice',
  });
}

const TOKEN = /\{\{|\}\}|\{(?<field>[^{}]*)\}|(?<stray>[{}])/g;
const FIELD =
  /^(?<name>\w+)(?<path>(?:\.\w+|\[[^\]]+\])*)(?:!(?<conversion>[rsa]))?(?::(?<specification>.*))?$/s;

function parseReplacement(format: string, field: string): Replacement {
  const groups = FIELD.exec(field)?.groups;
  const name = FIELD_NAMES.find((known) => known === groups?.name);
  if (groups === undefined || name === undefined) throw invalid(format, `the unknown field {${field}}`);
  const path = [...(groups.path ?? '').matchAll(/\.(\w+)|\[([^\]]+)\]/g)];
  return {
    name,
    path: path.map((step) => step[1] ?? step[2] ?? ''),
    conversion: groups.conversion ?? null,
    specification: groups.specification ?? '',
  };
}

/**
 * @throws MetheusError `METHEUS_INVALID_BAR_FORMAT` for a stray brace or a field that bars do not have
 */
export function parseBarFormat(format: string): BarFormat {
  const parts: (string | Replacement)[] = [];
  let end = 0;
  for (const token of format.matchAll(TOKEN)) {
    parts.push(format.slice(end, token.index));
    end = token.index + token[0].length;
    if (token.groups?.stray !== undefined) throw invalid(format, `the lone brace ${token.groups.stray}`);
    if (token.groups?.field === undefined) parts.push(token[0].charAt(0));
    else parts.push(parseReplacement(format, token.groups.field));
  }
  parts.push(format.slice(end));
  return parts;
}

/** Does the format show the bar? */
export function hasBar(format: BarFormat): boolean {
  return format.some((part) => typeof part !== 'string' && part.name === 'bar');
}

function resolve(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const step of path) {
    if (found === null || found === undefined) return null;
    found = found instanceof Map ? found.get(step) : (found as Record<string, unknown>)[step];
  }
  return found;
}

/** A value made text by a conversion, where there is one. */
function convert(value: unknown, conversion: string | null): unknown {
  if (conversion === null) return value;
  if (conversion === 's') return formatValue(value, '');
  const text = representation(value);
  return conversion === 'r' ? text : text.replace(/[^\x20-\x7e]/gu, escaped);
}

/** A value by a specification. A number that is not known (yet) shows as `?` where Python would raise an error. */
function formatValue(value: unknown, specification: string): string {
  if (typeof value === 'string') return formatText(value, specification);
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Float) {
    return formatNumber(value, specification);
  }
  if (value instanceof WallTime) return value.format(specification);
  if (value !== null && value !== undefined) return formatText(pythonText(value), specification);
  if (specification === '') return 'None';
  const width = Number(/(\d+)?(?:\.\d+)?[a-zA-Z%]?$/.exec(specification)?.[1] ?? 0);
  return '?'.padStart(width);
}

function renderValue(value: unknown, { path, conversion, specification }: Replacement): string {
  return formatValue(convert(resolve(value, path), conversion), specification);
}

/** The line. Without a `bar`, its place stays empty: that is how its own length is found. */
export function renderBarFormat(format: BarFormat, fields: BarFields, bar?: BarGlyphs): string {
  let line = '';
  for (const part of format) {
    if (typeof part === 'string') line += part;
    else if (part.name === 'bar') line += bar === undefined ? '' : formatBar(bar, part.specification);
    else line += renderValue(fields[part.name], part);
  }
  return line;
}
