/** Bars drawn in place: in the rows of a real terminal, or as tqdm writes them to any file. */

import { displayLength } from '../meter/display-width.js';
import { type Display, type DisplayLine, MORE_HIDDEN } from '../screen/display.js';
import type { BarFrame } from './frame.js';
import type { BarHost, Renderer } from './renderer.js';

/** Draws a bar in the rows of a real terminal. */
export class DisplayRenderer implements Renderer, DisplayLine {
  readonly #bar: BarHost;
  readonly #display: Display;
  /** The frame that is being drawn; undefined when the display makes its rows anew, for which one is taken. */
  #frame: BarFrame | undefined;
  #text: string | undefined;
  #row: number | undefined;
  drawnText: string | undefined;
  drawnRow = -1;
  drawnRows = 0;

  constructor(bar: BarHost, display: Display) {
    this.#bar = bar;
    this.#display = display;
  }

  get row(): number {
    return this.#row ?? Math.abs(this.#bar.row);
  }

  get rows(): number {
    return this.#bar.rows;
  }

  makeText(): string {
    return this.#text ?? this.#bar.lineOf(this.#frame ?? this.#bar.frame());
  }

  draw(frame: BarFrame, text?: string, row?: number): boolean {
    this.#frame = frame;
    this.#text = text;
    this.#row = row;
    this.#display.draw(this);
    this.#frame = undefined;
    return this.row < this.rows;
  }

  clear(): void {
    this.#display.erase(this);
  }

  finish(frame: BarFrame): void {
    this.#display.finish(this, this.#bar.lineOf(frame));
  }

  erase(): void {
    this.#display.erase(this);
  }
}

const UP = '\u001b[A';

/**
 * Draws frames that overwrite each other, each starting with a carriage return, to a file of any kind. Between two
 * writes the cursor rests in the first bar's row. A frame is one write, so it is never seen half drawn.
 */
export class FrameRenderer implements Renderer {
  readonly #bar: BarHost;
  /** Columns of the frame on the screen, which a shorter one must overwrite. */
  #columns = 0;

  constructor(bar: BarHost) {
    this.#bar = bar;
  }

  draw(frame: BarFrame, text?: string, row = Math.abs(this.#bar.row)): boolean {
    const { rows, terminal } = this.#bar;
    if (row >= rows) return false;
    const line = row === rows - 1 ? MORE_HIDDEN : (text ?? this.#bar.lineOf(frame));
    const columns = displayLength(line);
    if (terminal.tryWrite(this.#overwrite(row, line, columns))) this.#columns = columns;
    return true;
  }

  clear(): void {
    const row = Math.abs(this.#bar.row);
    if (row < this.#bar.rows) this.#flush(row, '', '\r');
  }

  finish(frame: BarFrame): void {
    const { rows, terminal } = this.#bar;
    if (rows > 0) this.#flush(0, rows === 1 ? MORE_HIDDEN : this.#bar.lineOf(frame));
    terminal.flush('\n');
  }

  erase(): void {
    const row = Math.abs(this.#bar.row);
    if (row < this.#bar.rows) this.#flush(row, '', row === 0 ? '\r' : '');
  }

  #flush(row: number, line: string, ending = ''): void {
    const columns = displayLength(line);
    const text = this.#overwrite(row, line, columns, ending);
    this.#columns = columns;
    this.#bar.terminal.flush(text);
  }

  #overwrite(row: number, line: string, columns: number, ending = ''): string {
    const padding = ' '.repeat(Math.max(this.#columns - columns, 0));
    return `${'\n'.repeat(row)}\r${line}${padding}${ending}${UP.repeat(row)}`;
  }
}
