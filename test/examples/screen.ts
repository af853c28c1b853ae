/** Just enough of a terminal to see what a program leaves on it. */

/** The rows that are on the screen, without blanks at their ends, and where the cursor stands. */
export interface Screen {
  readonly rows: readonly string[];
  readonly row: number;
  readonly column: number;
}

const ESCAPE = '\x1b';
const MOVE_UP = /^\[(\d*)A/;

/** Control sequences that no bar of these tests uses are an error, so that none goes unseen. */
export function screenOf(output: string): Screen {
  const rows: string[] = [];
  let row = 0;
  let column = 0;
  const print = (text: string) => {
    for (const part of text.split(/([\r\n])/)) {
      if (part === '\r') column = 0;
      else if (part === '\n') row += 1;
      else if (part !== '') {
        const before = rows[row] ?? '';
        rows[row] = before.padEnd(column).slice(0, column) + part + before.slice(column + part.length);
        column += part.length;
      }
    }
  };
  const [start = '', ...rest] = output.split(ESCAPE);
  print(start);
  for (const part of rest) {
    const up = MOVE_UP.exec(part);
    if (up === null) throw new Error(`Unknown control sequence: ${JSON.stringify(part.slice(0, 20))}`);
    row = Math.max(row - Number(up[1] || 1), 0);
    print(part.slice(up[0].length));
  }
  return { rows: Array.from(rows, (text = '') => text.trimEnd()), row, column };
}
