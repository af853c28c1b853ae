/** One `Metric` of `io.prometheus.client` from one row of a snapshot. */
import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { createFamily } from '../model/create-family.js';
import type { FamilySnapshot, MetricType } from '../model/family.js';
import { REMOVED } from '../model/label-column.js';
import type { Escaping } from './encoder.js';
import type { Exposed } from './exposed.js';
import {
  doubleTag,
  isCount,
  messageTag,
  varintTag,
  writeCount,
  writeDouble,
  writeExemplar,
  writeTimestamp,
} from './protobuf-fields.js';
import { LabelPairs, lengthBytes, relabelled } from './protobuf-labels.js';
import { areCounts, writeNative } from './protobuf-native.js';

/** Tags of fields, named as in `metrics.proto`. */
const METRIC = messageTag(4);
const GAUGE = messageTag(2);
const COUNTER = messageTag(3);
const SUMMARY = messageTag(4);
const UNTYPED = messageTag(5);
const TIMESTAMP_MS = varintTag(6);
const HISTOGRAM = messageTag(7);
const VALUE = doubleTag(1);
const SAMPLE_COUNT = varintTag(1);
const SAMPLE_COUNT_FLOAT = doubleTag(4);
const SAMPLE_SUM = doubleTag(2);
const BUCKET = messageTag(3);
const UPPER_BOUND = doubleTag(2);
const BUCKET_EXEMPLAR = messageTag(3);

/** A message that is one number, its tag and length included. */
const NUMBER_BYTES = 11;

/** How the values of each type are written. Info and stateset are gauges here, as in other clients. */
const MESSAGES: Readonly<Record<MetricType, number>> = {
  counter: COUNTER,
  gauge: GAUGE,
  info: GAUGE,
  stateset: GAUGE,
  summary: SUMMARY,
  unknown: UNTYPED,
  histogram: HISTOGRAM,
  gaugehistogram: HISTOGRAM,
  parts: UNTYPED,
};

/** Writes the rows of one family. */
export class MetricWriter {
  /** Keeps optimized code between two scrapes: see `Chunk.always`. */
  static readonly always = new MetricWriter(
    createFamily('always', '', { series: [] }),
    undefined,
    'allow-utf-8',
  );

  /** Whether each row is its labels and one number: {@link measure} is for those. */
  readonly isPlain: boolean;
  readonly #snapshot: FamilySnapshot;
  readonly #escaping: Escaping;
  readonly #labels: LabelPairs;
  readonly #cells: number;
  readonly #message: number;

  /** @param relabel - what text formats write instead of a row's labels: see `Exposed` */
  constructor(snapshot: FamilySnapshot, relabel: Exposed['relabel'], escaping: Escaping) {
    const { family, created, exemplars, timestamps, rows } = snapshot;
    this.#snapshot = snapshot;
    this.#escaping = escaping;
    this.#labels = new LabelPairs(rows, (name) => relabelled(name, relabel));
    this.#cells = family.cells;
    this.#message = MESSAGES[family.type];
    const isNumber = this.#message !== SUMMARY && this.#message !== HISTOGRAM;
    this.isPlain = isNumber && created === undefined && exemplars === undefined && timestamps === undefined;
  }

  /** How many bytes {@link write} would write for some rows, without writing them. */
  measure(from: number, to: number): number {
    const { starts, lengths } = this.#snapshot.rows;
    let size = 0;
    for (let row = from; row < to; row++) {
      const length = lengths[row]!;
      if (length === REMOVED) continue;
      const metric = this.#labels.measure(starts[row]!, length) + NUMBER_BYTES;
      size += 1 + lengthBytes(metric) + metric;
    }
    return size;
  }

  /** Writes a row as the field `metric` of its family. */
  write(writer: BinaryWriter, row: number): void {
    const { rows, values, timestamps } = this.#snapshot;
    const cell = row * this.#cells;
    writer.uint32(METRIC).fork();
    writer.raw(this.#labels.encode(rows.starts[row]!, rows.lengths[row]!));
    writer.uint32(this.#message).fork();
    switch (this.#message) {
      case COUNTER:
        writeDouble(writer, VALUE, values[cell]!);
        this.#writeExemplar(writer, messageTag(2), cell);
        this.#writeCreated(writer, messageTag(3), row);
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
    const seconds = timestamps?.[row] ?? Number.NaN;
    if (!Number.isNaN(seconds)) writer.uint32(TIMESTAMP_MS).int64(Math.round(seconds * 1000));
    writer.join();
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
      total += values[cell]!;
      whole &&= isCount(total);
    }
    const count = buckets?.count ?? total;
    if (whole) writeCount(writer, SAMPLE_COUNT, count);
    else writeDouble(writer, SAMPLE_COUNT_FLOAT, count);
    writeDouble(writer, SAMPLE_SUM, values[first + inf + 1]!);
    let sum = 0;
    for (let i = 0; i < inf; i++) {
      sum += values[first + i]!;
      this.#writeBucket(writer, first + i, family.bounds[i]!, sum, whole);
    }
    // The last bucket is known from the count. As other clients do, it is written for its exemplar only.
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

  /** Those of native histograms stand by themselves, and must have a timestamp. */
  #writeNativeExemplars(writer: BinaryWriter, first: number, last: number): void {
    const { exemplars } = this.#snapshot;
    for (let cell = first; exemplars !== undefined && cell <= last; cell++) {
      if (exemplars.get(cell)?.timestamp !== undefined) this.#writeExemplar(writer, messageTag(16), cell);
    }
  }

  #writeExemplar(writer: BinaryWriter, tag: number, cell: number): void {
    const exemplar = this.#snapshot.exemplars?.get(cell);
    if (exemplar !== undefined) writeExemplar(writer, tag, exemplar, this.#escaping);
  }

  #writeCreated(writer: BinaryWriter, tag: number, row: number): void {
    const created = this.#snapshot.created?.[row] ?? 0;
    if (created > 0) writeTimestamp(writer, tag, created);
  }
}
