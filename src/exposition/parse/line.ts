/** Parses one line of exposition text by the grammar of its format. */
import { MetheusError, show } from '../../errors.js';
import { codePointsOf, MAX_CODE_POINTS } from '../../model/exemplar.js';
import type { Exemplar } from '../../model/family.js';
import { closingQuote, replaceEscapes } from '../../model/labels.js';

/** Selects the grammar. OpenMetrics allows only single spaces, no free comments, and no comma after the last label. */
export type TextFormat = 'text' | 'openmetrics';

/** A metadata line: `# TYPE name counter`. */
export interface MetaLine {
  readonly kind: 'TYPE' | 'HELP' | 'UNIT';
  readonly name: string;
  readonly text: string;
}

export interface SampleLine {
  readonly kind: 'sample';
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  /** Unix seconds. */
  readonly timestamp: number | undefined;
  readonly exemplar: Exemplar | undefined;
}

const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const WORD = /[^ \t]+/y;
const BLANKS = /[ \t]*/y;
const META = { text: /#[ \t]+(TYPE|HELP)(?=[ \t])/y, openmetrics: /# (TYPE|HELP|UNIT)(?= )/y };

/** Matches each digit in one way only, since otherwise a long run of digits would take quadratic time. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const MILLISECONDS = /^[+-]?\d+$/;

/** Timestamps in milliseconds are below this. */
const INT64_RANGE = 2 ** 63;

/** Parses a line from left to right. Its errors name what was expected at the place where it stopped. */
export class LineReader {
  readonly #line: string;
  readonly #number: number;
  readonly #format: TextFormat;
  #at = 0;

  /** @param number - the line number, from 1 */
  constructor(line: string, number: number, format: TextFormat) {
    this.#line = line;
    this.#number = number;
    this.#format = format;
  }

  /**
   * Returns the content of the line, or `undefined` for a comment or an empty line.
   *
   * @throws `METHEUS_INVALID_EXPOSITION`
   */
  read(): MetaLine | SampleLine | undefined {
    if (this.#isOpenMetrics) {
      if (this.#line.startsWith('#')) return this.#meta();
      return this.#sample();
    }
    this.#blanks();
    if (this.#at === this.#line.length) return undefined;
    return this.#peek() === '#' ? this.#meta() : this.#sample();
  }

  get #isOpenMetrics(): boolean {
    return this.#format === 'openmetrics';
  }

  #meta(): MetaLine | undefined {
    const kind = this.#take(META[this.#format])?.[1] as MetaLine['kind'] | undefined;
    if (kind === undefined) {
      if (this.#isOpenMetrics) this.fail("'# TYPE', '# HELP', '# UNIT' or '# EOF'");
      return undefined;
    }
    this.#space();
    const quoted = this.#quoted();
    const name = quoted === undefined ? this.#take(METRIC_NAME)?.[0] : unescaped(quoted);
    if (!name) this.fail(`the name of a metric after ${kind}`);
    // Only one blank separates the name from the help. Further ones belong to the help.
    if (kind === 'HELP' && !this.#isOpenMetrics && /[ \t]/.test(this.#peek() ?? '')) this.#at += 1;
    else if (this.#isOpenMetrics || this.#at < this.#line.length) this.#space();
    const rest = this.#line.slice(this.#at);
    if (kind !== 'HELP') return { kind, name, text: this.#isOpenMetrics ? rest : rest.trimEnd() };
    return { kind, name, text: this.#isOpenMetrics ? unescaped(rest) : unescaped(rest, /\\[\\n]/g) };
  }

  #sample(): SampleLine {
    let name = this.#take(METRIC_NAME)?.[0];
    if (!this.#isOpenMetrics) this.#blanks();
    const labels = new Map<string, string>();
    if (this.#peek() === '{') name = this.#labels(labels, name);
    else if (name === undefined) this.fail('the name of a metric');
    if (name === undefined) this.fail('the name of a metric, first in the braces');
    this.#space();
    const value = this.#number64('a number');
    let timestamp: number | undefined;
    if (this.#hasMore() && !this.#line.startsWith(' # ', this.#at)) {
      this.#space();
      timestamp = this.#timestamp();
    }
    const exemplar = this.#isOpenMetrics && this.#hasMore() ? this.#exemplar() : undefined;
    if (this.#hasMore()) this.fail('nothing more on the line');
    return { kind: 'sample', name, labels, value, timestamp, exemplar };
  }

  #hasMore(): boolean {
    if (!this.#isOpenMetrics) this.#blanks();
    return this.#at < this.#line.length;
  }

  /** Parses whole milliseconds in text format 0.0.4, and any number of seconds in OpenMetrics. Returns seconds. */
  #timestamp(): number {
    if (this.#isOpenMetrics) return this.#finite('a timestamp in seconds');
    const text = this.#take(WORD)?.[0];
    const isTime = text !== undefined && MILLISECONDS.test(text) && Math.abs(Number(text)) < INT64_RANGE;
    if (!isTime) this.fail('a timestamp in whole milliseconds', text);
    return Number(text) / 1000;
  }

  #exemplar(): Exemplar {
    if (!this.#line.startsWith(' # {', this.#at)) this.fail("an exemplar, which begins with ' # {'");
    this.#at += 3;
    const labels = new Map<string, string>();
    if (this.#labels(labels, '') !== '') this.fail('labels only');
    if (codePointsOf(labels) > MAX_CODE_POINTS)
      this.fail(`an exemplar of at most ${MAX_CODE_POINTS} characters`);
    this.#space();
    const exemplar = { labels: Object.fromEntries(labels), value: this.#number64('a number') };
    if (this.#at === this.#line.length) return exemplar;
    this.#space();
    return { ...exemplar, timestamp: this.#finite('a timestamp in seconds') };
  }

  /** Parses the braces. Returns the metric's name, which is inside them if it is in quotes. */
  #labels(labels: Map<string, string>, before: string | undefined): string | undefined {
    let name = before;
    this.#skip('{');
    while (this.#peek() !== '}') {
      const quoted = this.#quoted();
      const label = quoted === undefined ? this.#take(LABEL_NAME)?.[0] : unescaped(quoted);
      if (!label) this.fail('the name of a label');
      if (!this.#isOpenMetrics) this.#blanks();
      if (quoted !== undefined && name === undefined && this.#peek() !== '=') name = label;
      else {
        this.#skip('=');
        const value = this.#quoted();
        if (value === undefined) this.fail('a value in quotes');
        if (labels.has(label)) this.fail(`the label ${show(label)} once`);
        if (label === '__name__') this.fail('the name of the metric before its labels');
        labels.set(label, unescaped(value));
        if (!this.#isOpenMetrics) this.#blanks();
      }
      if (this.#peek() === '}') break;
      this.#skip(',');
      // Only the text format of Prometheus allows a comma after the last label.
      if (this.#isOpenMetrics && this.#peek() === '}') this.fail('the name of a label');
    }
    this.#at += 1;
    return name;
  }

  #number64(expected: string): number {
    const text = this.#take(WORD)?.[0];
    const value = text === undefined ? undefined : numberOf(text);
    if (value === undefined) this.fail(expected, text);
    return value;
  }

  #finite(expected: string): number {
    const value = this.#number64(expected);
    if (!Number.isFinite(value)) this.fail(expected, String(value));
    return value;
  }

  /** Skips the separator of two items: one space in OpenMetrics, else blanks, or none next to a brace. */
  #space(): void {
    const from = this.#at;
    if (this.#isOpenMetrics) {
      if (this.#peek() !== ' ') this.fail('a space');
      this.#at += 1;
      return;
    }
    this.#blanks();
    const isApart = this.#at > from || /[} \t]/.test(this.#line[from - 1] ?? '');
    if (!isApart) this.fail('a space');
  }

  #skip(character: string): void {
    if (this.#peek() !== character) this.fail(`'${character}'`);
    this.#at += 1;
    if (!this.#isOpenMetrics) this.#blanks();
  }

  #peek(): string | undefined {
    return this.#line[this.#at];
  }

  /** Returns the quoted text that begins here, with its escapes. */
  #quoted(): string | undefined {
    if (this.#peek() !== '"') return undefined;
    const from = this.#at + 1;
    const close = closingQuote(this.#line, from);
    if (close < 0) return undefined;
    this.#at = close + 1;
    return this.#line.slice(from, close);
  }

  #blanks(): void {
    this.#take(BLANKS);
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#line);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  /** @param given - what was found instead; the rest of the line when left out */
  fail(expected: string, given = this.#line.slice(this.#at)): never {
    throw invalidLine(this.#number, given, expected);
  }
}

export function invalidLine(line: number, given: string, expected: string): MetheusError {
  return new MetheusError('METHEUS_INVALID_EXPOSITION', {
    given: `${given === '' ? 'the end' : show(given)} on line ${line}`,
    expected,
  });
}

/** Parses a number or a bound. Returns `undefined` for other text, such as Go's hexadecimal digits and underscores. */
export function numberOf(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^nan$/i.test(text) ? Number.NaN : undefined;
}

/** Unescapes a text. Unknown escapes are kept unchanged, as in Prometheus. */
function unescaped(text: string, escapes = /\\[\\"n]/g): string {
  if (!text.includes('\\')) return text;
  return replaceEscapes(text, escapes, (pair) => (pair === '\\n' ? '\n' : pair[1]!));
}
