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
  /** Whether a label value that is `undefined` or `null` is an error. */
  readonly strict: boolean;
  readonly maxSeries: number;
  /** Returns the counter of the label sets that a family has refused. */
  readonly droppedIn: (registry: Registerer | null, family: string) => { inc(): void };
  /** Returns exemplar labels for an observation without an explicit exemplar. */
  readonly exemplars: (() => Labels | undefined) | undefined;
  /** The states of a stateset. */
  readonly states: readonly string[] | undefined;
}

/**
 * Returns a definition as text: see `MetricSource.definition`. Called only when definitions are compared, since most
 * names are registered once.
 */
export function definitionText(
  { name, type, unit, labelNames, merge, bounds }: FamilyDescriptor,
  { defaults, strict, maxSeries, exemplars, states }: FamilySettings,
  rule: NativeRule | undefined,
): string {
  const definition = {
    name,
    type,
    unit,
    requiredLabels: labelNames,
    defaultLabels: defaults,
    multiprocessMode: type === 'gauge' ? merge : undefined,
    [type === 'summary' ? 'quantiles' : 'buckets']: bounds,
    strict,
    maxSeries: Number.isFinite(maxSeries) ? maxSeries : undefined,
    states,
    exemplars: exemplars && true,
    native: rule && { ...rule, blockFamily: rule.blockFamily.bounds },
  };
  return Object.entries(definition)
    .map(([option, value]) => `${option} ${JSON.stringify(value)}`)
    .join('\n');
}
