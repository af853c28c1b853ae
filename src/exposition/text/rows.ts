/** The rows of a family as lines of text: copied label bytes between copied fragments, and numbers. */
import { createFamily } from '../../model/create-family.js';
import type { Exemplar, FamilySnapshot } from '../../model/family.js';
import { type LabelRows, PADDING, REMOVED, rowText } from '../../model/label-column.js';
import { type Chunk, copy } from '../chunk.js';
import { writeValue } from '../value.js';
import type { Line } from './line.js';

const MOST_VALUE_BYTES = 25;
const LINE_FEED = 10;
const SPACE = 32;

const encoder = new TextEncoder();

/** How the rows of one family are written. */
export interface RowFormat {
  readonly lines: readonly Line[];
  /** Writes the text of a row's labels anew; undefined where rows stand as they are. */
  readonly relabel: ((text: string) => string) | undefined;
  /** The time of a row's values as a number; NaN where it has none. */
  readonly timestampOf: (seconds: number) => number;
  /** What follows a value that has an exemplar; undefined where exemplars are not written. */
  readonly exemplarText: ((exemplar: Exemplar) => string) | undefined;
}

/** Writes the rows of one family, as many at a time as fit. */
export class RowWriter {
  /** See {@link Chunk.always}. */
  static readonly always = new RowWriter(createFamily('always', '', { series: [] }), {
    lines: [],
    relabel: undefined,
    timestampOf: Number,
    exemplarText: undefined,
  });

  readonly #snapshot: FamilySnapshot;
  readonly #format: RowFormat;
  readonly #rows: LabelRows;
  readonly #values: Float64Array;
  readonly #cells: number;
  readonly #lines: readonly Line[];
  readonly #labels: DataView;
  /** The cell that must be a number of at least 0 for all lines to be written; -1 where none must. */
  readonly #guard: number;
  /** Whether there is more to a row than labels and cells, so that it takes the long way. */
  readonly #isRich: boolean;
  /** Most bytes of one row, its labels and exemplars aside. */
  #rowBytes = 0;
  #next = 0;
  /** The labels of the row that takes the long way, where they are written anew. */
  #scratch = new DataView(new ArrayBuffer(PADDING));

  constructor(snapshot: FamilySnapshot, format: RowFormat) {
    const { family, rows, values, timestamps, exemplars } = snapshot;
    this.#snapshot = snapshot;
    this.#format = format;
    this.#rows = rows;
    this.#values = values;
    this.#cells = family.cells;
    this.#lines = format.lines;
    this.#labels = new DataView(rows.bytes.buffer, rows.bytes.byteOffset, rows.bytes.byteLength);
    this.#guard = format.lines.find(({ guard }) => guard >= 0)?.guard ?? -1;
    this.#isRich =
      format.relabel !== undefined ||
      timestamps !== undefined ||
      (format.exemplarText !== undefined && exemplars !== undefined && exemplars.size > 0) ||
      format.lines.some(({ value }) => value === 'quantile' || value === 'created');
    const numberBytes = MOST_VALUE_BYTES + 1;
    for (const { head, tail } of format.lines) this.#rowBytes += head.length + tail.length + 2 * numberBytes;
  }

  /** Fills the chunk. Returns whether this was the rest. */
  write(chunk: Chunk): boolean {
    const { starts, lengths, size } = this.#rows;
    const values = this.#values;
    const cells = this.#cells;
    const lineCount = this.#lines.length;
    const guard = this.#guard;
    const isRich = this.#isRich;
    const isPlain = !isRich && guard < 0;
    for (; this.#next < size; this.#next++) {
      const row = this.#next;
      const length = lengths[row]!;
      if (length === REMOVED) continue;
      // Written so that NaN fails it too.
      if (!isPlain && (isRich || !(values[row * cells + guard]! >= 0))) {
        if (!this.#writeRich(chunk, row)) return false;
        continue;
      }
      if (!chunk.fits(this.#rowBytes + lineCount * length)) return false;
      chunk.length =
        lineCount === 1 && length > 0
          ? this.#writeLine(chunk, starts[row]!, length, values[row * cells]!)
          : this.#writeLines(chunk, starts[row]!, length, row * cells);
    }
    return true;
  }

  /** One line, with labels: the row of a counter or gauge. */
  #writeLine({ bytes, view, length: at }: Chunk, start: number, length: number, value: number): number {
    const { head, tail } = this.#lines[0]!;
    let end = copy(view, at, head.view, 0, head.length);
    end = copy(view, end, this.#labels, start, length);
    end = copy(view, end, tail.view, 0, tail.length);
    end = writeValue(bytes, end, value);
    bytes[end] = LINE_FEED;
    return end + 1;
  }

  #writeLines({ bytes, view, length: at }: Chunk, start: number, length: number, cells: number): number {
    const values = this.#values;
    let end = at;
    let sum = 0;
    for (const { head, tail, bareHead, bareTail, value, cell } of this.#lines) {
      const first = length > 0 ? head : bareHead;
      const last = length > 0 ? tail : bareTail;
      end = copy(view, end, first.view, 0, first.length);
      end = copy(view, end, this.#labels, start, length);
      end = copy(view, end, last.view, 0, last.length);
      if (value === 'cumulative') sum += values[cells + cell]!;
      end = writeValue(bytes, end, value === 'cell' ? values[cells + cell]! : sum);
      bytes[end] = LINE_FEED;
      end += 1;
    }
    return end;
  }

  /** The lines of a row with all that they may have. Returns whether they fitted. */
  #writeRich(chunk: Chunk, row: number): boolean {
    const { relabel, timestampOf } = this.#format;
    let [labels, start, length] = [this.#labels, this.#rows.starts[row]!, this.#rows.lengths[row]!];
    if (relabel !== undefined) {
      length = this.#relabel(relabel(rowText(this.#rows, row)));
      [labels, start] = [this.#scratch, 0];
    }
    const exemplars = this.#exemplarsOf(row);
    let most = this.#rowBytes + this.#lines.length * length;
    for (const exemplar of exemplars) most += exemplar?.length ?? 0;
    if (!chunk.fits(most)) return false;

    const timestamp = timestampOf(this.#snapshot.timestamps?.[row] ?? Number.NaN);
    const values = this.#values;
    const cells = row * this.#cells;
    const { bytes, view } = chunk;
    let end = chunk.length;
    let sum = 0;
    for (const [i, line] of this.#lines.entries()) {
      if (line.value === 'cumulative') sum += values[cells + line.cell]!;
      if (line.guard >= 0 && !(values[cells + line.guard]! >= 0)) continue;
      const number = this.#numberOf(line, row, sum);
      if (number === undefined || number < line.least) continue;
      const first = length > 0 ? line.head : line.bareHead;
      const last = length > 0 ? line.tail : line.bareTail;
      end = copy(view, end, first.view, 0, first.length);
      end = copy(view, end, labels, start, length);
      end = copy(view, end, last.view, 0, last.length);
      end = writeValue(bytes, end, number);
      if (!Number.isNaN(timestamp)) {
        bytes[end] = SPACE;
        end = writeValue(bytes, end + 1, timestamp);
      }
      const exemplar = exemplars[i];
      if (exemplar !== undefined) {
        bytes.set(exemplar, end);
        end += exemplar.length;
      }
      bytes[end] = LINE_FEED;
      end += 1;
    }
    chunk.length = end;
    return true;
  }

  /** What a line ends with; undefined where there is nothing to say. */
  #numberOf({ value, cell }: Line, row: number, sum: number): number | undefined {
    const { family, quantiles, created } = this.#snapshot;
    if (value === 'cell') return this.#values[row * this.#cells + cell]!;
    if (value === 'quantile') return quantiles?.[row * family.bounds.length + cell];
    if (value === 'created') return created?.[row] || undefined;
    return sum;
  }

  /** For each line the bytes of its exemplar, where it has one. */
  #exemplarsOf(row: number): (Uint8Array | undefined)[] {
    const { exemplars } = this.#snapshot;
    const { exemplarText } = this.#format;
    if (exemplarText === undefined || exemplars === undefined) return [];
    return this.#lines.map((line) => {
      const exemplar = line.exemplar ? exemplars.get(row * this.#cells + line.cell) : undefined;
      return exemplar === undefined ? undefined : encoder.encode(exemplarText(exemplar));
    });
  }

  /** Puts label text where it can be copied from. Returns its length in bytes. */
  #relabel(text: string): number {
    const most = text.length * 3 + PADDING;
    if (this.#scratch.byteLength < most) this.#scratch = new DataView(new ArrayBuffer(2 * most));
    return encoder.encodeInto(text, new Uint8Array(this.#scratch.buffer)).written;
  }
}
