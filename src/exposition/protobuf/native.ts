/**
 * Native buckets as protobuf: spans of buckets side by side, and each count as its difference to the one before.
 *
 * @see https://prometheus.io/docs/specs/native_histograms/
 */
import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { NativeBuckets, PowerBuckets } from '../../model/family.js';
import { doubleTag, isCount, messageTag, varintTag, writeCount, writeDouble } from './fields.js';

/** Empty buckets that are written as such, since a new span costs as much. */
const MOST_FILLED_GAP = 2;
/**
 * Smallest zero bucket of Go's client. A histogram that is empty, with a zero bucket of no width, would not be
 * told from a classic one: Prometheus 2.40 to 2.4x does not see the empty span that newer ones go by.
 */
const LEAST_ZERO_THRESHOLD = 2 ** -128;
const MOST_INT32 = 2 ** 31;

/** Fields of one sign. */
interface SignFields {
  readonly span: number;
  readonly delta: number;
  readonly count: number;
}
const NEGATIVE: SignFields = { span: messageTag(9), delta: messageTag(10), count: messageTag(11) };
const POSITIVE: SignFields = { span: messageTag(12), delta: messageTag(13), count: messageTag(14) };

/** Buckets side by side. */
interface Span {
  /** From the end of the span before; of the first, its bucket. */
  readonly offset: number;
  length: number;
}

/** Whether all counts are whole numbers, as they are unless somebody computed them. */
export function areCounts({ count, zeroCount, positive, negative }: NativeBuckets): boolean {
  return (
    [count, zeroCount].every(isCount) && positive.counts.every(isCount) && negative.counts.every(isCount)
  );
}

/** Schema, zero bucket and buckets: fields of `Histogram`. @param counts - whether all counts are whole */
export function writeNative(writer: BinaryWriter, buckets: NativeBuckets, counts: boolean): void {
  const { schema, zeroThreshold, zeroCount, positive, negative } = buckets;
  const isEmpty = zeroCount === 0 && positive.index.length === 0 && negative.index.length === 0;
  const threshold = isEmpty ? Math.max(zeroThreshold, LEAST_ZERO_THRESHOLD) : zeroThreshold;
  writer.uint32(varintTag(5)).sint32(schema);
  writeDouble(writer, doubleTag(6), threshold);
  if (counts) writeCount(writer, varintTag(7), zeroCount);
  else writeDouble(writer, doubleTag(8), zeroCount);
  writeSign(writer, NEGATIVE, negative, counts);
  writeSign(writer, POSITIVE, positive, counts);
  if (isEmpty) writeSpan(writer, POSITIVE.span, { offset: 0, length: 0 });
}

function writeSign(writer: BinaryWriter, fields: SignFields, buckets: PowerBuckets, whole: boolean): void {
  if (buckets.index.length === 0) return;
  const { spans, counts } = spansOf(buckets);
  for (const span of spans) writeSpan(writer, fields.span, span);
  writer.uint32(whole ? fields.delta : fields.count).fork();
  let before = 0;
  for (const count of counts) {
    if (whole) writeDelta(writer, count - before);
    else writer.double(count);
    before = count;
  }
  writer.join();
}

/** @returns the spans, and the counts of all their buckets, empty ones included */
export function spansOf({ index, counts }: PowerBuckets): { spans: Span[]; counts: number[] } {
  const spans: Span[] = [];
  const all: number[] = [];
  let end = 0;
  for (const [i, bucket] of index.entries()) {
    const span = spans.at(-1);
    const gap = bucket - end;
    if (span === undefined || gap > MOST_FILLED_GAP) spans.push({ offset: gap, length: 1 });
    else {
      for (let empty = 0; empty < gap; empty++) all.push(0);
      span.length += gap + 1;
    }
    all.push(counts[i]!);
    end = bucket + 1;
  }
  return { spans, counts: all };
}

function writeSpan(writer: BinaryWriter, tag: number, { offset, length }: Span): void {
  writer.uint32(tag).fork();
  writer.uint32(varintTag(1)).sint32(offset);
  writer.uint32(varintTag(2)).uint32(length);
  writer.join();
}

/** A `sint64`: the same bytes as a `sint32` where it is one, and then without a detour over BigInt. */
function writeDelta(writer: BinaryWriter, delta: number): void {
  if (delta >= -MOST_INT32 && delta < MOST_INT32) writer.sint32(delta);
  else writer.sint64(BigInt(delta));
}
