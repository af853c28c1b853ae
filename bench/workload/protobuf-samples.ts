/** Reads the protobuf format to check a measurement, with the reader of another package. */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { expectEqual } from '../case.js';
import type { Amount } from './label-sets.js';

const METRIC = 4;
const COUNTER = 3;
const HISTOGRAM = 7;
const FIRST = 1;

/** @throws Error unless every series is there and their sum is right */
export function checkProtobuf(bytes: Uint8Array, { kind, families, series }: Amount): void {
  const reader = new BinaryReader(bytes);
  let metrics = 0;
  let sum = 0;
  while (reader.pos < reader.len) {
    for (const metric of fieldsOf(reader.bytes(), METRIC)) {
      metrics += 1;
      const [value] = fieldsOf(metric, kind === 'counter' ? COUNTER : HISTOGRAM);
      sum += firstOf(value!, kind);
    }
  }
  expectEqual('metrics', metrics, families * series);
  const perFamily = Array.from({ length: series }, (_, i) => (kind === 'counter' ? i % 1000 : OBSERVED));
  expectEqual('sum', sum, families * perFamily.reduce((total, value) => total + value, 0));
}

/** Number of observations of each histogram. */
const OBSERVED = 12;

/** Returns the length-delimited fields of a message that have this number. */
function fieldsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === wanted) found.push(reader.bytes());
    else reader.skip(type);
  }
  return found;
}

/** Returns the value of a counter, or the count of a histogram. */
function firstOf(message: Uint8Array, kind: Amount['kind']): number {
  const reader = new BinaryReader(message);
  const [field] = reader.tag();
  expectEqual('field', field, FIRST);
  return kind === 'counter' ? reader.double() : Number(reader.uint64());
}
