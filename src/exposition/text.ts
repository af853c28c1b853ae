/**
 * Text format 0.0.4, from columns: a row is copied label bytes between copied fragments, and numbers.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
import { createFamily } from '../model/create-family.js';
import type { FamilyDescriptor, FamilySnapshot, MetricType } from '../model/family.js';
import { type LabelRows, REMOVED } from '../model/label-column.js';
import { Chunk, copy, Fragment } from './chunk.js';
import { formatBound, writeValue } from './value.js';

const MOST_VALUE_BYTES = 25;
const LINE_FEED = 10;

/** `untyped` is the word of this format for what OpenMetrics calls unknown. */
const TYPE_WORDS: Partial<Record<MetricType, string>> = { unknown: 'untyped' };

/** The families as chunks of text. Nothing is kept: what was taken can be sent while the rest is written. */
export function* encodeText(families: Iterable<FamilySnapshot>): Generator<Uint8Array> {
  const chunk = new Chunk();
  for (const snapshot of families) {
    const header = new Fragment(headerOf(snapshot.family));
    while (!chunk.fits(header.length)) yield chunk.take();
    chunk.length = copy(chunk.view, chunk.length, header.view, 0, header.length);
    const rows = new RowWriter(snapshot);
    while (!rows.write(chunk)) yield chunk.take();
  }
  if (chunk.length > 0) yield chunk.take();
}

function headerOf({ name, help, type }: FamilyDescriptor): string {
  const escaped = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${TYPE_WORDS[type] ?? type}\n`;
}

/**
 * The number that ends a line: a cell as it is; a cell on top of those of the lines before, as buckets are
 * cumulative; or the sum of all those.
 */
type LineValue = 'cell' | 'cumulative' | 'count';

/** What stands around the labels in one line of a series, and which number it ends with. */
interface Line {
  readonly head: Fragment;
  readonly tail: Fragment;
  /** The same for a series without labels. */
  readonly bareHead: Fragment;
  readonly bareTail: Fragment;
  readonly value: LineValue;
  readonly cell: number;
}

function line(name: string, cell: number, value: LineValue = 'cell'): Line {
  const [head, tail] = [new Fragment(`${name}{`), new Fragment('} ')];
  return { head, tail, bareHead: new Fragment(name), bareTail: new Fragment(' '), cell, value };
}

function bucketLine(name: string, cell: number, bound: number): Line {
  const head = new Fragment(`${name}_bucket{`);
  const le = `le="${formatBound(bound)}"} `;
  const [tail, bareTail] = [new Fragment(`,${le}`), new Fragment(le)];
  return { head, tail, bareHead: head, bareTail, cell, value: 'cumulative' };
}

/** The lines of one series, in order. */
function linesOf({ name, type, bounds }: FamilyDescriptor): Line[] {
  if (type === 'summary') return [line(`${name}_sum`, 0), line(`${name}_count`, 1)];
  if (type !== 'histogram') return [line(name, 0)];
  const all = [...bounds, Number.POSITIVE_INFINITY];
  return [
    ...all.map((bound, cell) => bucketLine(name, cell, bound)),
    line(`${name}_sum`, all.length),
    line(`${name}_count`, all.length, 'count'),
  ];
}

/** Writes the rows of one family, as many at a time as fit. */
class RowWriter {
  /** See {@link Chunk.always}. */
  static readonly always = new RowWriter(createFamily('always', '', { series: [] }));

  readonly #rows: LabelRows;
  readonly #values: Float64Array;
  readonly #cells: number;
  readonly #lines: readonly Line[];
  readonly #labels: DataView;
  /** Most bytes of one row, its labels aside. */
  #rowBytes = 0;
  #next = 0;

  constructor({ family, rows, values }: FamilySnapshot) {
    this.#rows = rows;
    this.#values = values;
    this.#cells = family.cells;
    this.#lines = linesOf(family);
    this.#labels = new DataView(rows.bytes.buffer, rows.bytes.byteOffset, rows.bytes.byteLength);
    for (const { head, tail } of this.#lines)
      this.#rowBytes += head.length + tail.length + MOST_VALUE_BYTES + 1;
  }

  /** Fills the chunk. Returns whether this was the rest. */
  write(chunk: Chunk): boolean {
    const { starts, lengths, size } = this.#rows;
    const lines = this.#lines;
    for (; this.#next < size; this.#next++) {
      const row = this.#next;
      const length = lengths[row]!;
      if (length === REMOVED) continue;
      if (!chunk.fits(this.#rowBytes + lines.length * length)) return false;
      chunk.length =
        lines.length === 1 && length > 0
          ? this.#writeLine(chunk, starts[row]!, length, this.#values[row * this.#cells]!)
          : this.#writeLines(chunk, starts[row]!, length, row * this.#cells);
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
}
