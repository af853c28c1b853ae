/** The ways in which a program ends while bars are on its terminal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requireTerminal, type TerminalProgram } from '../../support/terminal.js';
import { play } from './play-scene.js';

const SIZE = { cols: 16, rows: 12 };
const EMPTY = '|         | 0/2';
const HALF = '|████▌    | 1/2';

/** Checks that the cursor is below the last line, and that lines are wrapped again. */
function assertRestored(program: TerminalProgram): void {
  assert.deepEqual(program.cursor(), { row: program.screen().length, column: 0 });
  assert.equal(program.output().lastIndexOf('\u001b[?7l') < program.output().lastIndexOf('\u001b[?7h'), true);
}

describe('the end of a program with bars on its terminal', { skip: requireTerminal() }, () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    it(`moves the cursor below the bars after ${signal}`, async () => {
      using program = play('signal', SIZE);
      await program.shows([`a${HALF}`, `b${EMPTY}`]);
      program.kill(signal);
      assert.deepEqual(await program.exited, { code: null, signal });
      assert.deepEqual(program.screen(), [`a${HALF}`]);
      assertRestored(program);
    });
  }

  it('moves the cursor below the bars after Ctrl-C', async () => {
    using program = play('signal', SIZE);
    await program.shows([`a${HALF}`, `b${EMPTY}`]);
    program.write('\x03');
    assert.deepEqual(await program.exited, { code: null, signal: 'SIGINT' });
    assert.deepEqual(program.screen(), [`a${HALF}`]);
    assertRestored(program);
  });

  it('may be caused by a signal in a loop that blocks the event loop', async () => {
    using program = play('busy', SIZE);
    // Then the cursor is below the bar between two frames, and no listener for signals is left.
    await program.waitFor(() => program.cursor().row === 1);
    program.kill('SIGINT');
    assert.deepEqual(await program.exited, { code: null, signal: 'SIGINT' });
    assert.deepEqual(program.screen(), ['busy|          |']);
    assertRestored(program);
  });

  it('is left to the program when it handles the signal', async () => {
    using program = play('handled', SIZE);
    await program.shows([`a${HALF}`, `b${EMPTY}`]);
    program.kill('SIGINT');
    await program.shows(['stopping', `a${HALF}`, `b${EMPTY}`]);
    program.write(' ');
    assert.deepEqual(await program.exited, { code: 3, signal: null });
    assert.deepEqual(program.screen(), ['stopping', `a${HALF}`, `b${EMPTY}`]);
    assertRestored(program);
  });

  it('lets a listener of the program be the only one for its signal', async () => {
    using program = play('soleListener', SIZE);
    await program.shows([`a${HALF}`, `b${EMPTY}`]);
    program.kill('SIGINT');
    assert.deepEqual(await program.exited, { code: null, signal: 'SIGINT' });
    assert.deepEqual(program.screen(), [`a${HALF}`, `b${EMPTY}`]);
    assertRestored(program);
  });

  it('keeps the bars and the exit code of process.exit', async () => {
    using program = play('exit', { ...SIZE, args: ['7'] });
    assert.deepEqual(await program.exited, { code: 7, signal: null });
    assert.deepEqual(program.screen(), [`a${EMPTY}`, `b${EMPTY}`]);
    assertRestored(program);
  });

  it('shows the completed rounds when process.exit is called in the body of a loop', async () => {
    using program = play('exitInLoop', { ...SIZE, args: ['1'] });
    assert.deepEqual(await program.exited, { code: 1, signal: null });
    assert.deepEqual(program.screen(), ['|███▉   | 57/100']);
    assertRestored(program);
  });

  it('prints an uncaught error below the bars', async () => {
    using program = play('throw', { cols: 120, rows: 30 });
    assert.deepEqual(await program.exited, { code: 1, signal: null });
    const [a, b, ...rest] = program.screen();
    assert.deepEqual([a?.slice(0, 2), b?.slice(0, 2)], ['a|', 'b|']);
    assert.ok(
      rest.some((row) => row === 'Error: of the program'),
      rest.join('\n'),
    );
  });

  it('clears the taskbar after an error', async () => {
    using program = play('taskbar', SIZE);
    await program.shows([`a${EMPTY}`]);
    program.write(' ');
    await program.shows([`a${HALF}`]);
    program.write(' ');
    await program.exited;
    const states = program
      .output()
      .split('\u001b')
      .filter((part) => part.startsWith(']9;'));
    assert.deepEqual(states, [']9;4;1;0', ']9;4;1;50', ']9;4;0;0']);
  });
});
