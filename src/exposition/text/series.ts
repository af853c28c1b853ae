/** Writes the series of a family as lines: the bytes of labels between texts of the family, and numbers. */
import { createFamily } from '../../model/create-family.js';
import type { Exemplar, FamilySnapshot } from '../../model/family.js';
import { type LabelRows, PADDING, REMOVED, rowText } from '../../model/label-column.js';
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
  view: NO_LABELS,
  headerLength: 0,
  lines: [],
  seriesBytes: 0,
  guard: -1,
  isExtended: false,
};

/** Writes the series of one family after another, as many at a time as fit into a chunk. */
export class SeriesWriter {
  /** Keeps the optimized code between two scrapes. See docs/v8.md: constructors kept by one live instance. */
  static readonly always = new SeriesWriter(Number, undefined);

  /** Converts the time of a series' values to a timestamp; NaN where there is none. */
  readonly #timestampOf: (seconds: number) => number;
  /** Text behind a value with an exemplar; `undefined` where the format has no exemplars. */
  readonly #exemplarText: ((exemplar: Exemplar) => string) | undefined;
  #snapshot: FamilySnapshot = NO_FAMILY;
  #rows: LabelRows = NO_FAMILY.rows;
  #values: Float64Array = NO_FAMILY.values;
  #cells = 0;
  #text = NO_TEXT;
  #texts: DataView = NO_LABELS;
  #lines: readonly Line[] = [];
  #labels: DataView = NO_LABELS;
  #relabel: Exposed<unknown>['relabel'];
  #guard = -1;
  /** Whether a series has more than labels and cells, so that it takes the slower way. */
  #isRich = false;
  #seriesBytes = 0;
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
    const { family, rows, values, timestamps, exemplars } = snapshot;
    const { bytes } = rows;
    this.#snapshot = snapshot;
    this.#rows = rows;
    this.#values = values;
    this.#cells = family.cells;
    this.#text = text;
    this.#texts = text.view;
    this.#lines = text.lines;
    this.#labels =
      bytes.length > PADDING ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : NO_LABELS;
    this.#relabel = relabel;
    this.#guard = text.guard;
    this.#isRich =
      relabel !== undefined ||
      timestamps !== undefined ||
      text.isExtended ||
      (this.#exemplarText !== undefined && exemplars !== undefined && exemplars.size > 0);
    this.#seriesBytes = text.seriesBytes;
    this.#next = 0;
  }

  /** Fills the chunk. Returns whether all series of the family are written. */
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
      // NaN fails this comparison too.
      if (!isPlain && (isRich || !(values[row * cells + guard]! >= 0))) {
        if (!this.#writeRich(chunk, row)) return false;
        continue;
      }
      if (!chunk.fits(this.#seriesBytes + lineCount * length)) return false;
      chunk.length =
        lineCount === 1 && length > 0
          ? this.#writeLine(chunk, starts[row]!, length, values[row * cells]!)
          : this.#writeLines(chunk, starts[row]!, length, row * cells);
    }
    return true;
  }

  /** Writes one line with labels: a series of a counter or gauge. */
  #writeLine({ bytes, view, length: at }: Chunk, start: number, length: number, value: number): number {
    const { head, headLength, tail, tailLength } = this.#lines[0]!;
    const texts = this.#texts;
    let end = copy(view, at, texts, head, headLength);
    end = copy(view, end, this.#labels, start, length);
    end = copy(view, end, texts, tail, tailLength);
    end = writeValue(bytes, end, value);
    bytes[end] = LINE_FEED;
    return end + 1;
  }

  #writeLines({ bytes, view, length: at }: Chunk, start: number, length: number, cells: number): number {
    const values = this.#values;
    const lines = this.#lines;
    let end = at;
    let sum = 0;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const { value, cell } = line;
      end = this.#writeName(view, end, line, this.#labels, start, length);
      if (value === 'cumulative') sum += values[cells + cell]!;
      end = writeValue(bytes, end, value === 'cell' ? values[cells + cell]! : sum);
      bytes[end] = LINE_FEED;
      end += 1;
    }
    return end;
  }

  #writeName(
    view: DataView,
    at: number,
    line: Line,
    labels: DataView,
    start: number,
    length: number,
  ): number {
    const texts = this.#texts;
    if (length === 0) {
      const end = copy(view, at, texts, line.head, line.bareHeadLength);
      return copy(view, end, texts, line.bareTail, line.bareTailLength);
    }
    let end = copy(view, at, texts, line.head, line.headLength);
    end = copy(view, end, labels, start, length);
    return copy(view, end, texts, line.tail, line.tailLength);
  }

  /** Writes the lines of a series with timestamp, exemplars and guards. Returns whether they fitted. */
  #writeRich(chunk: Chunk, row: number): boolean {
    const relabel = this.#relabel;
    let [labels, start, length] = [this.#labels, this.#rows.starts[row]!, this.#rows.lengths[row]!];
    if (relabel !== undefined) {
      length = this.#encodeLabels(relabel(rowText(this.#rows, row)));
      [labels, start] = [this.#scratch, 0];
    }
    const exemplars = this.#exemplarsOf(row);
    let most = this.#text.seriesBytes + this.#lines.length * length;
    for (const exemplar of exemplars) most += exemplar?.length ?? 0;
    if (!chunk.fits(most)) return false;

    const timestamp = this.#timestampOf(this.#snapshot.timestamps?.[row] ?? Number.NaN);
    const values = this.#values;
    const cells = row * this.#cells;
    const { bytes, view } = chunk;
    let end = chunk.length;
    let sum = 0;
    for (const [i, line] of this.#lines.entries()) {
      if (line.value === 'cumulative') sum += values[cells + line.cell]!;
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

  /** The number of a line; `undefined` where it has none. */
  #numberOf({ value, cell }: Line, row: number, sum: number): number | undefined {
    const { family, quantiles, created } = this.#snapshot;
    if (value === 'cell') return this.#values[row * this.#cells + cell]!;
    if (value === 'quantile') return quantiles?.[row * family.bounds.length + cell];
    if (value === 'created') return created?.[row] || undefined;
    return sum;
  }

  /** The encoded exemplar of each line; `undefined` for a line without one. */
  #exemplarsOf(row: number): (Uint8Array | undefined)[] {
    const { exemplars } = this.#snapshot;
    const exemplarText = this.#exemplarText;
    if (exemplarText === undefined || exemplars === undefined) return [];
    return this.#lines.map((line) => {
      const exemplar = line.exemplar ? exemplars.get(row * this.#cells + line.cell) : undefined;
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
