/** Writes the series of a family as messages `Metric` of `io.prometheus.client`. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { createFamily } from '../../model/create-family.js';
import { type FamilySnapshot, isTime } from '../../model/family.js';
import { REMOVED } from '../../model/label-column.js';
import { METRIC_TYPES } from '../../model/metric-types.js';
import type { Chunk } from '../chunk.js';
import type { Escaping } from '../formats.js';
import type { Exposed } from '../naming.js';
import {
  doubleTag,
  isCount,
  messageTag,
  varintTag,
  writeCount,
  writeDouble,
  writeExemplar,
  writeTimestamp,
} from './fields.js';
import { type LabelName, LabelPairs, lengthBytes, MAX_LENGTH_BYTES, writeLength } from './labels.js';
import { areCounts, writeNative } from './native.js';

/** Tags of fields, named as in `metrics.proto`. */
const METRIC = messageTag(4);
const COUNTER = messageTag(3);
const SUMMARY = messageTag(4);
const TIMESTAMP_MS = varintTag(6);
const HISTOGRAM = messageTag(7);
const VALUE = doubleTag(1);
const SAMPLE_COUNT = varintTag(1);
const SAMPLE_COUNT_FLOAT = doubleTag(4);
const SAMPLE_SUM = doubleTag(2);
const BUCKET = messageTag(3);
const UPPER_BOUND = doubleTag(2);
const COUNTER_CREATED = messageTag(3);
const BUCKET_EXEMPLAR = messageTag(3);

/** Bytes of a message with one number, tag and length included. */
const NUMBER_BYTES = 11;
const INT64_RANGE = 2 ** 63;
/** Times up to this take at most five bytes for their seconds. */
const MAX_SECONDS = 2 ** 31;

const NO_FAMILY = createFamily('none', '', { series: [] });

/** Writes the series of one family after another. */
export class MetricWriter {
  /**
   * An instance that is never freed, so that V8 keeps the optimized code between two scrapes. See docs/v8.md:
   * constructors kept by one live instance.
   */
  static readonly always = new MetricWriter('allow-utf-8');

  readonly #escaping: Escaping;
  readonly #labels = new LabelPairs();
  readonly #writer = new BinaryWriter();
  #snapshot: FamilySnapshot = NO_FAMILY;
  #cells = 0;
  #message = 0;
  /** Whether each series of this type is one number. */
  #isNumber = false;
  #next = 0;
  /** The created time of the plain series measured last; 0 where it has none. */
  #seconds = 0;
  #nanos = 0;

  constructor(escaping: Escaping) {
    this.#escaping = escaping;
  }

  /** Prepares to write the series of a family, from the first one on. For the other parameters see {@link LabelPairs.begin}. */
  begin(snapshot: FamilySnapshot, names: LabelName[], relabel: Exposed<unknown>['relabel']): void {
    this.#snapshot = snapshot;
    this.#labels.begin(snapshot.rows, names, relabel);
    this.#next = 0;
    this.#cells = snapshot.family.cells;
    this.#message = messageTag(METRIC_TYPES[snapshot.family.type].protobuf.field);
    this.#isNumber = this.#message !== SUMMARY && this.#message !== HISTOGRAM;
  }

  /** Returns how many bytes {@link write} will write for some series. */
  measure(from: number, to: number): number {
    const { starts, lengths } = this.#snapshot.rows;
    let size = 0;
    for (let row = from; row < to; row++) {
      const length = lengths[row]!;
      if (length === REMOVED) continue;
      const value = this.#isPlain(row) ? this.#numberBytes(row) : this.#values(row).length;
      const metric = this.#labels.measure(starts[row]!, length) + value;
      size += 1 + lengthBytes(metric) + metric;
    }
    return size;
  }

  /** Writes series as fields `metric`, until the chunk is full. Reports whether all series are written. */
  write(chunk: Chunk): boolean {
    const { starts, lengths, size } = this.#snapshot.rows;
    for (; this.#next < size; this.#next++) {
      const row = this.#next;
      const length = lengths[row]!;
      if (length === REMOVED) continue;
      const values = this.#isPlain(row) ? undefined : this.#values(row);
      const metric = this.#labels.measure(starts[row]!, length) + (values?.length ?? this.#numberBytes(row));
      if (!chunk.fits(1 + MAX_LENGTH_BYTES + metric)) return false;
      this.#writeMetric(chunk, metric, values, row);
    }
    return true;
  }

  #writeMetric(chunk: Chunk, size: number, values: Uint8Array | undefined, row: number): void {
    const { bytes, view } = chunk;
    bytes[chunk.length] = METRIC;
    let at = writeLength(bytes, chunk.length + 1, size);
    at = this.#labels.write(bytes, view, at);
    if (values === undefined) chunk.length = this.#writeNumber(bytes, view, at, row);
    else {
      bytes.set(values, at);
      chunk.length = at + values.length;
    }
  }

  /** Reports whether a series has only labels, one number and perhaps a created time: it needs no `BinaryWriter`. */
  #isPlain(row: number): boolean {
    const { created, exemplars, timestamps } = this.#snapshot;
    if (!this.#isNumber || exemplars !== undefined || timestamps !== undefined) return false;
    return created === undefined || created[row]! <= MAX_SECONDS;
  }

  /** Returns the size of a plain series without its labels. Splits its created time for {@link #writeNumber}. */
  #numberBytes(row: number): number {
    const created = this.#message === COUNTER ? (this.#snapshot.created?.[row] ?? 0) : 0;
    this.#seconds = 0;
    if (!(created > 0)) return NUMBER_BYTES;
    this.#seconds = Math.floor(created);
    this.#nanos = Math.min(999_999_999, Math.round((created - this.#seconds) * 1e9));
    return NUMBER_BYTES + 4 + lengthBytes(this.#seconds) + lengthBytes(this.#nanos);
  }

  #writeNumber(bytes: Uint8Array, view: DataView, at: number, row: number): number {
    const [seconds, nanos] = [this.#seconds, this.#nanos];
    const time = seconds > 0 ? 2 + lengthBytes(seconds) + lengthBytes(nanos) : 0;
    bytes[at] = this.#message;
    bytes[at + 1] = NUMBER_BYTES - 2 + (time > 0 ? time + 2 : 0);
    bytes[at + 2] = VALUE;
    view.setFloat64(at + 3, this.#snapshot.values[row * this.#cells]!, true);
    if (time === 0) return at + NUMBER_BYTES;
    let to = at + NUMBER_BYTES;
    bytes[to] = COUNTER_CREATED;
    bytes[to + 1] = time;
    bytes[to + 2] = varintTag(1);
    to = writeLength(bytes, to + 3, seconds);
    bytes[to] = varintTag(2);
    return writeLength(bytes, to + 1, nanos);
  }

  /** Returns a series encoded without its labels. */
  #values(row: number): Uint8Array {
    const { values, timestamps } = this.#snapshot;
    const writer = this.#writer;
    const cell = row * this.#cells;
    writer.uint32(this.#message).fork();
    switch (this.#message) {
      case COUNTER:
        writeDouble(writer, VALUE, values[cell]!);
        this.#writeExemplar(writer, messageTag(2), cell);
        this.#writeCreated(writer, COUNTER_CREATED, row);
        break;
      case SUMMARY:
        this.#writeSummary(writer, row);
        break;
      case HISTOGRAM:
        this.#writeHistogram(writer, row);
        break;
      default:
        writeDouble(writer, VALUE, values[cell]!);
    }
    writer.join();
    const milliseconds = Math.round((timestamps?.[row] ?? Number.NaN) * 1000);
    if (Math.abs(milliseconds) < INT64_RANGE) writer.uint32(TIMESTAMP_MS).int64(BigInt(milliseconds));
    return writer.finish();
  }

  #writeSummary(writer: BinaryWriter, row: number): void {
    const { family, values, quantiles } = this.#snapshot;
    const [sum, count] = [values[row * this.#cells]!, values[row * this.#cells + 1]!];
    writeCount(writer, SAMPLE_COUNT, isCount(count) ? count : 0);
    writeDouble(writer, SAMPLE_SUM, sum);
    for (let i = 0; quantiles !== undefined && i < family.bounds.length; i++) {
      writer.uint32(messageTag(3)).fork();
      writeDouble(writer, doubleTag(1), family.bounds[i]!);
      writeDouble(writer, doubleTag(2), quantiles[row * family.bounds.length + i]!);
      writer.join();
    }
    this.#writeCreated(writer, messageTag(4), row);
  }

  #writeHistogram(writer: BinaryWriter, row: number): void {
    const { family, values, native } = this.#snapshot;
    const first = row * this.#cells;
    const inf = family.bounds.length;
    const buckets = native?.[row];
    let total = 0;
    let whole = buckets === undefined || areCounts(buckets);
    for (let cell = first; cell <= first + inf; cell++) {
      if (!Number.isNaN(values[cell]!)) total += values[cell]!;
      whole &&= isCount(total);
    }
    const count = buckets?.count ?? total;
    if (whole) writeCount(writer, SAMPLE_COUNT, count);
    else writeDouble(writer, SAMPLE_COUNT_FLOAT, count);
    writeDouble(writer, SAMPLE_SUM, values[first + inf + 1]!);
    let sum = 0;
    for (let i = 0; i < inf; i++) {
      if (Number.isNaN(values[first + i]!)) continue;
      sum += values[first + i]!;
      this.#writeBucket(writer, first + i, family.bounds[i]!, sum, whole);
    }
    // The bucket +Inf has the count of the histogram. As in other clients, it is written only for its exemplar.
    const hasLast = this.#snapshot.exemplars?.has(first + inf) && (buckets === undefined || inf > 0);
    if (hasLast) this.#writeBucket(writer, first + inf, Number.POSITIVE_INFINITY, total, whole);
    if (buckets !== undefined) {
      writeNative(writer, buckets, whole);
      this.#writeNativeExemplars(writer, first, first + inf);
    }
    this.#writeCreated(writer, messageTag(15), row);
  }

  #writeBucket(writer: BinaryWriter, cell: number, bound: number, count: number, whole: boolean): void {
    writer.uint32(BUCKET).fork();
    if (whole) writeCount(writer, SAMPLE_COUNT, count);
    else writeDouble(writer, SAMPLE_COUNT_FLOAT, count);
    writeDouble(writer, UPPER_BOUND, bound);
    this.#writeExemplar(writer, BUCKET_EXEMPLAR, cell);
    writer.join();
  }

  /**
   * Writes the exemplars of a histogram with native buckets into a field of the histogram. They must have a timestamp.
   */
  #writeNativeExemplars(writer: BinaryWriter, first: number, last: number): void {
    const { exemplars } = this.#snapshot;
    for (let cell = first; exemplars !== undefined && cell <= last; cell++) {
      if (isTime(exemplars.get(cell)?.timestamp)) this.#writeExemplar(writer, messageTag(16), cell);
    }
  }

  #writeExemplar(writer: BinaryWriter, tag: number, cell: number): void {
    const exemplar = this.#snapshot.exemplars?.get(cell);
    if (exemplar !== undefined) writeExemplar(writer, tag, exemplar, this.#escaping);
  }

  #writeCreated(writer: BinaryWriter, tag: number, row: number): void {
    const created = this.#snapshot.created?.[row] ?? 0;
    if (created > 0 && isTime(created)) writeTimestamp(writer, tag, created);
  }
}
