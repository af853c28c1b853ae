/** Who draws the bars of this thread. */

import { existsSync } from 'node:fs';
import type { Board } from './board.js';
import { isOwn, PARENT_VARIABLE } from './board-file.js';
import { fileBoard } from './file-memory.js';
import { isDrawnByMainThread, threadBoard } from './thread-memory.js';

let board: Board | null | undefined;

/** The board that this thread's bars are shown on; `null` when it draws them itself. */
export function ownBoard(): Board | null {
  if (board === undefined) board = find();
  return board;
}

function find(): Board | null {
  if (isDrawnByMainThread()) return threadBoard();
  const directory = process.env[PARENT_VARIABLE];
  // Without its drawer there is no directory any more; and who made it draws.
  if (!directory || !existsSync(directory) || isOwn(directory)) return null;
  return fileBoard(directory);
}
