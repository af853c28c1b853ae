/** Boards of worker threads: shared memory that a worker announces once, and that the main thread reads. */

import { type WorkerPage, workerChannel } from '../../system/worker-channel.js';
import type { BarEnvironment } from '../bar/environment.js';
import { BASE, type BarRecord, COMPLETED, RECORD_CELLS } from '../bar/record.js';
import { printAbove } from '../screen/print.js';
import type { StreamName } from '../screen/terminal.js';
import { Board, type BoardMemory } from './board.js';
import type { RemoteBarRenderer, RemoteBoard } from './remote-bar-renderer.js';
import {
  type CellLocation,
  type NoContent,
  SLOT_BYTES,
  type SlotContent,
  type SlotNumbers,
  SlotReader,
  SlotWriter,
} from './slot.js';

const SLOTS_PER_PAGE = 32;
const RECORDS_PER_PAGE = 64;
/** Returns the board of this thread, whose bars the main thread draws. */
export function openThreadBoard(): Board {
  return new Board(new ThreadMemory());
}

class ThreadMemory implements BoardMemory {
  readonly #channel = workerChannel();
  /** Announced pages of records, with their numbers. */
  readonly #pages = new Map<SharedArrayBuffer, number>();
  /** Records of bars that have ended, to be used again. */
  readonly #freeRecords: BarRecord[] = [];

  grow(): SlotWriter[] {
    const buffer = new SharedArrayBuffer(SLOTS_PER_PAGE * SLOT_BYTES);
    this.#channel.announce('board page', buffer);
    return Array.from({ length: SLOTS_PER_PAGE }, (_, i) => new SlotWriter(buffer, i * SLOT_BYTES));
  }

  announce(): void {
    this.#channel.post('bars shown', undefined);
  }

  locate({ page: { buffer }, offset }: BarRecord): CellLocation | undefined {
    if (!(buffer instanceof SharedArrayBuffer)) return undefined;
    let page = this.#pages.get(buffer);
    if (page === undefined) {
      page = this.#channel.announce('bar page', buffer);
      this.#pages.set(buffer, page);
    }
    return { page, offset };
  }

  readonly openRecord = (): BarRecord => {
    if (this.#freeRecords.length === 0) this.#addRecords();
    const record = this.#freeRecords.pop()!;
    record.page.fill(0, record.offset, record.offset + RECORD_CELLS);
    return record;
  };

  print(stream: StreamName, text: string): boolean {
    this.#channel.post('print', { stream, text });
    return true;
  }

  #addRecords(): void {
    const page = new Float64Array(new SharedArrayBuffer(RECORDS_PER_PAGE * RECORD_CELLS * 8));
    const release = (record: BarRecord) => this.#freeRecords.push(record);
    for (let i = RECORDS_PER_PAGE - 1; i >= 0; i--) {
      release({
        page,
        offset: i * RECORD_CELLS,
        release() {
          release(this);
        },
      });
    }
  }
}

/** The board of one worker thread, in the main thread. */
class ThreadBoard implements RemoteBoard {
  /** Pages in which the bars count, by number. */
  readonly #cells: Float64Array[] = [];
  /** Slots by page. */
  readonly #slots: SlotReader[][] = [];
  /** Ids of the thread itself and of the workers above it. When one of them ends, the board ends. */
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

  slots(): (SlotContent | NoContent)[] {
    return this.#slots.flat().map((slot) => slot.read());
  }

  setDrawn(slot: number, serial: number): void {
    this.#slots.flat()[slot]!.setDrawn(serial);
  }

  close(): void {}

  /** Returns the count of a frame and what the bar has counted since, read from the bar's cells. */
  newestCount({ n, page, offset, counted }: SlotNumbers): number {
    const cells = this.#cells[page];
    if (cells === undefined) return n;
    const now = cells[offset + COMPLETED]! - cells[offset + BASE]!;
    // A smaller count is that of another bar, which uses the cells now.
    return n + Math.max(now - counted, 0);
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
  // While the event loop is blocked, it receives no messages. So they are also read before each drawing.
  renderer.beforeFrames(() => channel.drain());
}
