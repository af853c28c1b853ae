/**
 * Decimal text of a float64, exact as C's `printf` is: the value's whole binary expansion decides, and a tie goes
 * to the even digit. `toFixed` and `toExponential` send ties away from zero, so 12.5 would be `13`.
 *
 * All functions take finite numbers of any sign and return text without a sign; the caller writes the sign.
 */

const view = new DataView(new ArrayBuffer(8));

/** `|value| = mantissa * 2 ** exponent`, without rounding. */
function decompose(value: number): { mantissa: bigint; exponent: number } {
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | 0x10_0000_0000_0000n, exponent: biased - 1075 };
}

/** `numerator / denominator` to the nearest integer, ties to even. */
function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

/** `|value| * 10 ** power` to the nearest integer, ties to even. */
function scaledInteger(value: number, power: number): bigint {
  const { mantissa, exponent } = decompose(value);
  let numerator = mantissa;
  let denominator = 1n;
  if (power >= 0) numerator *= 10n ** BigInt(power);
  else denominator *= 10n ** BigInt(-power);
  if (exponent >= 0) numerator <<= BigInt(exponent);
  else denominator <<= BigInt(-exponent);
  return divideHalfEven(numerator, denominator);
}

/** `|value|` with `decimals` digits after the point: Python's `f`. */
export function fixedText(value: number, decimals: number): string {
  const digits = scaledInteger(value, decimals)
    .toString()
    .padStart(decimals + 1, '0');
  if (decimals === 0) return digits;
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** The significant digits of `|value|`, `decimals + 1` of them, and the exponent of the first one. */
export function scientificDigits(value: number, decimals: number): { digits: string; exponent: number } {
  if (value === 0) return { digits: '0'.repeat(decimals + 1), exponent: 0 };
  // The shortest form's exponent is right or one too high (1e23 is stored below 1e23); rounding may add one.
  let exponent = Number(value.toExponential().split('e')[1]);
  for (;;) {
    const digits = scaledInteger(value, decimals - exponent).toString();
    if (digits.length === decimals + 1) return { digits, exponent };
    exponent += digits.length - decimals - 1;
  }
}

/** An exponent as Python writes it: a sign and at least two digits. */
function exponentText(exponent: number): string {
  return `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function joinScientific(digits: string, exponent: number): string {
  const point = digits.length > 1 ? '.' : '';
  return `${digits[0]}${point}${digits.slice(1)}${exponentText(exponent)}`;
}

/** `|value|` as `d.ddde+xx`: Python's `e`. */
export function scientificText(value: number, decimals: number): string {
  const { digits, exponent } = scientificDigits(value, decimals);
  return joinScientific(digits, exponent);
}

/**
 * `|value|` with `precision` significant digits, in whichever form is shorter by Python's rule for `g`.
 *
 * @param keepZeros - leave zeros at the end (the `#` flag)
 * @param room - digits of the precision that the short form must leave for a `.0`
 */
export function generalText(value: number, precision: number, keepZeros = false, room = 0): string {
  const significant = Math.max(precision, 1);
  const { digits, exponent } = scientificDigits(value, significant - 1);
  if (exponent >= -4 && exponent < significant - room) {
    const text = fixedText(value, significant - 1 - exponent);
    return keepZeros || !text.includes('.') ? text : text.replace(/\.?0+$/, '');
  }
  return joinScientific(keepZeros ? digits : digits.replace(/(?!^)0+$/, ''), exponent);
}

/** The shortest text that reads back as the float `|value|`, as Python's `repr` writes it. */
export function shortestFloatText(value: number): string {
  if (value === 0) return '0.0';
  const [mantissa = '', exponent = ''] = Math.abs(value).toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${mantissa}${exponentText(power)}`;
  const text = fixedShortest(mantissa.replace('.', ''), power);
  return text.includes('.') ? text : `${text}.0`;
}

function fixedShortest(digits: string, power: number): string {
  if (power < 0) return `0.${'0'.repeat(-power - 1)}${digits}`;
  if (digits.length <= power + 1) return digits.padEnd(power + 1, '0');
  return `${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
}

/** The digits of `|value|` without its fraction, all of them: never an exponent. */
export function integerText(value: number | bigint, radix = 10): string {
  const whole = typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
  return (whole < 0n ? -whole : whole).toString(radix);
}
