/** Frames as tqdm writes them, to a file that may be anything. */

import { displayLength } from '../meter/display-width.js';
import type { Terminal } from '../screen/terminal.js';
import { MORE_HIDDEN, type Place, type Renderer } from './drawing.js';

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
    const { frame, columns } = this.#frame(place.row, place.row === place.rows - 1 ? MORE_HIDDEN : line());
    if (this.#terminal.offer(frame)) this.#shown = columns;
    return true;
  }

  clear({ row, rows }: Place): void {
    if (row < rows) this.#put(row, '', '\r');
  }

  finish({ rows }: Place, line: () => string): void {
    if (rows > 0) this.#put(0, rows === 1 ? MORE_HIDDEN : line());
    this.#terminal.write('\n');
  }

  erase({ row, rows }: Place): void {
    if (row < rows) this.#put(row, '', row === 0 ? '\r' : '');
  }

  #put(row: number, text: string, after = ''): void {
    const { frame, columns } = this.#frame(row, text, after);
    this.#shown = columns;
    this.#terminal.write(frame);
  }

  #frame(row: number, text: string, after = ''): { frame: string; columns: number } {
    const columns = displayLength(text);
    const padding = ' '.repeat(Math.max(this.#shown - columns, 0));
    return { frame: `${'\n'.repeat(row)}\r${text}${padding}${after}${UP.repeat(row)}`, columns };
  }
}
