/** Local wall time, counted in microseconds since 1970-01-01 00:00 local, as text by `strftime` directives. */

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

/** The last microsecond of the year 9999: what a time too far away reads as. */
const LATEST = BigInt(Date.UTC(10_000, 0, 1)) * 1000n - 1n;
const EARLIEST = BigInt(new Date(0).setUTCFullYear(1, 0, 1)) * 1000n;

/**
 * A point of local wall time. It has no zone: adding seconds moves the hands of the clock and knows nothing of
 * daylight saving.
 */
export class WallTime {
  readonly #micros: bigint;

  private constructor(micros: bigint) {
    this.#micros = micros;
  }

  static readonly epoch = new WallTime(0n);

  /** What a clock on the wall shows at `date`, in the process's time zone. */
  static local(date: Date): WallTime {
    const shown = new Date(0);
    shown.setUTCFullYear(date.getFullYear(), date.getMonth(), date.getDate());
    shown.setUTCHours(date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds());
    return new WallTime(BigInt(shown.getTime()) * 1000n);
  }

  /** `seconds` later, to the microsecond; the end of the year 9999 for what no calendar of Python's has. */
  plus(seconds: number): WallTime {
    if (!Number.isFinite(seconds)) return new WallTime(LATEST);
    const whole = Math.trunc(seconds);
    const micros = this.#micros + BigInt(whole) * 1_000_000n + BigInt(Math.round((seconds - whole) * 1e6));
    return new WallTime(micros < EARLIEST || micros > LATEST ? LATEST : micros);
  }

  /** The text by `directives`, or `YYYY-MM-DD HH:MM:SS` when there are none. Names are English. */
  format(directives: string): string {
    const fraction = ((this.#micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
    const date = new Date(Number((this.#micros - fraction) / 1000n));
    const micros = fraction.toString().padStart(6, '0');
    const usual = fraction === 0n ? '%Y-%m-%d %H:%M:%S' : '%Y-%m-%d %H:%M:%S.%f';
    return expand(directives || usual, { date, micros });
  }
}

interface Moment {
  readonly date: Date;
  readonly micros: string;
}

/** A directive that is not known stays; a `-` takes what fills up a number away. */
function expand(directives: string, moment: Moment): string {
  return directives.replace(/%(-?)(.)/gs, (given: string, bare: string, letter: string) => {
    const text = Object.hasOwn(DIRECTIVES, letter) ? DIRECTIVES[letter]!(moment) : given;
    return bare === '' ? text : text.replace(/^[0 ]+(?=\d+$)/, '');
  });
}

function pad(value: number, width = 2, fill = '0'): string {
  return String(value).padStart(width, fill);
}

function nested(directives: string): (moment: Moment) => string {
  return (moment) => expand(directives, moment);
}

const DIRECTIVES: Readonly<Record<string, (moment: Moment) => string>> = {
  Y: ({ date }) => String(date.getUTCFullYear()),
  y: ({ date }) => pad(date.getUTCFullYear() % 100),
  C: ({ date }) => pad(Math.floor(date.getUTCFullYear() / 100)),
  m: ({ date }) => pad(date.getUTCMonth() + 1),
  B: ({ date }) => MONTHS[date.getUTCMonth()]!,
  b: ({ date }) => MONTHS[date.getUTCMonth()]!.slice(0, 3),
  h: nested('%b'),
  d: ({ date }) => pad(date.getUTCDate()),
  e: ({ date }) => pad(date.getUTCDate(), 2, ' '),
  j: ({ date }) => pad(dayOfYear(date) + 1, 3),
  A: ({ date }) => DAYS[date.getUTCDay()]!,
  a: ({ date }) => DAYS[date.getUTCDay()]!.slice(0, 3),
  u: ({ date }) => String(date.getUTCDay() || 7),
  w: ({ date }) => String(date.getUTCDay()),
  // Weeks of the year: from its first Sunday, from its first Monday, and of ISO 8601.
  U: ({ date }) => pad(Math.floor((dayOfYear(date) + 7 - date.getUTCDay()) / 7)),
  W: ({ date }) => pad(Math.floor((dayOfYear(date) + 7 - ((date.getUTCDay() + 6) % 7)) / 7)),
  V: ({ date }) => pad(Math.floor(dayOfYear(thursday(date)) / 7) + 1),
  G: ({ date }) => String(thursday(date).getUTCFullYear()),
  g: ({ date }) => pad(thursday(date).getUTCFullYear() % 100),
  H: ({ date }) => pad(date.getUTCHours()),
  k: ({ date }) => pad(date.getUTCHours(), 2, ' '),
  I: ({ date }) => pad(date.getUTCHours() % 12 || 12),
  l: ({ date }) => pad(date.getUTCHours() % 12 || 12, 2, ' '),
  p: ({ date }) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  P: ({ date }) => (date.getUTCHours() < 12 ? 'am' : 'pm'),
  M: ({ date }) => pad(date.getUTCMinutes()),
  S: ({ date }) => pad(date.getUTCSeconds()),
  f: ({ micros }) => micros,
  z: () => '',
  Z: () => '',
  F: nested('%Y-%m-%d'),
  D: nested('%m/%d/%y'),
  x: nested('%m/%d/%y'),
  T: nested('%H:%M:%S'),
  X: nested('%H:%M:%S'),
  R: nested('%H:%M'),
  r: nested('%I:%M:%S %p'),
  c: nested('%a %b %e %H:%M:%S %Y'),
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
};

/** Days since the first of January. */
function dayOfYear(date: Date): number {
  return Math.round((date.getTime() - new Date(date).setUTCMonth(0, 1)) / 86_400_000);
}

/** The Thursday of the same week, whose year is that of the week. */
function thursday(date: Date): Date {
  const other = new Date(date);
  other.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  return other;
}
