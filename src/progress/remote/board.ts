/**
 * A board: memory in which a thread or process puts the frames of its bars, for its parent to draw. The parent reads it
 * periodically; no message is sent for a frame.
 */

import type { FrameBoard } from '../bar/environment.js';
import type { BarFrame } from '../bar/frame.js';
import {
  BASE,
  type BarRecord,
  COMPLETED,
  FAILED,
  FINISHED,
  INCOMPLETE,
  type OpenRecord,
  type Outcome,
} from '../bar/record.js';
import type { BarHost, Renderer } from '../bar/renderer.js';
import type { StreamName } from '../screen/terminal.js';
import { type CellLocation, OPEN, type SlotNumbers, type SlotSettings, type SlotWriter } from './slot.js';

/** The memory of a board: shared memory of a thread, or a file. */
export interface BoardMemory {
  /** Returns new slots, at least one. */
  grow(): SlotWriter[];
  /** Makes what was written to a slot visible to the parent, where the parent does not share the memory. */
  publish?(slot: SlotWriter): void;
  /** Updates `slot.drawn` to what the parent has written, where the parent does not share the memory. */
  refresh?(slot: SlotWriter): void;
  /**
   * Milliseconds between two frames of a bar that moves. Undefined where the parent reads the bar's cells, and so needs
   * no frame to see a new count.
   */
  readonly interval?: number;
  /** Tells the parent that the board has a bar again. Left out where the parent itself looks for bars. */
  announce?(): void;
  /** Returns where the parent can read a bar's cells while the bar runs; undefined where it cannot. */
  locate?(record: BarRecord): CellLocation | undefined;
  /** Opens cells that the parent can read, for a bar that is not published. */
  readonly openRecord?: OpenRecord;
  /** @see FrameBoard.print */
  print(stream: StreamName, text: string): boolean;
}

const UNREADABLE: CellLocation = { page: -1, offset: 0 };

/**
 * Maximum number of closed bars whose last frame has not been drawn yet. Beyond it the oldest of these frames are
 * overwritten, so that memory stays bounded while the parent is busy.
 */
const MAX_UNDRAWN = 1024;

export class Board implements FrameBoard {
  readonly #memory: BoardMemory;
  readonly #free: SlotWriter[] = [];
  /**
   * Slots of closed bars, oldest first. Each is used again after its last frame has been drawn, or when there are more
   * than {@link MAX_UNDRAWN}.
   */
  readonly #undrawn: SlotWriter[] = [];
  /** Open bars by slot: functions that write a frame if the bar has moved since the last one. */
  readonly #open = new Map<SlotWriter, () => void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(memory: BoardMemory) {
    this.#memory = memory;
  }

  get openRecord(): OpenRecord | undefined {
    return this.#memory.openRecord;
  }

  print(stream: StreamName, text: string): boolean {
    return this.#memory.print(stream, text);
  }

  /** Returns a renderer that writes frames of a bar to the board. */
  createRenderer(bar: BarHost): Renderer {
    return new SlotRenderer(this, this.#memory, bar);
  }

  /** Returns a slot for a new bar. */
  reserve(): SlotWriter {
    const slot = this.#free.pop() ?? this.#reclaim() ?? this.#grow();
    slot.begin();
    return slot;
  }

  draw(slot: SlotWriter, numbers: SlotNumbers, settings: SlotSettings, refresh: () => void): void {
    const isFirst = this.#open.size === 0;
    slot.write(OPEN, numbers, settings);
    this.#memory.publish?.(slot);
    this.#open.set(slot, refresh);
    if (!isFirst) return;
    this.#memory.announce?.();
    if (this.#memory.interval === undefined) return;
    this.#timer = setInterval(() => {
      for (const refreshOpen of this.#open.values()) refreshOpen();
    }, this.#memory.interval).unref();
  }

  /** Writes the last frame of a bar. The slot is used again after the parent has drawn this frame. */
  close(slot: SlotWriter, outcome: Outcome, numbers: SlotNumbers, settings: SlotSettings): void {
    slot.write(outcome, numbers, settings);
    this.#memory.publish?.(slot);
    if (!this.#open.delete(slot)) this.#memory.announce?.();
    if (this.#open.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    // A bar that leaves no last frame frees its slot at once. When the next bar takes the slot, the parent sees another
    // serial there, and so knows that the bar has ended.
    if (settings.leave === false) this.#free.push(slot);
    else this.#undrawn.push(slot);
  }

  #reclaim(): SlotWriter | undefined {
    const oldest = this.#undrawn[0];
    if (oldest === undefined) return undefined;
    this.#memory.refresh?.(oldest);
    const isDrawn = oldest.drawn === oldest.serial;
    return isDrawn || this.#undrawn.length >= MAX_UNDRAWN ? this.#undrawn.shift() : undefined;
  }

  #grow(): SlotWriter {
    const [first, ...others] = this.#memory.grow();
    this.#free.push(...others.reverse());
    return first!;
  }
}

/** Writes the frames of one bar to a board. The parent makes their lines, since it knows the width of the screen. */
class SlotRenderer implements Renderer {
  readonly #board: Board;
  readonly #memory: BoardMemory;
  readonly #bar: BarHost;
  #slot: SlotWriter | undefined;
  #drawnN = Number.NaN;

  constructor(board: Board, memory: BoardMemory, bar: BarHost) {
    this.#board = board;
    this.#memory = memory;
    this.#bar = bar;
  }

  draw(frame: BarFrame): boolean {
    this.#drawnN = this.#bar.n;
    this.#board.draw(this.#reserved(), this.#numbers(frame), frame.settings, this.#refresh);
    return true;
  }

  readonly #refresh = (): void => {
    if (this.#bar.n !== this.#drawnN) this.draw(this.#bar.frame());
  };

  /** Does nothing: when the parent prints text, it takes the bars off the screen itself. */
  clear(): void {}

  finish(frame: BarFrame): void {
    const { state, error, settings } = frame;
    const last: SlotSettings = error === undefined ? settings : { ...settings, error };
    const outcome = state === 'failed' ? FAILED : state === 'incomplete' ? INCOMPLETE : FINISHED;
    this.#board.close(this.#reserved(), outcome, this.#numbers(frame), last);
  }

  /**
   * Writes the last frame, as `finish` does. The parent removes it from the screen if the setting `leave` and the bar's
   * row, which only the parent knows, require that.
   */
  erase(frame: BarFrame): void {
    this.finish(frame);
  }

  #reserved(): SlotWriter {
    this.#slot ??= this.#board.reserve();
    return this.#slot;
  }

  /** Returns the numbers of a frame. Both `n` and `counted` include the units of a running loop. */
  #numbers({ total, elapsed, time, rate }: BarFrame): SlotNumbers {
    const { n, record } = this.#bar;
    const counted = record.page[record.offset + COMPLETED]! - record.page[record.offset + BASE]!;
    return {
      n,
      total,
      elapsed,
      written: time,
      rate,
      counted,
      ...(this.#memory.locate?.(record) ?? UNREADABLE),
    };
  }
}
