/** Rows of the screen that no bar stands in, and that wait for the next bar of a task: see `task-rows.ts`. */

/** A row that is kept. */
export interface KeptRow {
  /** Counted from the first bar's; below zero when it is gone. */
  row: number;
}

const GONE = -1;

export class KeptRows {
  readonly #rows = new Set<KeptRow>();

  has(row: number): boolean {
    for (const kept of this.#rows) if (kept.row === row) return true;
    return false;
  }

  keep(row: number): KeptRow {
    const kept = { row };
    this.#rows.add(kept);
    return kept;
  }

  release(kept: KeptRow): void {
    this.#rows.delete(kept);
  }

  /** The bar in this row has left its line above all others: the row is gone, and those below are one higher. */
  closeGap(row: number): void {
    for (const kept of this.#rows) {
      if (kept.row > row) kept.row -= 1;
      else if (kept.row === row) {
        kept.row = GONE;
        this.#rows.delete(kept);
      }
    }
  }
}
