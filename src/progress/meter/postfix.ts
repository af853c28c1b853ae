/** What a bar shows after its meter. */

import { pythonText } from './python-text.js';
import { formatNum } from './quantity.js';

/** Values to show as `key=value`: an object, a Map, or pairs. */
export type Postfix = Readonly<Record<string, unknown>> | Iterable<readonly [string, unknown]>;

function isPairs(postfix: Postfix): postfix is Iterable<readonly [string, unknown]> {
  return Symbol.iterator in postfix;
}

function valueText(value: unknown): string {
  return (typeof value === 'number' ? formatNum(value) : pythonText(value)).trim();
}

/** `loss=0.5, step=3`, in the order given; a key given twice keeps its first place and its last value. */
export function postfixText(values: Postfix | null): string {
  if (values === null) return '';
  const pairs = new Map(isPairs(values) ? values : Object.entries(values));
  return [...pairs].map(([key, value]) => `${key}=${valueText(value)}`).join(', ');
}

/** The postfix that a bar starts with: text from an object, anything else as it is. */
export function initialPostfix(postfix: unknown): unknown {
  if (!postfix) return null;
  if (typeof postfix !== 'object' || Array.isArray(postfix)) return postfix;
  const entries = postfix instanceof Map ? [...postfix] : Object.entries(postfix);
  // tqdm takes these as keyword arguments, which it sorts.
  return postfixText(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
