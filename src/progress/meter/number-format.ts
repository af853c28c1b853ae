/**
 * The common part of Python's format specification, `[[fill]align][sign][0][width][,][.precision][type]` with the
 * types `d`, `e`, `f`, `g`, `s` and `%`.
 *
 * A tie is a number exactly halfway between two results. Python rounds it to the even digit, `toFixed` and
 * `toExponential` round it away from zero. All other numbers give the same digits, so only ties are corrected here.
 */

import { MetheusError, show } from '../../errors.js';

/** Lowers the last digit of a rounded tie by one if it is odd. */
function toEven(text: string): string {
  const last = Number(text.at(-1));
  return last % 2 === 1 ? text.slice(0, -1) + (last - 1) : text;
}

/** Reports whether `value` lies halfway between two neighbours with `decimals` digits after the point. */
function isTie(value: number, decimals: number): boolean {
  if (decimals >= 0) return Math.abs(value * 2 ** (decimals + 1)) % 2 === 1;
  const step = 10 ** -decimals;
  return Math.abs(value * 2) % (step * 2) === step;
}

function nonFiniteText(value: number): string {
  return String(value).replace('Infinity', 'inf').toLowerCase();
}

/** Returns `value` with `decimals` digits after the point. Numbers from 1e21 on get an exponent, as in JavaScript. */
export function fixedText(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return nonFiniteText(value);
  const text = value.toFixed(Math.min(decimals, 100));
  return isTie(value, decimals) ? toEven(text) : text;
}

/** Returns the mantissa and the exponent of `value`, with `decimals` digits after the point of the mantissa. */
function scientificParts(value: number, decimals: number): [mantissa: string, exponent: number] {
  const [mantissa = '', power] = value.toExponential(decimals).split('e');
  const exponent = Number(power);
  return [isTie(value, decimals - exponent) ? toEven(mantissa) : mantissa, exponent];
}

function joinScientific(mantissa: string, exponent: number): string {
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
}

function withoutTrailingZeros(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}

/**
 * Returns `value` with `precision` significant digits and without trailing zeros. Scientific notation is used if the
 * exponent is less than -4, or at least `precision`.
 */
export function generalText(value: number, precision: number): string {
  if (!Number.isFinite(value)) return nonFiniteText(value);
  const significant = Math.max(precision, 1);
  const [mantissa, exponent] = scientificParts(value, significant - 1);
  if (exponent < -4 || exponent >= significant) {
    return joinScientific(withoutTrailingZeros(mantissa), exponent);
  }
  return withoutTrailingZeros(fixedText(value, significant - 1 - exponent));
}

interface FormatSpec {
  readonly fill: string;
  readonly align: string | undefined;
  readonly sign: string;
  readonly width: number;
  readonly grouping: boolean;
  readonly precision: number | undefined;
  readonly type: string;
}

const SPEC =
  /^(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<zero>0)?(?<width>\d{1,3})?(?<grouping>,)?(?:\.(?<precision>\d{1,2}))?(?<type>[defgs%])?$/su;

function invalidSpec(text: string): MetheusError {
  return new MetheusError('METHEUS_INVALID_BAR_FORMAT', {
    given: `the format specification ${show(text)}`,
    expected: "one in Python's syntax with the type d, e, f, g, s or %, such as '>8', '05.1f' or '.3g'",
  });
}

function parseSpec(text: string): FormatSpec {
  const groups = SPEC.exec(text)?.groups;
  if (groups === undefined) throw invalidSpec(text);
  const zero = groups.zero !== undefined;
  return {
    fill: groups.fill ?? (zero ? '0' : ' '),
    align: groups.align ?? (zero ? '=' : undefined),
    sign: groups.sign ?? '-',
    width: Number(groups.width ?? 0),
    grouping: groups.grouping !== undefined,
    precision: groups.precision === undefined ? undefined : Number(groups.precision),
    type: groups.type ?? '',
  };
}

/** Pads to the width, which is counted in code points. */
function pad(sign: string, text: string, align: string, { fill, width }: FormatSpec): string {
  const missing = width - sign.length - [...text].length;
  if (missing <= 0) return sign + text;
  switch (align) {
    case '<':
      return sign + text + fill.repeat(missing);
    case '^':
      return fill.repeat(missing >> 1) + sign + text + fill.repeat(missing - (missing >> 1));
    case '=':
      return sign + fill.repeat(missing) + text;
    default:
      return fill.repeat(missing) + sign + text;
  }
}

function numberText(value: number, { type, precision }: FormatSpec): string {
  if (!Number.isFinite(value)) return nonFiniteText(value);
  switch (type) {
    case 'd':
      return fixedText(Math.trunc(value), 0);
    case 'e':
      return joinScientific(...scientificParts(value, precision ?? 6));
    case 'f':
      return fixedText(value, precision ?? 6);
    case '%':
      return `${fixedText(value * 100, precision ?? 6)}%`;
    case 'g':
      return generalText(value, precision ?? 6);
    default:
      return precision === undefined ? String(value) : generalText(value, precision);
  }
}

/**
 * Returns the text of a number, formatted by a specification.
 *
 * @throws `METHEUS_INVALID_BAR_FORMAT` for a specification that is not for numbers
 */
export function formatNumber(value: number, specification: string): string {
  const spec = parseSpec(specification);
  if (spec.type === 's') throw invalidSpec(specification);
  const text = numberText(value, spec);
  const sign = text.startsWith('-') ? '-' : spec.sign === '-' ? '' : spec.sign;
  const digits = text.replace(/^-/, '');
  const grouped = spec.grouping
    ? digits.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','))
    : digits;
  return pad(sign, grouped, spec.align ?? '>', spec);
}

/**
 * Returns text formatted by a specification: cut to the precision, padded to the width.
 *
 * @throws `METHEUS_INVALID_BAR_FORMAT`
 */
export function formatText(text: string, specification: string): string {
  if (specification === '') return text;
  const spec = parseSpec(specification);
  const cut = spec.precision === undefined ? text : [...text].slice(0, spec.precision).join('');
  return pad('', cut, spec.align === undefined || spec.align === '=' ? '<' : spec.align, spec);
}
