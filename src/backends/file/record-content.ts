/** Validation of the text of records, which programs of other versions may have written. */
import type { FamilyDescriptor } from '../../model/family.js';
import { cellsOf, MERGE_RULES, METRIC_TYPES, minCellsOf } from '../../model/metric-types.js';
import type { SeriesIdentity } from './layout.js';

/** Parses the text of a record. Returns undefined unless it is an object or an array. */
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
