/** Numbers, sizes and durations as a bar shows them: short, and of a width that seldom changes. */

import { checkArgument } from './arguments.js';
import { fixedText, generalText } from './number-format.js';

const NUMBERS = ['number', 'bigint'] as const;
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z'];

/**
 * Returns a quantity with three significant digits and a metric prefix: `1.23k`, `45.6M`.
 *
 * @param num - the quantity, in units of `suffix`
 * @param suffix - text after the prefix
 * @param divisor - factor between two prefixes: 1000, or 1024 for bytes
 * @throws `METHEUS_INVALID_BAR_OPTION` when `num` is not a number
 */
export function formatSizeof(num: number | bigint, suffix = '', divisor = 1000): string {
  checkArgument('num', num, NUMBERS);
  return sizeText(Number(num), suffix, divisor);
}

/** Returns what {@link formatSizeof} returns, without the check. */
export function sizeText(num: number, suffix = '', divisor = 1000): string {
  let scaled = num;
  for (const prefix of PREFIXES) {
    const size = Math.abs(scaled);
    // At 999.5 and above, rounding would result in 1000, which has one digit too many. The other bounds are similar.
    if (size < 999.5) {
      const decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
      return fixedText(scaled, decimals) + prefix + suffix;
    }
    scaled /= divisor;
  }
  return `${fixedText(scaled, 1)}Y${suffix}`;
}

/**
 * Returns a duration as `[H:]MM:SS`, with as many digits of hours as needed; `?` for NaN and infinity.
 *
 * @param t - seconds; the fraction is dropped, so `-0.5` is `-00:00`
 * @throws `METHEUS_INVALID_BAR_OPTION` when `t` is not a number
 */
export function formatInterval(t: number | bigint): string {
  checkArgument('t', t, NUMBERS);
  return intervalText(Number(t));
}

/** Returns what {@link formatInterval} returns, without the check. */
export function intervalText(t: number): string {
  const seconds = Math.trunc(Math.abs(t));
  if (!Number.isFinite(seconds)) return '?';
  const sign = t < 0 ? '-' : '';
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  const hours = (seconds - (seconds % 3600)) / 3600;
  const rest = `${twoDigits(Math.floor((seconds % 3600) / 60))}:${twoDigits(seconds % 60)}`;
  return hours === 0 ? sign + rest : `${sign}${hours}:${rest}`;
}

/**
 * Returns a number in full, or with three significant digits when that is shorter: `1234567`, `1.23e+8`, `0.0456`.
 *
 * @throws `METHEUS_INVALID_BAR_OPTION` when `n` is not a number
 */
export function formatNum(n: number | bigint): string {
  checkArgument('n', n, NUMBERS);
  const whole = String(n);
  const short = generalText(Number(n), 3).replace(/e([+-])0/, 'e$1');
  return short.length < whole.length || short === 'nan' ? short : whole;
}
