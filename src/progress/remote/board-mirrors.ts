/** The bars of one board, on the screen. */

import { warnOnce } from '../../errors.js';
import type { BarEnvironment } from '../bar/environment.js';
import type { BoardView, SlotView } from './board-view.js';
import { MirrorBar } from './mirror.js';
import { EMPTY, isClosed } from './slot.js';

/** A bar that was not seen before. */
export interface NewBar {
  /** Seconds since a moment that is the same for all. */
  readonly begun: number;
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
  /** Is there something that the next round will find? */
  #isWaiting = false;
  hasEnded = false;

  constructor(board: BoardView, environment: BarEnvironment) {
    this.#board = board;
    this.#environment = environment;
  }

  /** Is there no bar? */
  get isEmpty(): boolean {
    return this.#mirrors.size === 0 && !this.#isWaiting;
  }

  /** Draws what is new of known bars, and returns the others. Never throws: who cannot be drawn is left out. */
  follow(): NewBar[] {
    try {
      if (!this.#board.isLive()) {
        // What opens now was open when its thread ended.
        return [...this.#look(), { begun: Number.POSITIVE_INFINITY, open: () => this.#end() }];
      }
      const first = this.#look();
      if (first.length === 0) return [];
      // A slot may have been filled after it was passed, and before that of the newest bar seen: looking again finds
      // it. What came after the newest waits for the next round, for the same reason.
      const newest = first.reduce((latest, { begun }) => Math.max(latest, begun), 0);
      return this.#look().filter(({ begun }) => begun <= newest || this.#wait());
    } catch (error) {
      warnOnce('progress-drawer', `Progress bars of a thread or process are not drawn: ${error}`);
      this.#end();
      return [];
    }
  }

  #look(): NewBar[] {
    const views = [...this.#board.slots()];
    this.#isWaiting = views.includes('torn');
    return views.flatMap((view, slot) => (typeof view === 'string' ? [] : this.#lookAt(slot, view)));
  }

  #wait(): false {
    this.#isWaiting = true;
    return false;
  }

  #lookAt(slot: number, view: SlotView): NewBar[] {
    const mirror = this.#mirrors.get(slot);
    const { content, n } = view;
    if (mirror !== undefined && mirror.serial === content.serial) {
      if (isClosed(content.state)) this.#finish(slot, mirror, view);
      else mirror.draw(content, n);
      return [];
    }
    // The next bar has the slot already: this one went.
    this.#mirrors.delete(slot);
    mirror?.close();
    if (content.state === EMPTY || this.#drawn.get(slot) === content.serial) return [];
    return [{ begun: content.begun, open: () => this.#open(slot, view) }];
  }

  #open(slot: number, view: SlotView): void {
    const { content, n } = view;
    const mirror = new MirrorBar(content, this.#environment);
    this.#mirrors.set(slot, mirror);
    if (isClosed(content.state)) this.#finish(slot, mirror, view);
    else mirror.draw(content, n);
  }

  #finish(slot: number, mirror: MirrorBar, view: SlotView): void {
    this.#mirrors.delete(slot);
    mirror.finish(view.content);
    this.#drawn.set(slot, view.content.serial);
    view.setDrawn();
  }

  #end(): void {
    this.hasEnded = true;
    for (const mirror of this.#mirrors.values()) mirror.fail();
    this.#mirrors.clear();
    this.#board.close();
  }
}
