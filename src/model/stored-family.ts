/** Checks of the families and exemplars that other programs have stored in a file or in Redis. */
import { exemplarLabels } from './exemplar.js';
import { type Exemplar, type FamilyDescriptor, isTime } from './family.js';
import {
  cellsOf,
  exemplarCellsOf,
  type FamilyType,
  MERGE_RULES,
  METRIC_TYPES,
  minCellsOf,
} from './metric-types.js';
import { checkHelp, checkLabelNames, checkMetricName } from './names.js';
import { shownName } from './native/blocks.js';
import { areAscending, areQuantiles, checkUnitOfName } from './options.js';

/** Maximum cells of a series beyond those that its type needs. Bounds the memory that a descriptor can demand. */
const MAX_MORE_CELLS = 1000;
/** Seconds by which the clock of another program may be ahead of the clock of this process. */
const MAX_AHEAD = 60;
/** Maximum length of each text. */
const MAX_TEXT = 65_536;

/**
 * Reports whether content is the descriptor of a family by the rules for families that this program defines. So a
 * descriptor that another program has stored, by mistake or on purpose, cannot make a scrape invalid.
 */
export function isStoredFamily(content: unknown): content is FamilyDescriptor {
  if (typeof content !== 'object' || content === null) return false;
  const { scope, name, help, type, unit, labelNames, cells, merge, bounds } = content as FamilyDescriptor;
  if (![scope, name, help, type, unit, merge].every(isText)) return false;
  if (!Object.hasOwn(METRIC_TYPES, type) || !MERGE_RULES.includes(merge)) return false;
  if (!Array.isArray(labelNames) || !labelNames.every(isText)) return false;
  if (!Array.isArray(bounds) || !areBounds(type, bounds)) return false;
  const minCells = Math.max(minCellsOf(merge), cellsOf(type, bounds));
  if (!Number.isInteger(cells) || cells < minCells || cells > minCells + MAX_MORE_CELLS) return false;
  if (type === 'stateset' && labelNames.at(-1) !== name) return false;
  // These rules add the label `pid`.
  if ((merge === 'all' || merge === 'liveall') && labelNames.includes('pid')) return false;
  const { isHidden } = METRIC_TYPES[type];
  try {
    checkMetricName(name, true);
    checkHelp(name, help);
    checkUnitOfName(type, isHidden ? shownName({ name }) : name, unit);
    // The last label of a hidden family has a reserved name, and no scrape shows it.
    checkLabelNames(name, isHidden ? labelNames.slice(0, -1) : labelNames, true);
    return true;
  } catch {
    return false;
  }
}

function areBounds(type: FamilyType, bounds: readonly unknown[]): boolean {
  if (type === 'summary') return areQuantiles(bounds);
  if (METRIC_TYPES[type].layout === 'buckets') return areAscending(bounds);
  return bounds.every(Number.isFinite);
}

/**
 * Reports whether content may be the descriptor of a family that a later version of this package has stored: one of a
 * type, or with a rule, that this version does not know.
 */
export function isLaterFamily(content: unknown): boolean {
  const { type, merge } = Object(content) as FamilyDescriptor;
  if (!isText(type) || !isText(merge)) return false;
  return !Object.hasOwn(METRIC_TYPES, type) || !MERGE_RULES.includes(merge);
}

/**
 * Returns the exemplar of a cell, or `undefined` if this program could not keep such an exemplar. This prevents data of
 * another program, wrong by mistake or on purpose, from making a scrape invalid. An exemplar with a future timestamp is
 * left out, since it would hide all later exemplars.
 *
 * @param now - Unix seconds
 */
export function storedExemplar(
  { name, type, cells, bounds }: FamilyDescriptor,
  cell: number,
  { labels, value, timestamp }: { readonly [field in keyof Exemplar]: unknown },
  now = Date.now() / 1000,
): Exemplar | undefined {
  const count = METRIC_TYPES[type].isHidden ? cells : exemplarCellsOf(type, bounds);
  if (!(Number.isInteger(cell) && cell >= 0 && cell < count)) return undefined;
  if (typeof value !== 'number' || Number.isNaN(value)) return undefined;
  if (!isTime(timestamp) || timestamp > now + MAX_AHEAD) return undefined;
  const texts: unknown[] = Object.values(Object(labels));
  if (!texts.every((text) => typeof text === 'string' && text.isWellFormed())) return undefined;
  try {
    return { labels: exemplarLabels(name, labels, true), value, timestamp };
  } catch {
    return undefined;
  }
}

const isText = (text: unknown): boolean => typeof text === 'string' && text.length <= MAX_TEXT;
