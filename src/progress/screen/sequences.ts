/** What a terminal is told: where the cursor goes, and what makes the rows on the screen others. */

const ESCAPE = '\u001b[';
/** A line that is too long for the terminal is cut and does not break: the rows would shift. */
export const NO_WRAP = `${ESCAPE}?7l`;
export const WRAP = `${ESCAPE}?7h`;
export const ERASE_LINE = `\r${ESCAPE}K`;
export const ERASE_BELOW = `\r${ESCAPE}J`;

export function up(rows: number): string {
  return rows > 0 ? `${ESCAPE}${rows}A` : '';
}

export function right(columns: number): string {
  return `${ESCAPE}${columns}C`;
}

/** What makes `rows` of the rows that are `shown`, from the first row and back to it. */
export function changeOf(shown: readonly string[], rows: readonly string[]): string {
  let change = '';
  let at = 0;
  for (let row = 0; row < Math.max(rows.length, shown.length); row += 1) {
    const text = rows[row] ?? '';
    if (text === (shown[row] ?? '')) continue;
    change += '\n'.repeat(row - at) + ERASE_LINE + text;
    at = row;
  }
  return change === '' ? '' : `${NO_WRAP}${change}${up(at)}\r${WRAP}`;
}
