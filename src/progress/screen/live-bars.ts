/** Open bars: their rows on the screen, the monitor of silent bars, and the end of the process. */

import { addExitStep, removeExitStep, runExitSteps } from '../../system/exit-steps.js';
import { Display, parkDisplays, redrawDisplays, repaintDisplays } from './display.js';
import { drainQueues } from './output-queue.js';
import { SignalGuard } from './signals.js';
import { TakenRows } from './taken-rows.js';
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
  /** Notes the speed of the bar, and moves its clock on the screen if it is idle. Called once a second. */
  sample(): void;
  /** Closes the bar because the process ends. */
  abandon(exitCode: number): void;
  /** Returns the bar as data that can be written as JSON. */
  describe(): object;
}

/** A row that is kept for the next bar of a task: see `task-rows.ts`. */
export interface KeptRow {
  /** The row, counted from the first bar's; negative once it is not kept any more. */
  row: number;
}

/** Seconds between two rounds of the monitor, as in tqdm. */
const MONITOR_INTERVAL = 10;

/** Milliseconds between two samples of the bars' speeds, and between two frames of an idle bar. */
const SAMPLE_MS = 1000;

/** Groups with an open bar. */
const groups = new Set<LiveBars>();

/** Closes all open bars at the end of the process, so that the shell's prompt starts on a line of its own. */
export function closeOpenBars(exitCode: number): void {
  for (const group of [...groups]) group.abandon(exitCode);
  drainQueues();
}

/** Returns all open bars as data that can be written as JSON. */
export function describeOpenBars(): object[] {
  return [...groups].flatMap((group) => group.describe());
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
  readonly #taken = new TakenRows<LiveBar, KeptRow>();
  #monitor: ReturnType<typeof setInterval> | undefined;
  #sampler: ReturnType<typeof setInterval> | undefined;
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
    return this.#taken.firstFree(from);
  }

  /** Reports whether a bar stands in this row. */
  isTaken(row: number): boolean {
    return this.#taken.hasBar(row);
  }

  /** Keeps a row for the next bar of a task. */
  keepRow(row: number): KeptRow {
    const kept = { row };
    this.#taken.keep(kept);
    return kept;
  }

  releaseRow(kept: KeptRow): void {
    if (kept.row >= 0) this.#taken.release(kept);
  }

  /** @param isDrawn - false for a bar that is only counted */
  add(bar: LiveBar, isDrawn: boolean): void {
    if (isDrawn) {
      this.#bars.add(bar);
      this.#taken.add(bar);
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
    if (this.#bars.delete(bar)) {
      this.#taken.remove(bar);
      if (stays && Display.of(bar.terminal) !== undefined) this.#closeGap(bar);
      else this.#fillRow(Math.abs(bar.row), bar.rows - 1);
    } else {
      this.#undrawn.delete(bar);
    }
    if (this.#bars.size + this.#undrawn.size === 0) this.#stop();
  }

  #start(): void {
    if (this.#bars.size + this.#undrawn.size === 0) return;
    setOpen(this, true);
    this.#sampler ??= setInterval(() => this.sample(), SAMPLE_MS).unref();
    if (this.#monitorInterval > 0) {
      this.#monitor ??= setInterval(() => this.rescue(), this.#monitorInterval * 1000).unref();
    }
  }

  #stop(): void {
    clearInterval(this.#sampler);
    this.#sampler = undefined;
    clearInterval(this.#monitor);
    this.#monitor = undefined;
    setOpen(this, false);
  }

  /**
   * Moves the bars on the screen below a closed bar up by one row, and the first bar below the screen into the last row
   * on the screen. Row 0 is that of the first bar. It is now one row lower on the screen, below the last line of the
   * closed bar.
   */
  #closeGap({ row: closed, rows, terminal }: LiveBar): void {
    const limit = rows - 1;
    const gap = Math.abs(closed);
    for (const kept of [...this.#taken.keptRows(gap)]) {
      this.#taken.release(kept);
      kept.row = -1;
    }
    for (let row = gap + 1; row < limit; row += 1) {
      for (const bar of this.#taken.movableBars(row)) {
        if (bar.terminal === terminal) this.#taken.move(bar, row - 1);
      }
      for (const kept of [...this.#taken.keptRows(row)]) this.#taken.moveKept(kept, row - 1);
    }
    if (gap < limit) this.#fillRow(limit - 1, limit);
  }

  /** Moves the first bar in row `limit` or below to row `row`. Returns false if there is no such bar. */
  #fillRow(row: number, limit: number): boolean {
    const bar = this.#taken.firstBarFrom(limit);
    if (bar === undefined) return false;
    // A display moves the bar with its next frame. A bar without a display is cleared in its old row.
    if (Display.of(bar.terminal) === undefined) bar.clear();
    this.#taken.move(bar, row);
    return true;
  }

  /** Moves bars below the screen into free rows on it, since the screen may have become larger. */
  #fillScreen(): void {
    const [bar] = this.#bars;
    if (bar === undefined) return;
    const limit = bar.rows - 1;
    for (let row = this.freeRow(); row < limit && this.#fillRow(row, limit); ) row = this.freeRow(row);
  }

  /** Notes the speed of all bars, and repairs the screen. */
  sample(): void {
    for (const bar of [...this.#bars, ...this.#undrawn]) bar.sample();
    this.#fillScreen();
    repaintDisplays();
  }

  /** Runs one round of the monitor. */
  rescue(): void {
    for (const bar of [...this.#bars, ...this.#undrawn]) bar.rescue();
  }

  describe(): object[] {
    return [...this.#bars, ...this.#undrawn].map((bar) => bar.describe());
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
