/** The properties of a metric besides its descriptor, and the text of its whole definition. */
import type { Registerer } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';
import type { Labels } from '../model/labels.js';
import type { Values } from './label-tree.js';
import type { NativeRule } from './native/options.js';

export interface FamilySettings {
  /** The registry that the metric was created in. */
  readonly registry: Registerer | null;
  /** The default of each label; `undefined` for labels without one. */
  readonly defaults: Values;
  readonly maxSeries: number;
  /** Returns the counter of label sets that a family refused. */
  readonly droppedIn: (registry: Registerer | null, family: string) => { inc(): void };
  /** Returns the labels of an exemplar for observations that bring none. */
  readonly exemplars: (() => Labels | undefined) | undefined;
  /** The states of a stateset. */
  readonly states: readonly string[] | undefined;
}

/**
 * Returns a definition as text: see `MetricSource.definition`. Made when it is compared, since most names are registered
 * once.
 */
export function definitionText(
  descriptor: FamilyDescriptor,
  { defaults, maxSeries, exemplars, states }: FamilySettings,
  rule: NativeRule | undefined,
): string {
  // JSON leaves out properties that are `undefined`.
  return JSON.stringify({
    ...descriptor,
    scope: undefined,
    cells: undefined,
    defaults,
    maxSeries: Number.isFinite(maxSeries) ? maxSeries : undefined,
    states,
    exemplars: exemplars && 'a function',
    native: rule && { ...rule, blockFamily: rule.blockFamily.bounds },
  });
}
