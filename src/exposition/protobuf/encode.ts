/**
 * Encodes families as delimited messages `io.prometheus.client.MetricFamily`: each begins with its length.
 *
 * @see https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { METRIC_TYPES } from '../../model/metric-types.js';
import { Chunk, PAUSE } from '../chunk.js';
import type { EncodeOptions } from '../formats.js';
import { createNamers, FAMILIES_AT_ONCE } from '../naming.js';
import { shapesOfText } from '../text/prometheus.js';
import { FamilyLabels } from './labels.js';
import { MetricWriter } from './metric.js';
import { lengthBytes, MAX_LENGTH_BYTES, messageTag, varintTag, WireWriter, writeLength } from './wire.js';

/** Number of series that are measured without a pause. It takes less than a millisecond, even for histograms. */
const MEASURED_SERIES = 256;

/** The part of a family's message that is encoded once for each descriptor. */
interface FamilyMessage {
  /** The fields of the family except its metrics. */
  readonly head: Uint8Array;
  readonly labels: FamilyLabels;
  /** Number of bytes that the length prefix of the last message took. */
  lengthBytes: number;
}

const namerOf = createNamers<FamilyMessage>(shapesOfText);

/**
 * Encodes families, except those without series. Empty chunks are pauses. Names are those of text 0.0.4.
 *
 * Created times are always written, as in other clients: here they are fields, not series.
 */
export function* encodeProtobuf(
  families: Iterable<FamilySnapshot>,
  { escaping, reuse }: EncodeOptions,
): Generator<Uint8Array> {
  const chunk = new Chunk(reuse);
  const nameOf = yield* namerOf(escaping).begin(families);
  const metrics = new MetricWriter(escaping);
  let position = 0;
  for (const snapshot of families) {
    if (position % FAMILIES_AT_ONCE === 0) yield PAUSE;
    const exposed = nameOf(snapshot.family, position++);
    if (exposed === undefined) continue;
    const { shape, relabel, forms } = exposed;
    forms[0] ??= { head: headOf(shape.sample, snapshot.family), labels: new FamilyLabels(), lengthBytes: 1 };
    metrics.begin(snapshot, forms[0].labels, relabel);
    if (writeFamily(chunk, forms[0], metrics)) continue;
    if (chunk.length > 0) yield chunk.take();
    yield* writeLargeFamily(chunk, forms[0], metrics, snapshot.rows.size);
  }
  if (chunk.length > 0) yield chunk.take();
}

/** Writes a family into the rest of the chunk if the family fits, and reports whether it did. */
function writeFamily(chunk: Chunk, message: FamilyMessage, metrics: MetricWriter): boolean {
  const { head, lengthBytes: reserved } = message;
  const before = chunk.length;
  const start = before + reserved;
  if (!chunk.fits(MAX_LENGTH_BYTES + head.length)) return false;
  chunk.bytes.set(head, start);
  chunk.length = start + head.length;
  const isWritten = metrics.write(chunk);
  const length = chunk.length - start;
  const needed = lengthBytes(length);
  if (!isWritten || length === head.length || !chunk.fits(needed)) {
    chunk.length = before;
    return isWritten && length === head.length;
  }
  if (needed !== reserved) chunk.bytes.copyWithin(before + needed, start, chunk.length);
  message.lengthBytes = needed;
  writeLength(chunk.bytes, before, length);
  chunk.length = before + needed + length;
  return true;
}

/**
 * Writes a family that may be larger than a chunk, starting in an empty chunk. Since the length comes first, all series
 * are measured before they are written. This takes more time, but needs no memory for the whole family.
 */
function* writeLargeFamily(
  chunk: Chunk,
  { head }: FamilyMessage,
  metrics: MetricWriter,
  size: number,
): Generator<Uint8Array> {
  let length = head.length;
  for (let row = 0; row < size; row += MEASURED_SERIES) {
    if (row > 0) yield PAUSE;
    length += metrics.measure(row, Math.min(size, row + MEASURED_SERIES));
  }
  while (!chunk.fits(MAX_LENGTH_BYTES + head.length)) yield chunk.take();
  const at = writeLength(chunk.bytes, chunk.length, length);
  chunk.bytes.set(head, at);
  chunk.length = at + head.length;
  metrics.next = 0;
  while (!metrics.write(chunk)) yield chunk.take();
}

/** Returns the fields of a family except its metrics. */
function headOf(name: string, { help, type, unit }: FamilyDescriptor): Uint8Array {
  const chunk = headChunk;
  while (!chunk.fits(64 + 3 * (name.length + help.length + unit.length))) chunk.take();
  const writer = new WireWriter();
  writer.begin(chunk);
  writer.string(messageTag(1), name);
  writer.string(messageTag(2), help);
  writer.count(varintTag(3), METRIC_TYPES[type].protobuf.type);
  // Prometheus 3 rejects a scrape with a unit that the name does not end with.
  if (unit !== '' && name.replace(/_total$/, '').endsWith(`_${unit}`)) writer.string(messageTag(5), unit);
  chunk.length = writer.at;
  return chunk.take();
}

const headChunk = new Chunk();
