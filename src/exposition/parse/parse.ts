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
import { invalidLine, LineReader, type MetaLine, type SampleLine, type TextFormat } from './line.js';
import { FamilyBuilder } from './series.js';

export type { TextFormat } from './line.js';

/** Options of {@link parseMetrics}. */
export interface ParseOptions {
  /**
   * The format of the text. By default, a text that ends with `# EOF` is OpenMetrics, and any other text is Prometheus'
   * text format 0.0.4.
   */
  readonly format?: TextFormat;
}

/** The type that each word of a format means. */
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
 * Returns the families of a text in its order, as `registry.collect()` and collectors return them.
 *
 * The name of a counter has its `_total`, as in text 0.0.4. A missing sum is NaN, and the missing count of a summary is 0.
 * Synchronous: a large text blocks the event loop.
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
  const { format = END.test(text) ? 'openmetrics' : 'text' } = options;
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
  const families = new Families(format);
  for (const [i, line] of lines.entries()) {
    if (line === '# EOF' && format === 'openmetrics')
      throw invalidLine(i + 1, line, 'it on the last line only');
    const reader = new LineReader(line, i + 1, format);
    const read = reader.read();
    if (read === undefined) continue;
    const refuse = (expected: string): never => {
      throw invalidLine(i + 1, line, expected);
    };
    if (read.kind === 'sample') families.addSample(read, i + 1, refuse);
    else families.addMeta(read, i + 1, refuse);
  }
  return families.build();
}

/** Assigns each line to a family. */
class Families {
  readonly #format: TextFormat;
  readonly #isStrict: boolean;
  readonly #byName = new Map<string, FamilyBuilder>();
  /** The first line of each family. */
  readonly #lines = new Map<FamilyBuilder, number>();
  /** In OpenMetrics: sample names of earlier families, and the family of the lines before. */
  readonly #taken = new Set<string>();
  #current: FamilyBuilder | undefined;

  constructor(format: TextFormat) {
    this.#format = format;
    this.#isStrict = format === 'openmetrics';
  }

  addMeta({ kind, name, text }: MetaLine, line: number, refuse: (expected: string) => never): void {
    const known = this.#isStrict && this.#current?.name !== name ? undefined : this.#byName.get(name);
    const family = known ?? this.#begin(name, line, refuse);
    if (kind === 'HELP') {
      if (family.help !== undefined) refuse(`one HELP of ${show(name)}`);
      if (this.#isStrict && family.hasSamples) refuse('HELP before the samples');
      family.help = text;
      return;
    }
    if (family.hasSamples) refuse(`${kind} before the samples`);
    if (kind === 'UNIT') {
      if (family.unit !== undefined) refuse(`one UNIT of ${show(name)}`);
      if (text !== '' && !name.endsWith(`_${text}`)) refuse(`a name that ends with '_${text}'`);
      family.unit = text;
      return;
    }
    const types = TYPES[this.#format];
    const type = types.get(text);
    if (type === undefined) refuse(`a type: ${[...types.keys()].join(', ')}`);
    if (family.type !== undefined) refuse(`one TYPE of ${show(name)}`);
    family.type = type;
  }

  addSample(sample: SampleLine, line: number, refuse: (expected: string) => never): void {
    const family = this.#familyOf(sample, line, refuse);
    family.add(sample, sample.name.slice(family.name.length), refuse);
  }

  build(): FamilySnapshot[] {
    return [...this.#lines].map(([family, line]) => {
      if (this.#isStrict) this.#checkUnit(family, line);
      return family.build((expected) => {
        throw invalidLine(line, family.name, expected);
      });
    });
  }

  #checkUnit({ type, unit = '', name }: FamilyBuilder, line: number): void {
    if (unit === '' || !METRIC_TYPES[type ?? 'unknown'].isState) return;
    throw invalidLine(line, name, `no unit of an ${type}`);
  }

  #familyOf({ name }: SampleLine, line: number, refuse: (expected: string) => never): FamilyBuilder {
    if (this.#isStrict) {
      const current = this.#current;
      if (current !== undefined && isSampleOf(current, name)) return current;
      return this.#begin(name, line, refuse);
    }
    const exact = this.#byName.get(name);
    if (exact !== undefined) {
      if (exact.type === 'histogram') refuse(`a sample ${name}_bucket, ${name}_sum or ${name}_count`);
      return exact;
    }
    const end = name.lastIndexOf('_');
    const whole = end < 0 ? undefined : this.#byName.get(name.slice(0, end));
    const isSample =
      whole !== undefined && METRIC_TYPES[whole.type ?? 'unknown'].text.suffixes.includes(name.slice(end));
    return isSample ? whole : this.#begin(name, line, refuse);
  }

  #begin(name: string, line: number, refuse: (expected: string) => never): FamilyBuilder {
    if (this.#isStrict && this.#current !== undefined) this.#end(this.#current);
    if (this.#taken.has(name)) refuse(`all lines of ${show(name)} side by side, and each name in one family`);
    const family = new FamilyBuilder(name, this.#isStrict);
    this.#byName.set(name, family);
    this.#lines.set(family, line);
    this.#current = family;
    return family;
  }

  /** Reserves the sample names of a family. */
  #end({ name, type = 'unknown' }: FamilyBuilder): void {
    this.#taken.add(name);
    for (const suffix of METRIC_TYPES[type].openmetrics.suffixes) this.#taken.add(name + suffix);
  }
}

function isSampleOf({ name, type = 'unknown' }: FamilyBuilder, sample: string): boolean {
  return (
    sample.startsWith(name) && METRIC_TYPES[type].openmetrics.suffixes.includes(sample.slice(name.length))
  );
}
