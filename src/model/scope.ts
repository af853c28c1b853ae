/** Scopes keep families of equal names apart: see `FamilyDescriptor.scope`. */

/** The scope of the default registry. */
export const DEFAULT_SCOPE = '';

const KEY = Symbol.for('metheus.scopes.v1');
const global = globalThis as { [KEY]?: Map<string, number> };

/**
 * A scope that nothing else in this thread has, whichever copy of this package asks. Programs that make the
 * same things in the same order get the same scopes, so that their processes and threads add up.
 */
export function nextScope(kind: 'registry' | 'unregistered' | 'progress'): string {
  global[KEY] ??= new Map();
  const number = (global[KEY].get(kind) ?? 0) + 1;
  global[KEY].set(kind, number);
  return `${kind}-${number}`;
}
