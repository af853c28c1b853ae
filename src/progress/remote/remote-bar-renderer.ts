/** Draws the bars of all boards, in rounds while there are any. */

import { messageOf, warnOnce } from '../../errors.js';
import { addExitStep, removeExitStep } from '../../system/exit-steps.js';
import { Bar } from '../bar/bar.js';
import { type BarEnvironment, createEnvironment } from '../bar/environment.js';
import type { BarFrame } from '../bar/frame.js';
import { FAILED, FINISHED, privateRecord } from '../bar/record.js';
import {
  EMPTY,
  isClosed,
  type NoContent,
  type SlotContent,
  type SlotNumbers,
  type SlotSettings,
} from './slot.js';

/** Milliseconds between two rounds. */
const ROUND_MS = 100;

/** A board as the parent reads it, in the memory of a worker thread or the file of a child process. */
export interface RemoteBoard {
  /** Reports whether its bars may still move. If not, the slots are read once more, for their last frames. */
  isLive(): boolean;
  /** Reads all slots, always in the same order. */
  slots(): readonly (SlotContent | NoContent)[];
  /** Returns the newest count of a bar, which may be ahead of its frame. */
  newestCount(numbers: SlotNumbers): number;
  /** Records that the last frame of the bar with this serial was drawn, so that the writer can use the slot again. */
  setDrawn(slot: number, serial: number): void;
  /** Releases the board after its last frame. */
  close(): void;
}

/** A bar that gets its row in this round. */
interface NewBar {
  /** Time at which the bar began, in seconds, comparable between boards. */
  readonly begun: number;
  readonly open: () => void;
}

export class RemoteBarRenderer {
  readonly #environment: BarEnvironment;
  #boards: BoardBars[] = [];
  readonly #before: (() => void)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(environment: BarEnvironment) {
    this.#environment = environment;
  }

  /** Calls a function at the beginning of every round; it may add boards. */
  beforeFrames(call: () => void): void {
    this.#before.push(call);
  }

  add(board: RemoteBoard): void {
    this.#boards.push(new BoardBars(board, this.#environment));
  }

  /** Draws now, and then periodically until there are no bars. The timer does not keep the process alive. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(this.draw, ROUND_MS).unref();
    addExitStep('remote bars', this.draw);
    this.draw();
  }

  /** Draws what is new. */
  readonly draw = (): void => {
    for (const call of this.#before) call();
    const added = this.#boards.flatMap((board) => board.draw());
    // Rows are assigned in the order in which the bars began, across all boards.
    for (const { open } of added.sort((a, b) => a.begun - b.begun)) open();
    this.#boards = this.#boards.filter((board) => !board.hasEnded);
    if (this.#boards.every((board) => board.isEmpty)) this.#stop();
  };

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    removeExitStep('remote bars', this.draw);
  }
}

class BoardBars {
  readonly #board: RemoteBoard;
  readonly #environment: BarEnvironment;
  /** Open bars by slot. */
  readonly #bars = new Map<number, RemoteBar>();
  /** By slot: the serial of the newest bar whose last frame was drawn. */
  readonly #drawn = new Map<number, number>();
  /** Whether there may be a bar that can be opened only in the next round. */
  #isWaiting = false;
  /** Whether a slot without an open bar could not be read, since it was being written. It may contain a new bar. */
  #hasUnknown = false;
  hasEnded = false;

  constructor(board: RemoteBoard, environment: BarEnvironment) {
    this.#board = board;
    this.#environment = environment;
  }

  /** Whether no bar is open, and none waits for the next round. */
  get isEmpty(): boolean {
    return this.#bars.size === 0 && !this.#isWaiting;
  }

  /** Draws changes of open bars, and returns new bars. Never throws: a board that cannot be drawn is left out. */
  draw(): NewBar[] {
    try {
      if (!this.#board.isLive()) {
        // The thread or process has ended. Bars that are found only now are opened first. Then `#end` fails all that
        // are still running: it is sorted last, since its time is infinite.
        return [...this.#read(), { begun: Number.POSITIVE_INFINITY, open: () => this.#end() }];
      }
      const found = this.#read();
      if (found.length === 0) return [];
      // Bars get their rows in the order in which they began, but slots are read one after the other. After one slot
      // has been read, a bar may begin in it, and then a second bar in a slot that is read later. One reading finds
      // only the second bar. So the slots are read twice, and only bars that began no later than the newest of the
      // first reading are opened. The others wait for the next round. If a slot that may contain an older bar cannot be
      // read, all wait.
      const newest = found.reduce((latest, { begun }) => Math.max(latest, begun), 0);
      const all = this.#read();
      const ready = this.#hasUnknown ? [] : all.filter(({ begun }) => begun <= newest);
      this.#isWaiting ||= ready.length < all.length;
      return ready;
    } catch (error) {
      warnOnce('remote-bars', `Progress bars of a thread or process are not drawn: ${messageOf(error)}`);
      this.#end();
      return [];
    }
  }

  /** Reads all slots: updates open bars, and returns those that have none yet. */
  #read(): NewBar[] {
    const slots = this.#board.slots();
    this.#isWaiting = slots.includes('torn');
    this.#hasUnknown = slots.some((slot, i) => slot === 'torn' && !this.#bars.has(i));
    return slots.flatMap((slot, i) => (typeof slot === 'string' ? [] : this.#update(i, slot)));
  }

  #update(i: number, content: SlotContent): NewBar[] {
    const bar = this.#bars.get(i);
    if (bar?.serial === content.serial) {
      this.#draw(i, bar, content);
      return [];
    }
    // Another serial in the slot means that the previous bar has ended, without a last frame to be drawn.
    this.#bars.delete(i);
    bar?.close();
    if (content.state === EMPTY || this.#drawn.get(i) === content.serial) return [];
    return [{ begun: content.begun, open: () => this.#open(i, content) }];
  }

  #open(i: number, content: SlotContent): void {
    const bar = new RemoteBar(content, this.#environment);
    this.#bars.set(i, bar);
    this.#draw(i, bar, content);
  }

  #draw(i: number, bar: RemoteBar, content: SlotContent): void {
    if (!isClosed(content.state)) {
      bar.draw(content, this.#board.newestCount(content.numbers));
      return;
    }
    this.#bars.delete(i);
    bar.finish(content);
    this.#drawn.set(i, content.serial);
    this.#board.setDrawn(i, content.serial);
  }

  #end(): void {
    this.hasEnded = true;
    for (const bar of this.#bars.values()) bar.fail();
    this.#bars.clear();
    this.#board.close();
  }
}

/**
 * A bar of another thread or process, drawn by this one. It counts into a private record, since the bar itself is
 * published where it runs.
 */
class RemoteBar extends Bar {
  readonly serial: number;
  #content: SlotContent;
  #applied: SlotSettings | undefined;
  #drawnN = Number.NaN;
  #drawnT = Number.NEGATIVE_INFINITY;

  constructor(content: SlotContent, surroundings: BarEnvironment) {
    const { settings, numbers, serial } = content;
    const environment = createEnvironment({ openRecord: privateRecord }, surroundings);
    const { stream, error: _, ...options } = settings;
    super(
      {
        ...options,
        total: numbers.total,
        file: stream === null ? null : environment[stream],
        // A delay above zero keeps the constructor from drawing.
        delay: Number.MIN_VALUE,
      },
      environment,
    );
    this.serial = serial;
    this.#content = content;
    // Marks the bar as drawn, since a bar that was never drawn would leave no last frame.
    this.state.lastPrintT = Number.POSITIVE_INFINITY;
    this.#apply(content);
  }

  /**
   * Draws a new frame, or a new count if it is due.
   *
   * @param n - the newest count, which may be ahead of the content
   */
  draw(content: SlotContent, n: number): void {
    const now = this.state.clock.now();
    const isNewFrame = content.version !== this.#content.version || Number.isNaN(this.#drawnN);
    // While there is no new frame, a new count is drawn at most once per `mininterval`, as in the bar's own thread.
    const isDue = isNewFrame || (n !== this.#drawnN && now - this.#drawnT >= content.settings.mininterval);
    if (!isDue) return;
    this.#apply(content);
    this.state.n = n;
    this.#drawnN = n;
    this.#drawnT = now;
    this.refresh();
  }

  /** Draws the last frame, or takes the bar off the screen. */
  finish(content: SlotContent): void {
    this.#apply(content);
    if (content.state === FAILED) this.fail();
    else if (content.state === FINISHED) this.done();
    else this.close();
  }

  protected override frame(): BarFrame {
    const frame = super.frame();
    const { state, numbers, settings } = this.#content;
    const since = isClosed(state) ? 0 : frame.time - numbers.written;
    return {
      ...frame,
      elapsed: numbers.elapsed + Math.max(since, 0),
      // With `null`, the frame shows the average rate. Every last frame does, even that of a terminated thread.
      rate: frame.state === 'running' ? numbers.rate : null,
      error: settings.error,
    };
  }

  #apply(content: SlotContent): void {
    const { settings, numbers } = content;
    this.#content = content;
    this.state.n = numbers.n;
    this.state.total = numbers.total;
    if (settings === this.#applied) return;
    this.#applied = settings;
    this.applySettings(settings);
  }
}
