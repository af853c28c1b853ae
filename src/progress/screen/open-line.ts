/**
 * The unfinished line of the program: its text on the screen since the last line feed, and the cursor in it. Bars are
 * drawn below it, and later output of the program continues it.
 */

import { codePointWidth } from '../meter/display-width.js';
import { LineText } from './line-text.js';
import { Pen, undo } from './pen.js';
import { TOKEN } from './sequences.js';

const ESCAPE = '\u001b';
const NO_WRAP = `${ESCAPE}[?7l`;
const TAB = 8;
/** Maximum number of columns that are kept. Beyond it, the first rows of the line are forgotten. */
const MAX_COLUMNS = 8192;
/** Matches a combining character, which is drawn in the column of the character before it. */
const COMBINING = /^[\p{Mn}\p{Me}\u200b-\u200f\u2060-\u2064]$/u;

function widthOf(character: string): number {
  return COMBINING.test(character) ? 0 : codePointWidth(character.codePointAt(0)!);
}

export class OpenLine {
  /** Whether everything that the program writes to the terminal is passed to {@link write}. */
  isTracked = false;
  /** Number of calls of {@link write}. */
  writes = 0;
  readonly #pen = new Pen();
  /** Whether the terminal continues text that reaches its edge in the next row. */
  #wraps = true;
  /** Columns of the screen. */
  #width = Number.MAX_SAFE_INTEGER;
  /** The text of all rows of the line, joined. */
  readonly #text = new LineText();
  /** Index of the first column of the cursor's row. */
  #start = 0;
  /** Index of the cursor's column; after a character in the last column, the first column of the next row. */
  #at = 0;
  /** Number of rows of the program below the cursor. */
  #below = 0;
  /** Whether the lowest row was empty when the cursor moved up from it. */
  #isLowestBlank = false;
  /** Whether the text is known from its beginning, so that all of it can be drawn again. */
  #isWhole = true;

  /** Forgets the line: the cursor is at the beginning of an empty row. The pen stays. */
  forget(): void {
    this.#moveToUnknown(0);
    this.#below = 0;
    this.#isWhole = true;
  }

  /** Forgets everything: the terminal is in its default state. */
  reset(): void {
    this.forget();
    this.#pen.reset();
    this.#wraps = true;
  }

  /** Updates the line with text that the program writes. @param columns - the number of columns of the screen */
  write(text: string, columns: number | undefined): void {
    this.writes += 1;
    this.#fit(columns);
    // The text of finished lines is not kept, but their escape sequences still change the pen.
    const end = text.lastIndexOf('\n') + 1;
    this.#follow(text.slice(0, end), () => {});
    this.#follow(text.slice(end), (run) => this.#print(run));
  }

  /** Returns the text that moves the cursor to the row below the line and resets the terminal. */
  leave(columns: number | undefined): string {
    this.#fit(columns);
    return undo(this.#pen.text) + (this.#isBlank ? '' : '\n'.repeat(this.#below + 1));
  }

  /**
   * Returns the text that moves the cursor from the row below the line back to its place. It draws the text before that
   * place again, since the terminal may measure the width of a character differently.
   */
  enter(columns: number | undefined): string {
    this.#fit(columns);
    const up = this.#isBlank ? '' : `${ESCAPE}[${this.#below + 1}A\r`;
    return up + this.#drawToCursor(this.#start);
  }

  /** Returns the number of rows of the line: 0 if it is empty, undefined if it cannot be drawn again. */
  rows(columns: number | undefined): number | undefined {
    this.#fit(columns);
    if (this.#isBlank) return 0;
    return this.#isWhole && this.#wraps ? this.#lastRow + 1 : undefined;
  }

  /** Returns the text that draws the whole line in an empty row, and moves the cursor to its place. */
  drawWhole(): string {
    const { length } = this.#text;
    if (this.#at >= length) return this.#drawToCursor(0);
    const up = this.#lastRow - this.#start / this.#width;
    const back = `${up > 0 ? `${ESCAPE}[${up}A` : ''}\r`;
    return this.#text.draw(0, length, '', this.#width) + back + this.#drawToCursor(this.#start);
  }

  #drawToCursor(from: number): string {
    return this.#text.draw(from, this.#at, this.#pen.text, this.#width) + (this.#wraps ? '' : NO_WRAP);
  }

  get #isBlank(): boolean {
    return this.#at === 0 && this.#below === 0 && this.#text.length === 0;
  }

  /** Number of the last row of the line, from 0. */
  get #lastRow(): number {
    return Math.floor(Math.max(this.#text.length - 1, this.#at - 1, 0) / this.#width);
  }

  /** Column of the cursor; after a character in the last column, still the last column. */
  get #column(): number {
    return Math.min(this.#at - this.#start, this.#width - 1);
  }

  /** Adopts the width of the screen. If it has changed, the terminal has rewrapped the line. */
  #fit(columns: number | undefined): void {
    const width = columns || Number.MAX_SAFE_INTEGER;
    if (width === this.#width) return;
    this.#width = width;
    if (!this.#isWhole) return;
    this.#start = Math.floor(Math.max(this.#at - 1, 0) / width) * width;
    this.#below = this.#lastRow - this.#start / width;
  }

  #follow(text: string, print: (run: string) => void): void {
    for (const { 0: token, groups } of text.matchAll(TOKEN)) {
      if (groups?.final !== undefined) this.#control(groups.final, groups.parameters ?? '');
      else if (groups?.command !== undefined) this.#command(groups.command);
      else if (token >= ' ') print(token);
      else this.#escape(token);
    }
  }

  /** Applies the content of a sequence `ESC ] … BEL`. */
  #command(content: string): void {
    if (content.startsWith('8;')) this.#pen.setLink(content.slice(2));
  }

  /** Applies a control character, or a sequence of `ESC` and one more character. */
  #escape(token: string): void {
    if (token === '\r') this.#at = this.#start;
    else if (token === '\b') this.#moveBy(-1);
    else if (token === '\t') this.#tab();
    else if (token === '\n' || token === '\v' || token === '\f' || token === `${ESCAPE}E`) this.#down(1, 0);
    else if (token === `${ESCAPE}D`) this.#down(1);
    else if (token === `${ESCAPE}M`) this.#up(1);
    else if (token === `${ESCAPE}c`) this.reset();
    else if (token.startsWith(`${ESCAPE}(`)) this.#pen.setCharset(token);
  }

  /** Applies a sequence `ESC [ … letter`. */
  #control(letter: string, parameters: string): void {
    const count = Math.max(Number.parseInt(parameters, 10) || 0, 1);
    if (letter === 'm') this.#pen.setAttributes(parameters);
    else if (letter === 'G' || letter === '`') this.#moveBy(count - 1 - this.#column);
    else if (letter === 'C' || letter === 'a') this.#moveBy(count);
    else if (letter === 'D') this.#moveBy(-count);
    else if (letter === 'A') this.#up(count);
    else if (letter === 'F') this.#up(count, 0);
    else if (letter === 'B' || letter === 'e') this.#down(count);
    else if (letter === 'E') this.#down(count, 0);
    else if (letter === 'K' || letter === 'J') this.#erase(letter, parameters);
    else if (letter === 'X') this.#blank(this.#column, this.#column + count);
    else if (letter === 'P') this.#shift(-count);
    else if (letter === '@') this.#shift(count);
    else if (letter === 'H' || letter === 'f')
      this.#address(Number.parseInt(parameters.split(';')[1] ?? '', 10) || 1);
    else if (letter === 'd') this.#address(this.#column + 1);
    else if (parameters === '?7') this.#wraps = letter !== 'l';
  }

  #moveBy(columns: number): void {
    this.#at = this.#start + Math.min(Math.max(this.#column + columns, 0), this.#width - 1);
  }

  #tab(): void {
    if (this.#at - this.#start < this.#width) this.#moveBy(TAB - (this.#column % TAB));
  }

  /** Moves the cursor to a row whose text is unknown. */
  #moveToUnknown(column: number): void {
    this.#text.clear();
    this.#start = 0;
    this.#at = column;
    this.#isWhole = false;
  }

  /** Moves the cursor to a place on the screen. @param column - counted from 1 */
  #address(column: number): void {
    this.#moveToUnknown(Math.min(column, this.#width) - 1);
    this.#below = 0;
  }

  #up(rows: number, column = this.#column): void {
    if (this.#below === 0) this.#isLowestBlank = this.#isBlank;
    this.#moveToUnknown(column);
    this.#below += rows;
  }

  #down(rows: number, column = this.#column): void {
    this.#moveToUnknown(column);
    const isNew = rows > this.#below || (rows === this.#below && this.#isLowestBlank);
    this.#isWhole = column === 0 && isNew;
    this.#below = Math.max(this.#below - rows, 0);
  }

  #erase(letter: string, parameters: string): void {
    const kind = Number.parseInt(parameters, 10) || 0;
    if (kind === 0) this.#blank(this.#at - this.#start, this.#width);
    else if (kind === 1) this.#blank(0, this.#column + 1);
    else if (kind === 2) this.#blank(0, this.#width);
    if (letter === 'J' && (kind === 0 || kind === 2)) this.#below = 0;
  }

  /** Erases columns of the cursor's row. */
  #blank(from: number, to: number): void {
    const end = this.#start + Math.min(to, this.#width);
    this.#text.erase(this.#start + from, end, this.#pen.background);
  }

  #shift(count: number): void {
    this.#text.shift(this.#start + this.#column, count, this.#start + this.#width);
  }

  #print(run: string): void {
    const pen = this.#pen.text;
    for (const character of run) {
      const width = widthOf(character);
      if (width === 0) {
        if (this.#at > this.#start) this.#text.combine(this.#at, character);
        continue;
      }
      if (this.#at + width > this.#start + this.#width) this.#wrap(width);
      this.#text.write(this.#at, character, width, pen);
      this.#at += width;
    }
    if (this.#text.length > MAX_COLUMNS) this.#forgetFirstRows();
  }

  /** Moves the cursor to the place of a character that does not fit into the rest of the row. */
  #wrap(width: number): void {
    if (this.#wraps) {
      this.#start += this.#width;
      this.#at = this.#start;
      this.#below = Math.max(this.#below - 1, 0);
    } else {
      this.#at = this.#start + this.#width - width;
    }
  }

  #forgetFirstRows(): void {
    this.#text.removeFirst(this.#start);
    this.#at -= this.#start;
    this.#start = 0;
    this.#isWhole = false;
  }
}
