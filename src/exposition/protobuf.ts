/**
 * Protobuf: each family a delimited `io.prometheus.client.MetricFamily`, from columns.
 *
 * A message begins with its length, and a family is one message. So a family that is more than one chunk is
 * written twice: once to know its length, and once to be sent. That takes time, but no memory.
 *
 * @see https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { FamilyDescriptor, FamilySnapshot, MetricType, NativeBuckets } from '../model/family.js';
import { REMOVED } from '../model/label-column.js';
import { CHUNK_BYTES } from './chunk.js';
import type { EncodeOptions } from './encoder.js';
import { expose } from './exposed.js';
import { messageTag, varintTag } from './protobuf-fields.js';
import { MetricWriter } from './protobuf-metric.js';
import { TEXT } from './text.js';

/** `MetricType` of `metrics.proto`. */
const TYPES: Readonly<Record<MetricType, number>> = {
  counter: 0,
  gauge: 1,
  info: 1,
  stateset: 1,
  summary: 2,
  unknown: 3,
  parts: 3,
  histogram: 4,
  gaugehistogram: 5,
};

/** About what a row has around its labels, and each cell of it. */
const ROW_BYTES = 40;
const CELL_BYTES = 16;
const NATIVE_BUCKET_BYTES = 4;
/** Rows that are measured in one go: well under a millisecond. */
const MEASURED_ROWS = 4096;

/** Given while a family is measured, so that others may run. */
const NOTHING = new Uint8Array();

/** Keeps optimized code between two scrapes: see `Chunk.always`. */
export const alwaysWriter = new BinaryWriter();

/**
 * The families as chunks of bytes. Nothing is kept: what was taken can be sent while the rest is written. Empty
 * chunks are no more than pauses. Families without series are left out.
 *
 * Created times are always written, as in other clients: here they are fields, not series.
 */
export function* encodeProtobuf(
  families: Iterable<FamilySnapshot>,
  { escaping }: EncodeOptions,
): Generator<Uint8Array> {
  const [out, writer] = [new BinaryWriter(), new BinaryWriter()];
  let waiting = 0;
  // What is called what is the same as in text 0.0.4.
  for (const { snapshot, shape, relabel } of expose(families, escaping, TEXT)) {
    const metrics = new MetricWriter(snapshot, relabel, escaping);
    const { size } = snapshot.rows;
    const begun = fill(writer, metrics, snapshot, 0);
    const begin = writer.finish();
    if (begin.length === 0) continue;
    const head = headOf(shape.sample, snapshot.family);
    let length = head.length + begin.length;
    for (let row = begun; row < size; ) {
      yield NOTHING;
      const from = row;
      row = metrics.isPlain ? Math.min(size, from + MEASURED_ROWS) : fill(writer, metrics, snapshot, from);
      length += metrics.isPlain ? metrics.measure(from, row) : writer.finish().length;
    }
    out.uint32(length).raw(head).raw(begin);
    waiting += head.length + begin.length;
    if (waiting < CHUNK_BYTES && begun === size) continue;
    yield out.finish();
    waiting = 0;
    for (let row = begun; row < size; ) {
      row = fill(writer, metrics, snapshot, row);
      yield writer.finish();
    }
  }
  if (waiting > 0) yield out.finish();
}

/** The fields of a family but for its metrics. */
function headOf(name: string, { help, type, unit }: FamilyDescriptor): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(messageTag(1)).string(name);
  writer.uint32(messageTag(2)).string(help);
  writer.uint32(varintTag(3)).uint32(TYPES[type]);
  // Prometheus 3 refuses a whole scrape for a unit that the name does not end with.
  if (unit !== '' && name.replace(/_total$/, '').endsWith(`_${unit}`)) {
    writer.uint32(messageTag(5)).string(unit);
  }
  return writer.finish();
}

/** Writes rows until they are about one chunk. Returns the row to go on with. */
function fill(writer: BinaryWriter, metrics: MetricWriter, snapshot: FamilySnapshot, from: number): number {
  const { family, rows, native } = snapshot;
  const around = ROW_BYTES + family.cells * CELL_BYTES;
  let bytes = 0;
  let row = from;
  for (; row < rows.size && bytes < CHUNK_BYTES; row++) {
    const length = rows.lengths[row]!;
    if (length === REMOVED) continue;
    metrics.write(writer, row);
    bytes += around + length + (native === undefined ? 0 : bytesOf(native[row]));
  }
  return row;
}

function bytesOf(native: NativeBuckets | undefined): number {
  if (native === undefined) return 0;
  return (native.positive.index.length + native.negative.index.length) * NATIVE_BUCKET_BYTES;
}
