/** Arguments of the public formatting functions, with checks for callers in plain JavaScript. */

import { MetheusError, show } from '../../errors.js';
import { checkOptionNames } from '../../model/options.js';
import type { BarCharacters } from './glyphs.js';

/** Numbers and settings that a line is made of: plain data. */
export interface MeterData {
  /** Units done. */
  readonly n: number;
  /** Units expected; `null` or infinite when unknown. */
  readonly total?: number | null | undefined;
  /** Seconds since the start. */
  readonly elapsed: number;
  /** Text before the meter. */
  readonly prefix?: string | null | undefined;
  readonly ascii?: BarCharacters | undefined;
  readonly unit?: string | null | undefined;
  /** `true`: quantities get metric prefixes. A number: `n`, `total` and `rate` are multiplied by it. */
  readonly unitScale?: boolean | number | null | undefined;
  /**
   * Smoothed units per second.
   *
   * @defaultValue the average since the start
   */
  readonly rate?: number | null | undefined;
  readonly barFormat?: string | null | undefined;
  /** Text after the meter, or data for fields such as `{postfix[0]}`. */
  readonly postfix?: unknown;
  /** Factor between two metric prefixes. */
  readonly unitDivisor?: number | null | undefined;
  /** Units done before the start, which do not count for the rate. */
  readonly initial?: number | null | undefined;
  /** A name such as `red`, or `#rrggbb`; an unknown colour is ignored. */
  readonly colour?: string | null | undefined;
}

/** The data of a line that a bar draws. */
export interface LineData extends MeterData {
  /** Units assumed to be done since `n` was counted. They shorten the remaining time. */
  readonly ahead?: number | undefined;
}

/** Size that is available for a line. */
export interface LineSize {
  /** Columns of the line, which the bar fills. `null`: unknown, the bar takes 10. 0: no bar. */
  readonly ncols?: number | null | undefined;
  /** Rows of the screen, for `{nrows}`. */
  readonly nrows?: number | null | undefined;
}

/** Options of `formatMeter`. */
export interface MeterOptions extends MeterData, LineSize {
  /**
   * Moment from which `{eta}` is counted.
   *
   * @defaultValue the current time
   */
  readonly now?: Date | null | undefined;
}

/** Kinds of arguments, with their names in messages. */
const KIND_NAMES = {
  number: 'a number',
  bigint: 'a bigint',
  string: 'text',
  boolean: 'true or false',
  object: 'an object',
  Date: 'a valid Date',
} as const;

type Kind = keyof typeof KIND_NAMES;

const OPTION_KINDS: Readonly<Record<string, readonly Kind[]>> = {
  n: ['number'],
  total: ['number'],
  elapsed: ['number'],
  ncols: ['number'],
  nrows: ['number'],
  prefix: ['string'],
  ascii: ['boolean', 'string'],
  unit: ['string'],
  unitScale: ['boolean', 'number'],
  rate: ['number'],
  barFormat: ['string'],
  unitDivisor: ['number'],
  initial: ['number'],
  colour: ['string'],
  now: ['Date'],
};
const OPTIONS = [...Object.keys(OPTION_KINDS), 'postfix'];

function isKind(value: unknown, kind: Kind): boolean {
  if (kind === 'Date') return value instanceof Date && !Number.isNaN(value.getTime());
  return typeof value === kind && value !== null;
}

/** Returns the error for an invalid value of an argument or option. */
export function invalidArgument(name: string, value: unknown, expected: string): MetheusError {
  const given = `${name} = ${show(value)}`;
  return new MetheusError('METHEUS_INVALID_BAR_OPTION', { given, expected });
}

/**
 * Returns `value`.
 *
 * @throws `METHEUS_INVALID_BAR_OPTION` unless it is a finite number
 */
export function checkedNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw invalidArgument(name, value, 'a finite number');
}

/**
 * Checks that `value` is of one of `kinds`.
 *
 * @throws `METHEUS_INVALID_BAR_OPTION`
 */
export function checkArgument(name: string, value: unknown, kinds: readonly Kind[]): void {
  if (kinds.some((kind) => isKind(value, kind))) return;
  throw invalidArgument(name, value, kinds.map((kind) => KIND_NAMES[kind]).join(' or '));
}

/**
 * Checks the names of all options, and the kinds of their values.
 *
 * @throws `METHEUS_INVALID_BAR_OPTION`
 */
export function checkMeterOptions(options: MeterOptions): void {
  checkOptionNames('formatMeter', options, OPTIONS, { code: 'METHEUS_INVALID_BAR_OPTION' });
  for (const [name, kinds] of Object.entries(OPTION_KINDS)) {
    const value = options[name as keyof MeterOptions];
    const isRequired = name === 'n' || name === 'elapsed';
    if (isRequired || (value !== null && value !== undefined)) checkArgument(name, value, kinds);
  }
}
