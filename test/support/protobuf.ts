/**
 * Reads delimited `io.prometheus.client.MetricFamily` messages with a schema of the tests and the reader of
 * another package.
 */
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** A message as it was read. Absent fields are missing, repeated ones are arrays. */
export interface Message {
  readonly [field: string]: unknown;
}

type Scalar = 'string' | 'double' | 'uint64' | 'int64' | 'sint64' | 'uint32' | 'int32' | 'sint32';
type Field = readonly [name: string, type: Scalar | Schema, repeated?: 'repeated'];
interface Schema {
  readonly [number: number]: Field;
}

const TIMESTAMP: Schema = { 1: ['seconds', 'int64'], 2: ['nanos', 'int32'] };
const LABEL: Schema = { 1: ['name', 'string'], 2: ['value', 'string'] };
const EXEMPLAR: Schema = {
  1: ['label', LABEL, 'repeated'],
  2: ['value', 'double'],
  3: ['timestamp', TIMESTAMP],
};
const NUMBER: Schema = { 1: ['value', 'double'] };
const COUNTER: Schema = { ...NUMBER, 2: ['exemplar', EXEMPLAR], 3: ['created_timestamp', TIMESTAMP] };
const QUANTILE: Schema = { 1: ['quantile', 'double'], 2: ['value', 'double'] };
const SUMMARY: Schema = {
  1: ['sample_count', 'uint64'],
  2: ['sample_sum', 'double'],
  3: ['quantile', QUANTILE, 'repeated'],
  4: ['created_timestamp', TIMESTAMP],
};
const BUCKET: Schema = {
  1: ['cumulative_count', 'uint64'],
  2: ['upper_bound', 'double'],
  3: ['exemplar', EXEMPLAR],
  4: ['cumulative_count_float', 'double'],
};
const SPAN: Schema = { 1: ['offset', 'sint32'], 2: ['length', 'uint32'] };
const HISTOGRAM: Schema = {
  1: ['sample_count', 'uint64'],
  2: ['sample_sum', 'double'],
  3: ['bucket', BUCKET, 'repeated'],
  4: ['sample_count_float', 'double'],
  5: ['schema', 'sint32'],
  6: ['zero_threshold', 'double'],
  7: ['zero_count', 'uint64'],
  8: ['zero_count_float', 'double'],
  9: ['negative_span', SPAN, 'repeated'],
  10: ['negative_delta', 'sint64', 'repeated'],
  11: ['negative_count', 'double', 'repeated'],
  12: ['positive_span', SPAN, 'repeated'],
  13: ['positive_delta', 'sint64', 'repeated'],
  14: ['positive_count', 'double', 'repeated'],
  15: ['created_timestamp', TIMESTAMP],
  16: ['exemplars', EXEMPLAR, 'repeated'],
};
const METRIC: Schema = {
  1: ['label', LABEL, 'repeated'],
  2: ['gauge', NUMBER],
  3: ['counter', COUNTER],
  4: ['summary', SUMMARY],
  5: ['untyped', NUMBER],
  6: ['timestamp_ms', 'int64'],
  7: ['histogram', HISTOGRAM],
};
const METRIC_FAMILY: Schema = {
  1: ['name', 'string'],
  2: ['help', 'string'],
  3: ['type', 'uint32'],
  4: ['metric', METRIC, 'repeated'],
  5: ['unit', 'string'],
};

const LENGTH_DELIMITED = 2;

/** Returns the families of a response. Throws on an unknown field or a wrong length. */
export function readFamilies(bytes: Uint8Array): Message[] {
  const reader = new BinaryReader(bytes);
  const families: Message[] = [];
  while (reader.pos < reader.len) families.push(read(reader, METRIC_FAMILY, reader.uint32()));
  return families;
}

function read(reader: BinaryReader, schema: Schema, length: number): Message {
  const end = reader.pos + length;
  const message: Record<string, unknown> = {};
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = schema[number];
    if (field === undefined) throw new Error(`Unknown field ${number} at byte ${reader.pos}`);
    const [name, type, repeated] = field;
    if (repeated === undefined) message[name] = readValue(reader, type);
    else {
      message[name] ??= [];
      const values = message[name] as unknown[];
      const isPacked = typeof type === 'string' && type !== 'string' && wireType === LENGTH_DELIMITED;
      const last = isPacked ? reader.uint32() + reader.pos : reader.pos + 1;
      while (reader.pos < last) values.push(readValue(reader, type));
    }
  }
  if (reader.pos !== end) throw new Error(`A message ends at byte ${reader.pos}, not at ${end}`);
  return message;
}

/** Returns integers of 64 bits as numbers where those are exact. */
function readValue(reader: BinaryReader, type: Scalar | Schema): unknown {
  if (typeof type !== 'string') return read(reader, type, reader.uint32());
  const value = reader[type]();
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const WRITE_REQUEST: Schema = {
  1: [
    'timeseries',
    {
      1: ['labels', { 1: ['name', 'string'], 2: ['value', 'string'] }, 'repeated'],
      2: ['samples', { 1: ['value', 'double'], 2: ['timestamp', 'int64'] }, 'repeated'],
    },
    'repeated',
  ],
};

/** A series of a remote write request, without exemplars and histograms. */
export interface WrittenSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly { readonly value: number; readonly timestamp: number }[];
}

/** Returns the series of `prometheus.WriteRequest`. Throws unless the labels of each are sorted and not empty. */
export function readWriteRequest(bytes: Uint8Array): WrittenSeries[] {
  const { timeseries = [] } = read(new BinaryReader(bytes), WRITE_REQUEST, bytes.length) as {
    timeseries?: {
      labels: { name: string; value?: string }[];
      samples: { value?: number; timestamp: number }[];
    }[];
  };
  return timeseries.map(({ labels, samples }) => {
    const names = labels.map(({ name }) => name);
    const isSorted = names.every(
      (name, i) => i === 0 || Buffer.compare(Buffer.from(names[i - 1]!), Buffer.from(name)) < 0,
    );
    if (!isSorted || labels.some(({ value }) => !value)) throw new Error(`Labels ${JSON.stringify(labels)}`);
    return {
      labels: Object.fromEntries(labels.map(({ name, value }) => [name, value!])),
      samples: samples.map(({ value = 0, timestamp }) => ({ value, timestamp })),
    };
  });
}
