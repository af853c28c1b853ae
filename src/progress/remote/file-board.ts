/**
 * Boards of child processes: files in a directory that the parent of a tree of processes makes and removes.
 *
 * ```
 * owner                     the parent: JSON, a ProcessIdentity
 * <id>.board                the bars of one process: a header of a slot's size with its identity, then slots
 * <id>-<number>.<stream>    text to be printed above the bars; the parent removes it
 * <id>.records              the numbers of published bars: see `record-file.ts`
 * ```
 *
 * A file is written under a temporary name, and gets its name when it is complete. Only the parent removes files, so a
 * child that is killed leaves nothing behind. The directory of a parent that was killed is removed by the next parent
 * that makes one.
 */

import { randomBytes } from 'node:crypto';
import {
  constants,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, warnOnce } from '../../errors.js';
import { mayLive, type ProcessIdentity, thisProcess } from '../../system/process-identity.js';
import { openRegular, readRegular } from '../../system/regular-file.js';
import type { StreamName } from '../screen/terminal.js';
import { Board, type BoardMemory } from './board.js';
import { SLOT_BYTES, SlotWriter, WRITTEN } from './slot.js';

const PREFIX = 'metheus-progress-';
const OWNER = 'owner';
export const BOARD_SUFFIX = '.board';

/** Reports whether a directory is that of a parent that draws the bars of this process. */
export function isOfParent(directory: string): boolean {
  if (!isPrivate(directory)) return false;
  const identity = readIdentity(join(directory, OWNER));
  return JSON.stringify(identity) !== JSON.stringify(thisProcess());
}

/** Makes a directory that only this user can read. @throws errors of the file system */
export function createDirectory(): string {
  removeStale(tmpdir());
  const directory = mkdtempSync(join(tmpdir(), PREFIX));
  writeComplete(directory, OWNER, JSON.stringify(thisProcess()));
  return directory;
}

/**
 * Reports whether only this user can create files in a directory. Windows has no file modes, but each user's directory
 * of temporary files is private there.
 */
function isPrivate(directory: string): boolean {
  try {
    const stats = lstatSync(directory);
    if (!stats.isDirectory()) return false;
    return process.geteuid === undefined || (stats.uid === process.geteuid() && (stats.mode & 0o077) === 0);
  } catch {
    return false;
  }
}

/** Removes a directory, as far as that is possible. */
export function removeDirectory(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {}
}

/** Removes directories of this user that were left by killed parent processes. */
function removeStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    const directory = join(folder, name);
    if (!name.startsWith(PREFIX) || !isPrivate(directory)) continue;
    const owner = readIdentity(join(directory, OWNER));
    if (owner !== undefined && !mayLive(owner)) removeDirectory(directory);
  }
}

/** Writes a file so that other processes see it only when it is complete. */
export function writeComplete(directory: string, name: string, content: string | Uint8Array): void {
  const unfinished = join(directory, `${name}.tmp`);
  writeFileSync(unfinished, content, { mode: 0o600, flag: 'wx' });
  renameSync(unfinished, join(directory, name));
}

/** Parses the header of a board, or an owner file. */
export function parseIdentity(header: Uint8Array): ProcessIdentity {
  const text = Buffer.from(header).toString();
  return JSON.parse(text.slice(0, text.indexOf('}') + 1));
}

function readIdentity(file: string): ProcessIdentity | undefined {
  try {
    return parseIdentity(readRegular(file, SLOT_BYTES));
  } catch {
    return undefined;
  }
}

/** Returns the names of the files with text to be printed. Files of one process are ordered by age, oldest first. */
export function textFiles(names: readonly string[]): string[] {
  return names
    .filter((name) => /\.(stdout|stderr)$/.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** Milliseconds between two frames of a bar that moves: the interval at which the parent reads them. */
const INTERVAL_MS = 100;

/** The board of this process: a frame is one write to its file. */
class FileMemory implements BoardMemory {
  readonly interval = INTERVAL_MS;
  readonly #directory: string;
  readonly #onFrame: () => void;
  readonly #id = `${process.pid}-${randomBytes(6).toString('hex')}`;
  readonly #offsets = new Map<SlotWriter, number>();
  #file: number | undefined;
  #texts = 0;
  #isBroken = false;

  constructor(directory: string, onFrame: () => void) {
    this.#directory = directory;
    this.#onFrame = onFrame;
  }

  grow(): SlotWriter[] {
    const slot = new SlotWriter(new ArrayBuffer(SLOT_BYTES), 0);
    this.#offsets.set(slot, (this.#offsets.size + 1) * SLOT_BYTES);
    return [slot];
  }

  publish(slot: SlotWriter): void {
    this.#try((file) => {
      writeSync(file, slot.written, 0, slot.written.length, this.#offsets.get(slot)! + WRITTEN);
    });
    this.#onFrame();
  }

  refresh(slot: SlotWriter): void {
    this.#try((file) => {
      const drawn = new Int32Array(1);
      readSync(file, drawn, 0, 4, this.#offsets.get(slot)!);
      slot.drawn = drawn[0]!;
    });
  }

  /**
   * Hands text to the parent to be printed, and reports whether it did. Only text for a terminal is handed over: if the
   * output of this process is a file or pipe, the parent may have another one.
   */
  print(stream: StreamName, text: string): boolean {
    if (!process[stream].isTTY || this.#isBroken) return false;
    try {
      writeComplete(this.#directory, `${this.#id}-${this.#texts}.${stream}`, text);
      this.#texts += 1;
      return true;
    } catch {
      // The parent has ended, and its directory is gone.
      return false;
    }
  }

  #try(access: (file: number) => void): void {
    if (this.#isBroken) return;
    try {
      this.#file ??= this.#create();
      access(this.#file);
    } catch (error) {
      this.#isBroken = true;
      warnOnce('progress-board', `Progress bars cannot be shown (${messageOf(error)}): counting goes on.`);
    }
  }

  #create(): number {
    const header = new Uint8Array(SLOT_BYTES);
    header.set(new TextEncoder().encode(JSON.stringify(thisProcess())));
    const name = this.#id + BOARD_SUFFIX;
    writeComplete(this.#directory, name, header);
    return openRegular(join(this.#directory, name), constants.O_RDWR);
  }
}

/**
 * Opens the board of this process.
 *
 * @param onFrame - called after each frame
 */
export function openFileBoard(directory: string, onFrame: () => void): Board {
  return new Board(new FileMemory(directory, onFrame));
}
