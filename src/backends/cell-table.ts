/**
 * The cells of one family and one writer, in private memory: label rows beside blocks of numbers.
 *
 * Row `r` is the `r`-th group of `family.cells` cells, counted through the blocks. Blocks never move, so cells
 * handed out stay valid; they double in size, so that a family of one series costs one row.
 */
import type { FamilyDescriptor } from '../model/family.js';
import { LabelColumn } from '../model/label-column.js';
import { labelText } from '../model/labels.js';
import type { Cells, Writer } from './backend.js';
import type { MergeSource } from './merge.js';

const FIRST_ROWS = 4;
const MOST_ROWS = 4096;

export class CellTable implements MergeSource {
  readonly writer: Writer;
  readonly labels = new LabelColumn();
  readonly #cells: number;
  readonly #labelNames: readonly string[];
  readonly #blocks: Float64Array[] = [];
  /** The row with which each block begins. */
  readonly #firstRow = new Map<Float64Array, number>();
  #capacity = 0;

  constructor({ cells, labelNames }: FamilyDescriptor, writer: Writer) {
    this.writer = writer;
    this.#cells = cells;
    this.#labelNames = labelNames;
  }

  /** Cells for one more series, zeroed. */
  reserve(labels: readonly string[]): Cells {
    const row = this.labels.add(labelText(this.#labelNames, labels));
    if (row === this.#capacity) this.#addBlock();
    const page = this.#blockOf(row);
    const offset = (row - this.#firstRow.get(page)!) * this.#cells;
    page.fill(0, offset, offset + this.#cells);
    return { page, offset };
  }

  /** Whether these cells were handed out here. */
  owns({ page }: Cells): boolean {
    return this.#firstRow.has(page);
  }

  /** Removes a series. */
  release({ page, offset }: Cells): void {
    this.labels.remove(this.#firstRow.get(page)! + offset / this.#cells);
  }

  /** All rows' numbers as they are now, removed rows included. */
  values(): Float64Array {
    const values = new Float64Array(this.labels.size * this.#cells);
    let at = 0;
    for (const block of this.#blocks) {
      const rest = values.length - at;
      values.set(rest < block.length ? block.subarray(0, rest) : block, at);
      at += block.length;
    }
    return values;
  }

  #addBlock(): void {
    const rows =
      this.#labelNames.length === 0 ? 1 : Math.max(FIRST_ROWS, Math.min(this.#capacity, MOST_ROWS));
    const block = new Float64Array(rows * this.#cells);
    this.#firstRow.set(block, this.#capacity);
    this.#blocks.push(block);
    this.#capacity += rows;
  }

  /** Rows are mostly added at the end, so the search starts there. */
  #blockOf(row: number): Float64Array {
    let i = this.#blocks.length - 1;
    while (this.#firstRow.get(this.#blocks[i]!)! > row) i -= 1;
    return this.#blocks[i]!;
  }
}
