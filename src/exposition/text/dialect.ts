/** Differences between the text formats, and the texts that one of them writes for a family. */
import type { FamilyDescriptor } from '../../model/family.js';
import { PADDING } from '../../model/label-column.js';
import { isLegacyMetricName } from '../../model/names.js';
import type { Escaping } from '../formats.js';
import { type FamilyNamer, quoted, type Shape, type ShapesOf } from '../naming.js';
import { MAX_VALUE_BYTES } from '../value.js';

/**
 * The number at the end of a line: a cell; a cell and those of the lines before it, since buckets are cumulative; the sum
 * of all these; the value at a quantile; or the time at which the series began to count.
 */
export type LineValue = 'cell' | 'cumulative' | 'count' | 'quantile' | 'created';

/** One line of each series of a family. */
export interface LineSpec {
  /** The name of the sample. A name that is not a legacy name stands in the braces, in quotes. */
  readonly name: string;
  /** The index of the cell or of the quantile. */
  readonly cell: number;
  /** @defaultValue `'cell'` */
  readonly value?: LineValue;
  /** A label behind those of the series: `le="1"`. */
  readonly label?: string;
  /** Whether the line may end with the exemplar of its cell. */
  readonly exemplar?: boolean;
  /** A cell that must be a number of at least 0, else the line is left out. */
  readonly guard?: number;
  /** The line is left out where its number is below this, which NaN is not. */
  readonly min?: number;
}

/** A text format. */
export interface Dialect {
  readonly shapesOf: ShapesOf;
  /** The metadata lines of a family. */
  headerOf(shape: Shape, family: FamilyDescriptor): string;
  /** The lines of each series, in order. */
  linesOf(shape: Shape, family: FamilyDescriptor, has: LineContents): readonly LineSpec[];
  /** Converts Unix seconds to the format's timestamps: NaN for a time that it cannot write. */
  timestampOf(seconds: number): number;
  /** Whether the format has exemplars. */
  readonly exemplars: boolean;
  /** Text behind the last family. */
  readonly end: string;
  /** By escaping. */
  readonly namers: Map<Escaping, FamilyNamer<FamilyText>>;
}

/** Optional columns that lines are written for. */
export interface LineContents {
  readonly quantiles: boolean;
  readonly created: boolean;
}

/**
 * A line with the places of its text in {@link FamilyText.view}: a head before the labels and a tail behind them. A series
 * without labels has a shorter head, and its tail begins later.
 */
export interface Line {
  readonly head: number;
  readonly headLength: number;
  readonly bareHeadLength: number;
  readonly tail: number;
  readonly tailLength: number;
  readonly bareTail: number;
  readonly bareTailLength: number;
  readonly value: LineValue;
  readonly cell: number;
  readonly exemplar: boolean;
  /** -1 for a line that is always written. */
  readonly guard: number;
  readonly min: number;
}

/** All text of a family but labels and numbers, encoded. Made once for each descriptor, and kept with it. */
export interface FamilyText {
  /** The header, from the first byte, then heads and tails of lines. Padded for `copy`. */
  readonly view: DataView;
  readonly headerLength: number;
  readonly lines: readonly Line[];
  /** Most bytes of one series, but for its labels and exemplars. */
  readonly seriesBytes: number;
  /** The cell that must be a number of at least 0 for all lines to be written; -1 where there is none. */
  readonly guard: number;
  /** Whether lines have numbers other than cells and their sums. */
  readonly isExtended: boolean;
}

const encoder = new TextEncoder();

/** Encodes the texts of a family. */
export function familyTextOf(header: string, specs: readonly LineSpec[]): FamilyText {
  const texts = new Map<string, number>();
  const pieces = [encoder.encode(header)];
  const headerLength = pieces[0]!.length;
  let length = headerLength;
  /** Places a text once, however many lines have it. */
  const place = (text: string): { readonly start: number; readonly size: number } => {
    const encoded = encoder.encode(text);
    let start = texts.get(text);
    if (start === undefined) {
      start = length;
      texts.set(text, start);
      pieces.push(encoded);
      length += encoded.length;
    }
    return { start, size: encoded.length };
  };
  const lines = specs.map((spec) => layOut(spec, place));
  const bytes = new Uint8Array(length + PADDING);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  // A number and perhaps a timestamp, each with the character behind it.
  let seriesBytes = 0;
  for (const { headLength, tailLength } of lines)
    seriesBytes += headLength + tailLength + 2 * (MAX_VALUE_BYTES + 1);
  return {
    view: new DataView(bytes.buffer),
    headerLength,
    lines,
    seriesBytes,
    guard: lines.find(({ guard }) => guard >= 0)?.guard ?? -1,
    isExtended: lines.some(({ value }) => value === 'quantile' || value === 'created'),
  };
}

function layOut(
  { name, cell, value = 'cell', label = '', exemplar = false, guard = -1, min = -Infinity }: LineSpec,
  place: (text: string) => { readonly start: number; readonly size: number },
): Line {
  const isLegacy = isLegacyMetricName(name);
  const head = place(isLegacy ? `${name}{` : `{${quoted(name)},`);
  const tail = place(label === '' ? '} ' : `,${label}} `);
  // Without labels: `name `, `name{le="1"} `, `{"name"} `, `{"name",le="1"} `.
  const isWholeHead = label !== '';
  const isWholeTail = label === '' && !isLegacy;
  return {
    head: head.start,
    headLength: head.size,
    bareHeadLength: isWholeHead ? head.size : head.size - 1,
    tail: tail.start,
    tailLength: tail.size,
    bareTail: isWholeTail ? tail.start : tail.start + 1,
    bareTailLength: isWholeTail ? tail.size : tail.size - 1,
    value,
    cell,
    exemplar,
    guard,
    min,
  };
}

/** The lines of a histogram's buckets, `+Inf` last. */
export function bucketLines(
  name: string,
  bounds: readonly number[],
  format: (bound: number) => string,
  exemplar: boolean,
): LineSpec[] {
  return [...bounds, Number.POSITIVE_INFINITY].map((bound, cell) => ({
    name: `${name}_bucket`,
    cell,
    value: 'cumulative',
    label: `le="${format(bound)}"`,
    exemplar,
  }));
}

/** The lines of a summary's quantiles. */
export function quantileLines(
  name: string,
  quantiles: readonly number[],
  format: (quantile: number) => string,
  min?: number,
): LineSpec[] {
  return quantiles.map((quantile, cell) => ({
    name,
    cell,
    value: 'quantile',
    label: `quantile="${format(quantile)}"`,
    ...(min !== undefined && { min }),
  }));
}
