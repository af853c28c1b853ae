/** The board of a worker thread: shared memory that is announced once, and no message for any frame. */

import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { workerChannel } from '../../system/worker-channel.js';
import { type BarRecord, RECORD_CELLS } from '../bar/record.js';
import type { StreamName } from '../screen/terminal.js';
import { Board, type BoardMemory } from './board.js';
import { SLOT_BYTES, SlotWriter } from './slot.js';

/** Environment data, which all workers inherit: the main thread draws their bars. */
const DRAWN = 'metheus.bars-drawn.v1';

/** Reports whether this is a worker thread whose bars the main thread draws. */
export function isDrawnByMainThread(): boolean {
  return !isMainThread && getEnvironmentData(DRAWN) === true;
}

/** Makes the workers that are started from now on put their bars on boards. */
export function announceDrawing(): void {
  setEnvironmentData(DRAWN, true);
}

const SLOTS_PER_PAGE = 32;
const ROWS_PER_PAGE = 64;

/** A row of shared memory, for a bar that is not published. */
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

class ThreadMemory implements BoardMemory {
  readonly beat = null;
  readonly #channel = workerChannel();
  /** Numbers of the pages in which bars count. */
  readonly #pages = new Map<SharedArrayBuffer, number>();
  readonly #rows: SharedRow[] = [];

  grow(): SlotWriter[] {
    const buffer = new SharedArrayBuffer(SLOTS_PER_PAGE * SLOT_BYTES);
    this.#channel.announce('board page', buffer);
    return Array.from({ length: SLOTS_PER_PAGE }, (_, i) => new SlotWriter(buffer, i * SLOT_BYTES));
  }

  /** Nothing to do: the drawer sees it. */
  written(): void {}

  refresh(): void {}

  wake(): void {
    this.#channel.post('bars shown', undefined);
  }

  locate({ page, offset }: BarRecord): { page: number; offset: number } {
    const { buffer } = page;
    if (!(buffer instanceof SharedArrayBuffer)) return { page: -1, offset: 0 };
    let number = this.#pages.get(buffer);
    if (number === undefined) {
      number = this.#channel.announce('bar page', buffer);
      this.#pages.set(buffer, number);
    }
    return { page: number, offset };
  }

  readonly openRecord = (): BarRecord => {
    const row = this.#rows.pop() ?? this.#moreRows();
    row.page.fill(0, row.offset, row.offset + RECORD_CELLS);
    return row;
  };

  print(stream: StreamName, text: string): boolean {
    this.#channel.post('print', { stream, text });
    return true;
  }

  #moreRows(): SharedRow {
    const page = new Float64Array(new SharedArrayBuffer(ROWS_PER_PAGE * RECORD_CELLS * 8));
    for (let row = ROWS_PER_PAGE - 1; row >= 0; row--)
      this.#rows.push(new SharedRow(page, row * RECORD_CELLS, this.#rows));
    return this.#rows.pop()!;
  }
}

export function threadBoard(): Board {
  return new Board(new ThreadMemory());
}
