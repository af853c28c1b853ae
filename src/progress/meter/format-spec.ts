/**
 * Python's format specification, `[[fill]align][sign][#][0][width][,][.precision][type]`, as bar formats use it.
 *
 * Python keeps integers and floats apart and JavaScript does not, so a whole number here is an integer (`3`, not
 * `3.0`) unless it is wrapped in a {@link Float}.
 */

import { MetheusError, show } from '../../errors.js';
import { fixedText, generalText, integerText, scientificText, shortestFloatText } from './decimal.js';

/** A number that Python would hold as a float even when it is whole: a quotient, a percentage. */
export class Float {
  constructor(readonly value: number) {}
}

const RADIX: Readonly<Record<string, number>> = { x: 16, o: 8, b: 2 };

interface FormatSpec {
  readonly fill: string;
  readonly align: string;
  readonly sign: string;
  readonly alternate: boolean;
  readonly width: number;
  readonly grouping: string;
  readonly precision: number | null;
  readonly type: string;
}

const SPEC =
  /^(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<alternate>#)?(?<zero>0)?(?<width>\d+)?(?<grouping>[,_])?(?:\.(?<precision>\d+))?(?<type>[a-zA-Z%])?$/su;

function parseSpec(text: string): FormatSpec {
  const groups = SPEC.exec(text)?.groups;
  if (groups === undefined) {
    throw new MetheusError('METHEUS_INVALID_BAR_FORMAT', {
      given: `the format specification ${show(text)}`,
      expected: "one in Python's syntax, such as '>8', '05.1f' or '.3g'",
    });
  }
  const zero = groups.zero !== undefined;
  return {
    fill: groups.fill ?? (zero ? '0' : ' '),
    align: groups.align ?? (zero ? '=' : ''),
    sign: groups.sign ?? '-',
    alternate: groups.alternate !== undefined,
    width: Number(groups.width ?? 0),
    grouping: groups.grouping ?? '',
    precision: groups.precision === undefined ? null : Number(groups.precision),
    type: groups.type ?? '',
  };
}

/** Pads to the width in code points, which is what Python counts. */
function pad(sign: string, text: string, { fill, align, width }: FormatSpec, usual: string): string {
  const missing = width - sign.length - [...text].length;
  if (missing <= 0) return sign + text;
  switch (align || usual) {
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

/** Digits in groups of three before the point. */
function group(text: string, separator: string): string {
  if (separator === '') return text;
  const whole = /^\d+/.exec(text)?.[0] ?? '';
  return whole.replace(/\B(?=(\d{3})+$)/g, separator) + text.slice(whole.length);
}

/** Zeros that fill a width are grouped too, and never start with a separator. */
function zeroFilled(digits: string, sign: string, { fill, align, width, grouping }: FormatSpec): string {
  if (grouping === '' || fill !== '0' || align !== '=') return digits;
  const whole = /^\d+/.exec(digits)?.[0].length ?? 0;
  const room = width - sign.length - (digits.length - whole);
  let fitting = whole;
  while (fitting + Math.floor((fitting - 1) / 3) < room) fitting += 1;
  return '0'.repeat(fitting - whole) + digits;
}

/** The text of a finite number without its sign. */
function magnitude(value: number, isFloat: boolean, spec: FormatSpec): string {
  const { type, precision, alternate } = spec;
  switch (type.toLowerCase()) {
    case 'f':
      return fixedText(value, precision ?? 6) + (alternate && precision === 0 ? '.' : '');
    case '%':
      return `${fixedText(value * 100, precision ?? 6)}%`;
    case 'e':
      return scientificText(value, precision ?? 6);
    case 'g':
      return generalText(value, precision ?? 6, alternate);
    case 'n':
      return isFloat ? generalText(value, precision ?? 6, alternate) : integerText(value);
    case 'd':
      return integerText(value);
    case 'x':
    case 'o':
    case 'b':
      return BigInt(Math.trunc(Math.abs(value))).toString(RADIX[type.toLowerCase()]);
    case '': {
      if (!isFloat) return integerText(value);
      if (precision === null) return shortestFloatText(value);
      const text = generalText(value, precision, alternate, 1);
      return /[.e]/.test(text) ? text : `${text}.0`;
    }
    default:
      throw new MetheusError('METHEUS_INVALID_BAR_FORMAT', {
        given: `the format type '${type}' for a number`,
        expected: 'one of b, d, e, f, g, n, o, x and %',
      });
  }
}

function nonFinite(value: number, type: string): string {
  const text = Number.isNaN(value) ? 'nan' : 'inf';
  const cased = /[FEG]/.test(type) ? text.toUpperCase() : text;
  return type === '%' ? `${cased}%` : cased;
}

/**
 * A number as Python's `format(value, specification)` writes it.
 *
 * @throws MetheusError `METHEUS_INVALID_BAR_FORMAT` for a specification that no number has
 */
export function formatNumber(number: number | Float, specification: string): string {
  const value = number instanceof Float ? number.value : number;
  const isFloat = number instanceof Float || !Number.isInteger(value);
  const spec = parseSpec(specification);
  const negative = value < 0 || (isFloat && Object.is(value, -0));
  const sign = negative ? '-' : spec.sign === '-' ? '' : spec.sign;
  if (!Number.isFinite(value)) return pad(sign, nonFinite(value, spec.type), spec, '>');
  const digits = magnitude(value, isFloat, spec);
  const text = group(zeroFilled(digits, sign, spec), spec.grouping);
  return pad(sign, /[EGX]/.test(spec.type) ? text.toUpperCase() : text, spec, '>');
}

/** Text as Python's `format(text, specification)` writes it: cut to the precision, padded to the width. */
export function formatText(text: string, specification: string): string {
  if (specification === '') return text;
  const spec = parseSpec(specification);
  const cut = spec.precision === null ? text : [...text].slice(0, spec.precision).join('');
  return pad('', cut, spec, '<');
}

/** A number as Python's `str` writes it. */
export function numberText(number: number | Float): string {
  return formatNumber(number, '');
}
