/**
 * Where the cursor is after a terminal has become narrower and has broken its lines anew.
 *
 * Those that do so keep the cursor in its line, so that one that stood at the beginning of a row still does.
 * Terminals made of xterm.js (VS Code's, and those in browsers) do not: they move it down by the rows that the lines
 * below it have won.
 */

import { displayLength } from '../meter/display-width.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Variables by which other terminals can be told, or by which there is no telling. */
const OF_OTHERS = [
  'ALACRITTY_WINDOW_ID',
  'KITTY_WINDOW_ID',
  'KONSOLE_VERSION',
  'SSH_CONNECTION',
  'STY',
  'TERM_PROGRAM',
  'TMUX',
  'VTE_VERSION',
  'WT_SESSION',
  'XTERM_VERSION',
];

function isXtermJs(env: Variables): boolean {
  if (env.TERM_PROGRAM === 'vscode') return true;
  return /^xterm\b(?!-kitty|-ghostty)/.test(env.TERM ?? '') && OF_OTHERS.every((name) => !env[name]);
}

/**
 * @param rows - lines that were on the screen, the cursor at the beginning of the first
 * @param columns - of the screen now
 * @returns rows that the cursor is below the first of these lines
 */
export function rowsBelow(rows: readonly string[], columns: number, env: Variables = process.env): number {
  if (!isXtermJs(env)) return 0;
  let below = 0;
  // From the last line to the first, as xterm.js goes. The line in which it has the cursor then is left as it is.
  for (const [row, text] of [...rows.entries()].reverse()) {
    if (row !== below) below += Math.max(Math.ceil(displayLength(text) / columns) - 1, 0);
  }
  return below;
}

/**
 * @param rows - lines that were on the screen, the cursor below the last of them
 * @param columns - of the screen now
 * @returns rows that the cursor is below the first of these lines: they are more where the terminal breaks lines anew,
 * as all do that are in use but xterm itself
 */
export function rowsAbove(rows: readonly string[], columns: number, env: Variables = process.env): number {
  if (env.XTERM_VERSION) return rows.length;
  return rows.reduce((sum, text) => sum + Math.max(Math.ceil(displayLength(text) / columns), 1), 0);
}
