/**
 * Rows for the bars of tasks that run at the same time.
 *
 * The bars of a task of `tqdm.map` stand below the bar of the map. When one of them closes, its row is kept for the
 * next bar of the same task, or of a task that starts later. So the end of a task never moves the bars of another.
 *
 * An `AsyncLocalStorage` holds the rows of the current task. It is enabled only while a map runs, because on Node 20 it
 * makes every `await` of the process slower. Loops over a bar never enter a context: that would cost more than
 * everything else that a bar does in a round.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { KeptRow, LiveBars } from './live-bars.js';

const currentRows = new AsyncLocalStorage<TaskRows>();
/** Number of calls of `tqdm.map` that have a running task or may start one. */
let running = 0;

/** The rows of one task at a time. */
class TaskRows {
  readonly live: LiveBars;
  readonly #parentRow: () => number;
  /** Kept rows, from the top down. */
  #rows: KeptRow[] = [];
  #isRetired = false;

  constructor(live: LiveBars, parentRow: () => number) {
    this.live = live;
    this.#parentRow = parentRow;
  }

  /** Returns the first free row of the task, or a new one below all its rows. */
  takeRow(): number {
    this.#rows = this.#rows.filter(({ row }) => row >= 0);
    const kept = this.#rows.find(({ row }) => !this.live.isTaken(row));
    if (kept !== undefined) return kept.row;
    // Code that outlives its task may open a bar after the rows were released. Its row is not kept.
    if (this.#isRetired) return this.live.freeRow();
    const row = this.live.freeRow(Math.max(this.#parentRow(), this.#rows.at(-1)?.row ?? -1) + 1);
    this.#rows.push(this.live.keepRow(row));
    return row;
  }

  /** Runs a task, whose bars stand in these rows. */
  run<T>(task: () => T): T {
    return currentRows.run(this, task);
  }

  /** Releases all rows. */
  retire(): void {
    this.#isRetired = true;
    for (const kept of this.#rows) this.live.releaseRow(kept);
    this.#rows = [];
  }
}

/** The rows of all tasks of one map. A task that ends leaves its {@link TaskRows} to the next one. */
export class MapRows {
  readonly #live: LiveBars;
  readonly #parentRow: () => number;
  readonly #idle: TaskRows[] = [];
  #busy = 0;
  #isClosed = false;

  /** @param parentRow - returns the row that tasks' bars must be below; -1 for none */
  constructor(live: LiveBars, parentRow: () => number) {
    this.#live = live;
    this.#parentRow = parentRow;
    running += 1;
  }

  /** Returns the rows for a task, preferably those of the task that ended last. */
  enter(): TaskRows {
    this.#busy += 1;
    return this.#idle.pop() ?? new TaskRows(this.#live, this.#parentRow);
  }

  leave(rows: TaskRows): void {
    this.#busy -= 1;
    if (!this.#isClosed) {
      this.#idle.push(rows);
      return;
    }
    rows.retire();
    if (this.#busy === 0) this.#end();
  }

  /** Retires the rows: idle ones now, the others when their tasks end. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const rows of this.#idle) rows.retire();
    if (this.#busy === 0) this.#end();
  }

  #end(): void {
    running -= 1;
    if (running === 0) currentRows.disable();
  }
}

/** Returns the row for a new bar that was given no `position`. */
export function rowOfNewBar(live: LiveBars): number {
  const rows = currentRows.getStore();
  return rows?.live === live ? rows.takeRow() : live.freeRow();
}
