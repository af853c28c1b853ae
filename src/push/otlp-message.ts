/**
 * The metrics of families as messages of OTLP, in the form of its JSON: names in camel case, 64-bit integers as text.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
import {
  type Exemplar,
  type FamilySnapshot,
  type NativeBuckets,
  type PowerBuckets,
  type SeriesView,
  seriesOf,
} from '../model/family.js';
import { METRIC_TYPES, type MetricType, withoutEnding } from '../model/metric-types.js';

/** A message: a field that is undefined is left out. */
export type Message = { readonly [field: string]: unknown };

/** The part of an answer that says which points of an accepted request were refused. */
export interface PartialSuccess {
  readonly samples: number;
  readonly message: string;
}

/** `AGGREGATION_TEMPORALITY_CUMULATIVE`: numbers are totals since their start time. */
const CUMULATIVE = 2;

/** Units of the metric system and their codes in UCUM, which OpenTelemetry uses. */
const UNITS: Readonly<Record<string, string>> = {
  seconds: 's',
  bytes: 'By',
  celsius: 'Cel',
  meters: 'm',
  volts: 'V',
  amperes: 'A',
  joules: 'J',
  grams: 'g',
  hertz: 'Hz',
  ratio: '1',
  percent: '%',
};

/** Maximum buckets of one sign of an exponential histogram, which have no gaps in OTLP. */
const MAX_BUCKETS = 1024;

/** The times of a collection, in Unix seconds. */
export interface Times {
  /** The time of points without a timestamp. */
  readonly now: number;
  /** The start time of points without a known one. */
  readonly start: number;
}

/** Returns the message `Metric` of a family with some of its series. */
export function metricOf(snapshot: FamilySnapshot, series: readonly SeriesView[], times: Times): Message {
  const { name, type, help, unit } = snapshot.family;
  const dataPoints = series.map((one) => new Point(snapshot, one, times));
  const { ending } = METRIC_TYPES[type];
  return {
    name: withoutEnding(name, ending),
    description: help,
    unit: (Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined) ?? (unit === '' ? '' : `{${unit}}`),
    ...dataOf(type, snapshot.native !== undefined, dataPoints),
  };
}

/** Returns the field that contains the points of a metric. */
function dataOf(type: MetricType, isNative: boolean, points: readonly Point[]): Message {
  const list = (pick: (point: Point) => Message) => points.map(pick);
  switch (METRIC_TYPES[type].layout) {
    case 'summary':
      return { summary: { dataPoints: list((point) => point.summary()) } };
    case 'buckets': {
      const aggregationTemporality = CUMULATIVE;
      if (!isNative)
        return { histogram: { dataPoints: list((point) => point.histogram()), aggregationTemporality } };
      const dataPoints = list((point) => point.exponential());
      return { exponentialHistogram: { dataPoints, aggregationTemporality } };
    }
    default: {
      const dataPoints = list((point) => point.number());
      const { isState } = METRIC_TYPES[type];
      // As the OpenTelemetry specification maps the types of OpenMetrics.
      if (type !== 'counter' && !isState) return { gauge: { dataPoints } };
      return { sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: type === 'counter' } };
    }
  }
}

/** One series of a family at one moment. */
class Point {
  readonly #snapshot: FamilySnapshot;
  readonly #series: SeriesView;
  readonly #common: Message;

  constructor(snapshot: FamilySnapshot, series: SeriesView, { now, start }: Times) {
    const { row, labels } = series;
    const stamp = snapshot.timestamps?.[row] ?? Number.NaN;
    const time = Number.isNaN(stamp) ? now : stamp;
    this.#snapshot = snapshot;
    this.#series = series;
    this.#common = {
      attributes: attributesOf(labels),
      startTimeUnixNano: nanos(Math.min(snapshot.created?.[row] || start, time)),
      timeUnixNano: nanos(time),
    };
  }

  number(): Message {
    return { ...this.#common, asDouble: this.#series.values[0]!, ...this.#exemplars() };
  }

  summary(): Message {
    const { family, quantiles } = this.#snapshot;
    const { row, values } = this.#series;
    const { bounds } = family;
    return {
      ...this.#common,
      count: whole(values[1]!),
      sum: values[0]!,
      quantileValues: bounds.map((quantile, i) => {
        return { quantile, value: quantiles?.[row * bounds.length + i] ?? Number.NaN };
      }),
    };
  }

  histogram(): Message {
    const { bounds } = this.#snapshot.family;
    // A count of NaN means that the series has no bucket of this bound.
    const counts = Array.from(this.#series.values.subarray(0, bounds.length + 1), (count) => count || 0);
    return {
      ...this.#common,
      count: whole(counts.reduce((sum, count) => sum + count, 0)),
      sum: this.#series.values[bounds.length + 1]!,
      bucketCounts: counts.map(whole),
      explicitBounds: bounds,
      ...this.#exemplars(),
    };
  }

  exponential(): Message {
    const { bounds } = this.#snapshot.family;
    const buckets = this.#snapshot.native?.[this.#series.row] ?? EMPTY;
    const { scale, positive, negative } = denseBuckets(buckets);
    return {
      ...this.#common,
      count: whole(buckets.count),
      sum: this.#series.values[bounds.length + 1]!,
      scale,
      zeroCount: whole(buckets.zeroCount),
      positive,
      negative,
      zeroThreshold: buckets.zeroThreshold,
      ...this.#exemplars(),
    };
  }

  #exemplars(): Message {
    const { family, exemplars, native } = this.#snapshot;
    const found: Message[] = [];
    for (let cell = 0; cell < family.cells && exemplars !== undefined; cell++) {
      const exemplar = exemplars.get(this.#series.row * family.cells + cell);
      if (exemplar !== undefined) found.push(exemplarOf(exemplar, this.#common.timeUnixNano));
    }
    for (const exemplar of native?.[this.#series.row]?.exemplars ?? []) {
      found.push(exemplarOf(exemplar, this.#common.timeUnixNano));
    }
    return found.length === 0 ? {} : { exemplars: found };
  }
}

const NO_BUCKETS: PowerBuckets = { index: new Int32Array(), counts: new Float64Array() };
const EMPTY: NativeBuckets = {
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 0,
  positive: NO_BUCKETS,
  negative: NO_BUCKETS,
};

/** Returns buckets without gaps, at the finest scale with at most {@link MAX_BUCKETS} of each sign. */
function denseBuckets({ schema, positive, negative }: NativeBuckets): {
  scale: number;
  positive: Message;
  negative: Message;
} {
  let shift = 0;
  while (Math.max(widthOf(positive, shift), widthOf(negative, shift)) > MAX_BUCKETS) shift += 1;
  return { scale: schema - shift, positive: dense(positive, shift), negative: dense(negative, shift) };
}

/** Returns the index in OTLP of the bucket that contains a bucket. It is one less than in Prometheus at equal scale. */
const indexAt = (index: number, shift: number): number => (index - 1) >> shift;

function widthOf({ index }: PowerBuckets, shift: number): number {
  return index.length === 0 ? 0 : indexAt(index.at(-1)!, shift) - indexAt(index[0]!, shift) + 1;
}

function dense(buckets: PowerBuckets, shift: number): Message {
  const { index, counts } = buckets;
  const offset = index.length === 0 ? 0 : indexAt(index[0]!, shift);
  const sums = new Float64Array(widthOf(buckets, shift));
  for (const [i, bucket] of index.entries()) sums[indexAt(bucket, shift) - offset]! += counts[i]!;
  return { offset, bucketCounts: Array.from(sums, whole) };
}

/** Labels of exemplars that OTLP has fields for, and the number of their hexadecimal digits. */
const TRACE_FIELDS: Readonly<Record<string, readonly [field: string, digits: number]>> = {
  trace_id: ['traceId', 32],
  span_id: ['spanId', 16],
};

function exemplarOf({ labels, value, timestamp }: Exemplar, time: unknown): Message {
  const ids: Record<string, string> = {};
  const rest: Record<string, string> = {};
  for (const [name, text] of Object.entries(labels)) {
    const [field, digits] = (Object.hasOwn(TRACE_FIELDS, name) ? TRACE_FIELDS[name] : undefined) ?? ['', 0];
    if (digits === text.length && /^[0-9a-f]+$/i.test(text)) ids[field] = text.toLowerCase();
    else rest[name] = text;
  }
  return {
    filteredAttributes: attributesOf(rest),
    timeUnixNano: timestamp === undefined ? time : nanos(timestamp),
    asDouble: value,
    ...ids,
  };
}

/** Returns labels as a list of `KeyValue`, without empty ones, which mean no label. */
export function attributesOf(labels: Readonly<Record<string, string>>): Message[] {
  return Object.entries(labels).flatMap(([key, stringValue]) =>
    stringValue === '' ? [] : [{ key, value: { stringValue } }],
  );
}

/** Returns Unix seconds as text in nanoseconds. */
export function nanos(seconds: number): string {
  // Microseconds of today's times are exact in a float64, but nanoseconds are not.
  return String(BigInt(Math.round(seconds * 1e6)) * 1000n);
}

/** Returns a count as text. Fractions, which only collectors give, are rounded. */
function whole(count: number): string {
  return Number.isFinite(count) && count > 0 ? String(BigInt(Math.round(count))) : '0';
}

/** Returns an iterator over groups of at most `most` series of a family. */
export function* groupsOf(snapshot: FamilySnapshot, most: number): Generator<SeriesView[]> {
  let group: SeriesView[] = [];
  for (const series of seriesOf(snapshot)) {
    group.push(series);
    if (group.length < most) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
