/**
 * Random registries, and the samples that a parser should read from their text, computed without the library.
 */
import fc from 'fast-check';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  createSummary,
} from 'metheus';
import type { ParsedSample } from './validators.js';

/** One series: its label values, its observations, and whether it is removed in the end. */
export interface SeriesPlan {
  readonly labels: readonly string[];
  readonly numbers: readonly number[];
  readonly removed: boolean;
}

export interface FamilyPlan {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly buckets: readonly number[];
  readonly series: readonly SeriesPlan[];
}

export interface RegistryPlan {
  readonly prefix: string;
  readonly families: readonly FamilyPlan[];
}

const NASTY = [
  ...[
    '"',
    '\\',
    '\n',
    '\r',
    '\r\n',
    '\t',
    '\0',
    '\x7f',
    ' ',
    '{',
    '}',
    ',',
    '=',
    '#',
    '\\n',
    '\\"',
    '"} 1\n',
  ],
  ...['\u0085', '\u00a0', '\u2028', '\ufeff', 'é', 'e\u0301', '漢', '😀', '\u{10ffff}', '\ud800', '\udfff'],
];
const CORNERS = [
  ...[0, -0, 1, -1, 0.1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 + 2, 1e21, 1e-7, 1e308, 5e-324],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

export const nastyText = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...NASTY) },
      { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

export const nastyNumber = fc.oneof(fc.constantFrom(...CORNERS), fc.double(), fc.integer());
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
export const metricName = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,10}$/);
export const labelName = fc
  .oneof(
    fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,6}$/),
    fc.constantFrom('constructor', 'toString', 'help', 'le_', 'quantiles', 'pid', 'valueOf'),
  )
  .filter((name) => !name.startsWith('__') && name !== 'le' && name !== 'quantile');

const buckets = fc
  .uniqueArray(fc.oneof(finite, fc.constantFrom(0.005, 0.1, 1, 1e6, 1e-5)), { minLength: 1, maxLength: 5 })
  .map((bounds) => bounds.sort((a, b) => a - b))
  .filter((bounds) => bounds.every((bound, i) => i === 0 || bound > bounds[i - 1]!));

const family = fc.uniqueArray(labelName, { maxLength: 4 }).chain((labelNames) => {
  const count = labelNames.length;
  const series = fc.record({
    labels: fc.array(nastyText, { minLength: count, maxLength: count }),
    numbers: fc.array(nastyNumber, { maxLength: 4 }),
    removed: fc.integer({ min: 0, max: 4 }).map((die) => die === 0 && count > 0),
  });
  return fc.record({
    type: fc.constantFrom('counter', 'gauge', 'histogram', 'summary', 'unknown'),
    name: metricName,
    total: fc.boolean(),
    help: nastyText,
    labelNames: fc.constant(labelNames),
    buckets,
    // A metric without labels has one series at all times.
    series: fc.array(series, count === 0 ? { minLength: 1, maxLength: 1 } : { maxLength: 6 }),
  });
});

/** Appends a number to each name, so that no two families share the name of a sample. */
export const registryPlan: fc.Arbitrary<RegistryPlan> = fc.record({
  prefix: fc.oneof(fc.constant(''), metricName),
  families: fc.array(family, { maxLength: 6 }).map((families) =>
    families.map(({ total, ...plan }, i) => ({
      ...plan,
      name: `${plan.name}_${i}${total ? '_total' : ''}`,
    })),
  ),
});

type Labels = Readonly<Record<string, string>>;
type Operation = 'inc' | 'set' | 'observe';

/** A metric of any type. Plans do not know label names at compile time. */
type AnyMetric = { [Name in Operation]: (number: number) => void } & {
  labels(labels: Labels): AnyMetric;
  remove(labels: Labels): number;
};
type CreateAny = (name: string, help: string, options: object) => AnyMetric;

const KINDS = {
  counter: [createCounter as unknown as CreateAny, 'inc', (n: number) => n >= 0 && n < 1 / 0],
  gauge: [createGauge as unknown as CreateAny, 'set', () => true],
  histogram: [createHistogram as unknown as CreateAny, 'observe', (n: number) => !Number.isNaN(n)],
  summary: [createSummary as unknown as CreateAny, 'observe', (n: number) => !Number.isNaN(n)],
} as const;

/** Creates the registry of a plan through the public API. */
export function build({ prefix, families }: RegistryPlan): CollectorRegistry {
  const registry = new CollectorRegistry({ prefix });
  for (const plan of families) {
    if (plan.type === 'unknown') {
      registry.register({ collect: () => [untyped(plan)] });
      continue;
    }
    const [create, operation, accepts] = KINDS[plan.type];
    const extra = plan.type === 'histogram' ? { buckets: plan.buckets } : {};
    const metric = create(plan.name, plan.help, { requiredLabels: plan.labelNames, registry, ...extra });
    for (const series of plan.series) {
      const labels = labelsOf(plan, series);
      const child = metric.labels(labels);
      for (const number of series.numbers.filter(accepts)) child[operation](number);
      if (series.removed) metric.remove(labels);
    }
  }
  return registry;
}

function untyped(plan: FamilyPlan) {
  const { name, help, labelNames } = plan;
  const series = remaining(plan).map(({ labels, numbers }) => ({ labels, value: numbers.at(-1) ?? 0 }));
  return createFamily(name, help, { type: 'unknown', labelNames, series });
}

/** Returns the families that a parser should read. */
export interface ExpectedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

export function expectedFamilies({ prefix, families }: RegistryPlan): ExpectedFamily[] {
  const before = prefix === '' || prefix.endsWith('_') ? prefix : `${prefix}_`;
  return families.map((plan) => {
    const named = { ...plan, name: before + plan.name };
    const samples = remaining(plan).flatMap((series) => samplesOf(named, series));
    return { name: named.name, type: plan.type, help: plan.help.toWellFormed(), samples };
  });
}

interface Remaining {
  readonly labels: Labels;
  readonly numbers: number[];
}

/** Returns the series that exist in the end. A plan may use label sets twice, and remove series. */
function remaining(plan: FamilyPlan): Remaining[] {
  const all = new Map<string, Remaining>();
  for (const series of plan.series) {
    const labels = labelsOf(plan, series);
    const key = JSON.stringify(labels);
    const known = all.get(key) ?? { labels, numbers: [] };
    known.numbers.push(...series.numbers);
    all.set(key, known);
    if (series.removed) all.delete(key);
  }
  return [...all.values()];
}

function labelsOf({ labelNames }: FamilyPlan, series: SeriesPlan): Labels {
  return Object.fromEntries(labelNames.map((name, i) => [name, series.labels[i]!.toWellFormed()]));
}

function samplesOf({ type, name, buckets }: FamilyPlan, { labels, numbers }: Remaining): ParsedSample[] {
  if (type === 'gauge' || type === 'unknown') return [{ name, labels, value: numbers.at(-1) ?? 0 }];
  const counted = numbers.filter(KINDS[type][2]);
  const sum = counted.reduce((total, number) => total + number, 0);
  if (type === 'counter') return [{ name, labels, value: sum }];
  const inBuckets = type === 'summary' ? [] : [...buckets, Number.POSITIVE_INFINITY];
  return [
    ...inBuckets.map((bound) => ({
      name: `${name}_bucket`,
      labels: { ...labels, le: String(bound) },
      value: counted.filter((number) => number <= bound).length,
    })),
    { name: `${name}_sum`, labels, value: sum },
    { name: `${name}_count`, labels, value: counted.length },
  ];
}
