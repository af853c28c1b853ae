/** Metric types and merge rules, one row each. No other list has to be changed for a new type or rule. */

/** Types of families that a scrape shows. */
export type MetricType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown';

/**
 * Types of stored families. A family of type `parts` is hidden: it has the native buckets of another family's series.
 * `FamilyDescriptor.type` is declared as {@link MetricType}, since users never see a hidden family.
 */
export type FamilyType = MetricType | 'parts';

/** Every `multiprocessMode`. */
export const GAUGE_MODES = [
  'shared',
  'all',
  'liveall',
  'min',
  'livemin',
  'max',
  'livemax',
  'sum',
  'livesum',
  'mostrecent',
  'livemostrecent',
] as const;

/**
 * The rule by which the values of a gauge from several writers become one. The names are those of other Prometheus
 * clients, except `shared`: one number that all writers change. Modes that begin with `live` leave out writers that
 * have ended.
 */
export type GaugeMode = (typeof GAUGE_MODES)[number];

/**
 * The rule by which the cells of several writers become one series.
 *
 * - `add`: the sum, cell by cell. Counters, histograms and summaries.
 * - a {@link GaugeMode}: two cells, the value and {@link TOUCHED when it was set}.
 */
export type MergeMode = 'add' | GaugeMode;

/**
 * All rules by which a backend merges.
 *
 * - `each`: no merging; every writer keeps its series, and `FamilySnapshot.live` says which writers are alive.
 * - `newest`: the first cell is a time. Only cells with the newest time count; cells with the same time add up.
 */
export type MergeRule = MergeMode | 'each' | 'newest';

export const MERGE_RULES: readonly MergeRule[] = ['add', 'each', 'newest', ...GAUGE_MODES];

/** Returns the minimum number of cells that a rule needs. */
export function minCellsOf(rule: MergeRule): number {
  return (GAUGE_MODES as readonly MergeRule[]).includes(rule) ? GAUGE_CELLS : 1;
}

export const GAUGE_CELLS = 2;
/**
 * The cell after the value of a gauge: 0 if never touched, 1 if only incremented, else Unix seconds of the last `set`.
 */
export const TOUCHED = 1;

/**
 * The meaning of the cells of a series.
 *
 * - `number`: one number
 * - `gauge`: a number and {@link TOUCHED}
 * - `buckets`: non-cumulative counts of the family's bounds and of `+Inf`, then the sum
 * - `summary`: sum and count
 */
export type CellLayout = 'number' | 'gauge' | 'buckets' | 'summary';

/** The word for a type in a text format, and the suffixes of the names of its samples there. */
export interface TextTraits {
  readonly word: string;
  readonly suffixes: readonly string[];
}

/** Everything that depends on the type of a family. */
export interface TypeTraits {
  readonly layout: CellLayout;
  /** Whether families of this type are stored and merged, but never exposed. */
  readonly isHidden?: true;
  /** The rule for metrics of this type. Gauges can have another one. */
  readonly merge: MergeMode;
  /** Whether every sample is 0 or 1. Such families have no unit, and their series are hidden until they are set. */
  readonly isState: boolean;
  /**
   * The ending of metric names that some formats leave out of the family's name and write only in the names of samples.
   * Empty if there is none.
   */
  readonly ending: '' | '_total' | '_info';
  readonly text: TextTraits;
  readonly openmetrics: TextTraits;
  /** `MetricType` of `metrics.proto`, and the number of the field of `Metric` that holds the values. */
  readonly protobuf: { readonly type: number; readonly field: number };
}

const VALUE = [''];
const HISTOGRAM: TextTraits = { word: 'histogram', suffixes: ['_bucket', '_sum', '_count'] };
const GAUGE = { layout: 'gauge', merge: 'shared', isState: false, ending: '' } as const;
const STATE = { ...GAUGE, merge: 'livemostrecent', isState: true, protobuf: { type: 1, field: 2 } } as const;
const SUM = { merge: 'add', isState: false, ending: '' } as const;
const UNKNOWN: TypeTraits = {
  ...SUM,
  layout: 'number',
  text: { word: 'untyped', suffixes: VALUE },
  openmetrics: { word: 'unknown', suffixes: VALUE },
  protobuf: { type: 3, field: 5 },
};

/**
 * The traits of every type, in the order in which errors list the types. If two types have the same word in a format,
 * parsers read it as the first of them.
 *
 * Types that text 0.0.4 and protobuf lack are written as the nearest type that they have: a gauge histogram has the
 * lines of a histogram, so that queries of buckets work.
 */
export const METRIC_TYPES: Readonly<Record<FamilyType, TypeTraits>> = {
  counter: {
    ...SUM,
    layout: 'number',
    ending: '_total',
    text: { word: 'counter', suffixes: VALUE },
    openmetrics: { word: 'counter', suffixes: ['_total', '_created'] },
    protobuf: { type: 0, field: 3 },
  },
  gauge: {
    ...GAUGE,
    text: { word: 'gauge', suffixes: VALUE },
    openmetrics: { word: 'gauge', suffixes: VALUE },
    protobuf: { type: 1, field: 2 },
  },
  histogram: {
    ...SUM,
    layout: 'buckets',
    text: HISTOGRAM,
    openmetrics: { word: 'histogram', suffixes: [...HISTOGRAM.suffixes, '_created'] },
    protobuf: { type: 4, field: 7 },
  },
  gaugehistogram: {
    ...SUM,
    layout: 'buckets',
    text: HISTOGRAM,
    openmetrics: { word: 'gaugehistogram', suffixes: ['_bucket', '_gsum', '_gcount'] },
    protobuf: { type: 5, field: 7 },
  },
  summary: {
    ...SUM,
    layout: 'summary',
    text: { word: 'summary', suffixes: ['', '_sum', '_count'] },
    openmetrics: { word: 'summary', suffixes: ['', '_sum', '_count', '_created'] },
    protobuf: { type: 2, field: 4 },
  },
  info: {
    ...STATE,
    ending: '_info',
    text: { word: 'gauge', suffixes: VALUE },
    openmetrics: { word: 'info', suffixes: ['_info'] },
  },
  stateset: {
    ...STATE,
    text: { word: 'gauge', suffixes: VALUE },
    openmetrics: { word: 'stateset', suffixes: VALUE },
  },
  unknown: UNKNOWN,
  parts: { ...UNKNOWN, isHidden: true },
};

/** Types that a family can be given: all that are not hidden. */
export const TYPE_NAMES = (Object.keys(METRIC_TYPES) as FamilyType[]).filter(
  (type): type is MetricType => !METRIC_TYPES[type].isHidden,
);

/** Returns the number of cells of one series. @param bounds - a histogram's upper bounds without `+Inf` */
export function cellsOf(type: FamilyType, bounds: readonly number[]): number {
  switch (METRIC_TYPES[type].layout) {
    case 'number':
      return 1;
    case 'buckets':
      return bounds.length + 2;
    default:
      return 2;
  }
}

/** Returns the number of cells of a series, counted from the first, that may have an exemplar. */
export function exemplarCellsOf(type: FamilyType, bounds: readonly number[]): number {
  if (METRIC_TYPES[type].layout === 'buckets') return bounds.length + 1;
  return type === 'counter' ? 1 : 0;
}

/** Returns a name without an ending. A name that is nothing but the ending is returned unchanged. */
export function withoutEnding(name: string, ending: string): string {
  return name.endsWith(ending) && name !== ending ? name.slice(0, name.length - ending.length) : name;
}

/**
 * Returns the name of a family, and the names that its samples can have in any format. No other family of a registry
 * may have one of them. `_created` is left out: formats write it on request only, and never under the name of another
 * family.
 */
export function sampleNames({ name, type }: { readonly name: string; readonly type: FamilyType }): string[] {
  const names = [name];
  const base = withoutEnding(name, METRIC_TYPES[type].ending);
  for (const suffix of NAME_SUFFIXES[type]!) if (base + suffix !== name) names.push(base + suffix);
  return names;
}

/** The suffixes of {@link sampleNames} by type. */
const NAME_SUFFIXES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(METRIC_TYPES).map(([type, { text, openmetrics }]) => {
    const suffixes = new Set([...text.suffixes, ...openmetrics.suffixes]);
    return [type, [...suffixes].filter((suffix) => !['', '_created', '_total'].includes(suffix))];
  }),
);
