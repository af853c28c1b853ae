/**
 * The rows of a real terminal that belong to bars: the last lines on the screen, redrawn in place.
 *
 * Between two writes the cursor rests at the beginning of the first of these rows. There it stays where it is when
 * the terminal breaks its lines anew, so that all below can be erased and drawn again, whatever has become of it.
 */

import { MORE_HIDDEN, type Place } from '../bar/drawing.js';
import { displayLength } from '../meter/display-width.js';
import { loopWatch } from './loop-watch.js';
import { rowsAbove, rowsBelow } from './reflow.js';
import { changeOf, ERASE_BELOW, ERASE_LINE, NO_WRAP, right, up, WRAP } from './sequences.js';
import type { Terminal } from './terminal.js';

/** A bar on a display. */
export interface DisplayedBar {
  /** Where it stands; looked at again for every frame. */
  place: Place;
  /** Its line now. */
  line: () => string;
  /** The line drawn last; `null`: to be asked for. */
  text: string | null;
  /** The row it was drawn in. */
  row: number;
  /** Rows of its screen, as they were when it was drawn last or the size changed. */
  rows: number;
}

/** Milliseconds after which a frame is tried again that the terminal did not take. */
const RETRY = 100;

const displays = new WeakMap<Terminal, Display>();
/** Displays that have bars. */
const active = new Set<Display>();

/** Puts the cursor below all bars, for whoever writes next. The next frame finds its way back. */
export function parkDisplays(): void {
  for (const display of active) display.park();
}

/** Draws all bars anew where the cursor is: others have written since the last frame. */
export function redrawDisplays(): void {
  for (const display of active) display.redraw();
}

loopWatch.listen({
  turned() {
    for (const display of active) display.draw();
  },
});

export class Display {
  readonly #terminal: Terminal;
  readonly #bars = new Set<DisplayedBar>();
  /** The rows as they are on the screen. */
  #rows: string[] = [];
  /** Rows of the screen: bars in the last of them and below are hidden. */
  #limit = Number.POSITIVE_INFINITY;
  /** Bars that are hidden, as far as the last frame knew. */
  #hidden = 0;
  /** Those who have taken the bars away for a while. */
  #holders = 0;
  /** Has the terminal broken its lines anew since the last frame? */
  #garbled = false;
  /** Rows that the cursor stands below its place. */
  #parked = 0;
  /** What the program wrote last above the bars, when it did not end its line. */
  #openLine = '';
  /** Does the cursor stand in the row below the open line? */
  #belowOpenLine = false;
  #retry: ReturnType<typeof setTimeout> | null = null;

  private constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** The one display of a terminal; `null` for one that does not tell its size and when that changes. */
  static of(terminal: Terminal): Display | null {
    const { file } = terminal;
    if (!terminal.isTTY || typeof file.columns !== 'number' || typeof file.on !== 'function') return null;
    let display = displays.get(terminal);
    if (display === undefined) {
      display = new Display(terminal);
      displays.set(terminal, display);
    }
    return display;
  }

  /** Draws a bar in its row. */
  show(bar: DisplayedBar): void {
    this.#terminal.refreshSize();
    loopWatch.frame();
    bar.text = null;
    const known = this.#bars.has(bar) && bar.row === bar.place.row;
    bar.rows = bar.place.rows;
    const hidden = this.#hidden > 0 && bar.place.row >= this.#limit - 1 && bar.rows >= this.#limit;
    if (hidden && (known || !this.#bars.has(bar))) {
      this.#addHidden(bar);
      return;
    }
    if (known && this.#isInOrder() && !loopWatch.blocked) {
      if (bar.row < this.#limit - 1) this.#showRow(bar);
      return;
    }
    this.#bars.add(bar);
    this.#start();
    this.draw();
  }

  /** One more where the screen says already that there are more: nothing of it changes, however many come. */
  #addHidden(bar: DisplayedBar): void {
    if (!this.#bars.has(bar)) this.#hidden += 1;
    this.#bars.add(bar);
    bar.row = bar.place.row;
  }

  /** Takes a bar off the screen. */
  hide(bar: DisplayedBar): void {
    const hidden = this.#hidden;
    if (!this.#remove(bar) || (this.#hidden < hidden && this.#hidden > 0)) return;
    if (this.#bars.size > 0) {
      this.draw();
      return;
    }
    this.#terminal.insist(this.#erase());
    this.#stop();
  }

  #remove(bar: DisplayedBar): boolean {
    const there = this.#bars.delete(bar);
    if (there && this.#hidden > 0 && bar.row >= this.#limit - 1) this.#hidden -= 1;
    return there;
  }

  /** Leaves a bar's last line above the others, for good. */
  leave(bar: DisplayedBar, text: string): void {
    this.#remove(bar);
    if (this.#holders > 0) {
      this.#terminal.write(`${text}\n`);
      return;
    }
    this.#terminal.refreshSize();
    const last = `${this.#return()}${NO_WRAP}${ERASE_LINE}${text}${WRAP}\n`;
    this.#rows.shift();
    this.#openLine = '';
    const rows = this.#compose();
    const parked = this.#parkedRows(rows);
    this.#terminal.insist(last + changeOf(this.#garbled ? [] : this.#rows, rows) + '\n'.repeat(parked));
    this.#drawn(rows, parked);
    if (this.#bars.size === 0) this.#stop();
  }

  /** Takes the bars off the screen until `release`, so that others can write there. */
  hold(): void {
    this.#holders += 1;
    if (this.#holders === 1) this.#terminal.write(this.#erase());
  }

  /** @param written - what was written meanwhile; left out, it ended its last line */
  release(written = '\n'): void {
    this.#holders -= 1;
    this.#openLine = (this.#openLine + written).split(/[\r\n]/).at(-1)!;
    this.draw();
  }

  /** Puts the cursor below the bars. */
  park(): void {
    if (this.#parked > 0 || this.#rows.length === 0) return;
    this.#parked = this.#rows.length;
    this.#terminal.insist('\n'.repeat(this.#parked));
  }

  /** Forgets what is on the screen, and draws all rows from where the cursor is. */
  redraw(): void {
    if (this.#holders > 0) return;
    this.#openLine = '';
    this.#drawn([]);
    for (const bar of this.#bars) bar.text = null;
    this.draw();
  }

  /** Draws what is not on the screen yet. */
  draw(): void {
    if (this.#holders > 0 || this.#bars.size === 0) return;
    const rows = this.#compose();
    const change = changeOf(this.#garbled ? [] : this.#rows, rows);
    const parked = this.#parkedRows(rows);
    if (change === '' && this.#isInOrder() && parked === 0) return;
    if (this.#offer(this.#return() + change + '\n'.repeat(parked))) this.#drawn(rows, parked);
  }

  /** Is the cursor in its place, and the screen as the last frame left it? */
  #isInOrder(): boolean {
    return this.#holders === 0 && this.#parked === 0 && !this.#garbled && !this.#isOnOpenLine();
  }

  #isOnOpenLine(): boolean {
    return this.#openLine !== '' && !this.#belowOpenLine;
  }

  #showRow(bar: DisplayedBar): void {
    bar.text = bar.line();
    if (bar.text === this.#rows[bar.row]) return;
    const frame = `${'\n'.repeat(bar.row)}${ERASE_LINE}${bar.text}${up(bar.row)}\r`;
    if (this.#offer(NO_WRAP + frame + WRAP)) this.#rows[bar.row] = bar.text;
  }

  /** All rows as they should be. */
  #compose(): string[] {
    this.#limit = Number.POSITIVE_INFINITY;
    this.#hidden = 0;
    for (const bar of this.#bars) this.#limit = Math.min(this.#limit, bar.rows);
    const rows: string[] = [];
    for (const bar of this.#bars) {
      bar.row = bar.place.row;
      if (bar.row < this.#limit - 1) {
        bar.text ??= bar.line();
        rows[bar.row] = bar.text;
      } else {
        rows[this.#limit - 1] = MORE_HIDDEN;
        this.#hidden += 1;
      }
    }
    return Array.from(rows, (text = '') => text);
  }

  /** What brings the cursor to the first row, and that row to where it should be. */
  #return(): string {
    return up(this.#parked) + (this.#garbled ? ERASE_BELOW : '') + (this.#isOnOpenLine() ? '\n' : '');
  }

  /**
   * While the loop is blocked a signal kills without a word, so that each frame has to leave the cursor below it; in
   * the last row where the bars fill the screen, which would scroll.
   */
  #parkedRows({ length }: readonly string[]): number {
    return loopWatch.blocked ? Math.min(length, (this.#terminal.file.rows || length + 1) - 1) : 0;
  }

  #drawn(rows: string[], parked = 0): void {
    this.#rows = rows;
    this.#parked = parked;
    this.#garbled = false;
    this.#belowOpenLine = this.#openLine !== '';
  }

  /** What takes all rows away and goes on where the program stopped writing. */
  #erase(): string {
    const erased = up(this.#parked) + (this.#rows.length > 0 ? ERASE_BELOW : '');
    const below = this.#belowOpenLine;
    this.#drawn([]);
    this.#belowOpenLine = false;
    // An open line that fills its row goes on in the next.
    const column = displayLength(this.#openLine) % (this.#terminal.file.columns || Number.POSITIVE_INFINITY);
    return below && column > 0 ? `${erased}${up(1)}${right(column)}` : erased;
  }

  #offer(frame: string): boolean {
    if (this.#terminal.offer(frame)) return true;
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      this.draw();
    }, RETRY).unref();
    return false;
  }

  #start(): void {
    if (active.has(this)) return;
    active.add(this);
    this.#terminal.file.on?.('resize', this.#resized);
  }

  #stop(): void {
    active.delete(this);
    this.#terminal.file.off?.('resize', this.#resized);
    this.#rows = [];
    this.#hidden = 0;
    this.#openLine = '';
    this.#belowOpenLine = false;
  }

  readonly #resized = (): void => {
    const columns = this.#terminal.file.columns || Number.POSITIVE_INFINITY;
    if (this.#rows.length > 0 && (this.#parked === 0 || loopWatch.blocked)) {
      this.#garbled = true;
      const above = this.#rows.slice(0, this.#parked);
      this.#parked = this.#parked > 0 ? rowsAbove(above, columns) : rowsBelow(this.#rows, columns);
    }
    for (const bar of this.#bars) {
      bar.text = null;
      bar.rows = bar.place.rows;
    }
    this.draw();
  };
}
