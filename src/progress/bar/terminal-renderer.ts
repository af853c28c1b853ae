/** Bars whose frames overwrite each other: in the rows of a real terminal, in other files, and on the taskbar. */

import { columnsOf } from '../meter/display-width.js';
import type { Display } from '../screen/display.js';
import { type DisplayLine, MORE_HIDDEN } from '../screen/screen-lines.js';
import type { Terminal } from '../screen/terminal.js';
import type { BarFrame } from './frame.js';
import type { BarHost, Renderer } from './renderer.js';

/** Draws a bar in the rows of a real terminal. */
export class DisplayRenderer implements Renderer, DisplayLine {
  readonly #bar: BarHost;
  readonly #display: Display;
  /** The frame to draw, during {@link draw}. At other times it is undefined, and the text is made of a new frame. */
  #frame: BarFrame | undefined;
  #text: string | undefined;
  #row: number | undefined;
  /** Whether the bar's own row shows a frame rather than text of the program. */
  #showsFrame = false;
  drawnText: string | undefined;
  drawnRow = -1;

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
    this.#showsFrame = text === undefined && row === undefined;
    this.#frame = frame;
    this.#text = text;
    this.#row = row;
    this.#display.draw(this);
    this.#frame = undefined;
    return this.row < this.rows;
  }

  tick(): void {
    if (this.#showsFrame && this.row < this.rows - 1) this.draw(this.#bar.frame(true));
  }

  clear(): void {
    this.#showsFrame = false;
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
 * Draws frames that overwrite each other, each starting with a carriage return, in a file of any kind. Between two
 * writes the cursor rests in the first bar's row. A frame is one write, so it is never seen half drawn.
 */
export class FrameRenderer implements Renderer {
  readonly #bar: BarHost;
  /** Columns of the line on the screen. A shorter line is padded to them, so that it covers all of the old one. */
  #columns = 0;

  constructor(bar: BarHost) {
    this.#bar = bar;
  }

  draw(frame: BarFrame, text?: string, row = Math.abs(this.#bar.row)): boolean {
    const { rows, terminal } = this.#bar;
    if (row >= rows) return false;
    const line = row === rows - 1 ? MORE_HIDDEN : (text ?? this.#bar.lineOf(frame));
    const columns = columnsOf(line);
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
    const columns = columnsOf(line);
    const text = this.#overwrite(row, line, columns, ending);
    this.#columns = columns;
    this.#bar.terminal.flush(text);
  }

  #overwrite(row: number, line: string, columns: number, ending = ''): string {
    const padding = ' '.repeat(Math.max(this.#columns - columns, 0));
    return `${'\n'.repeat(row)}\r${line}${padding}${ending}${UP.repeat(row)}`;
  }
}

/** States of a taskbar button, as numbers in the sequence. */
const HIDDEN = 0;
const PERCENT = 1;
const INDETERMINATE = 3;

function taskbarSequence(state: number, percent: number): string {
  return `\u001b]9;4;${state};${percent}\u001b\\`;
}

/**
 * Shows a bar on the button of the terminal's window: `OSC 9 ; 4 ; state ; percent`, introduced by ConEmu and
 * understood by Windows Terminal and others.
 */
export class Taskbar {
  readonly #terminal: Terminal;
  #shown = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show({ n, total }: BarFrame): void {
    const isKnown = total !== null && total > 0;
    const percent = isKnown ? Math.floor(100 * Math.min(Math.max(n / total, 0), 1)) : 0;
    const shown = taskbarSequence(isKnown ? PERCENT : INDETERMINATE, percent);
    if (shown !== this.#shown && this.#terminal.tryWrite(shown)) this.#shown = shown;
  }

  hide(): void {
    if (this.#shown !== '') this.#terminal.write(taskbarSequence(HIDDEN, 0));
    this.#shown = '';
  }
}
