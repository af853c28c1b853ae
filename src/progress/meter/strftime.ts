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

  /** `seconds` later, to the microsecond; never past the year 9999. */
  plus(seconds: number): WallTime {
    if (!Number.isFinite(seconds)) return new WallTime(seconds > 0 ? LATEST : EARLIEST);
    const whole = Math.trunc(seconds);
    const micros = this.#micros + BigInt(whole) * 1_000_000n + BigInt(Math.round((seconds - whole) * 1e6));
    if (micros > LATEST) return new WallTime(LATEST);
    return new WallTime(micros < EARLIEST ? EARLIEST : micros);
  }

  /** The text by `directives`, or `YYYY-MM-DD HH:MM:SS` when there are none. Names are English. */
  format(directives: string): string {
    const fraction = ((this.#micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
    const date = new Date(Number((this.#micros - fraction) / 1000n));
    const micros = fraction.toString().padStart(6, '0');
    const usual = fraction === 0n ? '%Y-%m-%d %H:%M:%S' : '%Y-%m-%d %H:%M:%S.%f';
    return expand(directives || usual, date, micros);
  }
}

function expand(directives: string, date: Date, micros: string): string {
  return directives.replace(/%(.)/gs, (given: string, letter: string) => {
    return directive(letter, date, micros) ?? given;
  });
}

function directive(letter: string, date: Date, micros: string): string | undefined {
  const pad = (value: number, width = 2, fill = '0') => String(value).padStart(width, fill);
  const hour = date.getUTCHours();
  const day = DAYS[date.getUTCDay()]!;
  const month = MONTHS[date.getUTCMonth()]!;
  const nested = (text: string) => expand(text, date, micros);
  switch (letter) {
    case 'Y':
      return String(date.getUTCFullYear());
    case 'y':
      return pad(date.getUTCFullYear() % 100);
    case 'm':
      return pad(date.getUTCMonth() + 1);
    case 'd':
      return pad(date.getUTCDate());
    case 'e':
      return pad(date.getUTCDate(), 2, ' ');
    case 'j':
      return pad(dayOfYear(date), 3);
    case 'H':
      return pad(hour);
    case 'I':
      return pad(hour % 12 || 12);
    case 'M':
      return pad(date.getUTCMinutes());
    case 'S':
      return pad(date.getUTCSeconds());
    case 'f':
      return micros;
    case 'p':
      return hour < 12 ? 'AM' : 'PM';
    case 'A':
      return day;
    case 'a':
      return day.slice(0, 3);
    case 'B':
      return month;
    case 'b':
    case 'h':
      return month.slice(0, 3);
    case 'u':
      return String(date.getUTCDay() || 7);
    case 'w':
      return String(date.getUTCDay());
    case 'F':
      return nested('%Y-%m-%d');
    case 'D':
    case 'x':
      return nested('%m/%d/%y');
    case 'T':
    case 'X':
      return nested('%H:%M:%S');
    case 'R':
      return nested('%H:%M');
    case 'c':
      return nested('%a %b %e %H:%M:%S %Y');
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'z':
    case 'Z':
      return '';
    case '%':
      return '%';
    default:
      return undefined;
  }
}

function dayOfYear(date: Date): number {
  const start = new Date(date);
  start.setUTCMonth(0, 1);
  return Math.round((date.getTime() - start.getTime()) / 86_400_000) + 1;
}
