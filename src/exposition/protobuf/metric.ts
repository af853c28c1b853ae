/** Writes the series of a family as messages `Metric` of `io.prometheus.client`. */
import { createFamily } from '../../model/create-family.js';
import type { FamilySnapshot } from '../../model/family.js';
import { REMOVED } from '../../model/label-column.js';
import { METRIC_TYPES } from '../../model/metric-types.js';
import { Chunk, copy } from '../chunk.js';
import type { Escaping } from '../formats.js';
import type { Exposed } from '../naming.js';
import { type FamilyLabels, LabelPairs } from './labels.js';
import { COUNTER, HISTOGRAM, maxValueBytes, SUMMARY, writeFields } from './values.js';
import { lengthBytes, MAX_LENGTH_BYTES, messageTag, varintTag, WireWriter, writeLength } from './wire.js';

/** Tags of fields, named as in `metrics.proto`. */
const METRIC = messageTag(4);
const TIMESTAMP_MS = varintTag(6);

const INT64_RANGE = 2 ** 63;
/** Maximum bytes of a series beside its labels and the fields of its value: tags, lengths, and the timestamp. */
const MAX_OTHER_BYTES = 32;

/** Offset of the number in the value of a plain series. */
const PLAIN_NUMBER = 3;

/** The value of a plain series. It has at most 40 bytes; the others are padding for {@link copy}. */
class PlainValue {
  readonly bytes = new Uint8Array(64);
  readonly view = new DataView(this.bytes.buffer);
  length = 0;
}

const NO_FAMILY = createFamily('none', '', { series: [] });

/** Writes the series of one family after another. */
export class MetricWriter {
  /**
   * An instance that is never freed, so that V8 keeps the optimized code between two scrapes. See docs/v8.md:
   * constructors kept by one live instance.
   */
  static readonly always = new MetricWriter('allow-utf-8');

  /** The row to be written next. */
  next = 0;
  readonly #escaping: Escaping;
  readonly #labels = new LabelPairs();
  readonly #writer = new WireWriter();
  #snapshot: FamilySnapshot = NO_FAMILY;
  #message = 0;
  /** Whether each series consists only of labels, one number and possibly a created time. */
  #isPlain = false;
  /** Number of bytes that the length prefixes of the last series and of its value took. */
  #metricLength = 1;
  #valueLength = 1;
  /** The chunk in which a series is measured. */
  readonly #scratch = new Chunk();
  /** The value of a plain series, without its number, and the created time in this value. */
  readonly #plain = new PlainValue();
  #plainCreated = Number.NaN;
  /** The created times of plain series. */
  #created: Float64Array | undefined;

  constructor(escaping: Escaping) {
    this.#escaping = escaping;
  }

  /** Begins with the first series of a family. For the other parameters see {@link LabelPairs.begin}. */
  begin(snapshot: FamilySnapshot, labels: FamilyLabels, relabel: Exposed<unknown>['relabel']): void {
    const { family, exemplars, timestamps, created } = snapshot;
    this.#snapshot = snapshot;
    this.#labels.begin(snapshot.rows, labels, relabel);
    this.next = 0;
    this.#message = messageTag(METRIC_TYPES[family.type].protobuf.field);
    const isNumber = this.#message !== SUMMARY && this.#message !== HISTOGRAM;
    this.#isPlain = isNumber && exemplars === undefined && timestamps === undefined;
    this.#plainCreated = Number.NaN;
    this.#created = this.#message === COUNTER ? created : undefined;
  }

  /** Returns how many bytes {@link write} will write for some series. */
  measure(from: number, to: number): number {
    const { lengths } = this.#snapshot.rows;
    let size = 0;
    for (let row = from; row < to; row++) {
      if (lengths[row] === REMOVED) continue;
      const value = this.#isPlain ? this.#preparePlain(row) : this.#measureValue(row);
      const metric = this.#labels.measure(row) + value;
      size += 1 + lengthBytes(metric) + metric;
    }
    return size;
  }

  /** Writes series as fields `metric`, until the chunk is full. Reports whether all series are written. */
  write(chunk: Chunk): boolean {
    const { lengths, size } = this.#snapshot.rows;
    const isPlain = this.#isPlain;
    for (; this.next < size; this.next++) {
      const row = this.next;
      if (lengths[row] === REMOVED) continue;
      if (isPlain ? !this.#writePlain(chunk, row) : !this.#writeMetric(chunk, row)) return false;
    }
    return true;
  }

  /** Writes a plain series if it fits into the chunk, and reports whether it did. */
  #writePlain(chunk: Chunk, row: number): boolean {
    const value = this.#preparePlain(row);
    const metric = this.#labels.measure(row) + value;
    if (!chunk.fits(1 + MAX_LENGTH_BYTES + metric)) return false;
    const { bytes, view } = chunk;
    bytes[chunk.length] = METRIC;
    let at = writeLength(bytes, chunk.length + 1, metric);
    at = this.#labels.write(row, bytes, view, at);
    const { values, family } = this.#snapshot;
    chunk.length = copy(view, at, this.#plain.view, 0, value);
    view.setFloat64(at + PLAIN_NUMBER, values[row * family.cells]!, true);
    return true;
  }

  /** Prepares the value of a plain series, except for its number, and returns the size of the value in bytes. */
  #preparePlain(row: number): number {
    const created = this.#created === undefined ? 0 : this.#created[row]!;
    if (created !== this.#plainCreated) {
      this.#plainCreated = created;
      this.#plain.length = 0;
      const writer = this.#writer;
      writer.begin(this.#plain);
      this.#writeValue(row);
      this.#plain.length = writer.at;
    }
    return this.#plain.length;
  }

  #measureValue(row: number): number {
    const scratch = this.#scratch;
    while (!scratch.fits(MAX_OTHER_BYTES + maxValueBytes(this.#snapshot, row))) scratch.length = 0;
    this.#writer.begin(scratch);
    this.#writeValue(row);
    return this.#writer.at - scratch.length;
  }

  /** Writes a series if it is certain to fit into the chunk, and reports whether it did. */
  #writeMetric(chunk: Chunk, row: number): boolean {
    const writer = this.#writer;
    if (!chunk.fits(MAX_OTHER_BYTES + maxValueBytes(this.#snapshot, row) + this.#labels.measure(row)))
      return false;
    writer.begin(chunk);
    const metric = writer.open(METRIC, this.#metricLength);
    writer.at = this.#labels.write(row, writer.bytes, writer.view, writer.at);
    this.#writeValue(row);
    this.#metricLength = writer.close(metric, this.#metricLength);
    chunk.length = writer.at;
    return true;
  }

  #writeValue(row: number): void {
    const writer = this.#writer;
    const value = writer.open(this.#message, this.#valueLength);
    writeFields(writer, this.#message, this.#snapshot, row, this.#escaping);
    this.#valueLength = writer.close(value, this.#valueLength);
    const milliseconds = Math.round((this.#snapshot.timestamps?.[row] ?? Number.NaN) * 1000);
    if (Math.abs(milliseconds) < INT64_RANGE) writer.integer(TIMESTAMP_MS, milliseconds);
  }
}
