/** Changes of the terminal's size while bars are on it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rowsAbove, rowsBelow } from '#metheus/progress/screen/cursor.js';
import { requireTerminal } from '../../support/terminal.js';
import { fakeTqdm } from '../fakes.js';
import { EmulatedScreen, type ScreenSize } from './emulated-file.js';
import { play } from './play-scene.js';

const empty = (columns: number) => `|${' '.repeat(columns - 7)}| 0/2`;

describe('a resized terminal', { skip: requireTerminal() }, () => {
  it('shows each bar once, and leaves other lines', async () => {
    using program = play('resize', { cols: 40, rows: 8 });
    // Waits for the end of a frame, since the cursor is elsewhere in the middle of one.
    const shows = (...rows: string[]) =>
      program.waitFor(
        (screen) => screen.join('\n') === rows.join('\n') && program.output().endsWith('\u001b[?7h'),
      );
    await shows('before', `a${empty(40)}`, `b${empty(40)}`);
    for (const columns of [20, 13, 60, 39, 11, 40]) {
      program.resize(columns, 8);
      await shows('before', `a${empty(columns)}`, `b${empty(columns)}`);
    }
    program.resize(40, 2);
    await shows(`a${empty(40)}`, ' ... (more hidden) ...');
    program.resize(40, 5);
    await shows(`a${empty(40)}`, `b${empty(40)}`);
    program.write(' ');
    const half = `|${'█'.repeat(16)}▌${' '.repeat(16)}| 1/2`;
    await shows(`a${half}`, `b${half}`);
    program.write(' ');
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.deepEqual(program.history(), ['before', `a${half}`, `b${half}`]);
  });

  it('is noticed in a loop that blocks the event loop', async () => {
    using program = play('busy', { cols: 26, rows: 4 });
    await program.shows([`busy|${' '.repeat(20)}|`]);
    program.resize(16, 4);
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.deepEqual(program.screen(), [`busy|${' '.repeat(10)}|`, 'ended']);
  });
});

describe('a terminal based on xterm.js', () => {
  /** Returns the lines of the program after a change of the size, with bars below them. */
  async function linesAfter(logs: number, bars: number, from: ScreenSize, to: ScreenSize): Promise<string[]> {
    const screen = new EmulatedScreen(from);
    const { tqdm } = fakeTqdm({ stdout: screen.stdout, stderr: screen.stderr });
    const options = { total: 2, barFormat: '{desc}|{bar}|', leave: false };
    const opened = Array.from({ length: bars }, (_, i) => tqdm(null, { desc: `bar ${i}`, ...options }));
    for (let i = 0; i < logs; i += 1) screen.stdout.write(`log ${i}\n`);
    await screen.resize(to.columns, to.rows);
    for (const bar of opened) bar.refresh();
    const lines = await screen.lines();
    for (const bar of opened) bar.close();
    return lines.filter((line) => line.startsWith('log '));
  }

  it('loses no line of the program when it becomes narrower and lower at once', async (t) => {
    const { TERM, TERM_PROGRAM } = process.env;
    t.after(() => Object.assign(process.env, { TERM: TERM ?? '', TERM_PROGRAM: TERM_PROGRAM ?? '' }));
    Object.assign(process.env, { TERM: 'xterm-256color', TERM_PROGRAM: 'vscode' });
    const lines = (count: number) => Array.from({ length: count }, (_, i) => `log ${i}`);
    const sizes = [
      [25, 2, 96, 23, 64, 21],
      [17, 2, 136, 18, 84, 10],
      [9, 2, 56, 11, 24, 9],
      [40, 3, 120, 30, 109, 27],
      [27, 3, 120, 30, 109, 27],
      [10, 3, 120, 30, 50, 12],
    ] as const;
    for (const [logs, bars, columns, rows, toColumns, toRows] of sizes) {
      const to = { columns: toColumns, rows: toRows };
      assert.deepEqual(await linesAfter(logs, bars, { columns, rows }, to), lines(logs));
    }
  });
});

describe('the cursor after lines were wrapped', () => {
  const rows = ['x'.repeat(80), 'x'.repeat(80), '', 'x'.repeat(20)];

  it('keeps its row in most terminals', () => {
    for (const others of [{ VTE_VERSION: '7600' }, { TERM_PROGRAM: 'iTerm.app' }, { TMUX: '/tmp/x' }]) {
      assert.equal(rowsBelow(rows, 30, 0, { TERM: 'xterm-256color', ...others }), 0);
    }
    assert.equal(rowsBelow(rows, 30, 0, { TERM: 'linux' }), 0);
    assert.equal(rowsBelow(rows, 30, 0, {}), 0);
  });

  it('is lower in terminals based on xterm.js', () => {
    assert.equal(rowsBelow(rows, 80, 0, { TERM: 'xterm-256color' }), 0);
    assert.equal(rowsBelow(rows.slice(0, 1), 30, 0, { TERM: 'xterm-256color' }), 0);
    assert.equal(rowsBelow(rows, 30, 0, { TERM: 'xterm-256color', TERM_PROGRAM: 'vscode' }), 4);
  });

  it('does not count rows that the terminal may have removed', () => {
    const vscode = { TERM: 'xterm-256color', TERM_PROGRAM: 'vscode' };
    assert.equal(rowsBelow(rows, 30, 2, vscode), rowsBelow(rows.slice(0, 2), 30, 0, vscode));
    assert.equal(rowsBelow(rows, 30, 9, vscode), 0);
  });

  it('is below more rows when lines above it were wrapped', () => {
    const rows = ['x'.repeat(61), '', '漢'.repeat(15)];
    assert.equal(rowsAbove(rows, 30, {}), 5);
    assert.equal(rowsAbove(rows, 30, { XTERM_VERSION: 'XTerm(390)' }), 3);
  });
});
