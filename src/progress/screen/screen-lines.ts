/** The lines of bars on a terminal: those on the screen, and those below it. */

/** Shown in the last row of the screen when there are bars below it. */
export const MORE_HIDDEN = ' ... (more hidden) ...';

/** The line of one bar on a display. */
export interface DisplayLine {
  /** Row that the line belongs in, from 0. */
  readonly row: number;
  /** Number of rows of the screen. */
  readonly rows: number;
  /** Returns the line's text now. */
  makeText(): string;
  /** Text drawn last; undefined if it must be made again. */
  drawnText: string | undefined;
  /** Row in which the line was drawn last; -1 while it is not on the screen. */
  drawnRow: number;
}

export class ScreenLines {
  readonly #shown = new Set<DisplayLine>();
  readonly #hidden = new Set<DisplayLine>();
  /** Cycles through the hidden lines. A new iterator per search would be slow, since V8 must skip removed entries. */
  #search = this.#hidden.values();
  /** Smallest number of screen rows over all lines. Lines in the last of these rows or below it are hidden. */
  #limit = Number.POSITIVE_INFINITY;

  get isEmpty(): boolean {
    return this.#shown.size + this.#hidden.size === 0;
  }

  /** Adds a line, or notes that its row has changed. Returns false if the screen stays the same. */
  add(line: DisplayLine): boolean {
    const isOneMore = this.#hidden.size > 0 && !this.#shown.has(line);
    this.#place(line);
    if (line.rows < this.#limit) this.placeAll();
    return !isOneMore || this.#shown.has(line);
  }

  /** Removes a line. Reports whether the screen changes. */
  remove(line: DisplayLine): boolean {
    line.drawnRow = -1;
    if (this.#hidden.delete(line)) return this.#hidden.size === 0;
    if (!this.#shown.delete(line)) return false;
    this.#showNext();
    return true;
  }

  /** Decides again which lines are hidden, since the size of the screen may have changed. */
  placeAll(): void {
    const lines = [...this.#shown, ...this.#hidden];
    this.#limit = lines.reduce((limit, { rows }) => Math.min(limit, rows), Number.POSITIVE_INFINITY);
    for (const line of lines) this.#place(line);
  }

  /** Discards the texts of the shown lines, so that they are made again for the next frame. */
  forgetTexts(): void {
    for (const line of this.#shown) line.drawnText = undefined;
  }

  /** Returns the rows to show, and sets `drawnRow` of each shown line. */
  compose(): string[] {
    const rows: string[] = [];
    for (const line of this.#shown) {
      line.drawnRow = line.row;
      line.drawnText ??= line.makeText();
      rows[line.drawnRow] = line.drawnText;
    }
    if (this.#hidden.size > 0) rows[this.#limit - 1] = MORE_HIDDEN;
    return Array.from(rows, (text = '') => text);
  }

  /** Shows the hidden line that now belongs in a row on the screen, if there is one. */
  #showNext(): void {
    for (let left = this.#hidden.size; left > 0; left -= 1) {
      let { value } = this.#search.next();
      if (value === undefined) {
        this.#search = this.#hidden.values();
        value = this.#search.next().value!;
      }
      if (this.#place(value)) return;
    }
  }

  /** Moves a line to the shown or to the hidden lines. Reports whether it is shown. */
  #place(line: DisplayLine): boolean {
    const isShown = line.row < this.#limit - 1;
    if (!isShown) line.drawnRow = -1;
    (isShown ? this.#hidden : this.#shown).delete(line);
    (isShown ? this.#shown : this.#hidden).add(line);
    return isShown;
  }
}
