/** The environment of this thread's bars: drawn here, or by another thread or process. */

import { existsSync } from 'node:fs';
import { type BarEnvironment, createEnvironment, type FrameBoard } from '../bar/environment.js';
import { privateRecord } from '../bar/record.js';
import type { Board } from './board.js';
import { isOwn, PARENT_VARIABLE } from './board-file.js';
import { fileBoard } from './file-memory.js';
import { SlotRenderer } from './slot-renderer.js';
import { isDrawnByMainThread, threadBoard } from './thread-memory.js';

let found: { readonly board: Board; readonly frames: FrameBoard } | false | undefined;

/** Returns the board of this thread's bars; false when it draws them itself. */
function ownBoard() {
  if (found === undefined) {
    const board = findBoard();
    found = board !== undefined && {
      board,
      frames: {
        createRenderer: (bar) => new SlotRenderer(board, bar),
        print: (stream, text) => board.print(stream, text),
      },
    };
  }
  return found;
}

function findBoard(): Board | undefined {
  if (isDrawnByMainThread()) return threadBoard();
  const directory = process.env[PARENT_VARIABLE];
  // The directory goes with the process that draws; the process that made it draws its own bars.
  if (!directory || !existsSync(directory) || isOwn(directory)) return undefined;
  return fileBoard(directory);
}

/** The environment of bars in this thread. */
export const threadEnvironment: BarEnvironment = createEnvironment({
  get board() {
    return (ownBoard() || undefined)?.frames;
  },
  openRecord: (bucket, unit) => {
    const own = ownBoard();
    return own ? own.board.memory.openRecord(bucket, unit) : privateRecord();
  },
});
