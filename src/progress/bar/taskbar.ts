/**
 * Progress on the button of the terminal's window: `OSC 9 ; 4 ; state ; percent`, which ConEmu began and Windows
 * Terminal and others have taken over.
 */

import type { Terminal } from '../screen/terminal.js';
import type { Place, Renderer, Report } from './drawing.js';

const NONE = 0;
const PERCENT = 1;
const WITHOUT_END = 3;

function sequence(state: number, percent: number): string {
  return `\u001b]9;4;${state};${percent}\u001b\\`;
}

/** Another renderer's bar, shown on the taskbar too. */
export class TaskbarRenderer implements Renderer {
  readonly #inner: Renderer;
  readonly #terminal: Terminal;
  readonly #report: () => Report;
  #shown = '';

  constructor(inner: Renderer, terminal: Terminal, report: () => Report) {
    this.#inner = inner;
    this.#terminal = terminal;
    this.#report = report;
  }

  draw(place: Place, line: () => string): boolean {
    const drawn = this.#inner.draw(place, line);
    const { n, total } = this.#report();
    const known = total !== null && total > 0;
    const percent = known ? Math.floor(100 * Math.min(Math.max(n / total, 0), 1)) : 0;
    const text = sequence(known ? PERCENT : WITHOUT_END, percent);
    if (text !== this.#shown && this.#terminal.offer(text)) this.#shown = text;
    return drawn;
  }

  clear(place: Place): void {
    this.#inner.clear(place);
  }

  finish(place: Place, line: () => string): void {
    this.#inner.finish(place, line);
    this.#remove();
  }

  erase(place: Place): void {
    this.#inner.erase(place);
    this.#remove();
  }

  #remove(): void {
    if (this.#shown !== '') this.#terminal.insist(sequence(NONE, 0));
    this.#shown = '';
  }
}
