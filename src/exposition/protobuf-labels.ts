/** Label pairs of protobuf, made from the label texts of rows without making strings of them. */
import { type LabelRows, PADDING } from '../model/label-column.js';
import { labelText, unescapeLabelValue } from '../model/labels.js';
import { copy, Fragment } from './chunk.js';
import { unquoted } from './escaping.js';
import type { Exposed } from './exposed.js';

const QUOTE = 34;
const EQUALS = 61;
const BACKSLASH = 92;
const LETTER_N = 110;
const LINE_FEED = 10;

/** Tags: a field's number times eight, and 2 for something with a length before it. */
const LABEL = 10;
const NAME = 10;
const VALUE = 18;

/** Most bytes of a length. */
const MOST_LENGTH_BYTES = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A label's name as it stands in the rows of a family, and as it is written. */
interface LabelName {
  readonly text: Uint8Array;
  /** Field `name` of the pair, whole, and the tag of its `value`. */
  readonly written: Fragment;
}

/**
 * Turns `method="GET",route="/"` into `Metric.label`, field by field. Rows of a family mostly have the same
 * names in the same places, so each place remembers its name.
 */
export class LabelPairs {
  readonly #text: Uint8Array;
  readonly #view: DataView;
  readonly #nameOf: (name: string) => string;
  readonly #names: LabelName[] = [];
  #bytes = new Uint8Array(1024);
  #to = new DataView(this.#bytes.buffer);
  /** Where the value that was looked for ends, and how many of its bytes are escapes. */
  #close = 0;
  #escapes = 0;

  /** @param nameOf - gives a name as the reader wants it */
  constructor({ bytes }: LabelRows, nameOf: (name: string) => string) {
    this.#text = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#nameOf = nameOf;
  }

  /** How long {@link encode} will be. */
  measure(start: number, length: number): number {
    const end = start + length;
    let size = 0;
    for (let at = start, place = 0; at < end; place++) {
      const { text, written } = this.#nameAt(place, at, end);
      at += text.length + 2; // the equals sign and the quote
      this.#find(at, end);
      const value = this.#close - at - this.#escapes;
      const pair = written.length + lengthBytes(value) + value;
      size += 1 + lengthBytes(pair) + pair;
      at = this.#close + 2; // the quote and the comma
    }
    return size;
  }

  /** The pairs of one row. They stand until the next call. */
  encode(start: number, length: number): Uint8Array {
    const end = start + length;
    let to = 0;
    for (let at = start, place = 0; at < end; place++) {
      const { text, written } = this.#nameAt(place, at, end);
      at += text.length + 2;
      this.#find(at, end);
      to = this.#writePair(to, written, at);
      at = this.#close + 2;
    }
    return this.#bytes.subarray(0, to);
  }

  #find(at: number, end: number): void {
    const text = this.#text;
    let close = at;
    let escapes = 0;
    for (; close < end; close++) {
      const byte = text[close];
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) continue;
      escapes += 1;
      close += 1;
    }
    this.#close = close;
    this.#escapes = escapes;
  }

  /** Writes the pair whose value begins at `from` and was found last. */
  #writePair(at: number, name: Fragment, from: number): number {
    const length = this.#close - from - this.#escapes;
    const all = name.length + lengthBytes(length) + length;
    this.#reserve(at + 1 + MOST_LENGTH_BYTES + all + PADDING);
    const bytes = this.#bytes;
    bytes[at] = LABEL;
    let to = writeLength(bytes, at + 1, all);
    to = copy(this.#to, to, name.view, 0, name.length);
    to = writeLength(bytes, to, length);
    if (this.#escapes === 0) return copy(this.#to, to, this.#view, from, length);
    const text = this.#text;
    for (let i = from; i < this.#close; i++, to++) {
      const byte = text[i]!;
      bytes[to] = byte;
      if (byte !== BACKSLASH) continue;
      i += 1;
      bytes[to] = text[i] === LETTER_N ? LINE_FEED : text[i]!;
    }
    return to;
  }

  #nameAt(place: number, at: number, end: number): LabelName {
    const known = this.#names[place];
    if (known !== undefined) {
      const text = this.#text;
      const name = known.text;
      let i = 0;
      while (i < name.length && text[at + i] === name[i]) i += 1;
      if (i === name.length && text[at + i] === EQUALS && text[at + i + 1] === QUOTE) return known;
    }
    const found = this.#readName(at, end);
    this.#names[place] = found;
    return found;
  }

  /** A name ends before the first `="`: a quote of its own has a backslash before it. */
  #readName(at: number, end: number): LabelName {
    this.#find(at, end);
    const text = this.#text.slice(at, this.#close - 1);
    return { text, written: nameField(this.#nameOf(unescapeLabelValue(decoder.decode(text)))) };
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = new Uint8Array(size * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#to = new DataView(grown.buffer);
  }
}

/** @param relabel - what text formats write instead of a row's labels: see `Exposed` */
export function relabelled(name: string, relabel: Exposed['relabel']): string {
  return relabel === undefined ? name : unquoted(relabel(labelText([name], [''])).slice(0, -'=""'.length));
}

/** The field `name` and the tag that comes behind it. */
function nameField(name: string): Fragment {
  const encoded = encoder.encode(name);
  const field = new Uint8Array(1 + MOST_LENGTH_BYTES + encoded.length + 1);
  field[0] = NAME;
  const at = writeLength(field, 1, encoded.length);
  field.set(encoded, at);
  field[at + encoded.length] = VALUE;
  return new Fragment(field.subarray(0, at + encoded.length + 1));
}

/** Bytes of a length as a varint. */
export function lengthBytes(length: number): number {
  let size = 1;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}

function writeLength(bytes: Uint8Array, at: number, length: number): number {
  let to = at;
  let rest = length;
  for (; rest > 127; rest >>>= 7) bytes[to++] = (rest & 127) | 128;
  bytes[to] = rest;
  return to + 1;
}
