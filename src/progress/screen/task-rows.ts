/**
 * Rows for bars of tasks that run at the same time.
 *
 * Each running task of `tqdm.map` is in a lane. A lane's bars stand below the bar of the map, and a row that one of
 * them had is kept for the next one: so a task that ends never makes the bars of another one change places. An
 * `AsyncLocalStorage` tells a new bar which lane it is in. It is switched on only while a map runs, because on
 * Node 20 it makes every `await` of the process slower; loops never enter a context, since that costs more than all
 * else that a bar does in a round.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { KeptRow } from './kept-rows.js';
import type { LiveBars } from './live-bars.js';

const currentLane = new AsyncLocalStorage<Lane>();
/** Maps that have a task, or may start one. */
let running = 0;

/** The rows of one task at a time. */
class Lane {
  readonly live: LiveBars;
  readonly #parentRow: () => number;
  /** From the top down. */
  #rows: KeptRow[] = [];
  #retired = false;

  constructor(live: LiveBars, parentRow: () => number) {
    this.live = live;
    this.#parentRow = parentRow;
  }

  /** The first row of the lane that is free, or a new one below all it has. */
  takeRow(): number {
    this.#rows = this.#rows.filter(({ row }) => row >= 0);
    const kept = this.#rows.find(({ row }) => !this.live.isTaken(row));
    if (kept !== undefined) return kept.row;
    // What a task left behind may open bars when nobody would give a kept row back.
    if (this.#retired) return this.live.freeRow();
    const row = this.live.freeRow(Math.max(this.#parentRow(), this.#rows.at(-1)?.row ?? -1) + 1);
    this.#rows.push(this.live.keptRows.keep(row));
    return row;
  }

  /** Runs a task: bars that it opens stand in this lane. */
  run<T>(task: () => T): T {
    return currentLane.run(this, task);
  }

  /** Gives the rows to whoever comes. */
  retire(): void {
    this.#retired = true;
    for (const kept of this.#rows) this.live.keptRows.release(kept);
    this.#rows = [];
  }
}

/** The lanes of one map: as many as it ever had tasks at one time. */
export class Lanes {
  readonly #live: LiveBars;
  readonly #parentRow: () => number;
  readonly #idle: Lane[] = [];
  #busy = 0;
  #closed = false;

  /** @param parentRow - the row that tasks' bars must be below; -1 for none */
  constructor(live: LiveBars, parentRow: () => number) {
    this.#live = live;
    this.#parentRow = parentRow;
    running += 1;
  }

  /** A lane for a task: the one that was left last. */
  enter(): Lane {
    this.#busy += 1;
    return this.#idle.pop() ?? new Lane(this.#live, this.#parentRow);
  }

  leave(lane: Lane): void {
    this.#busy -= 1;
    if (!this.#closed) {
      this.#idle.push(lane);
      return;
    }
    lane.retire();
    if (this.#busy === 0) this.#end();
  }

  /** No task will be started any more. Those that run keep their lanes to their end. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const lane of this.#idle) lane.retire();
    if (this.#busy === 0) this.#end();
  }

  #end(): void {
    running -= 1;
    if (running === 0) currentLane.disable();
  }
}

/** The row of a bar that is opened now, without a position of its own. */
export function rowOfNewBar(live: LiveBars): number {
  const lane = currentLane.getStore();
  return lane?.live === live ? lane.takeRow() : live.freeRow();
}
