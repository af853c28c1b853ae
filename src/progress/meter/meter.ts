/** The line of a progress bar, made from data alone: without a terminal and, except for `{eta}`, without a clock. */

import { checkMeterOptions, type LineData, type LineSize, type MeterOptions } from './arguments.js';
import { parseBarFormat, renderBarFormat } from './bar-format.js';
import { columnsOf, trimToColumns } from './display-width.js';
import { countLine, fractionOf, leftText, lineNumbers, rightText } from './fields.js';
import { formatBar } from './glyphs.js';

/** Columns of a bar on a line of unknown width. */
const DEFAULT_BAR_COLUMNS = 10;

/**
 * Returns one line of a progress bar, as tqdm 4.69 draws it.
 *
 * @throws `METHEUS_INVALID_BAR_FORMAT` for an invalid `barFormat`, `METHEUS_INVALID_BAR_OPTION` for a value of the
 *   wrong type
 */
export function formatMeter(options: MeterOptions): string {
  checkMeterOptions(options);
  return formatLine(options, options, options.now ?? undefined);
}

/**
 * Checks a format before a bar starts, by drawing a line with it.
 *
 * @throws `METHEUS_INVALID_BAR_FORMAT`
 */
export function checkBarFormat(barFormat: string): void {
  formatLine({ n: 1, total: 2, elapsed: 1, barFormat });
}

/**
 * Returns the line of `data`: {@link formatMeter} without the checks.
 *
 * @param now - moment from which `{eta}` is counted; the current time by default
 */
export function formatLine(data: LineData, size: LineSize = {}, now?: Date): string {
  const line = lineNumbers(data, size, now);
  const fraction = fractionOf(line);
  // An infinite width counts as unknown.
  const ncols = Number.isFinite(size.ncols) ? size.ncols : undefined;
  const fit = (text: string) => (ncols ? trimToColumns(text, ncols) : text);
  const isKnown = fraction !== undefined;
  const given = data.barFormat || '';
  const barFormat = isKnown && !data.prefix ? given.replaceAll('{desc}: ', '') : given;
  if (!isKnown && barFormat === '') return fit(countLine(line));
  const drawBar = (specification: string, lineWithoutBars: string) => {
    const length = ncols ? Math.max(1, ncols - columnsOf(lineWithoutBars)) : DEFAULT_BAR_COLUMNS;
    return formatBar({ fraction, length, characters: data.ascii, colour: data.colour }, specification);
  };
  if (isKnown && (ncols === 0 || barFormat === '')) {
    const left = leftText(line);
    const right = rightText(line);
    return ncols === 0 ? left.slice(0, -1) + right.slice(1) : fit(left + drawBar('', left + right) + right);
  }
  return fit(renderBarFormat(parseBarFormat(barFormat), line, drawBar));
}
