/**
 * The cells of one family and one writer, in private memory: label rows beside blocks of numbers.
 *
 * Row `r` is the `r`-th group of `family.cells` cells, counted through the blocks. Blocks never move, so cells
 * handed out stay valid; they double in size, so that a family of one series costs one row.
 */
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
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
  /** Unix seconds, by row. Gauges have no such time, and take no memory for it. */
  #created: Float64Array | undefined;

  constructor({ cells, labelNames, merge }: FamilyDescriptor, writer: Writer) {
    this.writer = writer;
    this.#cells = cells;
    this.#labelNames = labelNames;
    if (merge === 'add') this.#created = new Float64Array(0);
  }

  /** Cells for one more series, zeroed. */
  reserve(labels: readonly string[], created = Date.now() / 1000): Cells {
    const row = this.labels.add(labelText(this.#labelNames, labels));
    if (row === this.#capacity) this.#addBlock();
    if (this.#created !== undefined) this.#created[row] = created;
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
  release(cells: Cells): void {
    this.labels.remove(this.#rowOf(cells));
  }

  createdOf(cells: Cells): number | undefined {
    return this.#created?.[this.#rowOf(cells)];
  }

  created(): Float64Array | undefined {
    return this.#created?.slice(0, this.labels.size);
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

  /** One writer's rows as they are, for a family of which there is no other. */
  snapshot(family: FamilyDescriptor): FamilySnapshot {
    const [rows, values, created] = [this.labels.view(), this.values(), this.created()];
    return created === undefined ? { family, rows, values } : { family, rows, values, created };
  }

  #addBlock(): void {
    const rows =
      this.#labelNames.length === 0 ? 1 : Math.max(FIRST_ROWS, Math.min(this.#capacity, MOST_ROWS));
    const block = new Float64Array(rows * this.#cells);
    this.#firstRow.set(block, this.#capacity);
    this.#blocks.push(block);
    this.#capacity += rows;
    if (this.#created === undefined) return;
    const created = new Float64Array(this.#capacity);
    created.set(this.#created);
    this.#created = created;
  }

  #rowOf({ page, offset }: Cells): number {
    return this.#firstRow.get(page)! + offset / this.#cells;
  }

  /** Rows are mostly added at the end, so the search starts there. */
  #blockOf(row: number): Float64Array {
    let i = this.#blocks.length - 1;
    while (this.#firstRow.get(this.#blocks[i]!)! > row) i -= 1;
    return this.#blocks[i]!;
  }
}
