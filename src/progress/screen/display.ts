/**
 * The rows of a real terminal that belong to bars: the last lines on the screen, redrawn in place.
 *
 * Between two writes the cursor rests at the beginning of the first of these rows. So after the terminal has rewrapped
 * its lines, everything from the cursor on can be erased and drawn again.
 */

import { changeRow, changeRows, ERASE_BELOW, replaceLine, rowsAbove, rowsBelow, up } from './cursor.js';
import { loopWatch } from './loop-watch.js';
import { type DisplayLine, ScreenLines } from './screen-lines.js';
import type { Terminal } from './terminal.js';

/** Milliseconds until rows that the terminal did not accept are written again. */
const RETRY_MS = 100;

const displays = new WeakMap<Terminal, Display>();
/** Displays that have lines. */
const active = new Set<Display>();

/** Puts the cursor below all bars, where other programs may write. The next frame moves it back. */
export function parkDisplays(): void {
  for (const display of active) display.park();
}

/** Draws all bars anew at the cursor, after other programs have written to the screen. */
export function redrawDisplays(): void {
  for (const display of active) display.redraw();
}

/**
 * Draws all rows of all bars again. Called each second, since typed characters and output of other processes may move
 * the cursor. Later frames start at its new position, where rows that are not drawn again would show lines of other
 * bars.
 */
export function repaintDisplays(): void {
  for (const display of active) display.repaint();
}

loopWatch.listen({
  onTurn() {
    for (const display of active) display.drawAll();
  },
});

export class Display {
  readonly #terminal: Terminal;
  readonly #lines = new ScreenLines();
  /** The rows as they are on the screen. */
  #rows: string[] = [];
  /** Number of rows of the screen, read at the start and at each change of its size. */
  #height = 0;
  /** Number of calls of {@link hide} that {@link unhide} has not ended yet. */
  #hides = 0;
  /** Whether the terminal has rewrapped its lines since the last frame. */
  #isRewrapped = false;
  /** Number of rows that the cursor is below the first bar. */
  #parked = 0;
  /** Text that moves the cursor from the end of the program's output to the first row; `''` once it is written. */
  #leaving = '';
  /** Whether the cursor has been moved away from the end of the program's output. */
  #hasLeft = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  private constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Returns the one display of a terminal; undefined for one that does not report its size and its changes. */
  static of(terminal: Terminal): Display | undefined {
    const { file } = terminal;
    if (!terminal.isTTY || typeof file.columns !== 'number' || typeof file.on !== 'function')
      return undefined;
    let display = displays.get(terminal);
    if (display === undefined) {
      display = new Display(terminal);
      displays.set(terminal, display);
    }
    return display;
  }

  /** Draws a line in its row. */
  draw(line: DisplayLine): void {
    this.#terminal.refreshSize();
    loopWatch.onFrame();
    line.drawnText = undefined;
    const isInPlace = line.drawnRow === line.row && line.row < line.rows - 1;
    if (isInPlace && this.#isInOrder() && !loopWatch.isBlocked) {
      this.#drawRow(line);
      return;
    }
    if (!this.#lines.add(line)) return;
    this.#start();
    this.drawAll();
  }

  /** Takes a line off the screen. */
  erase(line: DisplayLine): void {
    if (!this.#lines.remove(line)) return;
    if (!this.#lines.isEmpty) {
      this.drawAll();
      return;
    }
    this.#terminal.write(this.#eraseAll());
    this.#stop();
  }

  /** Writes the last text of a line above the others, where it stays. */
  finish(line: DisplayLine, text: string): void {
    this.#lines.remove(line);
    const { openLine } = this.#terminal;
    if (this.#hides > 0) {
      const below = `${openLine.leave(this.#columns)}${text}\n`;
      openLine.forget();
      this.#terminal.flush(below + openLine.enter(this.#columns));
      return;
    }
    this.#terminal.refreshSize();
    const start = this.#return();
    this.#rows.shift();
    const rows = this.#lines.compose();
    const last = this.#insertAbove(text, rows.length);
    const parked = this.#parkedRows(rows);
    if (this.#lines.isEmpty) this.#terminal.write(start + last);
    else {
      const change = changeRows(this.#isRewrapped ? [] : this.#rows, rows);
      this.#terminal.write(start + last + openLine.leave(this.#columns) + change + '\n'.repeat(parked));
    }
    this.#setDrawn(rows, parked);
    if (this.#lines.isEmpty) this.#stop();
  }

  /**
   * Returns the text that inserts a line above the bars. It expects the cursor in the first row, and leaves it at the
   * place where the output of the program continues. An unfinished line of the program is drawn again below the new
   * line. If there is no room for it, the program continues in an empty line.
   */
  #insertAbove(text: string, rows: number): string {
    const { openLine, file } = this.#terminal;
    const open = openLine.rows(this.#columns);
    const hasRoom = open !== undefined && open + rows < (file.rows || 0);
    if (!hasRoom || open === 0) {
      openLine.forget();
      return `${replaceLine(text)}\n${openLine.enter(this.#columns)}`;
    }
    this.#rows = [];
    return `${up(open)}${ERASE_BELOW}${replaceLine(text)}\n${openLine.drawWhole()}`;
  }

  /** Takes all lines off the screen until {@link unhide}, so that other text can be written there. */
  hide(): void {
    this.#hides += 1;
    if (this.#hides === 1) this.#terminal.flush(this.#eraseAll());
  }

  unhide(): void {
    this.#hides -= 1;
    this.#leaving = this.#terminal.openLine.leave(this.#columns);
    this.drawAll();
  }

  /** Puts the cursor below the lines. */
  park(): void {
    if (this.#parked > 0 || this.#rows.length === 0) return;
    this.#parked = this.#rows.length;
    this.#terminal.write('\n'.repeat(this.#parked));
  }

  /** Forgets what is on the screen, and draws all rows from the cursor on. */
  redraw(): void {
    if (this.#hides > 0) return;
    this.#terminal.openLine.forget();
    this.#setDrawn([]);
    this.#lines.forgetTexts();
    this.drawAll();
  }

  /** Draws all rows, including unchanged ones, if other programs may write to the same screen. */
  repaint(): void {
    if (!this.#terminal.isShared) return;
    this.#lines.placeAll();
    this.drawAll(true);
  }

  /**
   * Draws the rows that differ from those on the screen.
   *
   * @param isForced - whether to draw unchanged rows too. While the event loop is blocked, no timer repaints them
   */
  drawAll(isForced = loopWatch.isBlocked && this.#terminal.isShared): void {
    if (this.#hides > 0 || this.#lines.isEmpty) return;
    const rows = this.#lines.compose();
    const change = changeRows(this.#isRewrapped ? [] : this.#rows, rows, isForced);
    const parked = this.#parkedRows(rows);
    if (change === '' && this.#isInOrder() && parked === 0) return;
    if (this.#tryWrite(this.#return() + change + '\n'.repeat(parked))) this.#setDrawn(rows, parked);
  }

  /** Reports whether the cursor and the screen are as the last frame left them. */
  #isInOrder(): boolean {
    return this.#hides === 0 && this.#parked === 0 && !this.#isRewrapped && this.#leaving === '';
  }

  /** Columns of the screen. */
  get #columns(): number | undefined {
    return this.#terminal.file.columns;
  }

  #drawRow(line: DisplayLine): void {
    const text = line.makeText();
    line.drawnText = text;
    const row = line.drawnRow;
    if (text === this.#rows[row]) return;
    if (this.#tryWrite(changeRow(row, text))) this.#rows[row] = text;
  }

  /** Returns the text that moves the cursor to the first row, and erases rewrapped rows. */
  #return(): string {
    return up(this.#parked) + (this.#isRewrapped ? ERASE_BELOW : '') + this.#leaving;
  }

  /**
   * Returns the number of rows that a frame leaves the cursor below the first bar. While the event loop is blocked,
   * a signal ends the process at once, and the shell writes at the cursor. So that it does not write over the bars, the
   * cursor is left below them, or in the last row if they fill the screen. Otherwise it is left in the first bar's row.
   */
  #parkedRows({ length }: readonly string[]): number {
    return loopWatch.isBlocked ? Math.min(length, (this.#terminal.file.rows || length + 1) - 1) : 0;
  }

  #setDrawn(rows: string[], parked = 0): void {
    this.#rows = rows;
    this.#parked = parked;
    this.#isRewrapped = false;
    this.#leaving = '';
    this.#hasLeft = true;
  }

  /** Returns the text that erases all rows and puts the cursor where the program stopped writing. */
  #eraseAll(): string {
    const erased = up(this.#parked) + (this.#rows.length > 0 ? ERASE_BELOW : '');
    const entering = this.#hasLeft ? this.#terminal.openLine.enter(this.#columns) : '';
    this.#setDrawn([]);
    this.#hasLeft = false;
    return erased + entering;
  }

  #tryWrite(frame: string): boolean {
    if (this.#terminal.tryWrite(frame)) return true;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.drawAll();
    }, RETRY_MS).unref();
    return false;
  }

  #start(): void {
    if (active.has(this)) return;
    active.add(this);
    const { openLine } = this.#terminal;
    if (!openLine.isTracked) openLine.reset();
    this.#leaving = openLine.leave(this.#columns);
    this.#hasLeft = false;
    this.#height = this.#terminal.file.rows ?? 0;
    this.#terminal.file.on?.('resize', this.#onResize);
  }

  #stop(): void {
    active.delete(this);
    this.#terminal.file.off?.('resize', this.#onResize);
  }

  readonly #onResize = (): void => {
    const columns = this.#terminal.file.columns || Number.POSITIVE_INFINITY;
    const height = this.#terminal.file.rows ?? 0;
    const removed = Math.max(this.#height - height, 0);
    this.#height = height;
    if (this.#rows.length > 0 && (this.#parked === 0 || loopWatch.isBlocked)) {
      this.#isRewrapped = true;
      const above = this.#rows.slice(0, this.#parked);
      this.#parked = this.#parked > 0 ? rowsAbove(above, columns) : rowsBelow(this.#rows, columns, removed);
    }
    this.#lines.forgetTexts();
    this.#lines.placeAll();
    this.drawAll();
  };
}
