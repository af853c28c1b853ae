/** Local wall time for `{eta}`, formatted by the common directives of `strftime`. */

import { MetheusError, show } from '../../errors.js';

/** Bounds of Python's calendar. A time outside them is shown as `MAX_TIME`. */
const MIN_TIME = Date.parse('0001-01-01T00:00:00Z');
const MAX_TIME = Date.parse('9999-12-31T23:59:59Z');

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

function englishName(time: Date, options: Intl.DateTimeFormatOptions): string {
  return time.toLocaleDateString('en-US', { ...options, timeZone: 'UTC' });
}

const DIRECTIVES: Readonly<Record<string, (time: Date) => string>> = {
  Y: (time) => pad(time.getUTCFullYear(), 4),
  y: (time) => pad(time.getUTCFullYear() % 100),
  m: (time) => pad(time.getUTCMonth() + 1),
  B: (time) => englishName(time, { month: 'long' }),
  b: (time) => englishName(time, { month: 'short' }),
  d: (time) => pad(time.getUTCDate()),
  A: (time) => englishName(time, { weekday: 'long' }),
  a: (time) => englishName(time, { weekday: 'short' }),
  H: (time) => pad(time.getUTCHours()),
  I: (time) => pad(time.getUTCHours() % 12 || 12),
  p: (time) => (time.getUTCHours() < 12 ? 'AM' : 'PM'),
  M: (time) => pad(time.getUTCMinutes()),
  S: (time) => pad(time.getUTCSeconds()),
  F: (time) => expand(time, '%Y-%m-%d'),
  T: (time) => expand(time, '%H:%M:%S'),
  R: (time) => expand(time, '%H:%M'),
  '%': () => '%',
};

function expand(time: Date, directives: string): string {
  return directives.replace(/%(.?)/gs, (directive, letter: string) => {
    if (Object.hasOwn(DIRECTIVES, letter)) return DIRECTIVES[letter]!(time);
    throw new MetheusError('METHEUS_INVALID_BAR_FORMAT', {
      given: `the directive ${show(directive)} for {eta}`,
      expected: `one of ${Object.keys(DIRECTIVES)
        .map((known) => `%${known}`)
        .join(' ')}`,
    });
  });
}

/** A point of wall time: the fields of a date, without a time zone. */
export class WallTime {
  /** Its UTC fields hold the wall time. */
  readonly #time: Date;

  private constructor(time: number) {
    this.#time = new Date(time);
  }

  /** 1970-01-01 00:00. */
  static readonly EPOCH = new WallTime(0);

  /**
   * Returns the time `seconds` after `date`, in the time zone of the process. Changes between standard and daylight
   * saving time are ignored, as in Python.
   */
  static after(date: Date, seconds: number): WallTime {
    const wall = date.getTime() - date.getTimezoneOffset() * 60_000;
    // Rounded to microseconds first, so that 2.9999999999999996 seconds are three.
    const time = wall + Math.round(seconds * 1e6) / 1e3;
    return new WallTime(time >= MIN_TIME && time <= MAX_TIME ? time : MAX_TIME);
  }

  /**
   * Returns the text by `directives`, or `YYYY-MM-DD HH:MM:SS` when they are empty. Names are English.
   *
   * @throws `METHEUS_INVALID_BAR_FORMAT` for an unknown directive
   */
  format(directives: string): string {
    return expand(this.#time, directives || '%F %T');
  }
}
