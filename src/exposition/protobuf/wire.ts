/**
 * The wire format of protobuf, written into the bytes of a chunk.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
import type { Chunk } from '../chunk.js';

/** Wire types: the low three bits of a tag. */
const VARINT = 0;
const DOUBLE = 1;
const MESSAGE = 2;

/** Maximum bytes of the length of a message. */
export const MAX_LENGTH_BYTES = 5;

const INT32_RANGE = 2 ** 31;
const UINT64_RANGE = 2 ** 64;

const encoder = new TextEncoder();

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

/** Returns how many bytes a length takes as a varint. */
export function lengthBytes(length: number): number {
  let size = 1;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}

/** Writes a length as a varint. Returns the offset after it. */
export function writeLength(bytes: Uint8Array, at: number, length: number): number {
  let to = at;
  let rest = length;
  for (; rest > 127; rest >>>= 7) bytes[to++] = (rest & 127) | 128;
  bytes[to] = rest;
  return to + 1;
}

/** Writes fields one after another. The caller makes sure that they fit into the chunk. */
export class WireWriter {
  /**
   * An instance that is never freed, so that V8 keeps the optimized code between two scrapes. See docs/v8.md:
   * constructors kept by one live instance.
   */
  static readonly always = new WireWriter();

  bytes = new Uint8Array();
  view = new DataView(this.bytes.buffer);
  /** Offset of the next byte. */
  at = 0;

  /** Continues at the end of a chunk. */
  begin({ bytes, view, length }: Pick<Chunk, 'bytes' | 'view' | 'length'>): void {
    this.bytes = bytes;
    this.view = view;
    this.at = length;
  }

  /**
   * Begins a message, string or list. Its length is written by {@link close}, so the length's bytes are reserved.
   *
   * @param reserved - the expected number of bytes of the length. If the actual number differs, the content is copied
   * @returns the offset of the content, for `close`
   */
  open(tag: number, reserved = 1): number {
    this.tag(tag);
    this.at += reserved;
    return this.at;
  }

  /** Writes the length of the content from `start`, and returns how many bytes the length takes. */
  close(start: number, reserved = 1): number {
    const length = this.at - start;
    const needed = lengthBytes(length);
    if (needed !== reserved) {
      this.bytes.copyWithin(start - reserved + needed, start, this.at);
      this.at += needed - reserved;
    }
    writeLength(this.bytes, start - reserved, length);
    return needed;
  }

  tag(tag: number): void {
    if (tag < 128) this.bytes[this.at++] = tag;
    else this.at = writeLength(this.bytes, this.at, tag);
  }

  double(tag: number, value: number): void {
    this.tag(tag);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** Writes a `uint64` of up to 53 significant bits. */
  count(tag: number, value: number): void {
    this.tag(tag);
    this.varint(value);
  }

  /** Writes an `int64` of up to 53 significant bits. */
  integer(tag: number, value: number): void {
    this.tag(tag);
    if (value >= 0) this.varint(value);
    else this.#big(BigInt.asUintN(64, BigInt(value)));
  }

  string(tag: number, text: string): void {
    const start = this.open(tag);
    this.at += encoder.encodeInto(text, this.bytes.subarray(start)).written;
    this.close(start);
  }

  varint(value: number): void {
    const { bytes } = this;
    let at = this.at;
    let rest = value;
    // The remainder and the quotient of a division by 128 are exact.
    for (; rest >= INT32_RANGE; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128;
    this.at = writeLength(bytes, at, rest);
  }

  /** Writes a `sint32` or `sint64` without a tag. */
  signed(value: number): void {
    if (value >= -INT32_RANGE / 2 && value < INT32_RANGE / 2)
      this.at = writeLength(this.bytes, this.at, (value << 1) ^ (value >> 31));
    else this.#big(BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n)));
  }

  #big(value: bigint): void {
    let rest = value;
    for (; rest > 127n; rest >>= 7n) this.bytes[this.at++] = Number(rest & 127n) | 128;
    this.bytes[this.at++] = Number(rest);
  }
}
