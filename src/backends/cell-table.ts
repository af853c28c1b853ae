/**
 * The cells of one family and one writer, in private memory: label rows beside blocks of numbers.
 *
 * A block has the cells of its rows, one row after another, and then the times at which the series of these rows began
 * to count. Blocks never move, so that cells handed out stay valid. A new block doubles the number of rows, up to a
 * limit; a family without labels has one row.
 */
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { LabelColumn, rowText } from '../model/label-column.js';
import { labelText } from '../model/labels.js';
import type { Cells, Writer } from './backend.js';
import type { MergeSource } from './merge.js';

const FIRST_ROWS = 4;
const MAX_ROWS = 4096;
/** Maximum number of cells that are copied by a loop, which is faster for few cells than creating a view. */
const MAX_LOOP = 64;

/** Maximum fraction of a page that one call may take. A larger request gets a page of its own. */
const MAX_PART = 1 / 8;

/** Pages that many families share, since a separate array costs more memory and time than the few numbers in it. */
export class SharedPages {
  readonly #size: number;
  #page = new Float64Array(0);
  #used = 0;

  /** @param size - the number of cells of a page */
  constructor(size: number) {
    this.#size = size;
  }

  /** Returns zeroed cells. No two calls return the same cells. */
  take(cells: number): Cells {
    if (cells > this.#size * MAX_PART) return { page: new Float64Array(cells), offset: 0 };
    if (this.#used + cells > this.#page.length) {
      this.#page = new Float64Array(this.#size);
      this.#used = 0;
    }
    const offset = this.#used;
    this.#used += cells;
    return { page: this.#page, offset };
  }

  /** Returns zeroed cells as an array. */
  takeArray(cells: number): Float64Array {
    const { page, offset } = this.take(cells);
    return page.length === cells ? page : page.subarray(offset, offset + cells);
  }
}

const UNSHARED = new SharedPages(0);

/** The memory of consecutive rows. */
interface Block extends Cells {
  readonly firstRow: number;
  readonly rows: number;
}

export class CellTable implements MergeSource {
  readonly family: FamilyDescriptor;
  readonly writer: Writer;
  readonly labels = new LabelColumn();
  readonly #pages: SharedPages;
  #blocks: readonly Block[] = [];

  /** @param pages - pages for small blocks; by default each block has a page of its own */
  constructor(family: FamilyDescriptor, writer: Writer, pages: SharedPages = UNSHARED) {
    this.family = family;
    this.writer = writer;
    this.#pages = pages;
  }

  /** Adds a series and returns its zeroed cells. */
  reserve(labels: readonly string[], created = Date.now() / 1000): Cells {
    const { labelNames, cells } = this.family;
    const row = this.labels.add(labelNames.length === 0 ? '' : labelText(labelNames, labels));
    const block = this.#blockOf(row) ?? this.#addBlock();
    const { page } = block;
    const offset = block.offset + (row - block.firstRow) * cells;
    for (let cell = 0; cell < cells; cell++) page[offset + cell] = 0;
    if (this.#hasTimes) page[timeOf(block, row, cells)] = created;
    return { page, offset };
  }

  /** Reports whether this table handed out the cells. */
  owns(cells: Cells): boolean {
    return this.#rowOf(cells) >= 0;
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
    if (!this.#hasTimes) return undefined;
    const row = this.#rowOf(cells);
    const block = this.#blockOf(row)!;
    return block.page[timeOf(block, row, this.family.cells)];
  }

  created(arrays?: SharedPages): Float64Array | undefined {
    if (!this.#hasTimes) return undefined;
    const { cells } = this.family;
    return this.#gather(1, ({ offset, rows }) => offset + rows * cells, arrays);
  }

  /** Returns the numbers of all rows as they are now, removed rows included. */
  values(arrays?: SharedPages): Float64Array {
    return this.#gather(this.family.cells, ({ offset }) => offset, arrays);
  }

  /** Returns the rows as a snapshot, for a family that has no other writer. */
  snapshot(family: FamilyDescriptor, arrays: SharedPages): FamilySnapshot {
    const [rows, values, created] = [this.labels.view(), this.values(arrays), this.created(arrays)];
    return created === undefined ? { family, rows, values } : { family, rows, values, created };
  }

  /** Whether series have a time at which they began to count. */
  get #hasTimes(): boolean {
    return this.family.merge === 'add';
  }

  /** Copies `width` numbers per row. `startOf` returns the index in the page at which a block's numbers begin. */
  #gather(width: number, startOf: (block: Block) => number, arrays?: SharedPages): Float64Array {
    const { size } = this.labels;
    const all = arrays?.takeArray(size * width) ?? new Float64Array(size * width);
    for (const block of this.#blocks) {
      const start = startOf(block);
      const count = Math.min(block.rows, size - block.firstRow) * width;
      const to = block.firstRow * width;
      if (count > MAX_LOOP) all.set(block.page.subarray(start, start + count), to);
      else for (let i = 0; i < count; i++) all[to + i] = block.page[start + i]!;
    }
    return all;
  }

  #addBlock(): Block {
    const { cells, labelNames } = this.family;
    const last = this.#blocks.at(-1);
    const firstRow = last === undefined ? 0 : last.firstRow + last.rows;
    const rows = labelNames.length === 0 ? 1 : Math.max(FIRST_ROWS, Math.min(firstRow, MAX_ROWS));
    const { page, offset } = this.#pages.take(rows * (cells + Number(this.#hasTimes)));
    const block = { page, offset, firstRow, rows };
    // `concat` allocates no spare capacity, unlike `push`; most families have only one block.
    this.#blocks = this.#blocks.concat(block);
    return block;
  }

  /** Returns the block of a row. Searches backward, since most rows are added to the last block. */
  #blockOf(row: number): Block | undefined {
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const block = this.#blocks[i]!;
      if (row >= block.firstRow) return row < block.firstRow + block.rows ? block : undefined;
    }
    return undefined;
  }

  /** Returns the row that has the given cells, or -1 if this table did not hand them out. */
  #rowOf({ page, offset }: Cells): number {
    const { cells } = this.family;
    for (const block of this.#blocks) {
      const row = (offset - block.offset) / cells;
      if (page === block.page && row >= 0 && row < block.rows) return block.firstRow + row;
    }
    return -1;
  }
}

/** Returns the index in the page at which the time of a row is stored. */
function timeOf({ offset, firstRow, rows }: Block, row: number, cells: number): number {
  return offset + rows * cells + row - firstRow;
}
