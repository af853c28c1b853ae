/** The bars on the screen: who stands in which row, and who is looked after by the monitor. */

import { addExitStep, removeExitStep, runExitSteps } from '../../system/exit-steps.js';
import { Display, parkDisplays, redrawDisplays } from './display.js';
import { KeptRows } from './kept-rows.js';
import { drainOutlets } from './outlet.js';
import { SignalGuard } from './signals.js';
import type { Terminal } from './terminal.js';

/** What the group needs of a bar. */
export interface LiveBar {
  readonly terminal: Terminal;
  /** The row below the first; below zero when the user fixed it: `-2` is always row 2. */
  row: number;
  /** Rows of the screen. */
  readonly rows: number;
  clear(): void;
  refresh(): void;
  /** Draws a bar that has been silent for too long, and looks at the clock again at its next update. */
  rescue(): void;
  /** The process ends with the bar open. */
  abandon(exitCode: number): void;
}

/** Seconds between two rounds of the monitor, as in tqdm. */
const MONITOR_INTERVAL = 10;

/** Groups that have a bar. */
const groups = new Set<LiveBars>();

/** What happens to bars that are open when the process ends, so that the shell's prompt gets a line of its own. */
export function closeOpenBars(exitCode: number): void {
  for (const group of [...groups]) group.abandon(exitCode);
  drainOutlets();
}

/** Signals end a process without a word: those that have bars on a screen are listened to. */
const signals = new SignalGuard({ die: runExitSteps, prepare: parkDisplays, resume: redrawDisplays });

function setOpen(group: LiveBars, open: boolean): void {
  if (open) groups.add(group);
  else groups.delete(group);
  if (groups.size > 0) addExitStep('open bars', closeOpenBars);
  else removeExitStep('open bars', closeOpenBars);
}

/**
 * Live bars in the order of their creation. Bars that may share a terminal must share a group.
 *
 * While there is one, a timer that does not keep the process alive looks for bars that fell silent, and the end of
 * the process closes what is open.
 */
export class LiveBars {
  readonly #bars = new Set<LiveBar>();
  /** Bars that count and are not drawn: the monitor and the end of the process are for them too. */
  readonly #hidden = new Set<LiveBar>();
  readonly keptRows = new KeptRows();
  #monitor: ReturnType<typeof setInterval> | null = null;
  #monitorInterval = MONITOR_INTERVAL;

  /** Seconds between two rounds of the monitor; 0: there are none. */
  get monitorInterval(): number {
    return this.#monitorInterval;
  }

  set monitorInterval(seconds: number) {
    this.#monitorInterval = seconds;
    this.#stop();
    this.#start();
  }

  /** The first row from `from` on that no other bar holds, and no task. */
  freeRow(from = 0): number {
    const taken = new Set([...this.#bars].map((bar) => Math.abs(bar.row)));
    let row = from;
    while (taken.has(row) || this.keptRows.has(row)) row += 1;
    return row;
  }

  /** Does a bar stand in this row? */
  isTaken(row: number): boolean {
    for (const bar of this.#bars) if (Math.abs(bar.row) === row) return true;
    return false;
  }

  add(bar: LiveBar): void {
    this.#bars.add(bar);
    if (Display.of(bar.terminal) !== null) signals.hold(bar);
    this.#start();
  }

  addHidden(bar: LiveBar): void {
    this.#hidden.add(bar);
    this.#start();
  }

  /**
   * Takes a bar out. Its row goes to the first bar that found no room on the screen.
   *
   * @param stays - its last line stays above the other bars
   */
  remove(bar: LiveBar, stays = false): void {
    signals.release(bar);
    if (!this.#bars.delete(bar)) this.#hidden.delete(bar);
    else if (stays && Display.of(bar.terminal) !== null) this.#closeGap(bar);
    else this.#fillGap(bar);
    if (this.#bars.size + this.#hidden.size === 0) this.#stop();
  }

  #start(): void {
    if (this.#monitor !== null || this.#bars.size + this.#hidden.size === 0) return;
    // A timer for no rounds is the sign of an open group all the same.
    const seconds = this.#monitorInterval > 0 ? this.#monitorInterval : MONITOR_INTERVAL;
    this.#monitor = setInterval(() => {
      if (this.#monitorInterval > 0) this.rescue();
    }, seconds * 1000);
    this.#monitor.unref();
    setOpen(this, true);
  }

  #stop(): void {
    if (this.#monitor === null) return;
    clearInterval(this.#monitor);
    this.#monitor = null;
    setOpen(this, false);
  }

  /** A line that stays pushes the bars above it down by one: with this, those below stand where they were. */
  #closeGap(gone: LiveBar): void {
    for (const bar of this.#bars) {
      if (bar.row > Math.abs(gone.row) && bar.terminal === gone.terminal) bar.row -= 1;
    }
    this.keptRows.closeGap(Math.abs(gone.row));
  }

  #fillGap(gone: LiveBar): void {
    let first: LiveBar | null = null;
    for (const bar of this.#bars) {
      if (bar.row >= gone.rows - 1 && (first === null || bar.row < first.row)) first = bar;
    }
    if (first === null) return;
    // A display sees by itself that it has moved.
    if (Display.of(first.terminal) === null) first.clear();
    first.row = Math.abs(gone.row);
  }

  /** One round of the monitor. */
  rescue(): void {
    for (const bar of [...this.#bars, ...this.#hidden]) bar.rescue();
  }

  /** The process ends. */
  abandon(exitCode: number): void {
    for (const bar of [...this.#bars, ...this.#hidden]) bar.abandon(exitCode);
  }

  /**
   * Takes the bars that `concerned` names off the screen.
   *
   * @returns what brings them back; it may be told what was written meanwhile
   */
  setAside(concerned: (bar: LiveBar) => boolean): (written?: string) => void {
    const bars = [...this.#bars].filter(concerned);
    const displays = new Set(bars.map(({ terminal }) => Display.of(terminal)));
    displays.delete(null);
    const others = bars.filter(({ terminal }) => Display.of(terminal) === null);
    for (const display of displays) display!.hold();
    for (const bar of others) bar.clear();
    return (written) => {
      for (const display of displays) display!.release(written);
      for (const bar of others) bar.refresh();
    };
  }

  /** Runs `print` while the bars that `concerned` names are off the screen. */
  aside(concerned: (bar: LiveBar) => boolean, print: () => void, written?: string): void {
    const bringBack = this.setAside(concerned);
    try {
      print();
    } finally {
      bringBack(written);
    }
  }
}
