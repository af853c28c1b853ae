/** A board as its drawer sees it: what is told of worker threads' memory and of children's files alike. */

import type { NoContent, SlotContent } from './slot.js';

export interface SlotView {
  readonly content: SlotContent;
  /** The newest count of the bar, when it is known, else that of `content`. */
  readonly n: number;
  /** Tells the bar's thread that the end of this bar is on the screen. */
  setDrawn(): void;
}

export interface BoardView {
  /** May its bars still move? When not, the slots that are read afterwards are the last. */
  isLive(): boolean;
  /** The slots as they are now, each always in the same place. */
  slots(): Iterable<SlotView | NoContent>;
  /** Its bars are drawn to their end: lets go of it. */
  close(): void;
}
