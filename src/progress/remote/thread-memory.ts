/** The board of a worker thread: shared memory that is announced once, and no message for any frame. */

import { threadId } from 'node:worker_threads';
import { type BarRecord, RECORD_CELLS } from '../bar/record.js';
import { Board, type BoardMemory } from './board.js';
import type { Stream } from './look.js';
import { SLOT_BYTES, SlotWriter } from './slot.js';
import { openChannel, type ThreadMessage } from './thread-channel.js';

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
  readonly #ancestors: readonly number[];
  /** What the drawer was told of, by number. */
  readonly #pages = new Map<SharedArrayBuffer, number>();
  readonly #rows: SharedRow[] = [];
  /** Only spoken into, and emptied of what other threads say. */
  readonly #channel = openChannel(() => {});

  constructor(ancestors: readonly number[]) {
    this.#ancestors = ancestors;
  }

  grow(): SlotWriter[] {
    const buffer = new SharedArrayBuffer(SLOTS_PER_PAGE * SLOT_BYTES);
    this.#announce(buffer, SLOTS_PER_PAGE);
    return Array.from({ length: SLOTS_PER_PAGE }, (_, i) => new SlotWriter(buffer, i * SLOT_BYTES));
  }

  /** Nothing to do: the drawer sees it. */
  written(): void {}

  refresh(): void {}

  wake(): void {
    this.#post({ kind: 'wake' });
  }

  locate({ page, offset }: BarRecord): { page: number; offset: number } {
    const { buffer } = page;
    if (!(buffer instanceof SharedArrayBuffer)) return { page: -1, offset: 0 };
    return { page: this.#pages.get(buffer) ?? this.#announce(buffer, 0), offset };
  }

  readonly openRecord = (): BarRecord => {
    const row = this.#rows.pop() ?? this.#moreRows();
    row.page.fill(0, row.offset, row.offset + RECORD_CELLS);
    return row;
  };

  print(stream: Stream, text: string): boolean {
    this.#post({ kind: 'print', stream, text });
    return true;
  }

  #moreRows(): SharedRow {
    const page = new Float64Array(new SharedArrayBuffer(ROWS_PER_PAGE * RECORD_CELLS * 8));
    for (let row = ROWS_PER_PAGE - 1; row >= 0; row--)
      this.#rows.push(new SharedRow(page, row * RECORD_CELLS, this.#rows));
    return this.#rows.pop()!;
  }

  #announce(buffer: SharedArrayBuffer, slots: number): number {
    const number = this.#pages.size;
    this.#pages.set(buffer, number);
    this.#post({ kind: 'page', thread: threadId, ancestors: this.#ancestors, number, buffer, slots });
    return number;
  }

  #post(message: ThreadMessage): void {
    this.#channel.postMessage(message);
  }
}

export function threadBoard(ancestors: readonly number[]): Board {
  return new Board(new ThreadMemory(ancestors));
}
