/** Encodes messages of OTLP as protobuf. Field numbers are those of its `.proto` files. */
import type { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { doubleTag, messageTag, varintTag } from '../exposition/protobuf/wire.js';
import type { Message, PartialSuccess } from './otlp-message.js';

/** Wire types. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** Writes a value with the tag of its field. */
type WriteField = (writer: BinaryWriter, field: number, value: unknown) => void;

const string: WriteField = (writer, field, value) => writer.uint32(messageTag(field)).string(value as string);
const bytes: WriteField = (writer, field, value) =>
  writer.uint32(messageTag(field)).bytes(Buffer.from(value as string, 'hex'));
const double: WriteField = (writer, field, value) => writer.uint32(doubleTag(field)).double(value as number);
const fixed64: WriteField = (writer, field, value) =>
  writer.uint32(doubleTag(field)).fixed64(value as string);
const int32: WriteField = (writer, field, value) => writer.uint32(varintTag(field)).int32(value as number);
const sint32: WriteField = (writer, field, value) => writer.uint32(varintTag(field)).sint32(value as number);
const bool: WriteField = (writer, field, value) => writer.uint32(varintTag(field)).bool(value as boolean);

/** Writes a list of numbers as one packed field. */
function packed<T>(write: (writer: BinaryWriter, value: T) => void): WriteField {
  return (writer, field, values) => {
    writer.uint32(messageTag(field)).fork();
    for (const value of values as readonly T[]) write(writer, value);
    writer.join();
  };
}

/** The fields of a message type, by name in camel case. */
interface Fields {
  readonly [name: string]: readonly [number: number, write: WriteField];
}

/** Writes a message, or each of a list of them. */
function message(fields: Fields): WriteField {
  return (writer, field, value) => {
    for (const one of Array.isArray(value) ? (value as Message[]) : [value as Message]) {
      writer.uint32(messageTag(field)).fork();
      writeFields(writer, fields, one);
      writer.join();
    }
  };
}

function writeFields(writer: BinaryWriter, fields: Fields, given: Message): void {
  for (const name of Object.keys(given)) {
    const [number, write] = fields[name]!;
    write(writer, number, given[name]);
  }
}

const keyValue = message({ key: [1, string], value: [2, message({ stringValue: [1, string] })] });

const exemplar = message({
  timeUnixNano: [2, fixed64],
  asDouble: [3, double],
  spanId: [4, bytes],
  traceId: [5, bytes],
  filteredAttributes: [7, keyValue],
});

const TIMES: Fields = { startTimeUnixNano: [2, fixed64], timeUnixNano: [3, fixed64] };

const number = message({
  ...TIMES,
  asDouble: [4, double],
  exemplars: [5, exemplar],
  attributes: [7, keyValue],
});

const summaryPoint = message({
  ...TIMES,
  count: [4, fixed64],
  sum: [5, double],
  quantileValues: [6, message({ quantile: [1, double], value: [2, double] })],
  attributes: [7, keyValue],
});

const histogramPoint = message({
  ...TIMES,
  count: [4, fixed64],
  sum: [5, double],
  bucketCounts: [6, packed((writer, count: string) => writer.fixed64(count))],
  explicitBounds: [7, packed((writer, bound: number) => writer.double(bound))],
  exemplars: [8, exemplar],
  attributes: [9, keyValue],
});

const buckets = message({
  offset: [1, sint32],
  bucketCounts: [2, packed((writer, count: string) => writer.uint64(count))],
});

const exponentialPoint = message({
  ...TIMES,
  attributes: [1, keyValue],
  count: [4, fixed64],
  sum: [5, double],
  scale: [6, sint32],
  zeroCount: [7, fixed64],
  positive: [8, buckets],
  negative: [9, buckets],
  exemplars: [11, exemplar],
  zeroThreshold: [14, double],
});

const metric = message({
  name: [1, string],
  description: [2, string],
  unit: [3, string],
  gauge: [5, message({ dataPoints: [1, number] })],
  sum: [7, message({ dataPoints: [1, number], aggregationTemporality: [2, int32], isMonotonic: [3, bool] })],
  histogram: [9, message({ dataPoints: [1, histogramPoint], aggregationTemporality: [2, int32] })],
  exponentialHistogram: [
    10,
    message({ dataPoints: [1, exponentialPoint], aggregationTemporality: [2, int32] }),
  ],
  summary: [11, message({ dataPoints: [1, summaryPoint] })],
});

const REQUEST: Fields = {
  resourceMetrics: [
    1,
    message({
      resource: [1, message({ attributes: [1, keyValue] })],
      scopeMetrics: [2, message({ scope: [1, message({ name: [1, string] })], metrics: [2, metric] })],
    }),
  ],
};

/** Returns the field `partial_success` of an `ExportMetricsServiceResponse`. */
export function readPartialSuccess(reader: BinaryReader): PartialSuccess {
  let samples = 0;
  let message = '';
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    // The fields of the message follow its length.
    if (field === 1 && type === LENGTH_DELIMITED) {
      for (const end = reader.uint32() + reader.pos; reader.pos < end; ) {
        const [inner, innerType] = reader.tag();
        if (inner === 1 && innerType === VARINT) samples = Number(reader.int64());
        else if (inner === 2 && innerType === LENGTH_DELIMITED) message = reader.string();
        else reader.skip(innerType);
      }
    } else reader.skip(type);
  }
  return { samples, message };
}

/** Encodes an `ExportMetricsServiceRequest`. */
export function encodeRequest(writer: BinaryWriter, request: Message): Uint8Array {
  writeFields(writer, REQUEST, request);
  return writer.finish();
}
