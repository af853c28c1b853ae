/**
 * The label texts of a family's series, one row each, as the bytes that a scrape copies.
 *
 * A row takes its bytes and 8 more, outside the JavaScript heap. Its text is encoded when it is added.
 */

const MAX_ASCII = 127;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The length of a removed row. */
export const REMOVED = -1;

/** Readable bytes after the end of any row, so that a scrape can copy eight bytes at a time. */
export const PADDING = 8;

/** Growth factor of full arrays. A byte is copied about six times, which costs little compared with adding its row. */
const GROWTH = 1.2;
/** Size of the first array of bytes, and of the first array of rows, of a column whose rows have text. */
const FIRST_BYTES = 64;
const FIRST_ROWS = 4;

/** Arrays that columns share until they have a text or a second row, since most families have no labels. */
const NO_BYTES = new Uint8Array(PADDING);
const ONE_START = new Uint32Array(1);
const ONE_LENGTH = new Int32Array(1);

/** The rows at one moment. They never change, whatever happens to the column. */
export interface LabelRows {
  readonly bytes: Uint8Array;
  /** The offset of each row in `bytes`. */
  readonly starts: Uint32Array;
  /** The number of bytes of each row; {@link REMOVED} for rows to skip. */
  readonly lengths: Int32Array;
  /** The number of rows, including removed ones. */
  readonly size: number;
}

/** Returns the text of one row: `method="GET",route="/"`. */
export function rowText({ bytes, starts, lengths }: LabelRows, row: number): string {
  const start = starts[row]!;
  return decoder.decode(bytes.subarray(start, start + lengths[row]!));
}

/** A growing column of rows. Removed rows are used again. */
export class LabelColumn implements LabelRows {
  // The types are explicit, since the inferred types are generic, which TypeScript before 5.7 cannot read.
  bytes: Uint8Array = NO_BYTES;
  starts: Uint32Array = ONE_START;
  lengths: Int32Array = ONE_LENGTH;
  size = 0;
  /** Changes when a row is removed or its number is reused. Row numbers that were kept elsewhere are stale then. */
  version = 0;

  #end = 0;
  #dead = 0;
  /** Undefined until a row is removed. */
  #free: number[] | undefined;
  /** Whether `starts` and `lengths` are shared, so that they must be copied before a row is removed or used again. */
  #shared = true;

  /** The number of rows that were not removed. */
  get count(): number {
    return this.size - (this.#free?.length ?? 0);
  }

  /** Adds a row, under the number of a removed one if there is any. Returns its number. */
  add(text: string): number {
    const written = this.#write(text);
    let row = this.#free?.pop();
    if (row === undefined) row = this.#appendRow(written);
    else {
      this.#own();
      this.version += 1;
    }
    // The shared arrays already contain these numbers.
    if (this.starts !== ONE_START) {
      this.starts[row] = this.#end;
      this.lengths[row] = written;
    }
    this.#end += written;
    return row;
  }

  remove(row: number): void {
    this.#own();
    this.#dead += this.lengths[row]!;
    this.lengths[row] = REMOVED;
    this.#free ??= [];
    this.#free.push(row);
    this.version += 1;
    if (this.#dead > 4096 && this.#dead > this.#end / 2) this.#compact();
  }

  /** Returns the rows as they are now. Adding a row later copies nothing; the first removal copies 8 bytes per row. */
  view(): LabelRows {
    this.#shared = true;
    const { bytes, starts, lengths, size } = this;
    return { bytes, starts, lengths, size };
  }

  #own(): void {
    if (!this.#shared) return;
    this.#shared = false;
    this.starts = this.starts.slice();
    this.lengths = this.lengths.slice();
  }

  #appendRow(length: number): number {
    const row = this.size++;
    const isBare = row === 0 && length === 0;
    if (!isBare && (row >= this.starts.length || this.starts === ONE_START)) {
      const capacity = Math.ceil(row * GROWTH) + FIRST_ROWS;
      const { starts, lengths } = this;
      this.starts = new Uint32Array(capacity);
      this.starts.set(starts);
      this.lengths = new Int32Array(capacity);
      this.lengths.set(lengths);
      this.#shared = false;
    }
    return row;
  }

  /** Writes a text after the others, and returns its number of bytes. */
  #write(text: string): number {
    if (text === '') return 0;
    this.#reserveBytes(text.length);
    const { bytes } = this;
    // Most texts are short and ASCII. A loop writes these faster than an encoder, which needs a view.
    let at = this.#end;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > MAX_ASCII) return this.#encode(text);
      bytes[at++] = code;
    }
    return text.length;
  }

  #encode(text: string): number {
    this.#reserveBytes(text.length * 3);
    return encoder.encodeInto(text, this.bytes.subarray(this.#end)).written;
  }

  #reserveBytes(more: number): void {
    const needed = this.#end + more + PADDING;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, FIRST_BYTES + Math.ceil(this.bytes.length * GROWTH)));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  /** Drops the bytes of removed rows. Views keep the old array. */
  #compact(): void {
    const old = this.bytes;
    this.bytes = new Uint8Array(this.#end - this.#dead + PADDING);
    let end = 0;
    for (let row = 0; row < this.size; row++) {
      const length = this.lengths[row]!;
      if (length === REMOVED) continue;
      const start = this.starts[row]!;
      this.bytes.set(old.subarray(start, start + length), end);
      this.starts[row] = end;
      end += length;
    }
    this.#end = end;
    this.#dead = 0;
  }
}
