/**
 * The label texts of a family's series, one row each, kept as the bytes that a scrape copies.
 *
 * A row costs its bytes and 8 more, outside the JavaScript heap. Text is encoded once, when the row is made.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Length of a row that was removed. */
export const REMOVED = -1;

/** Bytes that may be read past the end of any row, so that a scrape can copy eight at a time. */
export const PADDING = 8;

/** How much a full array grows. A byte is copied six times in its life, which is nothing beside making its row. */
const GROWTH = 1.2;

/** The rows at one moment. Nothing in it changes afterwards, whatever happens to the column. */
export interface LabelRows {
  readonly bytes: Uint8Array;
  /** Where each row begins in `bytes`. */
  readonly starts: Uint32Array;
  /** How many bytes each row has; {@link REMOVED} for a row to be skipped. */
  readonly lengths: Int32Array;
  /** Rows, removed ones included. */
  readonly size: number;
}

/** The text of one row: `method="GET",route="/"`. */
export function rowText({ bytes, starts, lengths }: LabelRows, row: number): string {
  const start = starts[row]!;
  return decoder.decode(bytes.subarray(start, start + lengths[row]!));
}

/** Appends, removes and reuses rows. */
export class LabelColumn implements LabelRows {
  bytes = new Uint8Array(PADDING);
  starts = new Uint32Array(1);
  lengths = new Int32Array(1);
  size = 0;
  /** Changes whenever a row stops meaning what it meant: row numbers kept elsewhere are then stale. */
  version = 0;

  #end = 0;
  #dead = 0;
  readonly #free: number[] = [];
  /** Whether a snapshot shares `starts` and `lengths`: then a removal or reuse copies them first. */
  #shared = false;

  /** Rows that were not removed. */
  get count(): number {
    return this.size - this.#free.length;
  }

  /** Adds a row, in the place of a removed one where there is one. Returns its number. */
  add(text: string): number {
    this.#reserveBytes(text.length * 3);
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.#end));
    let row = this.#free.pop();
    if (row === undefined) row = this.#appendRow();
    else {
      this.#own();
      this.version += 1;
    }
    this.starts[row] = this.#end;
    this.lengths[row] = written;
    this.#end += written;
    return row;
  }

  remove(row: number): void {
    this.#own();
    this.#dead += this.lengths[row]!;
    this.lengths[row] = REMOVED;
    this.#free.push(row);
    this.version += 1;
    if (this.#dead > 4096 && this.#dead > this.#end / 2) this.#compact();
  }

  /** The rows as they are now. Appending afterwards never copies; removing copies 8 bytes a row, once. */
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

  #appendRow(): number {
    const row = this.size++;
    if (row >= this.starts.length) {
      const capacity = Math.ceil(row * GROWTH) + 3;
      const { starts, lengths } = this;
      this.starts = new Uint32Array(capacity);
      this.starts.set(starts);
      this.lengths = new Int32Array(capacity);
      this.lengths.set(lengths);
      this.#shared = false;
    }
    return row;
  }

  #reserveBytes(more: number): void {
    const needed = this.#end + more + PADDING;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, Math.ceil(this.bytes.length * GROWTH)));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  /** Leaves the bytes of removed rows behind. Snapshots keep the old array. */
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
