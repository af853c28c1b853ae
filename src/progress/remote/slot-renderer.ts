/** Draws a bar by writing its frames on a board. */

import type { BarFrame } from '../bar/frame.js';
import { COMPLETED, FAILED, FINISHED } from '../bar/record.js';
import type { BarHost, Renderer } from '../bar/renderer.js';
import type { Board, BoardBar } from './board.js';
import type { SlotSettings } from './look.js';
import type { BarNumbers, SlotWriter } from './slot.js';

/** The line is made where it is drawn, since only there the width of the screen is known. */
export class SlotRenderer implements Renderer, BoardBar {
  readonly #board: Board;
  readonly #bar: BarHost;
  #slot: SlotWriter | undefined;
  #drawnN = Number.NaN;

  constructor(board: Board, bar: BarHost) {
    this.#board = board;
    this.#bar = bar;
  }

  draw(frame: BarFrame): boolean {
    this.#drawnN = this.#bar.n;
    this.#board.show(this, this.#takeSlot(), this.#numbers(frame), frame.settings);
    return true;
  }

  follow(): void {
    if (this.#bar.n !== this.#drawnN) this.draw(this.#bar.frame());
  }

  /** Has no effect: room for printed text is made where the bar is drawn. */
  clear(): void {}

  finish(frame: BarFrame): void {
    const { state, error, settings } = frame;
    const last: SlotSettings = error === undefined ? settings : { ...settings, error };
    const outcome = state === 'failed' ? FAILED : FINISHED;
    this.#board.close(this.#takeSlot(), outcome, this.#numbers(frame), last);
  }

  /** Leaves the decision about `leave` to the thread that draws, which knows the rows. */
  erase(frame: BarFrame): void {
    this.finish(frame);
  }

  #takeSlot(): SlotWriter {
    this.#slot ??= this.#board.take();
    return this.#slot;
  }

  /** `n` contains all that `counted` contains, a running loop's units too. */
  #numbers({ total, elapsed, time, rate }: BarFrame): BarNumbers {
    const { n, record } = this.#bar;
    const counted = record.page[record.offset + COMPLETED]!;
    return { n, total, elapsed, written: time, rate, counted, ...this.#board.memory.locate(record) };
  }
}
