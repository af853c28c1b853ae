/** The line of a progress bar, from numbers alone: no clock, no terminal. */

import { type BarFields, type BarFormat, hasBar, parseBarFormat, renderBarFormat } from './bar-format.js';
import { displayLength, displayTrim } from './display-width.js';
import { minus, plain, type Quantity, scaleBy } from './exact.js';
import { Float, formatNumber, numberText } from './format-spec.js';
import { checkMeterOptions, type MeterOptions } from './meter-options.js';
import { isEmptyData, pythonText } from './python-text.js';
import { formatInterval, formatSizeof } from './quantity.js';
import { WallTime } from './strftime.js';

export type { MeterOptions } from './meter-options.js';

const USUAL_FORMAT = '{l_bar}{bar}{r_bar}';
/** Columns of a bar on a line of unknown width. */
const USUAL_BAR_COLUMNS = 10;

/** Formats are few and every frame needs one. */
const parsed = new Map<string, BarFormat>();
const PARSED_LIMIT = 100;

function parse(format: string): BarFormat {
  let known = parsed.get(format);
  if (known === undefined) {
    known = parseBarFormat(format);
    if (parsed.size >= PARSED_LIMIT) parsed.clear();
    parsed.set(format, known);
  }
  return known;
}

/**
 * Draws a line once, to find mistakes before a bar starts.
 *
 * @throws MetheusError `METHEUS_INVALID_BAR_FORMAT`
 */
export function checkBarFormat(barFormat: string): void {
  formatMeter({ n: 1, total: 2, elapsed: 1, barFormat });
}

/** The quantities of a line: scaled, with an end only where one is known and not passed. */
function quantities(options: MeterOptions, measured: boolean) {
  const { n, elapsed, unitScale } = options;
  const initial = options.initial ?? 0;
  const known = options.total ?? null;
  const passed = known !== null && known !== 0 && n >= known + 0.5;
  const total = known === Number.POSITIVE_INFINITY || passed ? null : known;
  const given = options.rate ?? null;
  const rate = measured && given !== null ? new Float(given) : given;
  const scale = typeof unitScale === 'number' && unitScale !== 0 && unitScale !== 1 ? unitScale : null;
  const shownN = scale === null ? n : scaleBy(n, scale);
  const scaledRate = scale !== null && rate ? scaleBy(rate, scale) : rate;
  return {
    n: shownN,
    total: scale === null || total === null || total === 0 ? total : scaleBy(total, scale),
    rate: scaledRate ?? (elapsed ? new Float(minus(shownN, initial) / elapsed) : null),
    metric: scale === null && Boolean(unitScale),
  };
}

function rateText(rate: number | null, metric: boolean): string {
  if (!rate) return '?';
  return metric ? formatSizeof(rate) : formatNumber(rate, '5.2f');
}

function describePostfix(postfix: unknown): unknown {
  if (!postfix || isEmptyData(postfix)) return '';
  return typeof postfix === 'string' ? `, ${postfix}` : postfix;
}

/** All fields of a bar format but the bar. */
function meterFields(
  options: MeterOptions,
  measured: boolean,
): { fields: BarFields; fraction: number | null; text: string } {
  const { elapsed, ncols = null, nrows = null, colour = null } = options;
  const prefix = options.prefix ?? '';
  const unit = options.unit ?? 'it';
  const unitDivisor = options.unitDivisor ?? 1000;
  const { n, total, rate: shownRate, metric } = quantities(options, measured);
  const rate = shownRate === null ? null : plain(shownRate);
  const elapsedText = formatInterval(elapsed);
  const inverse = rate ? 1 / rate : null;
  const perSecond = `${rateText(rate, metric)}${unit}/s`;
  const perUnit = `${rateText(inverse, metric)}s/${unit}`;
  const slow = inverse !== null && inverse > 1;
  const rateShown = slow ? perUnit : perSecond;
  const amount = (value: Quantity) =>
    metric ? formatSizeof(plain(value), '', unitDivisor) : numberText(value);
  const nText = amount(n);
  const totalText = total === null ? '?' : amount(total);
  const postfix = describePostfix(options.postfix);
  const end = total === null ? 0 : plain(total);
  const remaining = rate && total !== null && end ? minus(total, n) / rate : 0;
  const remainingText = rate ? formatInterval(remaining) : '?';
  const fraction = end ? plain(n) / end : null;
  const lead = prefix === '' || prefix.endsWith(': ') ? prefix : `${prefix}: `;
  const percentage = fraction === null ? 0 : new Float(fraction * 100);
  const shownInverse = inverse === null ? null : new Float(inverse);
  const tail = pythonText(postfix);
  const fields: BarFields = {
    n,
    n_fmt: nText,
    total,
    total_fmt: totalText,
    elapsed: elapsedText,
    elapsed_s: measured && elapsed !== 0 ? new Float(elapsed) : elapsed,
    ncols,
    nrows,
    desc: prefix,
    unit,
    rate: slow ? shownInverse : shownRate,
    rate_fmt: rateShown,
    rate_noinv: shownRate,
    rate_noinv_fmt: perSecond,
    rate_inv: shownInverse,
    rate_inv_fmt: perUnit,
    postfix,
    unit_divisor: unitDivisor,
    colour,
    remaining: remainingText,
    remaining_s: rate && end ? new Float(remaining) : 0,
    l_bar: fraction === null ? `${lead}|` : `${lead}${formatNumber(percentage, '3.0f')}%|`,
    r_bar: `| ${nText}/${totalText} [${elapsedText}<${remainingText}, ${rateShown}${tail}]`,
    eta: rate && end ? WallTime.local(options.now ?? new Date()).plus(remaining) : WallTime.epoch,
    percentage,
  };
  const counted = `${nText}${unit} [${elapsedText}, ${rateShown}${tail}]`;
  return { fields, fraction, text: prefix === '' ? counted : `${prefix}: ${counted}` };
}

/**
 * One line of a progress bar, as tqdm 4.69 draws it. Pure, but for `{eta}`, which counts from `now`.
 *
 * @throws MetheusError `METHEUS_INVALID_BAR_FORMAT` when `barFormat` is not one, `METHEUS_INVALID_BAR_OPTION` for a
 *   number or a text that is none
 */
export function formatMeter(options: MeterOptions): string {
  checkMeterOptions(options);
  return drawMeter(options, false);
}

/** @param measured - was the time taken, and the rate made from it? Then Python has floats, whole or not. */
export function drawMeter(options: MeterOptions, measured: boolean): string {
  const { ascii, colour } = options;
  const prefix = options.prefix ?? '';
  const { fields, fraction, text } = meterFields(options, measured);
  // An endless line is one of unknown width.
  const ncols = Number.isFinite(options.ncols) ? options.ncols : null;
  const fit = (line: string) => (ncols ? displayTrim(line, ncols) : line);
  let barFormat = options.barFormat ?? '';
  if (fraction !== null) {
    if (ncols === 0) return String(fields.l_bar).slice(0, -1) + String(fields.r_bar).slice(1);
    if (barFormat === '') barFormat = USUAL_FORMAT;
    else if (prefix === '') barFormat = barFormat.replaceAll('{desc}: ', '');
  } else if (barFormat === '') {
    return fit(text);
  }
  const format = parse(barFormat);
  const withoutBar = renderBarFormat(format, fields);
  if (!hasBar(format)) return fit(withoutBar);
  const length = ncols ? Math.max(1, ncols - displayLength(withoutBar)) : USUAL_BAR_COLUMNS;
  const blank = fraction === null;
  const bar = { fraction: fraction ?? 0, length, characters: ascii, colour, blank };
  return fit(renderBarFormat(format, fields, bar));
}
