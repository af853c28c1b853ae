/** Fields of a bar format. Each is a function that computes only its own value, and is called only when named. */

import type { LineData, LineSize } from './arguments.js';
import { fixedText } from './number-format.js';
import { valueText } from './postfix.js';
import { intervalText, sizeText } from './quantity.js';
import { WallTime } from './wall-time.js';

/** Numbers of a line after scaling, from which fields are computed. */
export interface LineNumbers extends LineSize {
  readonly data: LineData;
  readonly n: number;
  /** Units assumed to be done since `n` was counted. */
  readonly ahead: number;
  /** `undefined` when unknown, or when `n` has passed it. */
  readonly total: number | undefined;
  /** Units per second. */
  readonly rate: number | undefined;
  /** Whether quantities get metric prefixes. */
  readonly hasPrefixes: boolean;
  /** Moment from which `{eta}` is counted; the current time when absent. */
  readonly now: Date | undefined;
}

/** Returns the scaled numbers of a line. */
export function lineNumbers(data: LineData, { ncols, nrows }: LineSize, now: Date | undefined): LineNumbers {
  const { elapsed, unitScale } = data;
  const scale = typeof unitScale === 'number' && unitScale !== 0 ? unitScale : 1;
  const n = data.n * scale;
  const ahead = (data.ahead ?? 0) * scale;
  const isKnown = typeof data.total === 'number' && data.total !== Number.POSITIVE_INFINITY;
  const total = isKnown && (data.total === 0 || data.n < data.total + 0.5) ? data.total * scale : undefined;
  const average = elapsed ? (n - (data.initial ?? 0)) / elapsed : undefined;
  const rate = typeof data.rate === 'number' ? data.rate * scale : average;
  return { data, ncols, nrows, n, ahead, total, rate, hasPrefixes: scale === 1 && Boolean(unitScale), now };
}

/** Returns `n / total`, or `undefined` when the total is unknown. */
export function fractionOf({ n, total }: LineNumbers): number | undefined {
  return total ? n / total : undefined;
}

function amountText({ data, hasPrefixes }: LineNumbers, value: number): string {
  return hasPrefixes ? sizeText(value, '', data.unitDivisor ?? 1000) : String(value);
}

function inverseRate({ rate }: LineNumbers): number | undefined {
  return rate ? 1 / rate : undefined;
}

/** Reports whether the line shows seconds per unit: below one unit per second. */
function isSlow(line: LineNumbers): boolean {
  return (inverseRate(line) ?? 0) > 1;
}

function rateText({ hasPrefixes }: LineNumbers, rate: number | undefined): string {
  if (!rate) return '?';
  return hasPrefixes ? sizeText(rate) : fixedText(rate, 2).padStart(5);
}

function remainingSeconds({ n, ahead, total, rate }: LineNumbers): number {
  return total && rate ? (total - Math.max(n, Math.min(n + ahead, total))) / rate : 0;
}

function percentage(line: LineNumbers): number {
  return (fractionOf(line) ?? 0) * 100;
}

/** Returns the postfix: a text with a comma before it, an object unchanged, for fields such as `{postfix[0]}`. */
function postfixOf({ data: { postfix } }: LineNumbers): unknown {
  if (!postfix) return '';
  return typeof postfix === 'string' ? `, ${postfix}` : postfix;
}

function postfixText(line: LineNumbers): string {
  const postfix = postfixOf(line);
  return typeof postfix === 'string' ? postfix : valueText(postfix);
}

const unit = ({ data }: LineNumbers) => data.unit ?? 'it';
const prefix = ({ data }: LineNumbers) => data.prefix ?? '';
const nText = (line: LineNumbers) => amountText(line, line.n);
const totalText = (line: LineNumbers) => (line.total === undefined ? '?' : amountText(line, line.total));
const elapsedText = ({ data }: LineNumbers) => intervalText(data.elapsed);
const perSecond = (line: LineNumbers) => `${rateText(line, line.rate)}${unit(line)}/s`;
const perUnit = (line: LineNumbers) => `${rateText(line, inverseRate(line))}s/${unit(line)}`;
const shownRate = (line: LineNumbers) => (isSlow(line) ? perUnit(line) : perSecond(line));
const remainingText = (line: LineNumbers) => (line.rate ? intervalText(remainingSeconds(line)) : '?');

/** Returns the text before the bar. */
export function leftText(line: LineNumbers): string {
  const desc = prefix(line);
  const lead = desc === '' || desc.endsWith(': ') ? desc : `${desc}: `;
  return fractionOf(line) === undefined
    ? `${lead}|`
    : `${lead}${fixedText(percentage(line), 0).padStart(3)}%|`;
}

/** Returns the text after the bar. */
export function rightText(line: LineNumbers): string {
  const time = `${elapsedText(line)}<${remainingText(line)}`;
  return `| ${nText(line)}/${totalText(line)} [${time}, ${shownRate(line)}${postfixText(line)}]`;
}

function eta(line: LineNumbers): WallTime {
  if (!line.rate || !line.total) return WallTime.EPOCH;
  return WallTime.after(line.now ?? new Date(), remainingSeconds(line));
}

/** Functions that compute the values of fields, by the names that formats use. */
export const FIELDS: Readonly<Record<string, (line: LineNumbers) => unknown>> = {
  n: ({ n }) => n,
  n_fmt: nText,
  total: ({ total }) => total,
  total_fmt: totalText,
  elapsed: elapsedText,
  elapsed_s: ({ data }) => data.elapsed,
  ncols: ({ ncols }) => ncols,
  nrows: ({ nrows }) => nrows,
  desc: prefix,
  unit,
  rate: (line) => (isSlow(line) ? inverseRate(line) : line.rate),
  rate_fmt: shownRate,
  rate_noinv: ({ rate }) => rate,
  rate_noinv_fmt: perSecond,
  rate_inv: inverseRate,
  rate_inv_fmt: perUnit,
  postfix: postfixOf,
  unit_divisor: ({ data }) => data.unitDivisor ?? 1000,
  colour: ({ data }) => data.colour,
  remaining: remainingText,
  remaining_s: remainingSeconds,
  l_bar: leftText,
  r_bar: rightText,
  eta,
  percentage,
};

/** Returns the line of a bar whose total is unknown: `desc: 5it [00:02,  2.50it/s]`. */
export function countLine(line: LineNumbers): string {
  const desc = prefix(line);
  const lead = desc === '' ? '' : `${desc}: `;
  return `${lead}${nText(line)}${unit(line)} [${elapsedText(line)}, ${shownRate(line)}${postfixText(line)}]`;
}
