/** Rows that are not free, because they contain a bar or are kept for a task. */

/** An object in a row. A negative number means that the object is fixed in the row of its absolute value. */
interface InRow {
  row: number;
}

const NONE: readonly never[] = [];

/** Index of objects by row. Several objects may share a row. */
class RowIndex<T extends InRow> {
  readonly #rows: (T[] | undefined)[] = [];

  in(row: number): readonly T[] {
    return this.#rows[row] ?? NONE;
  }

  add(item: T): void {
    const row = Math.abs(item.row);
    const others = this.#rows[row];
    if (others === undefined) this.#rows[row] = [item];
    else others.push(item);
  }

  /** Removes an object. Returns its row. */
  remove(item: T): number {
    const row = Math.abs(item.row);
    const items = this.#rows[row];
    items?.splice(items.indexOf(item), 1);
    return row;
  }
}

/** The taken rows of a group of bars. Finds bars and free rows without a search through all bars. */
export class TakenRows<Bar extends InRow, Kept extends InRow> {
  readonly #bars = new RowIndex<Bar>();
  readonly #kept = new RowIndex<Kept>();
  /** Lower bound of the first free row. */
  #firstFree = 0;
  /** Upper bound of the last row with a bar. */
  #last = -1;
  /** Result of the last search: no movable bar is in the rows from `limit` up to, but not including, `from`. */
  #searched = { limit: 0, from: 0 };

  /** Reports whether a bar stands in this row. */
  hasBar(row: number): boolean {
    return this.#bars.in(row).length > 0;
  }

  /** Returns the bars in a row that may move to another row. */
  movableBars(row: number): Bar[] {
    return this.#bars.in(row).filter((bar) => bar.row === row);
  }

  keptRows(row: number): readonly Kept[] {
    return this.#kept.in(row);
  }

  add(bar: Bar): void {
    const row = Math.abs(bar.row);
    this.#last = Math.max(this.#last, row);
    if (row >= this.#searched.limit) this.#searched.from = Math.min(this.#searched.from, row);
    this.#bars.add(bar);
  }

  remove(bar: Bar): void {
    this.#free(this.#bars.remove(bar));
  }

  /** Moves a bar to another row, together with the row that is kept for its task. */
  move(bar: Bar, row: number): void {
    for (const kept of [...this.#kept.in(bar.row)]) this.moveKept(kept, row);
    this.remove(bar);
    bar.row = row;
    this.add(bar);
  }

  keep(kept: Kept): void {
    this.#kept.add(kept);
  }

  release(kept: Kept): void {
    this.#free(this.#kept.remove(kept));
  }

  moveKept(kept: Kept, row: number): void {
    this.release(kept);
    kept.row = row;
    this.keep(kept);
  }

  /** Returns the first free row, starting at row `from`. */
  firstFree(from: number): number {
    const hasPassed = from <= this.#firstFree;
    let row = Math.max(from, this.#firstFree);
    while (this.#bars.in(row).length + this.#kept.in(row).length > 0) row += 1;
    if (hasPassed) this.#firstFree = row;
    return row;
  }

  /** Returns the topmost movable bar in row `limit` or below. */
  firstBarFrom(limit: number): Bar | undefined {
    const { limit: searched, from } = this.#searched;
    let row = limit < searched ? limit : Math.max(limit, from);
    let [bar] = this.movableBars(row);
    while (bar === undefined && row < this.#last) {
      row += 1;
      [bar] = this.movableBars(row);
    }
    this.#searched = { limit, from: row };
    return bar;
  }

  #free(row: number): void {
    this.#firstFree = Math.min(this.#firstFree, row);
  }
}
