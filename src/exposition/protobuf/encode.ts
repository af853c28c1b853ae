/**
 * Protobuf: each family a delimited `io.prometheus.client.MetricFamily`, from columns.
 *
 * A message begins with its length, and a family is one message. So a family that is more than one chunk is
 * written twice: once to know its length, and once to be sent. That takes time, but no memory.
 *
 * @see https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { METRIC_TYPES } from '../../model/metric-types.js';
import { Chunk } from '../chunk.js';
import type { EncodeOptions } from '../encoder.js';
import { expose } from '../exposed.js';
import { TEXT } from '../text/prometheus.js';
import { messageTag, varintTag } from './fields.js';
import { writeLength } from './labels.js';
import { MetricWriter } from './metric.js';

/** Rows that are measured in one go: about a millisecond, for histograms too. */
const MEASURED_ROWS = 256;
/** Most bytes of a length. */
const MOST_LENGTH_BYTES = 5;

/** Given while a family is measured, so that others may run. */
const NOTHING = new Uint8Array();

/**
 * The families as chunks of bytes. Nothing is kept: what was taken can be sent while the rest is written. Empty
 * chunks are no more than pauses. Families without series are left out.
 *
 * Created times are always written, as in other clients: here they are fields, not series.
 */
export function* encodeProtobuf(
  families: Iterable<FamilySnapshot>,
  { escaping, reuse }: EncodeOptions,
): Generator<Uint8Array> {
  const chunk = new Chunk(reuse);
  // What is called what is the same as in text 0.0.4.
  for (const { snapshot, shape, relabel } of expose(families, escaping, TEXT)) {
    const metrics = new MetricWriter(snapshot, relabel, escaping);
    const { size } = snapshot.rows;
    let length = 0;
    for (let row = 0; row < size; row += MEASURED_ROWS) {
      if (row > 0) yield NOTHING;
      length += metrics.measure(row, Math.min(size, row + MEASURED_ROWS));
    }
    if (length === 0) continue;
    const head = headOf(shape.sample, snapshot.family);
    while (!chunk.fits(MOST_LENGTH_BYTES + head.length)) yield chunk.take();
    const at = writeLength(chunk.bytes, chunk.length, head.length + length);
    chunk.bytes.set(head, at);
    chunk.length = at + head.length;
    while (!metrics.write(chunk)) yield chunk.take();
  }
  if (chunk.length > 0) yield chunk.take();
}

/** The fields of a family but for its metrics. */
function headOf(name: string, { help, type, unit }: FamilyDescriptor): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(messageTag(1)).string(name);
  writer.uint32(messageTag(2)).string(help);
  writer.uint32(varintTag(3)).uint32(METRIC_TYPES[type].protobuf.type);
  // Prometheus 3 refuses a whole scrape for a unit that the name does not end with.
  if (unit !== '' && name.replace(/_total$/, '').endsWith(`_${unit}`)) {
    writer.uint32(messageTag(5)).string(unit);
  }
  return writer.finish();
}
