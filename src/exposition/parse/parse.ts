/**
 * `metheus/parse`: families from exposition text, for tests and for collectors of other programs' metrics.
 *
 * @example
 * ```ts
 * import { parseMetrics } from 'metheus/parse';
 *
 * const [family] = parseMetrics('# TYPE jobs_total counter\njobs_total{queue="mail"} 3\n');
 * console.log(family?.family.name, family?.family.type, family?.values[0]); // jobs_total counter 3
 * ```
 *
 * @packageDocumentation
 */
import { MetheusError, show } from '../../errors.js';
import type { FamilySnapshot } from '../../model/family.js';
import { METRIC_TYPES, type MetricType, TYPE_NAMES } from '../../model/metric-types.js';
import { checkOptionNames } from '../../model/options.js';
import { invalidLine, LineReader, type MetaLine, type TextFormat } from './line.js';
import type { Refuse } from './sample-rules.js';
import { FamilyBuilder } from './series.js';

export type { TextFormat } from './line.js';

/** Options of {@link parseMetrics}. */
export interface ParseOptions {
  /**
   * The format of the text. By default, a text that ends with `# EOF` is OpenMetrics, and any other text is Prometheus'
   * text format 0.0.4.
   */
  readonly format?: TextFormat;
  /**
   * The Content-Type of the response that contained the text. If it names one of the formats, the text is read in this
   * format; otherwise, the end of the text determines the format.
   */
  readonly contentType?: string | null | undefined;
  /**
   * Whether to enforce all rules of the format, for tests of an exposition. By default, a text is accepted if its
   * families can be recognized. If a series is given twice, for example, the first occurrence counts.
   *
   * @defaultValue `false`
   */
  readonly strict?: boolean;
}

const CONTENT_TYPES: readonly [start: RegExp, format: TextFormat][] = [
  [/^\s*application\/openmetrics-text\s*(?:;|$)/i, 'openmetrics'],
  [/^\s*text\/plain\s*(?:;|$)/i, 'text'],
];

/** The type for each word of a format. */
const TYPES: Readonly<Record<TextFormat, ReadonlyMap<string, MetricType>>> = {
  text: typesOf('text'),
  openmetrics: typesOf('openmetrics'),
};

function typesOf(format: TextFormat): ReadonlyMap<string, MetricType> {
  const types = new Map<string, MetricType>();
  for (const type of TYPE_NAMES) {
    const { word } = METRIC_TYPES[type][format];
    if (!types.has(word)) types.set(word, type);
  }
  return types;
}

const END = /(?:^|\n)# EOF\n?$/;

/**
 * Returns the families of a text, in the order of the text and in the form that `registry.collect()` and collectors
 * return.
 *
 * The name of a counter has its `_total`, as in text 0.0.4. A missing sum is NaN, and the missing count of a summary is
 * 0. Synchronous: a large text blocks the event loop.
 *
 * @throws `METHEUS_INVALID_EXPOSITION` with the number of the line; `METHEUS_UNKNOWN_FORMAT`
 */
export function parseMetrics(text: string, options: ParseOptions = {}): FamilySnapshot[] {
  if (typeof text !== 'string') {
    throw new MetheusError('METHEUS_INVALID_EXPOSITION', {
      given: `a value of type ${typeof text}`,
      expected: 'a string',
    });
  }
  checkOptionNames('parseMetrics', options, ['format', 'contentType', 'strict']);
  const { contentType, strict: isStrict = false } = options;
  const known = CONTENT_TYPES.find(([start]) => start.test(contentType ?? ''))?.[1];
  const { format = known ?? (END.test(text) ? 'openmetrics' : 'text') } = options;
  if (!Object.hasOwn(TYPES, format)) {
    const expected = "'text' or 'openmetrics'";
    throw new MetheusError('METHEUS_UNKNOWN_FORMAT', { given: show(format), expected });
  }
  const lines = text.split('\n');
  const last = lines.pop()!;
  if (format === 'openmetrics') {
    // The last line feed is optional.
    const end = last === '' ? lines.pop() : last;
    if (end !== '# EOF') throw invalidLine(lines.length + 1, end ?? '', "'# EOF' as the last line");
  } else if (last !== '') throw invalidLine(lines.length + 1, last, 'a line feed at the end');
  const families = new Families(format, isStrict);
  for (const [i, line] of lines.entries()) {
    if (line === '# EOF' && format === 'openmetrics')
      throw invalidLine(i + 1, line, 'it on the last line only');
    families.add(line, i + 1);
  }
  return families.build();
}

/** Assigns each line to a family. */
class Families {
  readonly #format: TextFormat;
  readonly #isOpenMetrics: boolean;
  readonly #isStrict: boolean;
  readonly #byName = new Map<string, FamilyBuilder>();
  /** The first line of each family. */
  readonly #lines = new Map<FamilyBuilder, number>();
  /** In OpenMetrics: sample names of the families before the current one, which must not be used again. */
  readonly #taken = new Set<string>();
  /** The family that was begun last. */
  #current: FamilyBuilder | undefined;
  /** The line that errors name, and its number. */
  #line = '';
  #number = 0;
  readonly #refuse: Refuse = (expected) => {
    throw invalidLine(this.#number, this.#line, expected);
  };

  constructor(format: TextFormat, isStrict: boolean) {
    this.#format = format;
    this.#isOpenMetrics = format === 'openmetrics';
    this.#isStrict = isStrict;
  }

  add(line: string, number: number): void {
    this.#line = line;
    this.#number = number;
    const read = new LineReader(line, number, this.#format).read();
    if (read?.kind === 'sample') {
      const family = this.#familyOf(read.name);
      family.add(read, read.name.slice(family.name.length));
    } else if (read !== undefined) this.#addMeta(read);
  }

  #addMeta({ kind, name, text }: MetaLine): void {
    const known = this.#isOpenMetrics && this.#current?.name !== name ? undefined : this.#byName.get(name);
    const family = known ?? this.#begin(name);
    if (kind === 'HELP') {
      if (family.help !== undefined) this.#refuse(`one HELP of ${show(name)}`);
      if (this.#isOpenMetrics && family.hasSamples) this.#refuse('HELP before the samples');
      family.help = text;
      return;
    }
    if (family.hasSamples) this.#refuse(`${kind} before the samples`);
    if (kind === 'UNIT') {
      if (family.unit !== undefined) this.#refuse(`one UNIT of ${show(name)}`);
      if (text !== '' && !name.endsWith(`_${text}`)) this.#refuse(`a name that ends with '_${text}'`);
      family.unit = text;
      return;
    }
    const types = TYPES[this.#format];
    const type = types.get(text);
    if (type === undefined) this.#refuse(`a type: ${[...types.keys()].join(', ')}`);
    if (family.type !== undefined) this.#refuse(`one TYPE of ${show(name)}`);
    family.type = type;
  }

  build(): FamilySnapshot[] {
    if (this.#isOpenMetrics && this.#current !== undefined) this.#end(this.#current);
    return [...this.#lines].map(([family, number]) => {
      this.#line = family.name;
      this.#number = number;
      const { type, unit = '' } = family;
      const isUnitless = this.#isOpenMetrics && METRIC_TYPES[type ?? 'unknown'].isState;
      if (isUnitless && unit !== '') this.#refuse(`no unit of an ${type}`);
      return family.build();
    });
  }

  #familyOf(name: string): FamilyBuilder {
    if (this.#isOpenMetrics) {
      const current = this.#current;
      if (current !== undefined && isSampleOf(current, name)) return current;
      return this.#begin(name);
    }
    const exact = this.#byName.get(name);
    if (exact !== undefined) {
      if (exact.type === 'histogram') this.#refuse(`a sample ${name}_bucket, ${name}_sum or ${name}_count`);
      return exact;
    }
    const end = name.lastIndexOf('_');
    const whole = end < 0 ? undefined : this.#byName.get(name.slice(0, end));
    const isSample =
      whole !== undefined && METRIC_TYPES[whole.type ?? 'unknown'].text.suffixes.includes(name.slice(end));
    return isSample ? whole : this.#begin(name);
  }

  #begin(name: string): FamilyBuilder {
    if (this.#isOpenMetrics && this.#current !== undefined) this.#end(this.#current);
    if (this.#taken.has(name))
      this.#refuse(`all lines of ${show(name)} side by side, and each name in one family`);
    const rules = { isOpenMetrics: this.#isOpenMetrics, isStrict: this.#isStrict };
    const family = new FamilyBuilder(name, rules, this.#refuse);
    this.#byName.set(name, family);
    this.#lines.set(family, this.#number);
    this.#current = family;
    return family;
  }

  /**
   * Reserves the names of a family that has ended. In strict mode, this includes the name with `_created`, even if the
   * family has no created times. Otherwise, another family may use that name.
   */
  #end(family: FamilyBuilder): void {
    const { name, type = 'unknown' } = family;
    const { suffixes } = METRIC_TYPES[type].openmetrics;
    const reserved = suffixes.filter((suffix) => this.#isStrict || suffix !== '_created');
    for (const own of new Set([name, ...reserved.map((suffix) => name + suffix)])) {
      if (this.#taken.has(own)) {
        const expected = `a name whose sample ${show(own)} no earlier family has`;
        throw invalidLine(this.#lines.get(family)!, name, expected);
      }
      this.#taken.add(own);
    }
  }
}

function isSampleOf({ name, type = 'unknown' }: FamilyBuilder, sample: string): boolean {
  return (
    sample.startsWith(name) && METRIC_TYPES[type].openmetrics.suffixes.includes(sample.slice(name.length))
  );
}
