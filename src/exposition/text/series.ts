/** Writes the series of a family as lines: the bytes of labels between texts of the family, and numbers. */
import { createFamily } from '../../model/create-family.js';
import type { Exemplar, FamilySnapshot } from '../../model/family.js';
import { PADDING, REMOVED, rowText } from '../../model/label-column.js';
import { type Chunk, copy } from '../chunk.js';
import type { Exposed } from '../naming.js';
import { writeValue } from '../value.js';
import type { FamilyText, Line } from './dialect.js';

const LINE_FEED = 10;
const SPACE = 32;

const encoder = new TextEncoder();

const NO_LABELS = new DataView(new ArrayBuffer(PADDING));
const NO_FAMILY = createFamily('none', '', { series: [] });
const NO_TEXT: FamilyText = {
  lines: { all: [], tails: NO_LABELS, suffixes: [], bytes: 0, guard: -1, isExtended: false },
  view: NO_LABELS,
  header: { start: 0, length: 0 },
  heads: [],
  seriesBytes: 0,
};

/** Writes the series of one family after another, as many at a time as fit into a chunk. */
export class SeriesWriter {
  /**
   * An instance that is never freed, so that V8 keeps the optimized code between two scrapes. See docs/v8.md:
   * constructors kept by one live instance.
   */
  static readonly always = new SeriesWriter(Number, undefined);

  /** Converts the time of a series' values to a timestamp; NaN where there is none. */
  readonly #timestampOf: (seconds: number) => number;
  /** Returns the text after a value with an exemplar; `undefined` where the format has no exemplars. */
  readonly #exemplarText: ((exemplar: Exemplar) => string) | undefined;
  #snapshot: FamilySnapshot = NO_FAMILY;
  #text = NO_TEXT;
  #labels: DataView = NO_LABELS;
  #relabel: Exposed<unknown>['relabel'];
  /** Whether series have more than labels and cells, so that {@link #writeRich} writes all of them. */
  #isRich = false;
  /** The row to be written next. */
  #next = 0;
  /** The renamed labels of a series. */
  #scratch = new DataView(new ArrayBuffer(PADDING));

  constructor(
    timestampOf: (seconds: number) => number,
    exemplarText: ((exemplar: Exemplar) => string) | undefined,
  ) {
    this.#timestampOf = timestampOf;
    this.#exemplarText = exemplarText;
  }

  /** Begins with the first series of a family. */
  begin(snapshot: FamilySnapshot, text: FamilyText, relabel: Exposed<unknown>['relabel']): void {
    const { timestamps, exemplars } = snapshot;
    const { bytes } = snapshot.rows;
    this.#snapshot = snapshot;
    this.#text = text;
    this.#labels =
      bytes.length > PADDING ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : NO_LABELS;
    this.#relabel = relabel;
    this.#isRich =
      relabel !== undefined ||
      timestamps !== undefined ||
      text.lines.isExtended ||
      (this.#exemplarText !== undefined && exemplars !== undefined && exemplars.size > 0);
    this.#next = 0;
  }

  /** Fills the chunk. Reports whether all series of the family are written. */
  write(chunk: Chunk): boolean {
    const { rows, values, family } = this.#snapshot;
    const { starts, lengths, size } = rows;
    const { cells } = family;
    const { lines, seriesBytes } = this.#text;
    const { all, guard } = lines;
    const isRich = this.#isRich;
    const isPlain = !isRich && guard < 0;
    for (; this.#next < size; this.#next++) {
      const row = this.#next;
      const length = lengths[row]!;
      if (length === REMOVED) continue;
      // NaN fails this comparison too.
      if (!isPlain && (isRich || !(values[row * cells + guard]! >= 0))) {
        if (!this.#writeRich(chunk, row)) return false;
        continue;
      }
      if (!chunk.fits(seriesBytes + all.length * length)) return false;
      if (all.length === 1 && length > 0) this.#writeLine(chunk, starts[row]!, length, values[row * cells]!);
      else this.#writeLines(chunk, starts[row]!, length, row * cells);
    }
    return true;
  }

  /** Writes one line with labels: a series of a counter or gauge. */
  #writeLine(chunk: Chunk, start: number, length: number, value: number): void {
    const { bytes, view } = chunk;
    const { view: texts, heads, lines } = this.#text;
    const { head, tail, tailLength } = lines.all[0]!;
    const name = heads[head]!;
    let end = copy(view, chunk.length, texts, name.start, name.length);
    end = copy(view, end, this.#labels, start, length);
    end = copy(view, end, lines.tails, tail, tailLength);
    end = writeValue(bytes, end, value);
    bytes[end] = LINE_FEED;
    chunk.length = end + 1;
  }

  #writeLines(chunk: Chunk, start: number, length: number, cells: number): void {
    const { bytes, view } = chunk;
    const { values } = this.#snapshot;
    const { all } = this.#text.lines;
    let end = chunk.length;
    let sum = 0;
    for (let i = 0; i < all.length; i++) {
      const line = all[i]!;
      const { value, cell } = line;
      if (value === 'cumulative') {
        const count = values[cells + cell]!;
        if (Number.isNaN(count)) continue;
        sum += count;
      }
      end = this.#writeName(view, end, line, this.#labels, start, length);
      end = writeValue(bytes, end, value === 'cell' ? values[cells + cell]! : sum);
      bytes[end] = LINE_FEED;
      end += 1;
    }
    chunk.length = end;
  }

  #writeName(
    view: DataView,
    at: number,
    line: Line,
    labels: DataView,
    start: number,
    length: number,
  ): number {
    const { view: texts, heads, lines } = this.#text;
    const { tails } = lines;
    const { cutTail, tail, tailLength } = line;
    const name = heads[line.head]!;
    if (length === 0) {
      const end = copy(view, at, texts, name.start, name.length - line.cutHead);
      return copy(view, end, tails, tail + cutTail, tailLength - cutTail);
    }
    let end = copy(view, at, texts, name.start, name.length);
    end = copy(view, end, labels, start, length);
    return copy(view, end, tails, tail, tailLength);
  }

  /** Writes the lines of a series with timestamp, exemplars and guards, if they fit. Reports whether they did. */
  #writeRich(chunk: Chunk, row: number): boolean {
    const relabel = this.#relabel;
    const { rows, values, timestamps } = this.#snapshot;
    const { lines, seriesBytes } = this.#text;
    const { all } = lines;
    let [labels, start, length] = [this.#labels, rows.starts[row]!, rows.lengths[row]!];
    if (relabel !== undefined) {
      length = this.#encodeLabels(relabel(rowText(rows, row)));
      [labels, start] = [this.#scratch, 0];
    }
    const exemplars = this.#exemplarsOf(row);
    let most = seriesBytes + all.length * length;
    for (const exemplar of exemplars) most += exemplar?.length ?? 0;
    if (!chunk.fits(most)) return false;

    const timestamp = this.#timestampOf(timestamps?.[row] ?? Number.NaN);
    const cells = row * this.#snapshot.family.cells;
    const { bytes, view } = chunk;
    let end = chunk.length;
    let sum = 0;
    for (const [i, line] of all.entries()) {
      if (line.value === 'cumulative') {
        const count = values[cells + line.cell]!;
        if (Number.isNaN(count)) continue;
        sum += count;
      }
      if (line.guard >= 0 && !(values[cells + line.guard]! >= 0)) continue;
      const number = this.#numberOf(line, row, sum);
      if (number === undefined || number < line.min) continue;
      end = this.#writeName(view, end, line, labels, start, length);
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

  /** Returns the number of a line; `undefined` where it has none. */
  #numberOf({ value, cell }: Line, row: number, sum: number): number | undefined {
    const { family, values, quantiles, created } = this.#snapshot;
    if (value === 'cell') return values[row * family.cells + cell]!;
    if (value === 'quantile') return quantiles?.[row * family.bounds.length + cell];
    if (value === 'created') return created?.[row] || undefined;
    return sum;
  }

  /** Returns the encoded exemplar of each line; `undefined` for a line without one. */
  #exemplarsOf(row: number): (Uint8Array | undefined)[] {
    const { family, exemplars } = this.#snapshot;
    const exemplarText = this.#exemplarText;
    if (exemplarText === undefined || exemplars === undefined) return [];
    return this.#text.lines.all.map((line) => {
      const exemplar = line.exemplar ? exemplars.get(row * family.cells + line.cell) : undefined;
      return exemplar === undefined ? undefined : encoder.encode(exemplarText(exemplar));
    });
  }

  /** Encodes a label text into the scratch buffer. Returns its length in bytes. */
  #encodeLabels(text: string): number {
    const most = text.length * 3 + PADDING;
    if (this.#scratch.byteLength < most) this.#scratch = new DataView(new ArrayBuffer(2 * most));
    return encoder.encodeInto(text, new Uint8Array(this.#scratch.buffer)).written;
  }
}
