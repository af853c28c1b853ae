/**
 * Progress on the button of the terminal's window: `OSC 9 ; 4 ; state ; percent`, introduced by ConEmu and understood by
 * Windows Terminal and others.
 */

import type { BarFrame } from './frame.js';
import type { BarHost, Renderer } from './renderer.js';

const HIDDEN = 0;
const PERCENT = 1;
const INDETERMINATE = 3;

function sequence(state: number, percent: number): string {
  return `\u001b]9;4;${state};${percent}\u001b\\`;
}

/** Shows on the taskbar what another renderer draws. */
export class TaskbarRenderer implements Renderer {
  readonly #bar: BarHost;
  readonly #inner: Renderer;
  #shown = '';

  constructor(bar: BarHost, inner: Renderer) {
    this.#bar = bar;
    this.#inner = inner;
  }

  draw(frame: BarFrame, text?: string, row?: number): boolean {
    const isOnScreen = this.#inner.draw(frame, text, row);
    const { n, total } = frame;
    const isKnown = total !== null && total > 0;
    const percent = isKnown ? Math.floor(100 * Math.min(Math.max(n / total, 0), 1)) : 0;
    const shown = sequence(isKnown ? PERCENT : INDETERMINATE, percent);
    if (shown !== this.#shown && this.#bar.terminal.tryWrite(shown)) this.#shown = shown;
    return isOnScreen;
  }

  clear(): void {
    this.#inner.clear();
  }

  finish(frame: BarFrame): void {
    this.#inner.finish(frame);
    this.#hide();
  }

  erase(frame: BarFrame): void {
    this.#inner.erase(frame);
    this.#hide();
  }

  #hide(): void {
    if (this.#shown !== '') this.#bar.terminal.write(sequence(HIDDEN, 0));
    this.#shown = '';
  }
}
