/** The drawer's side of worker threads: their boards are found by what they say on the channel. */

import { receiveMessageOnPort } from 'node:worker_threads';
import { COMPLETED } from '../bar/record.js';
import { tqdm } from '../tqdm.js';
import type { BoardView, SlotView } from './board-view.js';
import type { Drawer } from './drawer.js';
import { type NoContent, SLOT_BYTES, SlotReader } from './slot.js';
import { announceDrawer, openChannel, type ThreadMessage, watchWorkers } from './thread-channel.js';

/** The board of one worker thread. */
class WorkerBoard implements BoardView {
  readonly #pages: Float64Array[] = [];
  readonly #slots: SlotReader[] = [];
  /** The threads that it ends with, itself included. */
  readonly lineage: readonly number[];
  hasEnded = false;

  constructor(lineage: readonly number[]) {
    this.lineage = lineage;
  }

  add(buffer: SharedArrayBuffer, slots: number): void {
    this.#pages.push(new Float64Array(buffer));
    for (let slot = 0; slot < slots; slot++) this.#slots.push(new SlotReader(buffer, slot * SLOT_BYTES));
  }

  isLive(): boolean {
    return !this.hasEnded;
  }

  *slots(): Generator<SlotView | NoContent> {
    for (const slot of this.#slots) {
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
    const now = this.#pages[page]?.[offset + COMPLETED];
    // Less than before: the row is another bar's already.
    return now === undefined || now <= counted ? n : n + (now - counted);
  }
}

/** Has the bars of all worker threads that this thread will start drawn here. */
export function drawWorkers(drawer: Drawer): void {
  const boards = new Map<number, WorkerBoard>();

  function receive(message: ThreadMessage): void {
    switch (message.kind) {
      case 'page': {
        const { thread, ancestors, buffer, slots } = message;
        let board = boards.get(thread);
        if (board === undefined) {
          board = new WorkerBoard([...ancestors, thread]);
          boards.set(thread, board);
          drawer.add(board);
        }
        board.add(buffer, slots);
        break;
      }
      case 'wake':
        drawer.wake();
        break;
      case 'print':
        tqdm.write(message.text, { file: process[message.stream], end: '' });
        break;
      case 'exit':
        end(message.thread);
    }
  }

  /** A busy thread hears nothing: what was said meanwhile is taken from the queue before it is drawn. */
  const channel = openChannel(receive);
  function drain(): void {
    for (
      let next = receiveMessageOnPort(channel as never);
      next;
      next = receiveMessageOnPort(channel as never)
    )
      receive(next.message as ThreadMessage);
  }

  function end(thread: number): void {
    drain();
    for (const [id, board] of boards) {
      if (!board.lineage.includes(thread)) continue;
      board.hasEnded = true;
      boards.delete(id);
    }
    drawer.round();
  }

  drawer.before(drain);
  watchWorkers(end);
  announceDrawer([]);
}
