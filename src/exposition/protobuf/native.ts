/**
 * Native buckets as protobuf: spans of adjacent buckets, and each count as the difference from the count before it.
 *
 * @see https://prometheus.io/docs/specs/native_histograms/
 */
import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { NativeBuckets, PowerBuckets } from '../../model/family.js';
import { doubleTag, isCount, messageTag, varintTag, writeCount, writeDouble } from './fields.js';

/** Gaps of up to this many empty buckets are filled with zeros, since a new span would not take fewer bytes. */
const MAX_FILLED_GAP = 2;
/**
 * Smallest zero threshold that is written for an empty histogram, as in client_golang. Some versions of Prometheus from
 * 2.40 on take an empty histogram with a threshold of 0 for a classic one, since they ignore its empty span.
 */
const MIN_ZERO_THRESHOLD = 2 ** -128;
const INT32_RANGE = 2 ** 31;

/**
 * Numbers of the first fields of native buckets in a message: schema, zero threshold and zero counts follow each other,
 * as do spans, deltas and counts of each sign.
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
 * Writes schema, zero bucket and buckets: fields of a message `Histogram`.
 *
 * @param counts - whether all counts are whole
 */
export function writeNative(
  writer: BinaryWriter,
  buckets: NativeBuckets,
  counts: boolean,
  fields: NativeFields = CLIENT_FIELDS,
): void {
  const { schema, zeroThreshold, zeroCount, positive, negative } = buckets;
  const isEmpty = zeroCount === 0 && positive.index.length === 0 && negative.index.length === 0;
  const threshold = isEmpty ? Math.max(zeroThreshold, MIN_ZERO_THRESHOLD) : zeroThreshold;
  writer.uint32(varintTag(fields.schema)).sint32(schema);
  writeDouble(writer, doubleTag(fields.schema + 1), threshold);
  if (counts) writeCount(writer, varintTag(fields.schema + 2), zeroCount);
  else writeDouble(writer, doubleTag(fields.schema + 3), zeroCount);
  writeSign(writer, fields.negative, negative, counts);
  writeSign(writer, fields.positive, positive, counts);
  if (isEmpty) writeSpan(writer, messageTag(fields.positive), 0, 0);
}

/** Writes the buckets of one sign, without intermediate arrays: most of the time of a native scrape is spent here. */
function writeSign(
  writer: BinaryWriter,
  field: number,
  { index, counts }: PowerBuckets,
  whole: boolean,
): void {
  if (index.length === 0) return;
  writeSpans(writer, messageTag(field), index);
  writer.uint32(messageTag(whole ? field + 1 : field + 2)).fork();
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
  writer.join();
}

function writeBucket(writer: BinaryWriter, count: number, before: number, whole: boolean): void {
  if (whole) writeDelta(writer, count - before);
  else writer.double(count);
}

/**
 * Writes spans, with small gaps filled. The offset of the first span is the index of its first bucket. Every other
 * offset is the number of empty buckets since the span before.
 */
function writeSpans(writer: BinaryWriter, tag: number, index: Int32Array): void {
  let before = 0;
  for (let i = 0; i < index.length; ) {
    const first = index[i]!;
    let end = first + 1;
    for (i += 1; i < index.length && index[i]! - end <= MAX_FILLED_GAP; i++) end = index[i]! + 1;
    writeSpan(writer, tag, first - before, end - first);
    before = end;
  }
}

function writeSpan(writer: BinaryWriter, tag: number, offset: number, length: number): void {
  writer.uint32(tag).fork();
  writer.uint32(varintTag(1)).sint32(offset);
  writer.uint32(varintTag(2)).uint32(length);
  writer.join();
}

/** Writes a `sint64`. Small ones are written as `sint32`, which has the same bytes and needs no BigInt. */
function writeDelta(writer: BinaryWriter, delta: number): void {
  if (delta >= -INT32_RANGE && delta < INT32_RANGE) writer.sint32(delta);
  else writer.sint64(BigInt(delta));
}
