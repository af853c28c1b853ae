/** Differences between the text formats, and the texts that one of them writes for a family. */
import type { FamilyDescriptor } from '../../model/family.js';
import { METRIC_TYPES } from '../../model/metric-types.js';
import { isLegacyMetricName } from '../../model/names.js';
import { Fragment } from '../chunk.js';
import type { Escaping } from '../formats.js';
import { type FamilyNamer, quoted, type Shape } from '../naming.js';
import { MAX_VALUE_BYTES } from '../value.js';

/** A text format. */
export interface Dialect {
  /** Whether the rules of OpenMetrics apply: exemplars, and no counters, quantiles or sums below zero. */
  readonly isStrict: boolean;
  /** Returns the namer for an escaping. @param created - whether created times are written */
  namerOf(escaping: Escaping, created: boolean): FamilyNamer<FamilyText>;
  /** Returns the metadata lines of a family. */
  headerOf(shape: Shape, family: FamilyDescriptor): string;
  /** Returns the text of a value of `le` or `quantile`. */
  formatBound(bound: number): string;
  /** Converts Unix seconds to the format's timestamps: NaN for a time that it cannot write. */
  timestampOf(seconds: number): number;
  /** Text after the last family. */
  readonly end: string;
}

/** The optional columns of a snapshot, which have lines of their own. */
export interface LineContents {
  readonly quantiles: boolean;
  readonly created: boolean;
}

/**
 * Source of the number in a line.
 *
 * - `cell`: a cell
 * - `cumulative`: the sum of a cell and the cells of the cumulative lines before it, since buckets are cumulative
 * - `count`: the sum of the cells of all cumulative lines
 * - `quantile`: the value at a quantile
 * - `created`: the time at which the series began to count
 */
type LineValue = 'cell' | 'cumulative' | 'count' | 'quantile' | 'created';

/** One line of each series of a family. */
interface LineSpec {
  /** The name of the sample. A name that is not a legacy name is written between the braces, in quotes. */
  readonly name: string;
  /** The index of the cell or of the quantile. */
  readonly cell: number;
  /** @defaultValue `'cell'` */
  readonly value?: LineValue;
  /** A label after those of the series: `le="1"`. */
  readonly label?: string;
  /** Whether the line may end with the exemplar of its cell. */
  readonly exemplar?: boolean;
  /** Index of the cell that must be at least 0, and not NaN, for the line to be written; -1 if it is always written. */
  readonly guard?: number;
  /** The line is left out if its number is less than this. Lines with NaN are written. */
  readonly min?: number;
}

/**
 * A line with the ranges of its text in {@link FamilyText.view}: a head before the labels and a tail after them. For a
 * series without labels, the head ends earlier and the tail begins later.
 */
export interface Line extends Required<Omit<LineSpec, 'name' | 'label'>> {
  readonly head: number;
  readonly headLength: number;
  readonly bareHeadLength: number;
  readonly tail: number;
  readonly tailLength: number;
  readonly bareTail: number;
  readonly bareTailLength: number;
}

/** The encoded text of a family, without labels and numbers. Made once for each descriptor, and kept with it. */
export interface FamilyText {
  /** The header, from the first byte, then heads and tails of lines. Padded for `copy`. */
  readonly view: DataView;
  readonly headerLength: number;
  readonly lines: readonly Line[];
  /** Maximum bytes of one series, without its labels and exemplars. */
  readonly seriesBytes: number;
  /** Index of the cell that must be at least 0 for all lines to be written; -1 if there is none. */
  readonly guard: number;
  /** Whether lines have numbers other than cells and their sums. */
  readonly isExtended: boolean;
}

/** Where a text begins, and its length in bytes. */
interface TextRange {
  readonly start: number;
  readonly size: number;
}

/** Encodes the texts of a family. */
export function familyTextOf(
  dialect: Dialect,
  shape: Shape,
  family: FamilyDescriptor,
  has: LineContents,
): FamilyText {
  const header = dialect.headerOf(shape, family);
  const headerLength = Buffer.byteLength(header);
  const places = new Map<string, TextRange>();
  let end = headerLength;
  /** Returns the range of a text, which is stored once even if several lines have it. */
  const place = (text: string): TextRange => {
    const known = places.get(text);
    if (known !== undefined) return known;
    const placed = { start: end, size: Buffer.byteLength(text) };
    places.set(text, placed);
    end += placed.size;
    return placed;
  };
  const lines = linesOf(dialect, shape, family, has).map((spec) => layOut(spec, place));
  // A number and perhaps a timestamp, each with the character after it.
  let seriesBytes = lines.length * 2 * (MAX_VALUE_BYTES + 1);
  for (const { headLength, tailLength } of lines) seriesBytes += headLength + tailLength;
  return {
    view: new Fragment([header, ...places.keys()].join('')).view,
    headerLength,
    lines,
    seriesBytes,
    guard: lines.find(({ guard }) => guard >= 0)?.guard ?? -1,
    isExtended: lines.some(({ value }) => value === 'quantile' || value === 'created'),
  };
}

function layOut(
  { name, cell, value = 'cell', label = '', exemplar = false, guard = -1, min = -Infinity }: LineSpec,
  place: (text: string) => TextRange,
): Line {
  const isLegacy = isLegacyMetricName(name);
  const head = place(isLegacy ? `${name}{` : `{${quoted(name)},`);
  const tail = place(label === '' ? '} ' : `,${label}} `);
  // Without labels, these bytes are left out, so that lines begin with `name `, `name{le="1"} `, `{"name"} ` or
  // `{"name",le="1"} `.
  const cutHead = Number(label === '');
  const cutTail = Number(label !== '' || isLegacy);
  return {
    head: head.start,
    headLength: head.size,
    bareHeadLength: head.size - cutHead,
    tail: tail.start,
    tailLength: tail.size,
    bareTail: tail.start + cutTail,
    bareTailLength: tail.size - cutTail,
    value,
    cell,
    exemplar,
    guard,
    min,
  };
}

/** Returns the lines of each series in the order in which they are written. */
function linesOf(
  { isStrict, formatBound }: Dialect,
  { family: name, sample, word, suffixes }: Shape,
  { type, bounds }: FamilyDescriptor,
  has: LineContents,
): LineSpec[] {
  const created: LineSpec[] =
    has.created && suffixes.includes('_created')
      ? [{ name: `${name}_created`, cell: 0, value: 'created' }]
      : [];
  switch (METRIC_TYPES[type].layout) {
    case 'summary': {
      const quantiles = bounds.map((quantile, cell): LineSpec => {
        const label = `quantile="${formatBound(quantile)}"`;
        return { name, cell, value: 'quantile', label, min: isStrict ? 0 : -Infinity };
      });
      return [
        ...(has.quantiles ? quantiles : []),
        { name: `${name}_sum`, cell: 0, guard: isStrict ? 0 : -1 },
        { name: `${name}_count`, cell: 1 },
        ...created,
      ];
    }
    case 'buckets': {
      const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, cell): LineSpec => {
        const label = `le="${formatBound(bound)}"`;
        return { name: `${name}_bucket`, cell, value: 'cumulative', label, exemplar: true };
      });
      return [...buckets, ...totalLines(name, suffixes, bounds, isStrict), ...created];
    }
    default: {
      const isCounter = isStrict && word === 'counter';
      return [{ name: sample, cell: 0, exemplar: isCounter, guard: isCounter ? 0 : -1 }, ...created];
    }
  }
}

/**
 * Returns the lines of a histogram's sum and count. OpenMetrics requires both or none. So both are left out if the sum
 * is negative or NaN, or if a bound is negative, since the sum may then decrease.
 */
function totalLines(
  name: string,
  suffixes: readonly string[],
  bounds: readonly number[],
  isStrict: boolean,
): LineSpec[] {
  const [, sum, count] = suffixes as readonly [string, string, string];
  const isSigned = bounds.some((bound) => bound < 0);
  const isGauge = sum === '_gsum';
  if (isStrict && isSigned && !isGauge) return [];
  const cell = bounds.length + 1;
  const guard = isStrict && !isSigned ? cell : -1;
  return [
    { name: name + sum, cell, guard },
    { name: name + count, cell, value: 'count', guard },
  ];
}
