/** Open bars: their rows on the screen, the monitor of silent bars, and the end of the process. */

import { addExitStep, removeExitStep, runExitSteps } from '../../system/exit-steps.js';
import { Display, parkDisplays, redrawDisplays } from './display.js';
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
  readonly #keptRows = new Set<KeptRow>();
  /** The rows that are not free. Undefined after several bars have moved; made again when needed. */
  #takenRows: TakenRows | undefined;
  /** Shortens the search for bars below the screen: there is no bar in the rows from `limit` up to `from`. */
  #belowScreen = { limit: 0, from: 0 };
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

  get #taken(): TakenRows {
    this.#takenRows ??= new TakenRows(this.#bars, this.#keptRows);
    return this.#takenRows;
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
    this.#keptRows.add(kept);
    this.#takenRows?.keep(row);
    return kept;
  }

  releaseRow(kept: KeptRow): void {
    if (this.#keptRows.delete(kept)) this.#takenRows?.release(kept.row);
  }

  /** Moves the kept rows below `row` up by one, and drops `row` itself if it is kept. */
  closeKeptGap(row: number): void {
    if (this.#keptRows.size > 0) this.#takenRows = undefined;
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
      this.#takenRows?.add(bar);
      this.#belowScreen.from = Math.min(this.#belowScreen.from, Math.abs(bar.row));
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
      this.#takenRows?.remove(bar);
      if (stays && Display.of(bar.terminal) !== undefined) this.#closeGap(bar);
      else this.#fillGap(bar);
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
   * Moves the bars below a closed bar up by one row. Rows are counted from the first bar's, which now stands one row
   * lower on the screen, below the last line of the closed bar.
   */
  #closeGap(closed: LiveBar): void {
    const row = Math.abs(closed.row);
    const { terminal } = closed;
    for (const bar of this.#bars) {
      if (bar.row > row && bar.terminal === terminal) {
        bar.row -= 1;
        this.#takenRows = undefined;
      }
    }
    this.#belowScreen.from = 0;
    this.closeKeptGap(row);
  }

  /** Moves the first bar below the screen to the row of a closed bar. */
  #fillGap(closed: LiveBar): void {
    const first = this.#barBelowScreen(closed.rows - 1);
    if (first === undefined) return;
    // A display moves the bar with its next frame. A bar without a display is cleared in its old row.
    if (Display.of(first.terminal) === undefined) first.clear();
    const { row } = first;
    this.#taken.remove(first);
    first.row = Math.abs(closed.row);
    this.#taken.add(first);
    const next = this.#taken.hasBar(row) ? row : row + 1;
    // The row of the closed bar may itself be below the screen.
    this.#belowScreen.from = first.row < closed.rows - 1 ? next : Math.min(next, first.row);
  }

  /** Returns the topmost bar in the row `limit` or below it. */
  #barBelowScreen(limit: number): LiveBar | undefined {
    const searched = this.#belowScreen;
    const from = limit < searched.limit ? limit : Math.max(limit, searched.from);
    let first: LiveBar | undefined;
    for (const bar of this.#bars) {
      if (bar.row < from || (first !== undefined && bar.row >= first.row)) continue;
      first = bar;
      if (bar.row === from) break;
    }
    this.#belowScreen = { limit, from: first?.row ?? Number.POSITIVE_INFINITY };
    return first;
  }

  /** Notes the speed of all bars. */
  sample(): void {
    for (const bar of [...this.#bars, ...this.#undrawn]) bar.sample();
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
