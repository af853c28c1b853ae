/** The samples of families, as Prometheus stores them after a scrape of the text format. */
import { createNamers } from '../exposition/naming.js';
import { shapesOfText } from '../exposition/text/prometheus.js';
import { formatBound } from '../exposition/value.js';
import type { Exemplar, FamilySnapshot, NativeBuckets } from '../model/family.js';
import { REMOVED, rowText } from '../model/label-column.js';
import { parseLabelText } from '../model/labels.js';
import { METRIC_TYPES } from '../model/metric-types.js';

/** A native histogram at one moment. */
export interface NativeSample {
  readonly buckets: NativeBuckets;
  readonly sum: number;
}

/** One sample of one series. */
export interface Sample {
  /** Identifies the series among those of one registry. */
  readonly key: string;
  readonly name: string;
  /** Returns the labels without `__name__`. */
  readonly labels: () => Record<string, string>;
  readonly value: number | NativeSample;
  /** Unix milliseconds. */
  readonly time: number;
  readonly exemplars: readonly Exemplar[];
}

const namer = createNamers<never>(shapesOfText)('underscores');

const NO_EXEMPLARS: readonly Exemplar[] = [];

/** The fields of a sample that differ within a row. */
type PlainSample = readonly [
  suffix: string,
  /** Text of a further label. */
  label: string | undefined,
  value: number | NativeSample,
  exemplars?: readonly Exemplar[] | undefined,
];

/**
 * Yields the samples of families. A histogram with native buckets has one native sample, and classic ones if it has
 * classic buckets.
 *
 * @param now - Unix milliseconds, the time of samples without a timestamp
 */
export function* samplesOf(families: readonly FamilySnapshot[], now: number): Generator<Sample> {
  const naming = namer.begin(families);
  let named = naming.next();
  while (!named.done) named = naming.next();
  for (const [position, snapshot] of families.entries()) {
    const exposed = named.value(snapshot.family, position);
    if (exposed === undefined) continue;
    const { shape, relabel } = exposed;
    const isNumber = /number|gauge/.test(METRIC_TYPES[snapshot.family.type].layout);
    const base = isNumber ? shape.sample : shape.family;
    const { rows, timestamps } = snapshot;
    for (let row = 0; row < rows.size; row++) {
      if (rows.lengths[row] === REMOVED) continue;
      const seconds = timestamps?.[row] ?? Number.NaN;
      const time = Number.isNaN(seconds) ? now : Math.round(seconds * 1000);
      const text = rowText(rows, row);
      for (const [suffix, label = '', value, exemplars = NO_EXEMPLARS] of plainSamplesOf(snapshot, row)) {
        const name = base + suffix;
        const labels = () => parseLabelText([relabel?.(text) ?? text, label].filter(Boolean).join());
        yield { key: `${name} ${label} ${text}`, name, labels, value, time, exemplars };
      }
    }
  }
}

/** Yields the samples of one series. */
function* plainSamplesOf(
  { family, values, exemplars, quantiles, native }: FamilySnapshot,
  row: number,
): Generator<PlainSample> {
  const { type, bounds, cells } = family;
  const cellOf = (cell: number): number => values[row * cells + cell]!;
  const exemplarsOf = (cell: number): readonly Exemplar[] | undefined => {
    const exemplar = exemplars?.get(row * cells + cell);
    return exemplar && [exemplar];
  };
  switch (METRIC_TYPES[type].layout) {
    case 'summary': {
      for (const [i, quantile] of bounds.entries()) {
        const value = quantiles?.[row * bounds.length + i];
        if (value !== undefined) yield ['', `quantile="${formatBound(quantile)}"`, value];
      }
      yield ['_sum', undefined, cellOf(0)];
      yield ['_count', undefined, cellOf(1)];
      break;
    }
    case 'buckets': {
      const sum = cellOf(bounds.length + 1);
      const buckets = native?.[row];
      if (buckets !== undefined) yield ['', undefined, { buckets, sum }, buckets.exemplars];
      if (buckets !== undefined && bounds.length === 0) break;
      let count = 0;
      for (const [cell, bound] of [...bounds, Number.POSITIVE_INFINITY].entries()) {
        if (Number.isNaN(cellOf(cell))) continue;
        count += cellOf(cell);
        yield ['_bucket', `le="${formatBound(bound)}"`, count, exemplarsOf(cell)];
      }
      yield ['_sum', undefined, sum];
      yield ['_count', undefined, count];
      break;
    }
    default:
      yield ['', undefined, cellOf(0), exemplarsOf(0)];
  }
}
