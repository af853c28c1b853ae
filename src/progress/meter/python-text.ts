/** Data as Python writes it: what tqdm shows of a postfix that is neither text nor a number. */

import { Float, numberText } from './format-spec.js';

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The pairs of what would be a dict in Python. */
function pairsOf(value: object): [unknown, unknown][] | null {
  if (value instanceof Map) return [...value];
  return isPlainObject(value) ? Object.entries(value) : null;
}

/** A list or a dict with nothing in it, which counts as nothing in Python. */
export function isEmptyData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (Array.isArray(value) ? value : pairsOf(value))?.length === 0;
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text.replace(/[\\'\p{C}\p{Z}]/gu, (character) => {
    if (character === ' ' || (character === "'" && quote === '"')) return character;
    if (character === "'") return "\\'";
    return ESCAPES[character] ?? escaped(character);
  });
  return quote + inside + quote;
}

/** A character as an escape sequence. */
export function escaped(character: string): string {
  const hex = character.codePointAt(0)!.toString(16);
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** As Python's `repr`: text in quotes. */
export function representation(value: unknown, around: readonly unknown[] = []): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number' || typeof value === 'bigint') return numberText(value);
  if (value instanceof Float) return numberText(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value === null || value === undefined) return 'None';
  if (typeof value !== 'object') return String(value);
  const inside = (part: unknown) => representation(part, [...around, value]);
  if (Array.isArray(value)) return around.includes(value) ? '[...]' : `[${value.map(inside).join(', ')}]`;
  if (around.includes(value)) return '{...}';
  const pairs = pairsOf(value);
  if (pairs === null) return String(value);
  return `{${pairs.map(([key, item]) => `${inside(key)}: ${inside(item)}`).join(', ')}}`;
}

/** As Python's `str`, for numbers and data; anything else as JavaScript writes it. */
export function pythonText(value: unknown): string {
  const isData = typeof value === 'object' && value !== null;
  return isData || typeof value === 'number' ? representation(value) : String(value);
}
