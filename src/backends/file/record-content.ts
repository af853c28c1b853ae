/** What the text of a record may say. Programs of other versions write here too, so nothing is taken on trust. */
import { cellsOf } from '../../model/collector.js';
import { type FamilyDescriptor, GAUGE_CELLS, type MergeMode, type MetricType } from '../../model/family.js';
import type { SeriesIdentity } from './layout.js';

const TYPES: Readonly<Record<MetricType, true>> = {
  counter: true,
  gauge: true,
  histogram: true,
  gaugehistogram: true,
  summary: true,
  info: true,
  stateset: true,
  unknown: true,
  parts: true,
};

/** How many cells each mode looks at, at least. */
const LEAST_CELLS: Readonly<Record<MergeMode, number>> = {
  add: 1,
  each: 1,
  newest: 1,
  shared: GAUGE_CELLS,
  all: GAUGE_CELLS,
  liveall: GAUGE_CELLS,
  min: GAUGE_CELLS,
  livemin: GAUGE_CELLS,
  max: GAUGE_CELLS,
  livemax: GAUGE_CELLS,
  sum: GAUGE_CELLS,
  livesum: GAUGE_CELLS,
  mostrecent: GAUGE_CELLS,
  livemostrecent: GAUGE_CELLS,
};

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
    Object.hasOwn(TYPES, type) &&
    Object.hasOwn(LEAST_CELLS, merge) &&
    isStrings(labelNames) &&
    Array.isArray(bounds) &&
    bounds.every((bound) => typeof bound === 'number') &&
    Number.isInteger(cells) &&
    cells >= Math.max(LEAST_CELLS[merge], cellsOf(type, bounds))
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
