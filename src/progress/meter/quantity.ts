/** Numbers, sizes and durations as a bar shows them: short, and of a width that seldom changes. */

import { checkArgument } from './arguments.js';
import { fixedText, generalText, integerText } from './decimal.js';
import { numberText } from './format-spec.js';

const NUMBERS = ['number', 'bigint'] as const;
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z'];

/** Three digits and a sign; a value that JavaScript cannot place reads as Python's `inf` and `nan`. */
function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return numberText(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return sign + fixedText(value, decimals);
}

/**
 * A quantity with three significant digits and a metric prefix: `1.23k`, `45.6M`.
 *
 * @param num - the quantity, in units of `suffix`
 * @param suffix - written after the prefix
 * @param divisor - what one prefix is worth: 1000, or 1024 for bytes
 * @throws MetheusError `METHEUS_INVALID_BAR_OPTION` for what is no number
 */
export function formatSizeof(num: number | bigint, suffix = '', divisor = 1000): string {
  checkArgument('num', num, NUMBERS);
  let scaled = Number(num);
  for (const prefix of PREFIXES) {
    const size = Math.abs(scaled);
    // Each bound is where rounding would add a digit.
    if (size < 999.5) {
      const decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
      return fixed(scaled, decimals) + prefix + suffix;
    }
    scaled /= divisor;
  }
  return `${fixed(scaled, 1)}Y${suffix}`;
}

/**
 * A duration as `[H:]MM:SS`, with as many digits of hours as it takes.
 *
 * @param t - seconds; the fraction is dropped, and so `-0.5` is `-00:00`
 * @returns `?` for a duration that is endless or not known
 * @throws MetheusError `METHEUS_INVALID_BAR_OPTION` for what is no number
 */
export function formatInterval(t: number | bigint): string {
  checkArgument('t', t, NUMBERS);
  if (!Number.isFinite(Number(t))) return '?';
  const sign = t < 0 ? '-' : '';
  const seconds = BigInt(integerText(t));
  const two = (value: bigint) => value.toString().padStart(2, '0');
  const hours = seconds / 3600n;
  const rest = `${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  return hours === 0n ? sign + rest : `${sign}${hours}:${rest}`;
}

/**
 * A number as it is, or with three significant digits when that is shorter: `1234567`, `1.23e+8`, `0.0456`.
 *
 * @throws MetheusError `METHEUS_INVALID_BAR_OPTION` for what is no number
 */
export function formatNum(n: number | bigint): string {
  checkArgument('n', n, NUMBERS);
  const whole = numberText(n);
  const value = Number(n);
  if (!Number.isFinite(value)) return whole;
  const sign = value < 0 ? '-' : '';
  const short = sign + generalText(value, 3).replace(/e([+-])0/, 'e$1');
  return short.length < whole.length ? short : whole;
}
