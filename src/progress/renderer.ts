/** How a bar's lines reach its output. One renderer belongs to one bar. */

import type { Clock } from './clock.js';
import { displayLength } from './display-width.js';
import type { Terminal } from './terminal.js';

/** Where a bar stands: its row below the first bar's, and how many rows the screen has. */
export interface Place {
  readonly row: number;
  readonly rows: number;
}

export interface Renderer {
  /**
   * Shows a line. Its text is asked for only when it will be shown.
   *
   * @returns false when the row is off the screen
   */
  draw(place: Place, line: () => string): boolean;
  /** Takes the line away for a moment, so that something else can be written there. */
  clear(place: Place): void;
  /** Shows the last line and leaves it there. */
  finish(place: Place, line: () => string): void;
  /** Takes the line away for good. */
  erase(place: Place): void;
}

const MORE_HIDDEN = ' ... (more hidden) ...';
const UP = '\u001b[A';

/**
 * Frames that overwrite each other, each starting with a carriage return. Between two writes the cursor rests on the
 * first bar's row. A frame is one write, so that no half of one is ever seen.
 */
export class FrameRenderer implements Renderer {
  readonly #terminal: Terminal;
  /** Columns of the frame on the screen: what a shorter one must overwrite. */
  #shown = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  draw(place: Place, line: () => string): boolean {
    if (place.row >= place.rows) return false;
    this.#put(place.row, place.row === place.rows - 1 ? MORE_HIDDEN : line());
    return true;
  }

  clear({ row, rows }: Place): void {
    if (row < rows) this.#put(row, '', '\r');
  }

  finish(place: Place, line: () => string): void {
    this.draw({ row: 0, rows: place.rows }, line);
    this.#terminal.write('\n');
  }

  erase({ row, rows }: Place): void {
    if (row < rows) this.#put(row, '', row === 0 ? '\r' : '');
  }

  #put(row: number, text: string, after = ''): void {
    const columns = displayLength(text);
    const padding = ' '.repeat(Math.max(this.#shown - columns, 0));
    this.#shown = columns;
    this.#terminal.write(`${'\n'.repeat(row)}\r${text}${padding}${after}${UP.repeat(row)}`);
  }
}

/**
 * Plain lines for a log, where nothing can be overwritten: one now and then, and the last one.
 */
export class LineRenderer implements Renderer {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #interval: number;
  #lastLine: number;

  /** @param interval - least seconds between two lines, and before the first */
  constructor(terminal: Terminal, clock: Clock, interval: number) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#interval = interval;
    this.#lastLine = clock.now();
  }

  draw(_place: Place, line: () => string): boolean {
    const now = this.#clock.now();
    if (now - this.#lastLine < this.#interval) return true;
    this.#lastLine = now;
    this.#terminal.write(`${line()}\n`);
    return true;
  }

  clear(): void {}

  finish(_place: Place, line: () => string): void {
    this.#terminal.write(`${line()}\n`);
  }

  erase(): void {}
}

/** For a bar that is counted and not shown. */
const silentRenderer: Renderer = {
  draw: () => true,
  clear() {},
  finish() {},
  erase() {},
};

/** Least seconds between two lines of a log. */
const LINE_INTERVAL = 10;

/** What decides how a bar is drawn. */
export interface Drawing {
  readonly terminal: Terminal;
  /** Did the user name the file? Then it gets frames, as in tqdm; a log that nobody named gets lines. */
  readonly named: boolean;
  readonly disabled: boolean;
  readonly mininterval: number;
}

export function createRenderer({ terminal, named, disabled, mininterval }: Drawing, clock: Clock): Renderer {
  if (disabled) return silentRenderer;
  if (named || terminal.isTTY) return new FrameRenderer(terminal);
  return new LineRenderer(terminal, clock, Math.max(mininterval, LINE_INTERVAL));
}
