/** The terminal's cursor: sequences that move it, and the row that it is in after the terminal has rewrapped lines. */

import { columnsOf } from '../meter/display-width.js';

const ESCAPE = '\u001b[';
const NO_WRAP = `${ESCAPE}?7l`;
const WRAP = `${ESCAPE}?7h`;
const ERASE_LINE = `\r${ESCAPE}K`;
export const ERASE_BELOW = `\r${ESCAPE}J`;

/** Returns the text that moves the cursor up, and to the right. */
export function up(rows: number, right = 0): string {
  return (rows > 0 ? `${ESCAPE}${rows}A` : '') + (right > 0 ? `${ESCAPE}${right}C` : '');
}

/** Returns the text that replaces the cursor's row. The terminal cuts it at its edge: wrapping would shift the rows. */
export function replaceLine(text: string): string {
  return `${NO_WRAP}${ERASE_LINE}${text}${WRAP}`;
}

/** Returns the text that replaces the line in `row`, with the cursor in the first row before and after. */
export function changeRow(row: number, text: string): string {
  return `${NO_WRAP}${'\n'.repeat(row)}${ERASE_LINE}${text}${up(row)}\r${WRAP}`;
}

/**
 * Returns the text that turns the rows `shown` into `rows`, with the cursor in the first row before and after.
 *
 * @param isForced - whether unchanged rows are written too
 */
export function changeRows(shown: readonly string[], rows: readonly string[], isForced = false): string {
  let change = '';
  let at = 0;
  for (let row = 0; row < Math.max(rows.length, shown.length); row += 1) {
    const text = rows[row] ?? '';
    if (!isForced && text === (shown[row] ?? '')) continue;
    change += '\n'.repeat(row - at) + ERASE_LINE + text;
    at = row;
  }
  return change === '' ? '' : `${NO_WRAP}${change}${up(at)}\r${WRAP}`;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Variables set by other terminals, and by programs such as tmux behind which the terminal is unknown. */
const NOT_XTERM_JS = [
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
  return /^xterm\b(?!-kitty|-ghostty)/.test(env.TERM ?? '') && NOT_XTERM_JS.every((name) => !env[name]);
}

/** Returns the number of rows that a line takes on a screen of this width. */
function rowsOf(text: string, columns: number): number {
  return Math.max(Math.ceil(columnsOf(text) / columns), 1);
}

/**
 * Returns how many rows the cursor is below the first of these rows after the terminal became narrower. Most terminals
 * keep the cursor in its line. Terminals built on xterm.js (VS Code, browsers) rewrap the lines below it, and move the
 * cursor down by one row for each row that this adds.
 *
 * Too small a result leaves a line of a bar on the screen. Too large a result erases a line of the program, which is
 * worse, so rows that the terminal may have removed are not counted.
 *
 * @param rows - the rows on the screen, with the cursor at the beginning of the first
 * @param columns - the columns of the screen now
 * @param removed - rows by which the screen has shrunk. xterm.js removes at most that many rows below the cursor
 */
export function rowsBelow(
  rows: readonly string[],
  columns: number,
  removed = 0,
  env: Variables = process.env,
): number {
  if (!isXtermJs(env)) return 0;
  let below = 0;
  const left = rows.slice(0, Math.max(rows.length - removed, 1));
  // Like xterm.js, goes from the last line to the first, and moves the cursor down on the way. The line that the cursor
  // has reached by then is not rewrapped.
  for (const [row, text] of [...left.entries()].reverse()) {
    if (row !== below) below += rowsOf(text, columns) - 1;
  }
  return below;
}

/**
 * Returns how many rows the cursor is below the first of these rows after the terminal became narrower. All terminals
 * in use rewrap their lines, except xterm itself.
 *
 * @param rows - the rows on the screen, with the cursor below the last
 * @param columns - the columns of the screen now
 */
export function rowsAbove(rows: readonly string[], columns: number, env: Variables = process.env): number {
  if (env.XTERM_VERSION) return rows.length;
  return rows.reduce((sum, text) => sum + rowsOf(text, columns), 0);
}
