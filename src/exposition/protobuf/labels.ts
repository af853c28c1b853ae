/** Label pairs of protobuf, made from the bytes of label texts without strings. */
import type { LabelRows } from '../../model/label-column.js';
import { labelText, unescapeLabelValue } from '../../model/labels.js';
import { copy, Fragment } from '../chunk.js';
import { type Exposed, unquoted } from '../naming.js';
import { lengthBytes, MAX_LENGTH_BYTES, writeLength } from './wire.js';

const QUOTE = 34;
const EQUALS = 61;
const BACKSLASH = 92;
const LETTER_N = 110;
const LINE_FEED = 10;

/** Tags of length-delimited fields: the number of the field times eight, plus 2. */
const LABEL = 10;
const NAME = 10;
const VALUE = 18;

/**
 * The first entry in {@link FamilyLabels.lengths} of a row that was not read, or that contains a pair of more than 127
 * bytes or a value with escapes.
 */
const NOT_SHORT = 255;
const MAX_SHORT = 127;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A label's name in label texts, and the name that is encoded for it. */
interface LabelName {
  readonly text: Uint8Array;
  /**
   * The bytes of a pair before its value: the tag and length of the pair, the field `name`, and the tag and length of
   * the value. The lengths of the pair and of the value take one byte each.
   */
  readonly written: Fragment;
}

/** The labels of a family that have been read so far, kept for the next scrape. */
export class FamilyLabels {
  /** The name at each position. Almost always, all series of a family have the same names in the same order. */
  readonly names: LabelName[] = [];
  /** The lengths of the values of each row, in the order of the names. They avoid a search for the ends of values. */
  lengths = new Uint8Array();
  /** Number of rows with known lengths. */
  size = 0;
  /** The array `starts` of the rows that the lengths belong to. Rows with the same array do not change. */
  starts: Uint32Array | undefined;
  /** Whether rows have different names. If so, the lengths are not used. */
  isMixed = false;
  /** Number of bytes by which the pairs of a series, if all are short, exceed its label text. */
  moreBytes = 0;
}

/** One pair of a series. */
interface Pair {
  name: Fragment;
  from: number;
  close: number;
  /** Bytes of the value without escapes. */
  length: number;
}

/** Converts the label text of a series, `method="GET",route="/"`, into fields `Metric.label`. */
export class LabelPairs {
  #text = new Uint8Array();
  #view = new DataView(new ArrayBuffer(0));
  #starts = new Uint32Array();
  #ends = new Int32Array();
  #relabel: Exposed<unknown>['relabel'];
  #labels = new FamilyLabels();
  /** The row that was searched last, and its pairs. */
  #searched = -1;
  readonly #found: Pair[] = [];
  #pairs = 0;
  /** The end of the value that was read last, and the number of backslashes in it that escape a character. */
  #close = 0;
  #escapes = 0;

  /**
   * Begins a family.
   *
   * @param labels - the names and lengths found in this family so far; new ones are added
   * @param relabel - the renaming of text formats: see `Exposed`
   */
  begin(
    { bytes, starts, lengths }: LabelRows,
    labels: FamilyLabels,
    relabel: Exposed<unknown>['relabel'],
  ): void {
    this.#text = bytes as Uint8Array<ArrayBuffer>;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) as DataView<ArrayBuffer>;
    this.#starts = starts as Uint32Array<ArrayBuffer>;
    this.#ends = lengths as Int32Array<ArrayBuffer>;
    this.#relabel = relabel;
    this.#labels = labels;
    this.#searched = -1;
    if (labels.starts === starts) return;
    labels.starts = starts;
    labels.size = 0;
  }

  /** Returns how many bytes the pairs of a series take. */
  measure(row: number): number {
    return this.#isShort(row) ? this.#ends[row]! + this.#labels.moreBytes : this.#search(row);
  }

  /** Writes the pairs of a series. Returns the offset after them. */
  write(row: number, bytes: Uint8Array, view: DataView, at: number): number {
    const { names, lengths } = this.#labels;
    if (!this.#isShort(row)) return this.#writeFound(row, bytes, view, at);
    let from = this.#starts[row]!;
    let to = at;
    for (let place = 0, index = row * names.length; place < names.length; place++, index++) {
      const { text, written } = names[place]!;
      const { length } = written;
      const value = lengths[index]!;
      copy(view, to, written.view, 0, length);
      bytes[to + 1] = length + value - 2;
      to += length;
      bytes[to - 1] = value;
      from += text.length + 2; // the equals sign and the quote
      to = copy(view, to, this.#view, from, value);
      from += value + 2; // the quote and the comma
    }
    return to;
  }

  /** Reports whether the lengths of a row are known and all of its pairs are short. */
  #isShort(row: number): boolean {
    const { names, lengths, size, isMixed, starts } = this.#labels;
    return row < size && !isMixed && starts === this.#starts && lengths[row * names.length] !== NOT_SHORT;
  }

  /** Reads the labels of a series from its text, and keeps the lengths of the values. */
  #search(row: number): number {
    const start = this.#starts[row]!;
    const end = start + this.#ends[row]!;
    let size = 0;
    let place = 0;
    for (let at = start; at < end; place++) {
      const { text, written } = this.#nameAt(place, at, end);
      at += text.length + 2; // the equals sign and the quote
      this.#find(at, end);
      const value = this.#close - at - this.#escapes;
      size += pairBytes(written.length, value);
      this.#found[place] ??= { name: written, from: 0, close: 0, length: 0 };
      const pair = this.#found[place]!;
      pair.name = written;
      pair.from = at;
      pair.close = this.#close;
      pair.length = value;
      at = this.#close + 2; // the quote and the comma
    }
    this.#pairs = place;
    this.#searched = row;
    this.#keepLengths(row);
    return size;
  }

  #keepLengths(row: number): void {
    const labels = this.#labels;
    const places = labels.names.length;
    if (this.#pairs !== places) labels.isMixed = true;
    // A later scrape may have begun to read other rows meanwhile.
    if (labels.isMixed || labels.starts !== this.#starts || row < labels.size) return;
    const needed = (row + 1) * places;
    if (needed > labels.lengths.length) {
      const grown = new Uint8Array(Math.ceil(needed * GROWTH) + places);
      grown.set(labels.lengths);
      labels.lengths = grown;
    }
    // A later snapshot may include rows that were skipped in this one.
    labels.lengths.fill(NOT_SHORT, labels.size * places, needed);
    const pairs = this.#found.slice(0, places);
    if (pairs.every(isShort))
      labels.lengths.set(
        pairs.map(({ length }) => length),
        row * places,
      );
    labels.size = row + 1;
  }

  #writeFound(row: number, bytes: Uint8Array, view: DataView, at: number): number {
    if (this.#searched !== row) this.#search(row);
    let to = at;
    for (let place = 0; place < this.#pairs; place++) {
      const { name, from, close, length } = this.#found[place]!;
      bytes[to] = LABEL;
      to = writeLength(bytes, to + 1, name.length - 3 + lengthBytes(length) + length);
      to = copy(view, to, name.view, 2, name.length - 3);
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
    const { names, size } = this.#labels;
    const known = names[place];
    if (known !== undefined) {
      const text = this.#text;
      const name = known.text;
      let i = 0;
      while (i < name.length && text[at + i] === name[i]) i += 1;
      if (i === name.length && text[at + i] === EQUALS && text[at + i + 1] === QUOTE) return known;
    }
    if (size > 0) this.#labels.isMixed = true;
    const found = this.#readName(at, end);
    names[place] = found;
    // In a text, an equals sign and quotes follow a name, and a comma precedes all names but the first.
    this.#labels.moreBytes += found.written.length - found.text.length - (place === 0 ? 3 : 4);
    return found;
  }

  /** Reads the name of a label. It ends before the first `="`, since quotes in a name are escaped. */
  #readName(at: number, end: number): LabelName {
    this.#find(at, end);
    const text = this.#text.slice(at, this.#close - 1);
    return { text, written: nameField(relabelled(unescapeLabelValue(decoder.decode(text)), this.#relabel)) };
  }
}

/** Growth factor of the array of lengths. */
const GROWTH = 1.2;

/** Reports whether the lengths of a pair are one byte each, and its value has no escapes. */
function isShort({ name, from, close, length }: Pair): boolean {
  return close - from === length && name.length - 2 + length <= MAX_SHORT;
}

/** Returns the name that a label is written with. */
function relabelled(name: string, relabel: Exposed<unknown>['relabel']): string {
  return relabel === undefined ? name : unquoted(relabel(labelText([name], [''])).slice(0, -'=""'.length));
}

/** Returns the bytes of a pair before its value: see {@link LabelName}. */
function nameField(name: string): Fragment {
  const encoded = encoder.encode(name);
  const field = new Uint8Array(2 + 1 + MAX_LENGTH_BYTES + encoded.length + 2);
  field[0] = LABEL;
  field[2] = NAME;
  const at = writeLength(field, 3, encoded.length);
  field.set(encoded, at);
  field[at + encoded.length] = VALUE;
  return new Fragment(field.subarray(0, at + encoded.length + 2));
}

/**
 * Returns the bytes of a pair.
 *
 * @param name - the bytes before a short value, of which three are the tag and the two lengths
 */
function pairBytes(name: number, value: number): number {
  const pair = name - 3 + lengthBytes(value) + value;
  return 1 + lengthBytes(pair) + pair;
}
