/** Local wall time for `{eta}`, by the common directives of `strftime`. */

import { MetheusError, show } from '../../errors.js';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** Bounds of Python's calendar. A time outside is shown as the last one. */
const MIN_TIME = Date.parse('0001-01-01T00:00:00Z');
const MAX_TIME = Date.parse('9999-12-31T23:59:59Z');

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

const DIRECTIVES: Readonly<Record<string, (time: Date) => string>> = {
  Y: (time) => pad(time.getUTCFullYear(), 4),
  y: (time) => pad(time.getUTCFullYear() % 100),
  m: (time) => pad(time.getUTCMonth() + 1),
  B: (time) => MONTHS[time.getUTCMonth()]!,
  b: (time) => MONTHS[time.getUTCMonth()]!.slice(0, 3),
  d: (time) => pad(time.getUTCDate()),
  A: (time) => DAYS[time.getUTCDay()]!,
  a: (time) => DAYS[time.getUTCDay()]!.slice(0, 3),
  H: (time) => pad(time.getUTCHours()),
  I: (time) => pad(time.getUTCHours() % 12 || 12),
  p: (time) => (time.getUTCHours() < 12 ? 'AM' : 'PM'),
  M: (time) => pad(time.getUTCMinutes()),
  S: (time) => pad(time.getUTCSeconds()),
  F: (time) => formatTime(time, '%Y-%m-%d'),
  T: (time) => formatTime(time, '%H:%M:%S'),
  R: (time) => formatTime(time, '%H:%M'),
  '%': () => '%',
};

/**
 * Returns the wall time in `seconds` from `date`, as a date whose UTC fields hold it. Changes between standard and
 * daylight saving time are ignored, as in Python.
 */
export function wallTimeAfter(date: Date, seconds: number): Date {
  const wall = Date.UTC(
    date.getFullYear(),
    date.getMonth(),
    date.getDate(),
    date.getHours(),
    date.getMinutes(),
    date.getSeconds(),
    date.getMilliseconds(),
  );
  // Rounded to microseconds first, so that 2.9999999999999996 seconds are three.
  const time = wall + Math.round(seconds * 1e6) / 1e3;
  return new Date(time >= MIN_TIME && time <= MAX_TIME ? time : MAX_TIME);
}

/**
 * Returns the UTC fields of `time` by `directives`, with English names.
 *
 * @throws `METHEUS_INVALID_BAR_FORMAT` for an unknown directive
 */
export function formatTime(time: Date, directives: string): string {
  return (directives || '%F %T').replace(/%(.?)/gs, (directive, letter: string) => {
    if (Object.hasOwn(DIRECTIVES, letter)) return DIRECTIVES[letter]!(time);
    throw new MetheusError('METHEUS_INVALID_BAR_FORMAT', {
      given: `the directive ${show(directive)} for {eta}`,
      expected: `one of ${Object.keys(DIRECTIVES)
        .map((known) => `%${known}`)
        .join(' ')}`,
    });
  });
}
