/** Writes the values of series: the fields of `Counter`, `Gauge`, `Untyped`, `Summary` and `Histogram`. */
import { type Exemplar, type FamilySnapshot, isTime } from '../../model/family.js';
import type { Escaping } from '../formats.js';
import { maxExemplarBytes, writeExemplar, writeTimestamp } from './exemplars.js';
import { areCounts, maxNativeBytes, writeNative } from './native.js';
import { doubleTag, isCount, messageTag, varintTag, type WireWriter } from './wire.js';

/** Tags of the fields of `Metric` that hold values, named as in `metrics.proto`. */
export const COUNTER = messageTag(3);
export const SUMMARY = messageTag(4);
export const HISTOGRAM = messageTag(7);

/** Tags of fields of these messages. */
const VALUE = doubleTag(1);
const SAMPLE_COUNT = varintTag(1);
const SAMPLE_COUNT_FLOAT = doubleTag(4);
const SAMPLE_SUM = doubleTag(2);
const BUCKET = messageTag(3);
const UPPER_BOUND = doubleTag(2);
const QUANTILE = messageTag(3);
const COUNTER_EXEMPLAR = messageTag(2);
const COUNTER_CREATED = messageTag(3);
const SUMMARY_CREATED = messageTag(4);
const HISTOGRAM_CREATED = messageTag(15);
const BUCKET_EXEMPLAR = messageTag(3);
const NATIVE_EXEMPLAR = messageTag(16);

/** Maximum bytes of a value without buckets and exemplars, and of a bucket or quantile without its exemplar. */
const MAX_VALUE_BYTES = 80;
const MAX_BUCKET_BYTES = 24;

/** Returns the maximum bytes of the fields of a series. */
export function maxValueBytes({ family, native, exemplars }: FamilySnapshot, row: number): number {
  const { bounds, cells } = family;
  let most = MAX_VALUE_BYTES + (bounds.length + 1) * MAX_BUCKET_BYTES;
  const buckets = native?.[row];
  if (buckets !== undefined) most += maxNativeBytes(buckets);
  if (buckets?.exemplars !== undefined) {
    for (const exemplar of buckets.exemplars) most += maxExemplarBytes(exemplar);
  }
  for (let cell = row * cells; exemplars !== undefined && cell < (row + 1) * cells; cell++) {
    const exemplar = exemplars.get(cell);
    // In a native histogram, an exemplar may be written twice: with its bucket, and among those of the histogram.
    if (exemplar !== undefined) most += 2 * maxExemplarBytes(exemplar);
  }
  return most;
}

/** Writes the fields of a value. @param message - the tag of the field of `Metric` that holds it */
export function writeFields(
  writer: WireWriter,
  message: number,
  snapshot: FamilySnapshot,
  row: number,
  escaping: Escaping,
): void {
  const { family, values, exemplars, created } = snapshot;
  const cell = row * family.cells;
  if (message === HISTOGRAM) writeHistogram(writer, snapshot, row, escaping);
  else if (message === SUMMARY) writeSummary(writer, snapshot, row);
  else writer.double(VALUE, values[cell]!);
  if (message !== COUNTER) return;
  const exemplar = exemplars?.get(cell);
  if (exemplar !== undefined) writeExemplar(writer, COUNTER_EXEMPLAR, exemplar, escaping);
  writeCreated(writer, COUNTER_CREATED, created, row);
}

function writeSummary(
  writer: WireWriter,
  { family, values, quantiles, created }: FamilySnapshot,
  row: number,
): void {
  const { bounds, cells } = family;
  const count = values[row * cells + 1]!;
  writer.count(SAMPLE_COUNT, isCount(count) ? count : 0);
  writer.double(SAMPLE_SUM, values[row * cells]!);
  for (let i = 0; quantiles !== undefined && i < bounds.length; i++) {
    const quantile = writer.open(QUANTILE);
    writer.double(doubleTag(1), bounds[i]!);
    writer.double(doubleTag(2), quantiles[row * bounds.length + i]!);
    writer.close(quantile);
  }
  writeCreated(writer, SUMMARY_CREATED, created, row);
}

function writeHistogram(writer: WireWriter, snapshot: FamilySnapshot, row: number, escaping: Escaping): void {
  const { family, values, native, exemplars, created } = snapshot;
  const { bounds, cells } = family;
  const first = row * cells;
  const inf = bounds.length;
  const buckets = native?.[row];
  let total = 0;
  let whole = buckets === undefined || areCounts(buckets);
  for (let cell = first; cell <= first + inf; cell++) {
    const count = values[cell]!;
    if (!Number.isNaN(count)) total += count;
    whole &&= isCount(total);
  }
  const count = buckets?.count ?? total;
  if (whole) writer.count(SAMPLE_COUNT, count);
  else writer.double(SAMPLE_COUNT_FLOAT, count);
  writer.double(SAMPLE_SUM, values[first + inf + 1]!);
  let sum = 0;
  for (let i = 0; i < inf; i++) {
    const own = values[first + i]!;
    if (Number.isNaN(own)) continue;
    sum += own;
    writeBucket(writer, bounds[i]!, sum, whole, exemplars?.get(first + i), escaping);
  }
  // The bucket +Inf has the count of the histogram. As in other clients, it is written only for its exemplar.
  const last = exemplars?.get(first + inf);
  if (last !== undefined && (buckets === undefined || inf > 0))
    writeBucket(writer, Number.POSITIVE_INFINITY, total, whole, last, escaping);
  if (buckets !== undefined) {
    writeNative(writer, buckets, whole);
    writeNativeExemplars(writer, snapshot, row, escaping);
  }
  writeCreated(writer, HISTOGRAM_CREATED, created, row);
}

function writeBucket(
  writer: WireWriter,
  bound: number,
  count: number,
  whole: boolean,
  exemplar: Exemplar | undefined,
  escaping: Escaping,
): void {
  const bucket = writer.open(BUCKET);
  if (whole) writer.count(SAMPLE_COUNT, count);
  else writer.double(SAMPLE_COUNT_FLOAT, count);
  writer.double(UPPER_BOUND, bound);
  if (exemplar !== undefined) writeExemplar(writer, BUCKET_EXEMPLAR, exemplar, escaping);
  writer.close(bucket);
}

/**
 * Writes the exemplars of a histogram with native buckets into a field of the histogram: those of the native buckets
 * or, if the series has none, those of the classic buckets. Exemplars without a timestamp are left out.
 */
function writeNativeExemplars(
  writer: WireWriter,
  { family, native, exemplars }: FamilySnapshot,
  row: number,
  escaping: Escaping,
): void {
  const first = row * family.cells;
  const cells = Array.from({ length: exemplars === undefined ? 0 : family.cells }, (_, i) => first + i);
  for (const exemplar of native?.[row]?.exemplars ?? cells.map((cell) => exemplars?.get(cell))) {
    if (isTime(exemplar?.timestamp)) writeExemplar(writer, NATIVE_EXEMPLAR, exemplar!, escaping);
  }
}

function writeCreated(
  writer: WireWriter,
  tag: number,
  created: FamilySnapshot['created'],
  row: number,
): void {
  const seconds = created?.[row] ?? 0;
  if (seconds > 0 && isTime(seconds)) writeTimestamp(writer, tag, seconds);
}
