/** Open bars: their rows on the screen, the monitor of silent bars, and the end of the process. */

import { addExitStep, removeExitStep, runExitSteps } from '../../system/exit-steps.js';
import { Display, parkDisplays, redrawDisplays } from './display.js';
import { drainQueues } from './output-queue.js';
import { SignalGuard } from './signals.js';
import type { Terminal } from './terminal.js';

/** The properties of a bar that its screen uses. */
export interface LiveBar {
  readonly terminal: Terminal;
  /** The row, counted from the first bar's; negative when the user fixed it: `-2` is always row 2. */
  row: number;
  /** Rows of the screen. */
  readonly rows: number;
  clear(): void;
  refresh(): void;
  /** Draws a bar that has been silent for too long, and makes its next update read the clock. */
  rescue(): void;
  /** Closes the bar because the process ends. */
  abandon(exitCode: number): void;
}

/** A row that is kept for the next bar of a task: see `task-rows.ts`. */
export interface KeptRow {
  /** The row, counted from the first bar's; negative once it is not kept any more. */
  row: number;
}

/** Seconds between two rounds of the monitor, as in tqdm. */
const MONITOR_INTERVAL = 10;

/** Groups with an open bar. */
const groups = new Set<LiveBars>();

/** Closes all open bars at the end of the process, so that the shell's prompt starts on a line of its own. */
export function closeOpenBars(exitCode: number): void {
  for (const group of [...groups]) group.abandon(exitCode);
  drainQueues();
}

/** Guard of the open bars on terminals. It is needed because a signal ends a process without an exit event. */
const signals = new SignalGuard({ die: runExitSteps, prepare: parkDisplays, resume: redrawDisplays });

function setOpen(group: LiveBars, isOpen: boolean): void {
  if (isOpen) groups.add(group);
  else groups.delete(group);
  if (groups.size > 0) addExitStep('open bars', closeOpenBars);
  else removeExitStep('open bars', closeOpenBars);
}

/**
 * Open bars in the order of their creation. Bars that may share a terminal must share a group.
 *
 * While a bar is open, a timer looks for bars without a recent frame; it does not keep the process alive. The end of
 * the process closes all open bars.
 */
export class LiveBars {
  readonly #bars = new Set<LiveBar>();
  /** Bars that are counted and not drawn. The monitor and the end of the process handle them too. */
  readonly #undrawn = new Set<LiveBar>();
  readonly #keptRows = new Set<KeptRow>();
  #monitor: ReturnType<typeof setInterval> | undefined;
  #monitorInterval = MONITOR_INTERVAL;

  /** Seconds between two rounds of the monitor; 0 for none. */
  get monitorInterval(): number {
    return this.#monitorInterval;
  }

  set monitorInterval(seconds: number) {
    this.#monitorInterval = seconds;
    this.#stop();
    this.#start();
  }

  /** Returns the first row, counting from `from`, that is neither taken by a bar nor kept for a task. */
  freeRow(from = 0): number {
    const taken = new Set([...this.#bars, ...this.#keptRows].map(({ row }) => Math.abs(row)));
    let row = from;
    while (taken.has(row)) row += 1;
    return row;
  }

  /** Reports whether a bar stands in this row. */
  isTaken(row: number): boolean {
    for (const bar of this.#bars) if (Math.abs(bar.row) === row) return true;
    return false;
  }

  /** Keeps a row for the next bar of a task. */
  keepRow(row: number): KeptRow {
    const kept = { row };
    this.#keptRows.add(kept);
    return kept;
  }

  releaseRow(kept: KeptRow): void {
    this.#keptRows.delete(kept);
  }

  /** Moves the kept rows below `row` up by one, and drops `row` itself if it is kept. */
  closeKeptGap(row: number): void {
    for (const kept of this.#keptRows) {
      if (kept.row > row) kept.row -= 1;
      else if (kept.row === row) {
        kept.row = -1;
        this.#keptRows.delete(kept);
      }
    }
  }

  /** @param isDrawn - false for a bar that is only counted */
  add(bar: LiveBar, isDrawn: boolean): void {
    if (isDrawn) {
      this.#bars.add(bar);
      if (Display.of(bar.terminal) !== undefined) signals.hold(bar);
    } else {
      this.#undrawn.add(bar);
    }
    this.#start();
  }

  /**
   * Removes a bar. If its last line stays on a display, the bars below move up. Otherwise its row goes to the first bar
   * that does not fit on the screen.
   *
   * @param stays - whether its last line stays above the other bars
   */
  remove(bar: LiveBar, stays: boolean): void {
    signals.release(bar);
    if (!this.#bars.delete(bar)) this.#undrawn.delete(bar);
    else if (stays && Display.of(bar.terminal) !== undefined) this.#closeGap(bar);
    else this.#fillGap(bar);
    if (this.#bars.size + this.#undrawn.size === 0) this.#stop();
  }

  #start(): void {
    if (this.#bars.size + this.#undrawn.size === 0) return;
    setOpen(this, true);
    if (this.#monitorInterval > 0) {
      this.#monitor ??= setInterval(() => this.rescue(), this.#monitorInterval * 1000).unref();
    }
  }

  #stop(): void {
    clearInterval(this.#monitor);
    this.#monitor = undefined;
    setOpen(this, false);
  }

  /**
   * Moves the bars below a closed bar up by one row. Rows are counted from the first bar's, which now stands one row
   * lower on the screen, below the last line of the closed bar.
   */
  #closeGap(closed: LiveBar): void {
    const row = Math.abs(closed.row);
    for (const bar of this.#bars) {
      if (bar.row > row && bar.terminal === closed.terminal) bar.row -= 1;
    }
    this.closeKeptGap(row);
  }

  /** Moves the first bar below the screen to the row of a closed bar. */
  #fillGap(closed: LiveBar): void {
    let first: LiveBar | undefined;
    for (const bar of this.#bars) {
      if (bar.row >= closed.rows - 1 && (first === undefined || bar.row < first.row)) first = bar;
    }
    if (first === undefined) return;
    // A display moves the bar with its next frame. A bar without a display is cleared in its old row.
    if (Display.of(first.terminal) === undefined) first.clear();
    first.row = Math.abs(closed.row);
  }

  /** Runs one round of the monitor. */
  rescue(): void {
    for (const bar of [...this.#bars, ...this.#undrawn]) bar.rescue();
  }

  /** Closes all bars because the process ends. */
  abandon(exitCode: number): void {
    for (const bar of [...this.#bars, ...this.#undrawn]) bar.abandon(exitCode);
  }

  /**
   * Takes the bars that pass the filter off the screen.
   *
   * @returns a function that draws them again
   */
  hide(filter: (bar: LiveBar) => boolean): () => void {
    const displays = new Set<Display>();
    const others: LiveBar[] = [];
    for (const bar of this.#bars) {
      if (!filter(bar)) continue;
      const display = Display.of(bar.terminal);
      if (display === undefined) others.push(bar);
      else displays.add(display);
    }
    for (const display of displays) display.hide();
    for (const bar of others) bar.clear();
    return () => {
      for (const display of displays) display.unhide();
      for (const bar of others) bar.refresh();
    };
  }
}
