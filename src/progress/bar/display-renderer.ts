/** A bar in the rows of a real terminal. */

import type { Display, DisplayedBar } from '../screen/display.js';
import type { Place, Renderer } from './drawing.js';

export class DisplayRenderer implements Renderer {
  readonly #display: Display;
  readonly #bar: DisplayedBar = { place: { row: 0, rows: 0 }, line: () => '', text: null, row: -1, rows: 0 };

  constructor(display: Display) {
    this.#display = display;
  }

  draw(place: Place, line: () => string): boolean {
    this.#bar.place = place;
    this.#bar.line = line;
    this.#display.show(this.#bar);
    return place.row < place.rows;
  }

  clear(): void {
    this.#display.hide(this.#bar);
  }

  finish(_place: Place, line: () => string): void {
    this.#display.leave(this.#bar, line());
  }

  erase(): void {
    this.#display.hide(this.#bar);
  }
}
