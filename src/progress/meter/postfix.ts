/** Values that a bar shows after its meter. */

import { inspect } from 'node:util';
import { MetheusError, show } from '../../errors.js';
import { formatNum } from './quantity.js';

/** Values to show as `key=value`: an object, a Map, or pairs. */
export type Postfix = Readonly<Record<string, unknown>> | Iterable<readonly [string, unknown]>;

function isPairs(postfix: Postfix): postfix is Iterable<readonly [string, unknown]> {
  return Symbol.iterator in postfix;
}

/** Reports whether `value` is an array, a Map or an object literal that has no `toString` of its own. */
function isData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || value instanceof Map) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (prototype === Object.prototype && !Object.hasOwn(value, 'toString'));
}

/** Returns data on one line, as `console.log` shows it, and any other value as its own text. */
export function valueText(value: unknown): string {
  return isData(value)
    ? inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: true })
    : String(value);
}

function shortText(value: unknown): string {
  return typeof value === 'number' ? formatNum(value) : valueText(value).trim();
}

/**
 * Returns text such as `loss=0.5, step=3`, in the order given. A repeated key keeps its first position and its last
 * value.
 *
 * @throws `METHEUS_INVALID_VALUE` when `values` has no keys
 */
export function postfixText(values: Postfix): string {
  if (typeof values !== 'object' || values === null) {
    throw new MetheusError('METHEUS_INVALID_VALUE', {
      given: `${show(values)} to setPostfix`,
      expected: 'an object, a Map or pairs',
      todo: 'Call setPostfixStr for text',
    });
  }
  const pairs = new Map(isPairs(values) ? values : Object.entries(values));
  return [...pairs].map(([key, value]) => `${key}=${shortText(value)}`).join(', ');
}

/** Returns a postfix that `JSON.stringify` accepts: the postfix itself, else its text. */
export function plainPostfix(postfix: unknown): unknown {
  if (typeof postfix !== 'object' && typeof postfix !== 'bigint') return postfix;
  try {
    JSON.stringify(postfix);
    return postfix;
  } catch {
    try {
      return String(postfix);
    } catch {
      return null;
    }
  }
}

/** Returns the postfix that a bar starts with: the text of an object or a Map, any other value unchanged. */
export function initialPostfix(postfix: unknown): unknown {
  if (!postfix) return null;
  if (typeof postfix !== 'object' || Array.isArray(postfix)) return postfix;
  const entries = postfix instanceof Map ? [...postfix] : Object.entries(postfix);
  // As in tqdm, the keys are sorted here, but not in `setPostfix`.
  return postfixText(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
