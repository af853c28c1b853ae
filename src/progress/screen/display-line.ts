/** The lines of bars on a terminal, and their rows. */

/** Shown in the last row of the screen when there are bars below it. */
export const MORE_HIDDEN = ' ... (more hidden) ...';

/** The line of one bar on a display. */
export interface DisplayLine {
  /** Row that the line belongs in, from 0. */
  readonly row: number;
  /** Number of rows of the screen. */
  readonly rows: number;
  /** Returns the line's text now. */
  makeText(): string;
  /** Text drawn last; undefined if it must be made again. */
  drawnText: string | undefined;
  /** Row in which the line was drawn last. */
  drawnRow: number;
  /** Number of rows of the screen when the line was last drawn or the size last changed. */
  drawnRows: number;
}

/** The rows of a screen that show lines. */
export interface ComposedRows {
  readonly rows: string[];
  /** Number of rows of the screen. Lines in its last row and below it are hidden. */
  readonly limit: number;
  /** Number of hidden lines. */
  readonly hidden: number;
}

/** Returns the rows to show, and sets `drawnRow` of each line. */
export function composeRows(lines: Iterable<DisplayLine>): ComposedRows {
  let limit = Number.POSITIVE_INFINITY;
  for (const line of lines) limit = Math.min(limit, line.drawnRows);
  const rows: string[] = [];
  let hidden = 0;
  for (const line of lines) {
    line.drawnRow = line.row;
    if (line.drawnRow < limit - 1) {
      line.drawnText ??= line.makeText();
      rows[line.drawnRow] = line.drawnText;
    } else {
      rows[limit - 1] = MORE_HIDDEN;
      hidden += 1;
    }
  }
  return { rows: Array.from(rows, (text = '') => text), limit, hidden };
}
