/**
 * Native buckets as protobuf: spans of adjacent buckets, and each count as the difference from the count before it.
 *
 * @see https://prometheus.io/docs/specs/native_histograms/
 */
import type { NativeBuckets, PowerBuckets } from '../../model/family.js';
import { doubleTag, isCount, messageTag, varintTag, type WireWriter } from './wire.js';

/** Gaps of up to this many empty buckets are filled with zeros, since a new span would not take fewer bytes. */
const MAX_FILLED_GAP = 2;
/**
 * Smallest zero threshold that is written for an empty histogram, as in client_golang. Some versions of Prometheus from
 * 2.40 on take an empty histogram with a threshold of 0 for a classic one, since they ignore its empty span.
 */
const MIN_ZERO_THRESHOLD = 2 ** -128;

/**
 * Numbers of the first fields of native buckets in a message: schema, zero threshold and zero counts are numbered
 * consecutively, as are spans, deltas and counts of each sign.
 */
export interface NativeFields {
  readonly schema: number;
  readonly negative: number;
  readonly positive: number;
}

/** The fields of `io.prometheus.client.Histogram`. */
const CLIENT_FIELDS: NativeFields = { schema: 5, negative: 9, positive: 12 };

/** Reports whether all counts are whole numbers. A collector may give fractions. */
export function areCounts({ count, zeroCount, positive, negative }: NativeBuckets): boolean {
  return isCount(count) && isCount(zeroCount) && areWhole(positive) && areWhole(negative);
}

function areWhole({ counts }: PowerBuckets): boolean {
  for (let i = 0; i < counts.length; i++) if (!isCount(counts[i]!)) return false;
  return true;
}

/**
 * Returns the maximum bytes of {@link writeNative}: a bucket takes three counts at most, two of them for empty buckets
 * before it, and a span.
 */
export function maxNativeBytes({ positive, negative }: NativeBuckets): number {
  return 64 + 46 * (positive.index.length + negative.index.length);
}

/**
 * Writes schema, zero bucket and buckets: fields of a message `Histogram`.
 *
 * @param counts - whether all counts are whole
 */
export function writeNative(
  writer: WireWriter,
  buckets: NativeBuckets,
  counts: boolean,
  fields: NativeFields = CLIENT_FIELDS,
): void {
  const { schema, zeroThreshold, zeroCount, positive, negative } = buckets;
  const isEmpty = zeroCount === 0 && positive.index.length === 0 && negative.index.length === 0;
  const threshold = isEmpty ? Math.max(zeroThreshold, MIN_ZERO_THRESHOLD) : zeroThreshold;
  writer.tag(varintTag(fields.schema));
  writer.signed(schema);
  writer.double(doubleTag(fields.schema + 1), threshold);
  if (counts) writer.count(varintTag(fields.schema + 2), zeroCount);
  else writer.double(doubleTag(fields.schema + 3), zeroCount);
  writeSign(writer, fields.negative, negative, counts);
  writeSign(writer, fields.positive, positive, counts);
  if (isEmpty) writeSpan(writer, messageTag(fields.positive), 0, 0);
}

/** Writes the buckets of one sign, without intermediate arrays: most of the time of a native scrape is spent here. */
function writeSign(writer: WireWriter, field: number, { index, counts }: PowerBuckets, whole: boolean): void {
  if (index.length === 0) return;
  writeSpans(writer, messageTag(field), index);
  const start = writer.open(messageTag(whole ? field + 1 : field + 2));
  let before = 0;
  let end = index[0]!;
  for (let i = 0; i < index.length; i++) {
    const gap = index[i]! - end;
    for (let empty = 0; gap <= MAX_FILLED_GAP && empty < gap; empty++) {
      writeBucket(writer, 0, before, whole);
      before = 0;
    }
    writeBucket(writer, counts[i]!, before, whole);
    before = counts[i]!;
    end = index[i]! + 1;
  }
  writer.close(start);
}

function writeBucket(writer: WireWriter, count: number, before: number, whole: boolean): void {
  if (whole) {
    writer.signed(count - before);
    return;
  }
  writer.view.setFloat64(writer.at, count, true);
  writer.at += 8;
}

/**
 * Writes spans, with small gaps filled. The offset of the first span is the index of its first bucket. Every other
 * offset is the number of empty buckets since the span before.
 */
function writeSpans(writer: WireWriter, tag: number, index: Int32Array): void {
  let before = 0;
  for (let i = 0; i < index.length; ) {
    const first = index[i]!;
    let end = first + 1;
    for (i += 1; i < index.length && index[i]! - end <= MAX_FILLED_GAP; i++) end = index[i]! + 1;
    writeSpan(writer, tag, first - before, end - first);
    before = end;
  }
}

function writeSpan(writer: WireWriter, tag: number, offset: number, length: number): void {
  const start = writer.open(tag);
  writer.tag(varintTag(1));
  writer.signed(offset);
  writer.count(varintTag(2), length);
  writer.close(start);
}
