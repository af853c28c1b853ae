/**
 * Encodes samples as messages `prometheus.WriteRequest` of remote write 1.0.
 *
 * @see https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Chunk } from '../exposition/chunk.js';
import { areCounts, maxNativeBytes, type NativeFields, writeNative } from '../exposition/protobuf/native.js';
import { doubleTag, messageTag, varintTag, WireWriter } from '../exposition/protobuf/wire.js';
import type { Exemplar, NativeBuckets } from '../model/family.js';
import type { NativeSample, Sample } from './samples.js';

/** Fields of `TimeSeries`. */
const TIME_SERIES = messageTag(1);
const LABEL = messageTag(1);
const SAMPLE = messageTag(2);
const EXEMPLAR = messageTag(3);
const HISTOGRAM = messageTag(4);

/** Fields of `Histogram`. */
const COUNT_INT = varintTag(1);
const COUNT_FLOAT = doubleTag(2);
const SUM = doubleTag(3);
const NATIVE: NativeFields = { schema: 4, negative: 8, positive: 11 };
const TIMESTAMP = varintTag(15);

/** The number that marks the end of a series: a NaN with bits that no calculation gives. */
const STALE = 0x7ff0000000000002n;

/** Encodes the samples of one request. */
export class WriteRequest {
  readonly #writer: BinaryWriter;
  /** The number of samples. */
  size = 0;

  constructor(writer: BinaryWriter) {
    this.#writer = writer;
  }

  /** Adds a sample. Its labels have been encoded by {@link encodeLabels}. */
  add(labels: Uint8Array, { value, time, exemplars }: Sample): void {
    const writer = this.#begin(labels);
    if (typeof value === 'number') {
      writer.uint32(SAMPLE).fork().uint32(doubleTag(1)).double(value);
      writer.uint32(varintTag(2)).int64(time).join();
    } else writeHistogram(writer, value, time);
    for (const exemplar of exemplars) writeExemplar(writer, exemplar, time);
    writer.join();
  }

  /** Adds a stale marker, which ends a series. */
  end(labels: Uint8Array, time: number): void {
    const writer = this.#begin(labels);
    writer.uint32(SAMPLE).fork().uint32(doubleTag(1)).fixed64(STALE);
    writer.uint32(varintTag(2)).int64(time).join();
    writer.join();
  }

  /** Returns the message. */
  finish(): Uint8Array {
    return this.#writer.finish();
  }

  #begin(labels: Uint8Array): BinaryWriter {
    this.size += 1;
    return this.#writer.uint32(TIME_SERIES).fork().raw(labels);
  }
}

/** Encodes the labels of a series, sorted by name as the specification requires. Empty values mean no label. */
export function encodeLabels(
  writer: BinaryWriter,
  name: string,
  labels: Readonly<Record<string, string>>,
): Uint8Array {
  const pairs = [['__name__', name] as const, ...Object.entries(labels)].filter(([, value]) => value !== '');
  // Label names are ASCII here, so this is the order of their bytes.
  pairs.sort(([one], [other]) => (one < other ? -1 : 1));
  for (const pair of pairs) writeLabel(writer, LABEL, pair);
  return writer.finish();
}

function writeLabel(writer: BinaryWriter, tag: number, [name, value]: readonly [string, string]): void {
  writer.uint32(tag).fork();
  writer.uint32(messageTag(1)).string(name).uint32(messageTag(2)).string(value);
  writer.join();
}

const chunk = new Chunk();
const wire = new WireWriter();

function nativeFields(buckets: NativeBuckets, counts: boolean): Uint8Array {
  chunk.fits(maxNativeBytes(buckets));
  wire.begin(chunk);
  writeNative(wire, buckets, counts, NATIVE);
  chunk.length = wire.at;
  return chunk.take();
}

function writeHistogram(writer: BinaryWriter, { buckets, sum }: NativeSample, time: number): void {
  const counts = areCounts(buckets);
  writer.uint32(HISTOGRAM).fork();
  if (counts) writer.uint32(COUNT_INT).uint64(buckets.count);
  else writer.uint32(COUNT_FLOAT).double(buckets.count);
  writer.uint32(SUM).double(sum);
  writer.raw(nativeFields(buckets, counts));
  writer.uint32(TIMESTAMP).int64(time).join();
}

function writeExemplar(writer: BinaryWriter, { labels, value, timestamp }: Exemplar, time: number): void {
  writer.uint32(EXEMPLAR).fork();
  for (const label of Object.entries(labels)) writeLabel(writer, LABEL, label);
  writer.uint32(doubleTag(2)).double(value);
  const at = timestamp === undefined ? time : Math.round(timestamp * 1000);
  writer.uint32(varintTag(3)).int64(at).join();
}
