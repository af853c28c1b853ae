/** Arguments of the functions that everybody may call, TypeScript or not. */

import { MetheusError, show } from '../../errors.js';

export type Kind = 'number' | 'bigint' | 'string' | 'boolean' | 'object' | 'Date';

function isOf(value: unknown, kind: Kind): boolean {
  if (kind === 'Date') return value instanceof Date && !Number.isNaN(value.getTime());
  return typeof value === kind && value !== null;
}

/** @throws MetheusError `METHEUS_INVALID_BAR_OPTION` for a value that is of none of the kinds */
export function checkArgument(name: string, value: unknown, kinds: readonly Kind[]): void {
  if (kinds.some((kind) => isOf(value, kind))) return;
  throw new MetheusError('METHEUS_INVALID_BAR_OPTION', {
    given: `${name} = ${show(value)}`,
    expected: `${/^[aeiou]/.test(kinds[0] ?? '') ? 'an' : 'a'} ${kinds.join(' or a ')}`,
  });
}
