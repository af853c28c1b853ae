/** The bars of one board, on the screen. */

import { warnOnce } from '../../errors.js';
import type { BarEnvironment } from '../environment.js';
import type { BoardView, SlotView } from './board-view.js';
import { MirrorBar } from './mirror.js';
import { CLOSED, EMPTY } from './slot.js';

/** A bar that was not seen before. */
export interface NewBar {
  /** Unix time in seconds. */
  readonly start: number;
  /** Puts it on the screen. */
  readonly open: () => void;
}

export class BoardMirrors {
  readonly #board: BoardView;
  readonly #environment: BarEnvironment;
  /** By slot. */
  readonly #mirrors = new Map<number, MirrorBar>();
  /** The newest bar of each slot that was drawn to its end. */
  readonly #drawn = new Map<number, number>();
  /** Was a slot being written when it was looked at? */
  #isTorn = false;
  hasEnded = false;

  constructor(board: BoardView, environment: BarEnvironment) {
    this.#board = board;
    this.#environment = environment;
  }

  /** Is there no bar? */
  get isEmpty(): boolean {
    return this.#mirrors.size === 0 && !this.#isTorn;
  }

  /** Draws what is new of known bars, and returns the others. Never throws: who cannot be drawn is left out. */
  follow(): NewBar[] {
    try {
      const isLive = this.#board.isLive();
      const views = [...this.#board.slots()];
      this.#isTorn = views.includes('torn');
      const added = views.flatMap((view, slot) => (typeof view === 'string' ? [] : this.#look(slot, view)));
      if (isLive) return added;
      // What opens now was open when its thread ended.
      return [...added, { start: Number.POSITIVE_INFINITY, open: () => this.#end() }];
    } catch (error) {
      warnOnce('progress-drawer', `Progress bars of a thread or process are not drawn: ${error}`);
      this.#end();
      return [];
    }
  }

  #look(slot: number, view: SlotView): NewBar[] {
    const mirror = this.#mirrors.get(slot);
    const { content, n } = view;
    // The next bar has the slot already: this one went.
    if (mirror !== undefined && mirror.serial !== content.serial)
      this.#close(slot, mirror, () => mirror.close());
    else if (mirror !== undefined) {
      if (content.state === CLOSED) this.#finish(slot, mirror, view);
      else mirror.show(content, n);
      return [];
    }
    if (content.state === EMPTY || this.#drawn.get(slot) === content.serial) return [];
    const { written, elapsed } = content.numbers;
    return [{ start: written - elapsed, open: () => this.#open(slot, view) }];
  }

  #open(slot: number, view: SlotView): void {
    const { content, n } = view;
    const mirror = new MirrorBar(content, this.#environment);
    this.#mirrors.set(slot, mirror);
    if (content.state === CLOSED) this.#finish(slot, mirror, view);
    else mirror.show(content, n);
  }

  #finish(slot: number, mirror: MirrorBar, view: SlotView): void {
    this.#close(slot, mirror, () => mirror.finish(view.content));
    this.#drawn.set(slot, view.content.serial);
    view.setDrawn();
  }

  /** A last frame is drawn above the bars that go on, so they move down. */
  #close(slot: number, mirror: MirrorBar, act: () => void): void {
    this.#mirrors.delete(slot);
    if (mirror.disable) act();
    else this.#environment.live.aside(() => true, act);
  }

  #end(): void {
    this.hasEnded = true;
    for (const [slot, mirror] of [...this.#mirrors]) this.#close(slot, mirror, () => mirror.fail());
    this.#board.close();
  }
}
