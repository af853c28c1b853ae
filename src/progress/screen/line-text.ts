/** The text of a line, column by column, with the pen that each column was written with. */

import { undo } from './pen.js';

const ESCAPE = '\u001b';

/** One column: a character with its combining characters. The right half of a wide character has no text. */
interface Column {
  readonly text: string;
  readonly pen: string;
}

/** Drawn for an unknown column at the start of a row, since the terminal begins a row only with a character. */
const BLANK: Column = { text: ' ', pen: '' };

export class LineText {
  /** The columns; undefined where nothing was written or the content of the screen is unknown. */
  readonly #columns: (Column | undefined)[] = [];

  get length(): number {
    return this.#columns.length;
  }

  clear(): void {
    this.#columns.length = 0;
  }

  /** Removes columns from the beginning. */
  removeFirst(count: number): void {
    this.#columns.splice(0, count);
  }

  /** Writes a character that is one or two columns wide. */
  write(at: number, text: string, width: number, pen: string): void {
    this.#put(at, { text, pen });
    if (width === 1) return;
    this.#put(at + 1, undefined);
    this.#columns[at] = { text, pen };
    this.#columns[at + 1] = { text: '', pen };
  }

  /** Adds a combining character to the character before `at`. */
  combine(at: number, text: string): void {
    const i = this.#columns[at - 1]?.text === '' ? at - 2 : at - 1;
    const column = this.#columns[i];
    if (column !== undefined) this.#columns[i] = { ...column, text: column.text + text };
  }

  /** Erases columns. @param pen - the pen of the background; `''` for the default */
  erase(from: number, to: number, pen: string): void {
    if (pen === '' && to >= this.length) {
      if (this.#columns[from]?.text === '') this.#put(from, undefined);
      this.#columns.length = Math.min(this.length, from);
      while (this.length > 0 && this.#columns.at(-1) === undefined) this.#columns.pop();
      return;
    }
    for (let i = from; i < to; i += 1) this.#put(i, pen === '' ? undefined : { text: ' ', pen });
  }

  /** Inserts blank columns at `at`, or deletes columns if `count` is negative. The columns up to `end` are shifted. */
  shift(at: number, count: number, end: number): void {
    if (at >= this.length) return;
    const moved = this.#columns.splice(at, end - at);
    if (count < 0) moved.splice(0, -count);
    else moved.unshift(...new Array<undefined>(Math.min(count, end - at)));
    this.#columns.push(...moved.slice(0, end - at));
  }

  /**
   * Returns the text that draws columns again. It expects the terminal in its default state, and leaves it in that of
   * `pen`.
   *
   * @param width - number of columns of the screen, after which the terminal continues in the next row
   */
  draw(from: number, to: number, pen: string, width: number): string {
    let text = '';
    let current = '';
    const change = (next: string) => {
      if (next !== current) text += undo(current) + next;
      current = next;
    };
    for (let i = from; i < to; i += 1) {
      const isNextRow = i > from && i % width === 0;
      const column = this.#columns[i] ?? (isNextRow ? BLANK : undefined);
      if (column === undefined) text += `${ESCAPE}[C`;
      else if (column.text !== '') {
        change(column.pen);
        text += column.text;
      }
    }
    change(pen);
    return text;
  }

  /** Replaces a column. The other half of a wide character becomes blank. */
  #put(i: number, column: Column | undefined): void {
    while (this.length < i) this.#columns.push(undefined);
    const half = this.#columns[i]?.text === '' ? i - 1 : this.#columns[i + 1]?.text === '' ? i + 1 : -1;
    if (half >= 0) this.#columns[half] = { text: ' ', pen: this.#columns[half]!.pen };
    this.#columns[i] = column;
  }
}
