/** Fields that several messages of `io.prometheus.client` have. */
import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { type Exemplar, isTime } from '../../model/family.js';
import type { Escaping } from '../formats.js';
import { labelNamesOf, unquoted } from '../naming.js';

/** Wire types: the low three bits of a tag. */
const VARINT = 0;
const DOUBLE = 1;
const MESSAGE = 2;

const MAX_UINT32 = 2 ** 32 - 1;
const UINT64_RANGE = 2 ** 64;

/** Returns the tag of a varint field: `bool`, an enum, an integer. */
export const varintTag = (field: number): number => field * 8 + VARINT;
/** Returns the tag of a field of eight bytes. */
export const doubleTag = (field: number): number => field * 8 + DOUBLE;
/** Returns the tag of a length-delimited field: a message, a string, packed numbers. */
export const messageTag = (field: number): number => field * 8 + MESSAGE;

/** Reports whether a count can be written as `uint64`. */
export function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < UINT64_RANGE;
}

/** Writes a `uint64`. Small ones are written as `uint32`, which has the same bytes and needs no BigInt. */
export function writeCount(writer: BinaryWriter, tag: number, count: number): void {
  writer.uint32(tag);
  if (count <= MAX_UINT32) writer.uint32(count);
  else writer.uint64(BigInt(count));
}

export function writeDouble(writer: BinaryWriter, tag: number, value: number): void {
  writer.uint32(tag).double(value);
}

/** Writes a `google.protobuf.Timestamp`. @param seconds - Unix seconds */
export function writeTimestamp(writer: BinaryWriter, tag: number, seconds: number): void {
  let whole = Math.floor(seconds);
  let nanos = Math.round((seconds - whole) * 1e9);
  if (nanos === 1e9) {
    whole += 1;
    nanos = 0;
  }
  writer.uint32(tag).fork();
  writer.uint32(varintTag(1));
  if (whole >= 0 && whole <= MAX_UINT32) writer.uint32(whole);
  else writer.int64(BigInt(whole));
  writer.uint32(varintTag(2)).uint32(nanos).join();
}

/** Writes an `Exemplar`. */
export function writeExemplar(
  writer: BinaryWriter,
  tag: number,
  { labels, value, timestamp }: Exemplar,
  escaping: Escaping,
): void {
  writer.uint32(tag).fork();
  for (const [name, written] of labelNamesOf(Object.keys(labels), escaping)) {
    writer.uint32(messageTag(1)).fork();
    writer.uint32(messageTag(1)).string(unquoted(written));
    writer.uint32(messageTag(2)).string(labels[name]!);
    writer.join();
  }
  writeDouble(writer, doubleTag(2), value);
  if (isTime(timestamp)) writeTimestamp(writer, messageTag(3), timestamp);
  writer.join();
}
