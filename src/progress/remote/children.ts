/** The drawer's side of child processes: a directory whose name they inherit, and the boards that appear in it. */

import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { addExitStep } from '../../system/exit-steps.js';
import { mayLive, type ProcessIdentity } from '../../system/process-identity.js';
import { printAbove } from '../screen/print.js';
import type { StreamName } from '../screen/terminal.js';
import {
  BOARD_ENDING,
  createBoardDirectory,
  parseIdentity,
  removeDirectory,
  waitingTexts,
} from './board-file.js';
import type { BoardView, SlotView } from './board-view.js';
import type { Drawer } from './drawer.js';
import { threadEnvironment } from './own-board.js';
import { type NoContent, SLOT_BYTES, SlotReader } from './slot.js';

/** Milliseconds between two looks for bars while there are none. */
const SCAN_MS = 300;
/** Rounds between two looks whether a child lives. */
const ROUNDS_ALIVE = 4;

/** The board of one child process. */
class ChildBoard implements BoardView {
  readonly #path: string;
  readonly #file: number;
  readonly #owner: ProcessIdentity;
  readonly #slots: { readonly bytes: Uint8Array; readonly reader: SlotReader }[] = [];
  #rounds = 0;

  readonly #onClose: () => void;

  constructor(path: string, onClose: () => void) {
    this.#path = path;
    this.#onClose = onClose;
    this.#file = openSync(path, 'r+');
    const block = new Uint8Array(SLOT_BYTES);
    readSync(this.#file, block, 0, SLOT_BYTES, 0);
    this.#owner = parseIdentity(block);
  }

  isLive(): boolean {
    this.#rounds += 1;
    return this.#rounds % ROUNDS_ALIVE !== 0 || mayLive(this.#owner);
  }

  *slots(): Generator<SlotView | NoContent> {
    this.#grow(Math.ceil(fstatSync(this.#file).size / SLOT_BYTES) - 1);
    for (const [i, { bytes, reader }] of this.#slots.entries()) {
      const at = (i + 1) * SLOT_BYTES;
      readSync(this.#file, bytes, 0, SLOT_BYTES, at);
      const content = reader.read();
      if (typeof content === 'string') {
        yield content;
        continue;
      }
      const setDrawn = () => {
        reader.setDrawn(content.serial);
        writeSync(this.#file, bytes, 0, 4, at);
      };
      yield { content, n: content.numbers.n, setDrawn };
    }
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
    this.#onClose();
  }

  #grow(slots: number): void {
    while (this.#slots.length < slots) {
      const bytes = new Uint8Array(SLOT_BYTES);
      this.#slots.push({ bytes, reader: new SlotReader(bytes.buffer, 0) });
    }
  }
}

/** A directory for children, looked at by a drawer until the process ends. */
export class Children {
  readonly directory = createBoardDirectory();
  readonly #drawer: Drawer;
  readonly #boards = new Set<string>();

  /** @throws what the file system throws */
  constructor(drawer: Drawer) {
    this.#drawer = drawer;
    drawer.before(() => this.#scan());
    setInterval(() => this.#look(), SCAN_MS).unref();
    // Their last frames are drawn before the program hears of their end, and of what it prints then.
    subscribe('child_process', (message) => {
      (message as { process: ChildProcess }).process.once('exit', () => {
        this.#scan();
        drawer.round();
      });
    });
    addExitStep('remote bars', () => {
      this.#look();
      drawer.round();
      removeDirectory(this.directory);
    });
  }

  /** A child does not tell when it has a bar again. */
  #look(): void {
    this.#scan();
    if (this.#boards.size > 0) this.#drawer.wake();
  }

  #scan(): void {
    const names = readDirectory(this.directory);
    for (const { name, stream } of waitingTexts(names)) this.#print(join(this.directory, name), stream);
    for (const name of names) {
      if (!name.endsWith(BOARD_ENDING) || this.#boards.has(name)) continue;
      this.#boards.add(name);
      this.#drawer.add(new ChildBoard(join(this.directory, name), () => this.#boards.delete(name)));
    }
  }

  #print(path: string, stream: StreamName): void {
    const text = readFileSync(path, 'utf8');
    rmSync(path, { force: true });
    printAbove(threadEnvironment, text, { file: process[stream], end: '' });
  }
}

/** Empty once somebody has cleaned up. */
function readDirectory(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
