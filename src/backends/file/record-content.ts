/** What the text of a record may say. Programs of other versions write here too, so nothing is taken on trust. */
import type { FamilyDescriptor } from '../../model/family.js';
import { cellsOf, MERGE_RULES, METRIC_TYPES, minCellsOf } from '../../model/metric-types.js';
import type { SeriesIdentity } from './layout.js';

/** The object or array of a record's text; undefined when it is neither. */
export function parseContent(text: string): object | undefined {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'object' && content !== null ? content : undefined;
  } catch {
    return undefined;
  }
}

export function isFamily(content: object): content is FamilyDescriptor {
  const { scope, name, help, type, unit, labelNames, cells, merge, bounds } = content as FamilyDescriptor;
  return (
    [scope, name, help, unit].every((text) => typeof text === 'string') &&
    Object.hasOwn(METRIC_TYPES, type) &&
    MERGE_RULES.includes(merge) &&
    isStrings(labelNames) &&
    Array.isArray(bounds) &&
    bounds.every((bound) => typeof bound === 'number') &&
    Number.isInteger(cells) &&
    cells >= Math.max(minCellsOf(merge), cellsOf(type, bounds))
  );
}

export function isSeries(content: object, { labelNames }: FamilyDescriptor): content is SeriesIdentity {
  const { labels, writer } = content as SeriesIdentity;
  if (!isStrings(labels) || labels.length !== labelNames.length) return false;
  return writer === undefined || (typeof writer?.id === 'string' && typeof writer.live === 'boolean');
}

export function isStrings(content: unknown): content is string[] {
  return Array.isArray(content) && content.every((text) => typeof text === 'string');
}
