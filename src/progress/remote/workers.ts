/** The drawer's side of worker threads: their boards are found by what they say on the channel. */

import { type WorkerPage, workerChannel } from '../../system/worker-channel.js';
import { COMPLETED } from '../bar/record.js';
import { printAbove } from '../screen/print.js';
import type { BoardView, SlotView } from './board-view.js';
import type { Drawer } from './drawer.js';
import { threadEnvironment } from './own-board.js';
import { type NoContent, SLOT_BYTES, SlotReader } from './slot.js';
import { announceDrawing } from './thread-memory.js';

/** The board of one worker thread. */
class WorkerBoard implements BoardView {
  /** Pages in which the bars count, by number. */
  readonly #cells: Float64Array[] = [];
  /** Slots by page. */
  readonly #slots: SlotReader[][] = [];
  /** The threads with which it ends, itself included. */
  readonly lineage: readonly number[];
  hasEnded = false;

  constructor(lineage: readonly number[]) {
    this.lineage = lineage;
  }

  addSlots({ number, buffer }: WorkerPage): void {
    const length = buffer.byteLength / SLOT_BYTES;
    this.#slots[number] ??= Array.from({ length }, (_, i) => new SlotReader(buffer, i * SLOT_BYTES));
  }

  addCells({ number, buffer }: WorkerPage): void {
    this.#cells[number] ??= new Float64Array(buffer);
  }

  isLive(): boolean {
    return !this.hasEnded;
  }

  *slots(): Generator<SlotView | NoContent> {
    for (const slot of this.#slots.flat()) {
      const content = slot.read();
      if (typeof content === 'string') yield content;
      else yield { content, n: this.#newest(content.numbers), setDrawn: () => slot.setDrawn(content.serial) };
    }
  }

  close(): void {}

  /** What was counted since is on top: in the page that the thread counts in. */
  #newest({
    n,
    page,
    offset,
    counted,
  }: {
    n: number;
    page: number;
    offset: number;
    counted: number;
  }): number {
    const now = this.#cells[page]?.[offset + COMPLETED];
    // Less than before: the row is another bar's already.
    return now === undefined || now <= counted ? n : n + (now - counted);
  }
}

/** Draws the bars of all worker threads that this thread starts from now on, and of their workers. */
export function drawWorkers(drawer: Drawer): void {
  const channel = workerChannel();
  const boards = new Map<number, WorkerBoard>();

  function boardOf({ thread, lineage }: WorkerPage): WorkerBoard {
    let board = boards.get(thread);
    if (board === undefined) {
      board = new WorkerBoard(lineage);
      boards.set(thread, board);
      drawer.add(board);
    }
    return board;
  }

  channel.on('board page', (page) => boardOf(page).addSlots(page));
  channel.on('bar page', (page) => boardOf(page).addCells(page));
  channel.on('bars shown', () => drawer.wake());
  channel.on('print', ({ stream, text }) =>
    printAbove(threadEnvironment, text, { file: process[stream], end: '' }),
  );
  channel.on('thread ended', (thread) => {
    for (const [id, board] of boards) {
      if (!board.lineage.includes(thread)) continue;
      board.hasEnded = true;
      boards.delete(id);
    }
    drawer.round();
  });
  // While the event loop is blocked, messages are received before each round only.
  drawer.before(() => channel.drain());
  announceDrawing();
}
