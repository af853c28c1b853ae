/** Screens of a real terminal: nested bars, bars closed in any order, more bars than rows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requireTerminal } from '../../support/terminal.js';
import { play } from './play-scene.js';

const SIZE = { cols: 16, rows: 6 };
const EMPTY = '|         | 0/2';
const HALF = '|████▌    | 1/2';
const FULL = '|█████████| 2/2';

describe('bars on a terminal', { skip: requireTerminal() }, () => {
  it('stand below each other when nested, and the inner one is erased at its end', async () => {
    using program = play('nested', SIZE);
    const screens = [
      ['out|       | 0/2', `a${EMPTY}`],
      ['out|       | 0/2', `a${HALF}`],
      ['out|███▌   | 1/2', `b${EMPTY}`],
      ['out|███▌   | 1/2', `b${HALF}`],
    ];
    for (const screen of screens) {
      await program.shows(screen);
      program.write(' ');
    }
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.deepEqual(program.screen(), ['out|███████| 2/2', 'done']);
    assert.deepEqual(program.cursor(), { row: 2, column: 0 });
  });

  const [a, b, c] = ['A', 'B', 'C'].map((name) => ({ empty: name + EMPTY, full: name + FULL }));
  // The last frame of a closed bar moves above the running bars; with `leave: false` its row stays empty.
  const orders: Record<string, readonly string[][]> = {
    ABCabc: [
      [a!.full, b!.empty, c!.empty],
      [a!.full, b!.full, c!.empty],
    ],
    ABCcba: [
      [c!.full, a!.empty, b!.empty],
      [c!.full, b!.full, a!.empty],
    ],
    ABCbca: [
      [b!.full, a!.empty, c!.empty],
      [b!.full, c!.full, a!.empty],
    ],
    '.A.B.Cbac': [
      [a!.empty, '', c!.empty],
      ['', '', c!.empty],
    ],
    '.A.BCcab': [
      [c!.full, a!.empty, b!.empty],
      [c!.full, '', b!.empty],
    ],
    'A.Bab': [[a!.full, b!.empty]],
  };
  for (const [order, screens] of Object.entries(orders)) {
    it(`can be opened and closed in the order ${order}`, async () => {
      using program = play('order', { ...SIZE, args: [order] });
      const opened = order.match(/\.?[A-Z]/g)!.map((name) => name.at(-1)!);
      for (const i of opened.keys()) {
        await program.shows(opened.slice(0, i + 1).map((name) => name + EMPTY));
        program.write(' ');
      }
      for (const screen of screens) {
        await program.shows(screen);
        program.write(' ');
      }
      const left = order
        .match(/[a-z]/g)!
        .map((name) => name.toUpperCase())
        .filter((name) => !order.includes(`.${name}`));
      await program.shows(left.map((name) => name + FULL));
      program.write(' ');
      assert.deepEqual(await program.exited, { code: 0, signal: null });
      assert.deepEqual(program.cursor(), { row: left.length, column: 0 });
    });
  }

  describe('while something is typed', () => {
    for (const typed of ['hello\r', '\r', 'hello']) {
      it(`are complete in rows of their own: ${JSON.stringify(typed)}`, async () => {
        using program = play('typing', SIZE);
        const bars = ['a', 'b'].map((name) => name + EMPTY);
        const isLast = (row: string | undefined) => row === `c${HALF}` || row === `c${EMPTY}`;
        await program.waitFor((screen) => screen.length === 3 && isLast(screen[2]));
        program.write(typed);
        // The terminal writes over the first row of the bars. With Enter, that row stays above them.
        const above = typed.endsWith('\r') ? [typed.slice(0, -1) + bars[0]!.slice(typed.length - 1)] : [];
        await program.waitFor((screen) => screen.slice(0, -1).join() === [...above, ...bars].join());
        await program.waitFor((screen) => isLast(screen.at(-1)));
        program.kill('SIGINT');
        await program.exited;
        assert.deepEqual(program.screen().slice(0, above.length + 2), [...above, ...bars]);
      });
    }

    it('are complete while the event loop is blocked', async () => {
      using program = play('blocked', SIZE);
      // Then the cursor is below the bars between two frames.
      await program.waitFor(() => program.cursor().row === 2);
      program.write('\r');
      const bars = [`a${EMPTY}`, 'b|             |'];
      await program.shows([bars[0]!, ...bars]);
      program.kill('SIGINT');
      await program.exited;
      assert.deepEqual(program.screen(), [bars[0]!, ...bars]);
    });
  });

  it('show the first rows of a thousand, and leave a line each', async () => {
    const count = 1000;
    using program = play('many', { cols: 20, rows: 5, args: [String(count)] });
    const line = (i: number, done: string) => `bar ${i}|${done}| ${done.trim() === '' ? 0 : 1}/2`;
    const hidden = ' ... (more hidden) ...'.slice(0, 20);
    const shown = (bars: readonly number[], done: string) => [...bars.map((i) => line(i, done)), hidden];
    await program.shows(shown([0, 1, 2, 3], '         '));
    program.write(' ');
    await program.shows(shown([0, 1, 2, 3], '████▌    '));
    program.write(' ');
    await program.shows(shown([1, 3, 5, 7], '████▌    '));
    program.write(' ');
    // The program waits for a key, since output that the terminal has not delivered is lost when it ends.
    await program.shows([7, 5, 3, 1].map((i) => line(i, '████▌    ')));
    program.write(' ');
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    const names = program.history().map((row) => Number(/^bar (\d+)\|.*\| 1\/2$/.exec(row)?.[1]));
    const even = Array.from({ length: count / 2 }, (_, i) => 2 * i);
    assert.deepEqual(names, [...even, ...even.map((i) => i + 1).reverse()]);
  });
});
