/**
 * A board: where a thread or process shows its bars to another that draws them. The thread writes frames as it would
 * draw them, into memory; the drawer looks at the board now and then.
 */

import type { Outcome } from '../bar/bar-state.js';
import type { BarRecord, OpenRecord } from '../bar/record.js';
import type { StreamName } from '../screen/terminal.js';
import type { SlotSettings } from './look.js';
import { type BarNumbers, OPEN, type SlotWriter } from './slot.js';

/** What boards are made of. */
export interface BoardMemory {
  /** More slots. */
  grow(): SlotWriter[];
  /** A slot was written. */
  written(slot: SlotWriter): void;
  /** Brings `slot.drawn` up to date. */
  refresh(slot: SlotWriter): void;
  /** Milliseconds after which a bar that has moved is shown again; `null`: the drawer sees it move by itself. */
  readonly beat: number | null;
  /** There is a bar on the board again. */
  wake(): void;
  /** Where the drawer can read a bar's record while the bar runs; page -1 when it cannot. */
  locate(record: BarRecord): { readonly page: number; readonly offset: number };
  /** Where bars count that are not published. */
  readonly openRecord: OpenRecord;
  /** Has the drawer print above the bars. Returns false where there is nothing to garble. */
  print(stream: StreamName, text: string): boolean;
}

/** A bar on the board. */
export interface BoardBar {
  /** Shows a frame if units were counted since the last one. */
  follow(): void;
}

/**
 * Closed bars that may wait for their last frame to be drawn. A drawer that is busy for so long that there are more
 * loses the oldest, and the memory is bounded.
 */
const MOST_WAITING = 1024;

export class Board {
  readonly memory: BoardMemory;
  readonly #free: SlotWriter[] = [];
  readonly #waiting: SlotWriter[] = [];
  readonly #open = new Map<SlotWriter, BoardBar>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(memory: BoardMemory) {
    this.memory = memory;
  }

  /** Has the drawer print above the bars. Returns false where there is nothing to garble. */
  print(stream: StreamName, text: string): boolean {
    return this.memory.print(stream, text);
  }

  /** A slot for a bar that is drawn for the first time. */
  take(): SlotWriter {
    const slot = this.#free.pop() ?? this.#reclaim() ?? this.#grow();
    slot.begin();
    return slot;
  }

  /** Shows a frame. The first one puts the bar on the board. */
  show(bar: BoardBar, slot: SlotWriter, numbers: BarNumbers, settings: SlotSettings): void {
    const isFirst = this.#open.size === 0;
    slot.write(OPEN, numbers, settings);
    this.memory.written(slot);
    this.#open.set(slot, bar);
    if (!isFirst) return;
    this.memory.wake();
    if (this.memory.beat === null) return;
    this.#timer = setInterval(() => this.#follow(), this.memory.beat);
    this.#timer.unref();
  }

  /** Shows the last frame, and takes the bar off the board when it is drawn. */
  close(slot: SlotWriter, outcome: Outcome, numbers: BarNumbers, settings: SlotSettings): void {
    slot.write(outcome, numbers, settings);
    this.memory.written(slot);
    if (!this.#open.delete(slot)) this.memory.wake();
    if (this.#open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    // Who leaves nothing need not be waited for: the next bar in its slot tells that it went.
    if (settings.leave === false) this.#free.push(slot);
    else this.#waiting.push(slot);
  }

  #follow(): void {
    for (const bar of this.#open.values()) bar.follow();
  }

  #reclaim(): SlotWriter | undefined {
    const oldest = this.#waiting[0];
    if (oldest === undefined) return undefined;
    this.memory.refresh(oldest);
    if (oldest.drawn === oldest.serial || this.#waiting.length >= MOST_WAITING) return this.#waiting.shift();
    return undefined;
  }

  #grow(): SlotWriter {
    const [first, ...others] = this.memory.grow();
    this.#free.push(...others.reverse());
    return first!;
  }
}
