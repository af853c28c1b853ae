/**
 * Encodes families as delimited messages `io.prometheus.client.MetricFamily`.
 *
 * A family is one message, and a message begins with its length. The length must be known before the first chunk of the
 * family is sent. So the series are measured first and then written, which takes time, but no memory for a whole
 * family.
 *
 * @see https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { METRIC_TYPES } from '../../model/metric-types.js';
import { Chunk, PAUSE } from '../chunk.js';
import type { EncodeOptions } from '../formats.js';
import { createNamers, FAMILIES_AT_ONCE } from '../naming.js';
import { shapesOfText } from '../text/prometheus.js';
import { messageTag, varintTag } from './fields.js';
import { type LabelName, MAX_LENGTH_BYTES, writeLength } from './labels.js';
import { MetricWriter } from './metric.js';

/** Number of series that are measured without a pause. It takes about a millisecond, even for histograms. */
const MEASURED_SERIES = 256;

/** The part of a family's message that is encoded once for each descriptor. */
interface FamilyMessage {
  /** The fields of the family except its metrics. */
  readonly head: Uint8Array;
  readonly names: LabelName[];
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
    forms[0] ??= { head: headOf(shape.sample, snapshot.family), names: [] };
    const { head, names: labelNames } = forms[0];
    metrics.begin(snapshot, labelNames, relabel);
    const { size } = snapshot.rows;
    let length = 0;
    for (let row = 0; row < size; row += MEASURED_SERIES) {
      if (row > 0) yield PAUSE;
      length += metrics.measure(row, Math.min(size, row + MEASURED_SERIES));
    }
    if (length === 0) continue;
    while (!chunk.fits(MAX_LENGTH_BYTES + head.length)) yield chunk.take();
    const at = writeLength(chunk.bytes, chunk.length, head.length + length);
    chunk.bytes.set(head, at);
    chunk.length = at + head.length;
    while (!metrics.write(chunk)) yield chunk.take();
  }
  if (chunk.length > 0) yield chunk.take();
}

/** Returns the fields of a family except its metrics. */
function headOf(name: string, { help, type, unit }: FamilyDescriptor): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(messageTag(1)).string(name);
  writer.uint32(messageTag(2)).string(help);
  writer.uint32(varintTag(3)).uint32(METRIC_TYPES[type].protobuf.type);
  // Prometheus 3 rejects a scrape with a unit that the name does not end with.
  if (unit !== '' && name.replace(/_total$/, '').endsWith(`_${unit}`)) {
    writer.uint32(messageTag(5)).string(unit);
  }
  return writer.finish();
}
