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

/**
 * Digits in groups before the point: of three, or of four where they are no decimal ones. Zeros that fill a width are
 * grouped too, and never start with a separator.
 */
function grouped(digits: string, sign: string, { fill, align, width, grouping, type }: FormatSpec): string {
  if (grouping === '') return digits;
  const [pattern, size] = isRadix(type) ? [/^[\da-f]+/, 4] : [/^\d+/, 3];
  let whole = pattern.exec(digits)?.[0] ?? '';
  const rest = digits.slice(whole.length);
  if (fill === '0' && align === '=') {
    const room = width - sign.length - rest.length;
    let fitting = whole.length;
    while (fitting + Math.floor((fitting - 1) / size) < room) fitting += 1;
    whole = whole.padStart(fitting, '0');
  }
  const groups: string[] = [];
  for (let end = whole.length; end > 0; end -= size) {
    groups.unshift(whole.slice(Math.max(end - size, 0), end));
  }
  return groups.join(grouping) + rest;
}

function isRadix(type: string): boolean {
  return Object.hasOwn(RADIX, type.toLowerCase());
}

/** The flag `#` keeps the point of a float where nothing follows it. */
function withPoint(text: string, alternate: boolean): string {
  return alternate && !text.includes('.') ? text.replace(/^\d+/, '$&.') : text;
}

/** The text of a finite number without its sign. */
function magnitude(number: number | bigint, isFloat: boolean, spec: FormatSpec): string {
  const { type, precision, alternate } = spec;
  const value = Number(number);
  switch (type.toLowerCase()) {
    case 'f':
      return withPoint(fixedText(value, precision ?? 6), alternate);
    case '%':
      return withPoint(`${fixedText(value * 100, precision ?? 6)}%`, alternate);
    case 'e':
      return withPoint(scientificText(value, precision ?? 6), alternate);
    case 'g':
      return withPoint(generalText(value, precision ?? 6, alternate), alternate);
    case 'n':
      if (!isFloat) return integerText(number);
      return withPoint(generalText(value, precision ?? 6, alternate), alternate);
    case 'd':
      return integerText(number);
    case 'x':
    case 'o':
    case 'b':
      return integerText(number, RADIX[type.toLowerCase()]);
    case '': {
      if (!isFloat) return integerText(number);
      if (precision === null) return withPoint(shortestFloatText(value), alternate);
      const text = withPoint(generalText(value, precision, alternate, 1), alternate);
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
export function formatNumber(number: number | bigint | Float, specification: string): string {
  const exact = number instanceof Float ? number.value : number;
  const value = Number(exact);
  const isFloat = number instanceof Float || !Number.isInteger(value);
  const spec = parseSpec(specification);
  const negative = value < 0 || (isFloat && Object.is(value, -0));
  const sign = negative ? '-' : spec.sign === '-' ? '' : spec.sign;
  if (!Number.isFinite(value)) return pad(sign, nonFinite(value, spec.type), spec, '>');
  // The prefix of other bases stands where the sign does: zeros that fill the width come after it.
  const lead = spec.alternate && isRadix(spec.type) ? `${sign}0${spec.type}` : sign;
  const text = grouped(magnitude(exact, isFloat, spec), lead, spec);
  return pad(lead, /[EGX]/.test(spec.type) ? text.toUpperCase() : text, spec, '>');
}

/** Text as Python's `format(text, specification)` writes it: cut to the precision, padded to the width. */
export function formatText(text: string, specification: string): string {
  if (specification === '') return text;
  const spec = parseSpec(specification);
  const cut = spec.precision === null ? text : [...text].slice(0, spec.precision).join('');
  // Zeros are put where a number has them only in numbers.
  return pad('', cut, spec.align === '=' ? { ...spec, align: '<' } : spec, '<');
}

/** A number as Python's `str` writes it. */
export function numberText(number: number | bigint | Float): string {
  return formatNumber(number, '');
}
