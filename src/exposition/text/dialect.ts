/** Differences between the text formats, and the texts that one of them writes for a family. */
import type { FamilyDescriptor } from '../../model/family.js';
import { METRIC_TYPES } from '../../model/metric-types.js';
import { isLegacyMetricName } from '../../model/names.js';
import { findOrCreate } from '../../system/find-or-create.js';
import { Fragment, SharedFragments } from '../chunk.js';
import type { Escaping } from '../formats.js';
import { type FamilyNamer, quoted, type Shape } from '../naming.js';
import { MAX_VALUE_BYTES } from '../value.js';

const FRAGMENTS = new SharedFragments();

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
  readonly lines: KnownLines;
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
  /** Suffix that is appended to the family's name; `undefined` to use the name of samples without a suffix. */
  readonly suffix: string | undefined;
  /** The index of the cell or of the quantile. */
  readonly cell: number;
  /** @defaultValue `'cell'` */
  readonly value?: LineValue;
  /** A label after those of the series: `le="1"`. */
  readonly label?: string;
  /** Whether the line may end with the exemplar of its cell. */
  readonly exemplar?: boolean;
  /** Index of a cell whose number must be at least 0 for the line to be written; -1 if the line is always written. */
  readonly guard?: number;
  /** The line is left out if its number is less than this. Lines with NaN are written. */
  readonly min?: number;
}

/**
 * A line with its text: a head before the labels and a tail after them. For a series without labels, the head ends
 * earlier and the tail begins later.
 */
export interface Line extends Required<Omit<LineSpec, 'suffix' | 'label'>> {
  /** The index of its head in {@link FamilyText.heads}. */
  readonly head: number;
  /** Number of bytes to omit from the end of the head if the series has no labels. */
  readonly cutHead: number;
  /** The range of the tail in {@link Lines.tails}. */
  readonly tail: number;
  readonly tailLength: number;
  /** Number of bytes to omit from the beginning of the tail if the series has no labels. */
  readonly cutTail: number;
}

/** The lines of each series. Families with the same type, bounds and columns share them. */
export interface Lines {
  /** In the order in which they are written. */
  readonly all: readonly Line[];
  /** The tails of all lines. */
  readonly tails: DataView;
  /** The suffixes of the names of samples, by index of the head: see {@link LineSpec.suffix}. */
  readonly suffixes: readonly (string | undefined)[];
  /** Maximum bytes of one series, without its heads, labels and exemplars. */
  readonly bytes: number;
  /** Index of the cell that must be at least 0 for all lines to be written; -1 if there is none. */
  readonly guard: number;
  /** Whether lines have numbers other than cells and their sums. */
  readonly isExtended: boolean;
}

/** Where a text begins in {@link FamilyText.view}, and its length in bytes. */
export interface TextRange {
  readonly start: number;
  readonly length: number;
}

/** The encoded text of a family, without labels and numbers. Made once for each descriptor, and kept with it. */
export interface FamilyText {
  readonly lines: Lines;
  /** Padded for `copy`. Many families share it. */
  readonly view: DataView;
  readonly header: TextRange;
  /** The text of lines before the labels. */
  readonly heads: readonly TextRange[];
  /** Maximum bytes of one series, without its labels and exemplars. */
  readonly seriesBytes: number;
}

/** Encodes the text of a family that is the same for all series: metadata lines, and names of samples. */
export function familyTextOf(
  dialect: Dialect,
  shape: Shape,
  family: FamilyDescriptor,
  has: LineContents,
): FamilyText {
  const lines = sharedLines(dialect, shape, family, has);
  const texts = [dialect.headerOf(shape, family)];
  for (const suffix of lines.suffixes) {
    const name = suffix === undefined ? shape.sample : shape.family + suffix;
    // A name that is not a legacy name is written between the braces, in quotes.
    texts.push(isLegacyMetricName(name) ? `${name}{` : `{${quoted(name)},`);
  }
  const { view, ranges } = FRAGMENTS.add(texts);
  const [header, ...heads] = ranges as [TextRange, ...TextRange[]];
  let seriesBytes = lines.bytes;
  for (const { head } of lines.all) seriesBytes += heads[head]!.length;
  return { lines, view, header, heads, seriesBytes };
}

/** The lines of families, by their bounds and then by everything else that lines depend on. */
type KnownLines = WeakMap<FamilyDescriptor['bounds'], Map<string, Lines>>;

function sharedLines(dialect: Dialect, shape: Shape, { type, bounds }: FamilyDescriptor, has: LineContents) {
  const isLegacy = isLegacyMetricName(shape.family);
  const key = `${type} ${shape.word} ${shape.suffixes.join()} ${isLegacy} ${has.quantiles} ${has.created}`;
  const known = findOrCreate(dialect.lines, bounds, () => new Map());
  return findOrCreate(known, key, () => layOut(linesOf(dialect, shape, type, bounds, has), isLegacy));
}

function layOut(specs: readonly LineSpec[], isLegacy: boolean): Lines {
  const suffixes = [...new Set(specs.map(({ suffix }) => suffix))];
  const tails: string[] = [];
  let end = 0;
  // A number and perhaps a timestamp, each with the character after it.
  let bytes = specs.length * 2 * (MAX_VALUE_BYTES + 1);
  const all = specs.map((spec): Line => {
    const { suffix, label = '', cell, value = 'cell', exemplar = false, guard = -1, min = -Infinity } = spec;
    // Without labels, these bytes are left out, so that lines begin with `name `, `name{le="1"} `, `{"name"} ` or
    // `{"name",le="1"} `.
    const [cutHead, cutTail] = [Number(label === ''), Number(label !== '' || isLegacy)];
    const text = label === '' ? '} ' : `,${label}} `;
    tails.push(text);
    const tail = end;
    end += text.length;
    bytes += text.length;
    const head = suffixes.indexOf(suffix);
    return { head, cutHead, tail, tailLength: text.length, cutTail, cell, value, exemplar, guard, min };
  });
  return {
    all,
    tails: new Fragment(tails.join('')).view,
    suffixes,
    bytes,
    guard: all.find(({ guard }) => guard >= 0)?.guard ?? -1,
    isExtended: all.some(({ value }) => value === 'quantile' || value === 'created'),
  };
}

/** Returns the lines of each series in the order in which they are written. */
function linesOf(
  { isStrict, formatBound }: Dialect,
  { word, suffixes }: Shape,
  type: FamilyDescriptor['type'],
  bounds: readonly number[],
  has: LineContents,
): LineSpec[] {
  const created: LineSpec[] =
    has.created && suffixes.includes('_created') ? [{ suffix: '_created', cell: 0, value: 'created' }] : [];
  switch (METRIC_TYPES[type].layout) {
    case 'summary': {
      const quantiles = bounds.map((quantile, cell): LineSpec => {
        const label = `quantile="${formatBound(quantile)}"`;
        return { suffix: '', cell, value: 'quantile', label, min: isStrict ? 0 : -Infinity };
      });
      return [
        ...(has.quantiles ? quantiles : []),
        { suffix: '_sum', cell: 0, guard: isStrict ? 0 : -1 },
        { suffix: '_count', cell: 1 },
        ...created,
      ];
    }
    case 'buckets': {
      const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, cell): LineSpec => {
        const label = `le="${formatBound(bound)}"`;
        return { suffix: '_bucket', cell, value: 'cumulative', label, exemplar: true };
      });
      return [...buckets, ...totalLines(suffixes, bounds, isStrict), ...created];
    }
    default: {
      const isCounter = isStrict && word === 'counter';
      return [{ suffix: undefined, cell: 0, exemplar: isCounter, guard: isCounter ? 0 : -1 }, ...created];
    }
  }
}

/**
 * Returns the lines of a histogram's sum and count. OpenMetrics requires both or none. So both are left out if the sum
 * is negative or NaN, or if a bound is negative, since the sum may then decrease.
 */
function totalLines(suffixes: readonly string[], bounds: readonly number[], isStrict: boolean): LineSpec[] {
  const [, sum, count] = suffixes as readonly [string, string, string];
  const isSigned = bounds.some((bound) => bound < 0);
  const isGauge = sum === '_gsum';
  if (isStrict && isSigned && !isGauge) return [];
  const cell = bounds.length + 1;
  const guard = isStrict && !isSigned ? cell : -1;
  return [
    { suffix: sum, cell, guard },
    { suffix: count, cell, value: 'count', guard },
  ];
}
