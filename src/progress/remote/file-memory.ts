/** The board of a child process: a small file, written by one `pwrite` for each frame that would be drawn. */

import { randomBytes } from 'node:crypto';
import { openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { warnOnce } from '../../errors.js';
import { type OpenRecord, privateRecord } from '../bar/record.js';
import type { StreamName } from '../screen/terminal.js';
import { Board, type BoardMemory } from './board.js';
import { BOARD_ENDING, identityBlock, writeWhole } from './board-file.js';
import { SLOT_BYTES, SlotWriter, WRITTEN } from './slot.js';

/** As often as the drawer looks. */
const BEAT_MS = 100;

class FileMemory implements BoardMemory {
  readonly beat = BEAT_MS;
  readonly openRecord: OpenRecord = privateRecord;
  readonly #directory: string;
  readonly #id = `${process.pid}-${randomBytes(6).toString('hex')}`;
  readonly #positions = new Map<SlotWriter, number>();
  #file: number | undefined;
  #texts = 0;
  #broken = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  grow(): SlotWriter[] {
    const slot = new SlotWriter(new ArrayBuffer(SLOT_BYTES), 0);
    // The block before the slots says whose they are.
    this.#positions.set(slot, (this.#positions.size + 1) * SLOT_BYTES);
    return [slot];
  }

  written(slot: SlotWriter): void {
    this.#try((file) => {
      writeSync(file, slot.written, 0, slot.written.length, this.#positions.get(slot)! + WRITTEN);
    });
  }

  refresh(slot: SlotWriter): void {
    this.#try((file) => {
      const drawn = new Int32Array(1);
      readSync(file, drawn, 0, 4, this.#positions.get(slot)!);
      slot.drawn = drawn[0]!;
    });
  }

  /** Nothing to do: the drawer looks for itself. */
  wake(): void {}

  /** Memory of this process is not the drawer's. */
  locate(): { page: number; offset: number } {
    return { page: -1, offset: 0 };
  }

  /** What does not go to a terminal garbles nothing, and may be read by somebody who waits for it. */
  print(stream: StreamName, text: string): boolean {
    if (!process[stream].isTTY || this.#broken) return false;
    try {
      writeWhole(this.#directory, `${this.#id}-${this.#texts}.${stream}`, text);
      this.#texts += 1;
      return true;
    } catch {
      // The drawer is gone.
      return false;
    }
  }

  #try(act: (file: number) => void): void {
    if (this.#broken) return;
    try {
      this.#file ??= this.#create();
      act(this.#file);
    } catch (error) {
      this.#broken = true;
      const reason = error instanceof Error ? error.message : String(error);
      warnOnce('progress-board', `Progress bars cannot be shown (${reason}): counting goes on.`);
    }
  }

  #create(): number {
    const name = this.#id + BOARD_ENDING;
    writeWhole(this.#directory, name, identityBlock());
    return openSync(join(this.#directory, name), 'r+');
  }
}

/** A board in a directory that the drawer has made. */
export function fileBoard(directory: string): Board {
  return new Board(new FileMemory(directory));
}
