/** Boards of worker threads: shared memory that a worker announces once, and that the main thread reads. */

import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { type WorkerPage, workerChannel } from '../../system/worker-channel.js';
import type { BarEnvironment } from '../bar/environment.js';
import { type BarRecord, COMPLETED, RECORD_CELLS } from '../bar/record.js';
import { printAbove } from '../screen/print.js';
import type { StreamName } from '../screen/terminal.js';
import { Board, type BoardMemory } from './board.js';
import type { RemoteBarRenderer, RemoteBoard, RemoteSlot } from './remote-bar-renderer.js';
import { type NoContent, SLOT_BYTES, type SlotNumbers, SlotReader, SlotWriter } from './slot.js';

const SLOTS_PER_PAGE = 32;
const ROWS_PER_PAGE = 64;
/** Key of environment data, which all workers inherit: whether the main thread draws their bars. */
const DRAWN = 'metheus.bars-drawn.v1';

/** Returns the board of this thread; undefined in the main thread, and where the main thread does not draw bars. */
export function openThreadBoard(): Board | undefined {
  const isDrawn = !isMainThread && getEnvironmentData(DRAWN) === true;
  return isDrawn ? new Board(new ThreadMemory()) : undefined;
}

class ThreadMemory implements BoardMemory {
  /** The main thread reads the cells of bars themselves. */
  readonly interval = undefined;
  readonly #channel = workerChannel();
  /** Numbers of the announced pages in which bars count. */
  readonly #pages = new Map<SharedArrayBuffer, number>();
  readonly #freeRows: SharedRow[] = [];

  grow(): SlotWriter[] {
    const buffer = new SharedArrayBuffer(SLOTS_PER_PAGE * SLOT_BYTES);
    this.#channel.announce('board page', buffer);
    return Array.from({ length: SLOTS_PER_PAGE }, (_, i) => new SlotWriter(buffer, i * SLOT_BYTES));
  }

  /** Has no effect: the main thread reads the same memory. */
  publish(): void {}

  /** Has no effect: the main thread writes to the same memory. */
  refresh(): void {}

  announce(): void {
    this.#channel.post('bars shown', undefined);
  }

  locate({ page: { buffer }, offset }: BarRecord): { page: number; offset: number } {
    if (!(buffer instanceof SharedArrayBuffer)) return { page: -1, offset: 0 };
    let page = this.#pages.get(buffer);
    if (page === undefined) {
      page = this.#channel.announce('bar page', buffer);
      this.#pages.set(buffer, page);
    }
    return { page, offset };
  }

  readonly openRecord = (): BarRecord => {
    if (this.#freeRows.length === 0) this.#addRows();
    const row = this.#freeRows.pop()!;
    row.page.fill(0, row.offset, row.offset + RECORD_CELLS);
    return row;
  };

  print(stream: StreamName, text: string): boolean {
    this.#channel.post('print', { stream, text });
    return true;
  }

  #addRows(): void {
    const page = new Float64Array(new SharedArrayBuffer(ROWS_PER_PAGE * RECORD_CELLS * 8));
    for (let row = ROWS_PER_PAGE - 1; row >= 0; row--)
      this.#freeRows.push(new SharedRow(page, row * RECORD_CELLS, this.#freeRows));
  }
}

/** Cells in shared memory, for a bar that is not published. */
class SharedRow implements BarRecord {
  readonly page: Float64Array;
  readonly offset: number;
  readonly #free: SharedRow[];

  constructor(page: Float64Array, offset: number, free: SharedRow[]) {
    this.page = page;
    this.offset = offset;
    this.#free = free;
  }

  release(): void {
    this.#free.push(this);
  }
}

/** The board of one worker thread, in the main thread. */
class ThreadBoard implements RemoteBoard {
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

  *slots(): Generator<RemoteSlot | NoContent> {
    for (const slot of this.#slots.flat()) {
      const content = slot.read();
      if (typeof content === 'string') yield content;
      else yield { content, n: this.#newest(content.numbers), setDrawn: () => slot.setDrawn(content.serial) };
    }
  }

  close(): void {}

  /** Returns the count of a frame and what the bar has counted since, read from the bar's cells. */
  #newest({ n, page, offset, counted }: SlotNumbers): number {
    const now = this.#cells[page]?.[offset + COMPLETED];
    // A smaller count is that of another bar, which has the cells now.
    return now === undefined || now <= counted ? n : n + (now - counted);
  }
}

/** Draws the bars of all worker threads that this thread starts from now on, and of their workers. */
export function drawWorkers(renderer: RemoteBarRenderer, environment: BarEnvironment): void {
  const channel = workerChannel();
  const boards = new Map<number, ThreadBoard>();

  function boardOf({ thread, lineage }: WorkerPage): ThreadBoard {
    let board = boards.get(thread);
    if (board === undefined) {
      board = new ThreadBoard(lineage);
      boards.set(thread, board);
      renderer.add(board);
    }
    return board;
  }

  channel.on('board page', (page) => boardOf(page).addSlots(page));
  channel.on('bar page', (page) => boardOf(page).addCells(page));
  channel.on('bars shown', () => renderer.start());
  channel.on('print', ({ stream, text }) =>
    printAbove(environment, text, { file: environment[stream], end: '' }),
  );
  channel.on('thread ended', (thread) => {
    for (const [id, board] of boards) {
      if (!board.lineage.includes(thread)) continue;
      board.hasEnded = true;
      boards.delete(id);
    }
    renderer.draw();
  });
  // The event loop does not receive messages while it is blocked.
  renderer.beforeFrames(() => channel.drain());
  setEnvironmentData(DRAWN, true);
}
