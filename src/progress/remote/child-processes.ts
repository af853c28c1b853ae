/** Child processes in their parent: a directory whose name they inherit, and the boards that appear in it. */

import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { closeSync, constants, fstatSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { extname, join } from 'node:path';
import { messageOf, warnOnce } from '../../errors.js';
import { addExitStep } from '../../system/exit-steps.js';
import { mayLive, type ProcessIdentity } from '../../system/process-identity.js';
import { openRegular, readRegular } from '../../system/regular-file.js';
import type { BarEnvironment } from '../bar/environment.js';
import { printAbove } from '../screen/print.js';
import type { StreamName } from '../screen/terminal.js';
import { BOARD_SUFFIX, createDirectory, parseIdentity, removeDirectory, textFiles } from './file-board.js';
import { RECORDS_SUFFIX, RecordFileReader } from './record-file.js';
import type { RemoteBarRenderer, RemoteBoard } from './remote-bar-renderer.js';
import { type NoContent, SLOT_BYTES, type SlotContent, type SlotNumbers, SlotReader } from './slot.js';

/** Milliseconds between two scans of the directory while there are no bars. */
const SCAN_MS = 300;
/** Number of rounds from one check whether a child is alive to the next. */
const ROUNDS_PER_CHECK = 4;
/** Maximum bars of a child that are read. Limits the memory for a board file of any size. */
const MAX_SLOTS = 4096;
/** Maximum bytes of a text to be printed. */
const MAX_TEXT_BYTES = 2 ** 26;

/** The board of one child process. */
class ChildBoard implements RemoteBoard {
  readonly #path: string;
  readonly #onClose: () => void;
  readonly #file: number;
  readonly #owner: ProcessIdentity;
  readonly #slots: { readonly bytes: Uint8Array; readonly reader: SlotReader }[] = [];
  #rounds = 0;

  /** @throws the error of the file system; `SyntaxError` when the file is not a board */
  constructor(path: string, onClose: () => void) {
    this.#path = path;
    this.#onClose = onClose;
    this.#owner = parseIdentity(readRegular(path, SLOT_BYTES));
    this.#file = openRegular(path, constants.O_RDWR);
  }

  isLive(): boolean {
    this.#rounds += 1;
    return this.#rounds % ROUNDS_PER_CHECK !== 0 || mayLive(this.#owner);
  }

  slots(): (SlotContent | NoContent)[] {
    const length = Math.min(Math.ceil(fstatSync(this.#file).size / SLOT_BYTES) - 1, MAX_SLOTS);
    while (this.#slots.length < length) {
      const bytes = new Uint8Array(SLOT_BYTES);
      this.#slots.push({ bytes, reader: new SlotReader(bytes.buffer, 0) });
    }
    return this.#slots.map(({ bytes, reader }, i) => {
      readSync(this.#file, bytes, 0, SLOT_BYTES, (i + 1) * SLOT_BYTES);
      return reader.read();
    });
  }

  /** Returns the count of the frame: the parent cannot read the cells of another process. */
  newestCount({ n }: SlotNumbers): number {
    return n;
  }

  setDrawn(slot: number, serial: number): void {
    writeSync(this.#file, Int32Array.of(serial), 0, 4, (slot + 1) * SLOT_BYTES);
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
    this.#onClose();
  }
}

/** A directory for child processes, which is scanned until this process ends. */
export class ChildProcesses {
  readonly directory = createDirectory();
  readonly #renderer: RemoteBarRenderer;
  readonly #environment: BarEnvironment;
  /** Names of the board files that are being read. */
  readonly #boards = new Set<string>();
  /** Names of files that cannot be read. */
  readonly #ignored = new Set<string>();
  /** The files with the records of children, by name. */
  readonly #records = new Map<string, RecordFileReader>();
  #rounds = 0;

  /** @throws errors of the file system, when no directory can be made */
  constructor(renderer: RemoteBarRenderer, environment: BarEnvironment) {
    this.#renderer = renderer;
    this.#environment = environment;
    renderer.beforeFrames(() => this.#scan());
    setInterval(() => this.#startRenderer(), SCAN_MS).unref();
    // This listener is registered before the program's own. So the last frames are drawn before a listener of the
    // program prints something.
    subscribe('child_process', (message) => {
      (message as { process: ChildProcess }).process.once('exit', () => {
        this.readRecords();
        renderer.draw();
      });
    });
    addExitStep('remote bars', () => {
      this.#startRenderer();
      renderer.draw();
      removeDirectory(this.directory);
    });
  }

  /** Reads the published numbers of all children, and marks those of ended children as final. */
  readRecords(): void {
    this.#rounds = 0;
    this.#scan();
  }

  /**
   * Starts the renderer if there is a board. Called by a timer, since a child cannot announce that it has a bar again.
   */
  #startRenderer(): void {
    this.#scan();
    if (this.#boards.size > 0) this.#renderer.start();
  }

  #scan(): void {
    const names = readDirectory(this.directory).filter((name) => !this.#ignored.has(name));
    for (const name of textFiles(names)) {
      const text = this.#read(name, (path) => readRegular(path, MAX_TEXT_BYTES).toString());
      if (text === undefined) continue;
      rmSync(join(this.directory, name), { force: true });
      const stream = extname(name).slice(1) as StreamName;
      printAbove(this.#environment, text, { file: this.#environment[stream], end: '' });
    }
    for (const name of names) {
      if (!name.endsWith(BOARD_SUFFIX) || this.#boards.has(name)) continue;
      const board = this.#read(name, (path) => new ChildBoard(path, () => this.#boards.delete(name)));
      if (board === undefined) continue;
      this.#boards.add(name);
      this.#renderer.add(board);
    }
    try {
      this.#scanRecords(names);
    } catch (error) {
      warnOnce('child-records', `Progress bars of a child process are not published: ${messageOf(error)}`);
    }
  }

  #scanRecords(names: readonly string[]): void {
    for (const name of names) {
      if (!name.endsWith(RECORDS_SUFFIX) || this.#records.has(name)) continue;
      const records = this.#read(name, (path) => new RecordFileReader(path));
      if (records !== undefined) this.#records.set(name, records);
    }
    const checks = this.#rounds % ROUNDS_PER_CHECK === 0;
    this.#rounds += 1;
    for (const [name, records] of this.#records) {
      if (!checks || records.isLive()) {
        records.read();
        continue;
      }
      this.#records.delete(name);
      records.end();
    }
  }

  /** Returns the result of reading a file. If that fails, returns undefined and ignores the file from then on. */
  #read<T>(name: string, read: (path: string) => T): T | undefined {
    try {
      return read(join(this.directory, name));
    } catch {
      this.#ignored.add(name);
      return undefined;
    }
  }
}

/** Returns the names in a directory; none if it was removed. */
function readDirectory(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
