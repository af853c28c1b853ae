/** What the lines of a series are made of, whatever text format they are in. */
import { isLegacyMetricName } from '../../model/names.js';
import { Fragment } from '../chunk.js';
import { quoted } from '../escaping.js';

/**
 * The number that ends a line: a cell as it is; a cell on top of those of the lines before, as buckets are
 * cumulative; the sum of all those; the value at a quantile; or the time at which the series began to count.
 */
export type LineValue = 'cell' | 'cumulative' | 'count' | 'quantile' | 'created';

/** What stands around the labels in one line of a series, and which number it ends with. */
export interface Line {
  readonly head: Fragment;
  readonly tail: Fragment;
  /** The same for a series without labels. */
  readonly bareHead: Fragment;
  readonly bareTail: Fragment;
  readonly value: LineValue;
  /** Which cell, or which quantile. */
  readonly cell: number;
  /** Whether it may end with the exemplar of its cell. */
  readonly exemplar: boolean;
  /** A cell that must be a number of at least 0, else the line is left out; -1 where it is written always. */
  readonly guard: number;
  /** The line is left out where its number is below this, which NaN is not. */
  readonly least: number;
}

export interface LineOptions {
  readonly value?: LineValue;
  readonly exemplar?: boolean;
  readonly guard?: number;
  readonly least?: number;
  /** A label behind those of the series: `le="1"`. */
  readonly label?: string;
}

/** @param name - of the sample. One that is no legacy name stands among the labels, in quotes. */
export function line(name: string, cell: number, options: LineOptions = {}): Line {
  const { value = 'cell', exemplar = false, guard = -1, label = '' } = options;
  const { least = Number.NEGATIVE_INFINITY } = options;
  const isLegacy = isLegacyMetricName(name);
  const head = new Fragment(isLegacy ? `${name}{` : `{${quoted(name)},`);
  const opened = isLegacy ? name : `{${quoted(name)}`;
  return {
    head,
    tail: new Fragment(label === '' ? '} ' : `,${label}} `),
    bareHead: label === '' ? new Fragment(opened) : head,
    bareTail: new Fragment(label === '' ? (isLegacy ? ' ' : '} ') : `${label}} `),
    value,
    cell,
    exemplar,
    guard,
    least,
  };
}

/** The lines of a histogram's buckets, `+Inf` the last. */
export function bucketLines(
  name: string,
  bounds: readonly number[],
  format: (bound: number) => string,
  exemplar: boolean,
): Line[] {
  return [...bounds, Number.POSITIVE_INFINITY].map((bound, cell) =>
    line(`${name}_bucket`, cell, { value: 'cumulative', label: `le="${format(bound)}"`, exemplar }),
  );
}

/** The lines of a summary's quantiles. */
export function quantileLines(
  name: string,
  quantiles: readonly number[],
  format: (quantile: number) => string,
  least = Number.NEGATIVE_INFINITY,
): Line[] {
  return quantiles.map((quantile, i) =>
    line(name, i, { value: 'quantile', label: `quantile="${format(quantile)}"`, least }),
  );
}
