/**
 * The cells of one family and one writer, in private memory: label rows beside pages of numbers.
 *
 * Row `r` is the `r`-th group of `family.cells` cells, counted across all pages. Pages never move, so that cells
 * handed out stay valid. A new page doubles the number of rows, up to a limit; a family without labels has one row.
 */
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { LabelColumn, rowText } from '../model/label-column.js';
import { labelText } from '../model/labels.js';
import type { Cells, Writer } from './backend.js';
import type { MergeSource } from './merge.js';

const FIRST_ROWS = 4;
const MAX_ROWS = 4096;

export class CellTable implements MergeSource {
  readonly writer: Writer;
  readonly labels = new LabelColumn();
  readonly #cells: number;
  readonly #labelNames: readonly string[];
  readonly #pages: Float64Array[] = [];
  /** The first row of each page. */
  readonly #firstRow = new Map<Float64Array, number>();
  #capacity = 0;
  /** Unix seconds at which the series of each row began to count. Undefined unless the merge rule is `add`. */
  #created: Float64Array | undefined;

  constructor({ cells, labelNames, merge }: FamilyDescriptor, writer: Writer) {
    this.writer = writer;
    this.#cells = cells;
    this.#labelNames = labelNames;
    if (merge === 'add') this.#created = new Float64Array(0);
  }

  /** Adds a series and returns its zeroed cells. */
  reserve(labels: readonly string[], created = Date.now() / 1000): Cells {
    const row = this.labels.add(labelText(this.#labelNames, labels));
    if (row === this.#capacity) this.#addPage();
    if (this.#created !== undefined) this.#created[row] = created;
    const page = this.#pageOf(row);
    const offset = (row - this.#firstRow.get(page)!) * this.#cells;
    page.fill(0, offset, offset + this.#cells);
    return { page, offset };
  }

  /** Reports whether this table handed out the cells. */
  owns({ page }: Cells): boolean {
    return this.#firstRow.has(page);
  }

  /** Removes a series. */
  release(cells: Cells): void {
    this.labels.remove(this.#rowOf(cells));
  }

  /** Returns the label text of a series. */
  textOf(cells: Cells): string {
    return rowText(this.labels, this.#rowOf(cells));
  }

  createdOf(cells: Cells): number | undefined {
    return this.#created?.[this.#rowOf(cells)];
  }

  created(): Float64Array | undefined {
    return this.#created?.slice(0, this.labels.size);
  }

  /** Returns the numbers of all rows as they are now, removed rows included. */
  values(): Float64Array {
    const values = new Float64Array(this.labels.size * this.#cells);
    let at = 0;
    for (const page of this.#pages) {
      const rest = values.length - at;
      values.set(rest < page.length ? page.subarray(0, rest) : page, at);
      at += page.length;
    }
    return values;
  }

  /** Returns the rows as a snapshot, for a family that has no other writer. */
  snapshot(family: FamilyDescriptor): FamilySnapshot {
    const [rows, values, created] = [this.labels.view(), this.values(), this.created()];
    return created === undefined ? { family, rows, values } : { family, rows, values, created };
  }

  #addPage(): void {
    const rows = this.#labelNames.length === 0 ? 1 : Math.max(FIRST_ROWS, Math.min(this.#capacity, MAX_ROWS));
    const page = new Float64Array(rows * this.#cells);
    this.#firstRow.set(page, this.#capacity);
    this.#pages.push(page);
    this.#capacity += rows;
    if (this.#created === undefined) return;
    const created = new Float64Array(this.#capacity);
    created.set(this.#created);
    this.#created = created;
  }

  #rowOf({ page, offset }: Cells): number {
    return this.#firstRow.get(page)! + offset / this.#cells;
  }

  /** Returns the page of a row. Searches from the last page, where most rows are added. */
  #pageOf(row: number): Float64Array {
    let i = this.#pages.length - 1;
    while (this.#firstRow.get(this.#pages[i]!)! > row) i -= 1;
    return this.#pages[i]!;
  }
}
