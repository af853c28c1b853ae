/** Label pairs of protobuf, made from the bytes of label texts without strings. */
import type { LabelRows } from '../../model/label-column.js';
import { labelText, unescapeLabelValue } from '../../model/labels.js';
import { copy, Fragment } from '../chunk.js';
import { type Exposed, unquoted } from '../naming.js';

const QUOTE = 34;
const EQUALS = 61;
const BACKSLASH = 92;
const LETTER_N = 110;
const LINE_FEED = 10;

/** Tags of length-delimited fields: the number of the field times eight, plus 2. */
const LABEL = 10;
const NAME = 10;
const VALUE = 18;

/** Maximum bytes of a length. */
export const MAX_LENGTH_BYTES = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A label's name in label texts, and the name that is encoded for it. */
export interface LabelName {
  readonly text: Uint8Array;
  /** The field `name` of the pair, and the tag of the field `value`. */
  readonly written: Fragment;
}

/** One pair of a series. */
interface Pair {
  name: Fragment;
  from: number;
  close: number;
  /** Bytes of the value without escapes. */
  length: number;
  /** Bytes of the pair. */
  size: number;
}

/**
 * Converts `method="GET",route="/"` into `Metric.label`, field by field. Most series of a family have the same names in
 * the same positions. So the name at each position is kept, and encoded again only if it differs.
 */
export class LabelPairs {
  #text = new Uint8Array();
  #view = new DataView(new ArrayBuffer(0));
  #relabel: Exposed<unknown>['relabel'];
  #names: LabelName[] = [];
  /** The pairs of the series that was measured last. */
  readonly #found: Pair[] = [];
  #pairs = 0;
  /** The end of the value that was read last, and the number of backslashes in it that escape a character. */
  #close = 0;
  #escapes = 0;

  /**
   * Begins a family.
   *
   * @param names - the names found in this family so far; new ones are added
   * @param relabel - the renaming of text formats: see `Exposed`
   */
  begin({ bytes }: LabelRows, names: LabelName[], relabel: Exposed<unknown>['relabel']): void {
    this.#text = bytes as Uint8Array<ArrayBuffer>;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) as DataView<ArrayBuffer>;
    this.#relabel = relabel;
    this.#names = names;
  }

  /** Reads the labels of a series, and returns how many bytes its pairs take. */
  measure(start: number, length: number): number {
    const end = start + length;
    let size = 0;
    let place = 0;
    for (let at = start; at < end; place++) {
      const { text, written } = this.#nameAt(place, at, end);
      at += text.length + 2; // the equals sign and the quote
      this.#find(at, end);
      const value = this.#close - at - this.#escapes;
      const all = written.length + lengthBytes(value) + value;
      size += 1 + lengthBytes(all) + all;
      this.#found[place] ??= { name: written, from: 0, close: 0, length: 0, size: 0 };
      const pair = this.#found[place]!;
      pair.name = written;
      pair.from = at;
      pair.close = this.#close;
      pair.length = value;
      pair.size = all;
      at = this.#close + 2; // the quote and the comma
    }
    this.#pairs = place;
    return size;
  }

  /** Writes the pairs of the series measured last. Returns the offset after them. */
  write(bytes: Uint8Array, view: DataView, at: number): number {
    let to = at;
    for (let place = 0; place < this.#pairs; place++) {
      const { name, from, close, length, size } = this.#found[place]!;
      bytes[to] = LABEL;
      to = writeLength(bytes, to + 1, size);
      to = copy(view, to, name.view, 0, name.length);
      to = writeLength(bytes, to, length);
      if (close - from === length) to = copy(view, to, this.#view, from, length);
      else to = this.#writeEscaped(bytes, to, from, close);
    }
    return to;
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

  #writeEscaped(bytes: Uint8Array, at: number, from: number, close: number): number {
    const text = this.#text;
    let to = at;
    for (let i = from; i < close; i++, to++) {
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

  /** Reads the name of a label. It ends before the first `="`, since quotes in a name are escaped. */
  #readName(at: number, end: number): LabelName {
    this.#find(at, end);
    const text = this.#text.slice(at, this.#close - 1);
    return { text, written: nameField(relabelled(unescapeLabelValue(decoder.decode(text)), this.#relabel)) };
  }
}

/** Returns the name that a label is written with. */
function relabelled(name: string, relabel: Exposed<unknown>['relabel']): string {
  return relabel === undefined ? name : unquoted(relabel(labelText([name], [''])).slice(0, -'=""'.length));
}

/** Returns the field `name` and the tag after it. */
function nameField(name: string): Fragment {
  const encoded = encoder.encode(name);
  const field = new Uint8Array(1 + MAX_LENGTH_BYTES + encoded.length + 1);
  field[0] = NAME;
  const at = writeLength(field, 1, encoded.length);
  field.set(encoded, at);
  field[at + encoded.length] = VALUE;
  return new Fragment(field.subarray(0, at + encoded.length + 1));
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
