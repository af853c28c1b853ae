/** The bars on the screen: who stands in which row, and who is looked after by the monitor. */

import { KeptRows } from './kept-rows.js';
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

/** Seconds between two rounds of the monitor. */
const MONITOR_INTERVAL = 10;

/** Groups that have a bar. */
const groups = new Set<LiveBars>();

/** What happens to bars that are open when the process ends, so that the shell's prompt gets a line of its own. */
export function closeOpenBars(exitCode: number): void {
  for (const group of [...groups]) group.abandon(exitCode);
}

function setOpen(group: LiveBars, open: boolean): void {
  if (open) groups.add(group);
  else groups.delete(group);
  // One listener for all groups, and only while there is something to close.
  process.off('exit', closeOpenBars);
  if (groups.size > 0) process.on('exit', closeOpenBars);
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
    this.#start();
  }

  addHidden(bar: LiveBar): void {
    this.#hidden.add(bar);
    this.#start();
  }

  #start(): void {
    if (this.#monitor !== null) return;
    this.#monitor = setInterval(() => this.rescue(), MONITOR_INTERVAL * 1000);
    this.#monitor.unref();
    setOpen(this, true);
  }

  /** Takes a bar out. Its row goes to the first bar that found no room on the screen. */
  remove(bar: LiveBar): void {
    if (this.#bars.delete(bar)) this.#moveUp(bar);
    else this.#hidden.delete(bar);
    if (this.#bars.size + this.#hidden.size > 0 || this.#monitor === null) return;
    clearInterval(this.#monitor);
    this.#monitor = null;
    setOpen(this, false);
  }

  #moveUp(gone: LiveBar): void {
    let first: LiveBar | null = null;
    for (const bar of this.#bars) {
      if (bar.row >= gone.rows - 1 && (first === null || bar.row < first.row)) first = bar;
    }
    if (first === null) return;
    first.clear();
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

  /** Runs `print` while the bars that `concerned` names are off the screen. */
  aside(concerned: (bar: LiveBar) => boolean, print: () => void): void {
    const cleared = [...this.#bars].filter(concerned);
    for (const bar of cleared) bar.clear();
    try {
      print();
    } finally {
      for (const bar of cleared) bar.refresh();
    }
  }
}
