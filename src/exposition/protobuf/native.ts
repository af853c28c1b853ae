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

/** Whether all counts are whole numbers, as they are unless somebody computed them. */
export function areCounts({ count, zeroCount, positive, negative }: NativeBuckets): boolean {
  return isCount(count) && isCount(zeroCount) && areWhole(positive) && areWhole(negative);
}

function areWhole({ counts }: PowerBuckets): boolean {
  for (let i = 0; i < counts.length; i++) if (!isCount(counts[i]!)) return false;
  return true;
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
  if (isEmpty) writeSpan(writer, POSITIVE.span, 0, 0);
}

/** Written in loops, without arrays between: this is most of a scrape of native histograms. */
function writeSign(
  writer: BinaryWriter,
  fields: SignFields,
  { index, counts }: PowerBuckets,
  whole: boolean,
): void {
  if (index.length === 0) return;
  writeSpans(writer, fields.span, index);
  writer.uint32(whole ? fields.delta : fields.count).fork();
  let before = 0;
  let end = index[0]!;
  for (let i = 0; i < index.length; i++) {
    const gap = index[i]! - end;
    for (let empty = 0; gap <= MOST_FILLED_GAP && empty < gap; empty++) {
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

/** Buckets side by side, small gaps filled. The offset is from the end of the span before; of the first, its bucket. */
function writeSpans(writer: BinaryWriter, tag: number, index: Int32Array): void {
  let before = 0;
  for (let i = 0; i < index.length; ) {
    const first = index[i]!;
    let end = first + 1;
    for (i += 1; i < index.length && index[i]! - end <= MOST_FILLED_GAP; i++) end = index[i]! + 1;
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

/** A `sint64`: the same bytes as a `sint32` where it is one, and then without a detour over BigInt. */
function writeDelta(writer: BinaryWriter, delta: number): void {
  if (delta >= -MOST_INT32 && delta < MOST_INT32) writer.sint32(delta);
  else writer.sint64(BigInt(delta));
}
