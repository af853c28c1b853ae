/** Draws a bar by showing it on a board. */

import type { BarState } from '../bar/bar-state.js';
import type { Renderer } from '../bar/drawing.js';
import { COMPLETED, FINISHED } from '../bar/record.js';
import type { Board, BoardBar } from './board.js';
import type { BarLook, Stream } from './look.js';
import type { BarNumbers, SlotWriter } from './slot.js';

/** What is asked of a bar when a frame is due. */
export interface Shown {
  state(): BarState;
  look(stream: Stream | null): BarLook;
}

/** A frame is numbers and texts: the line is made by the drawer, who knows how wide it may be. */
export class SlotRenderer implements Renderer, BoardBar {
  readonly #board: Board;
  readonly #bar: Shown;
  #slot: SlotWriter | null = null;
  #shownN = Number.NaN;

  readonly #stream: Stream | null;

  constructor(board: Board, bar: Shown, stream: Stream | null) {
    this.#board = board;
    this.#bar = bar;
    this.#stream = stream;
  }

  draw(): boolean {
    const numbers = this.#numbers();
    this.#shownN = numbers.n;
    this.#board.show(this, this.#taken(), numbers, this.#bar.look(this.#stream));
    return true;
  }

  follow(): void {
    if (this.#n !== this.#shownN) this.draw();
  }

  /** The drawer makes room for what it prints. */
  clear(): void {}

  finish(): void {
    const { outcome } = this.#bar.state();
    this.#board.close(this.#taken(), outcome ?? FINISHED, this.#numbers(), this.#bar.look(this.#stream));
  }

  /** What `leave` says is decided by the drawer, who knows the rows. */
  erase(): void {
    this.finish();
  }

  #taken(): SlotWriter {
    this.#slot ??= this.#board.take();
    return this.#slot;
  }

  /** The loop's units that the state has not seen are in the record already. */
  get #n(): number {
    const { n, loop } = this.#bar.state();
    return n + (loop?.pending ?? 0);
  }

  #numbers(): BarNumbers {
    const state = this.#bar.state();
    const { record, clock } = state;
    return {
      n: this.#n,
      total: state.total,
      elapsed: clock.now() - state.startT,
      written: clock.unix(),
      rate: state.smoothedRate,
      counted: record.page[record.offset + COMPLETED]!,
      ...this.#board.memory.locate(record),
    };
  }
}
