/** Rows that are not free: they have a bar or are kept for a task. */

/** An object with a row. A negative row stands for its absolute value. */
interface InRow {
  readonly row: number;
}

function change(counts: Map<number, number>, row: number, by: number): void {
  const count = (counts.get(row) ?? 0) + by;
  if (count > 0) counts.set(row, count);
  else counts.delete(row);
}

/** The taken rows of a group of bars. Finds a free row without a search through all bars. */
export class TakenRows {
  /** Number of bars by row. Bars with a fixed row may share it. */
  readonly #bars = new Map<number, number>();
  readonly #kept = new Map<number, number>();
  /** Lower bound of the first free row. */
  #firstFree = 0;

  constructor(bars: Iterable<InRow>, kept: Iterable<InRow>) {
    for (const bar of bars) this.add(bar);
    for (const { row } of kept) this.keep(row);
  }

  /** Reports whether a bar stands in this row. */
  hasBar(row: number): boolean {
    return this.#bars.has(row);
  }

  add({ row }: InRow): void {
    change(this.#bars, Math.abs(row), 1);
  }

  remove({ row }: InRow): void {
    change(this.#bars, Math.abs(row), -1);
    this.#firstFree = Math.min(this.#firstFree, Math.abs(row));
  }

  keep(row: number): void {
    change(this.#kept, row, 1);
  }

  release(row: number): void {
    change(this.#kept, row, -1);
    this.#firstFree = Math.min(this.#firstFree, row);
  }

  /** Returns the first free row that is not above `from`. */
  firstFree(from: number): number {
    const hasPassed = from <= this.#firstFree;
    let row = Math.max(from, this.#firstFree);
    while (this.#bars.has(row) || this.#kept.has(row)) row += 1;
    if (hasPassed) this.#firstFree = row;
    return row;
  }
}
