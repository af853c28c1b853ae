/** Every way in which a program may end while bars are on its terminal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requireTerminal, type TerminalProgram } from '../../support/terminal.js';
import { play } from './play-scene.js';

const SIZE = { cols: 16, rows: 12 };
const EMPTY = '|         | 0/2';
const HALF = '|████▌    | 1/2';

/** Is the terminal as it was: the cursor below all, its lines breaking, nothing on the taskbar? */
function assertRestored(program: TerminalProgram): void {
  assert.deepEqual(program.cursor(), { row: program.screen().length, column: 0 });
  assert.equal(program.output().lastIndexOf('\u001b[?7l') < program.output().lastIndexOf('\u001b[?7h'), true);
}

describe('the end of a program with bars on its terminal', { skip: requireTerminal() }, () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    it(`${signal} kills it, below its bars`, async () => {
      using program = play('signal', SIZE);
      await program.shows([`a${HALF}`, `b${EMPTY}`]);
      program.kill(signal);
      assert.deepEqual(await program.exited, { code: null, signal });
      assert.deepEqual(program.screen(), [`a${HALF}`]);
      assertRestored(program);
    });
  }

  it('Ctrl-C does the same', async () => {
    using program = play('signal', SIZE);
    await program.shows([`a${HALF}`, `b${EMPTY}`]);
    program.write('\x03');
    assert.deepEqual(await program.exited, { code: null, signal: 'SIGINT' });
    assert.deepEqual(program.screen(), [`a${HALF}`]);
    assertRestored(program);
  });

  it('a loop that never gives the event loop back can be interrupted too', async () => {
    using program = play('busy', SIZE);
    // From then on the cursor is below the bar between two frames, and nobody listens to signals.
    await program.waitFor(() => program.cursor().row === 1);
    program.kill('SIGINT');
    assert.deepEqual(await program.exited, { code: null, signal: 'SIGINT' });
    assert.deepEqual(program.screen(), ['busy|          |']);
    assertRestored(program);
  });

  it('a signal that the program handles is its own affair', async () => {
    using program = play('handled', SIZE);
    await program.shows([`a${HALF}`, `b${EMPTY}`]);
    program.kill('SIGINT');
    await program.shows(['stopping', `a${HALF}`, `b${EMPTY}`]);
    program.write(' ');
    assert.deepEqual(await program.exited, { code: 3, signal: null });
    assert.deepEqual(program.screen(), ['stopping', `a${HALF}`, `b${EMPTY}`]);
    assertRestored(program);
  });

  it('a listener that is there for all signals still finds itself alone', async () => {
    using program = play('counted', SIZE);
    await program.shows([`a${HALF}`, `b${EMPTY}`]);
    program.kill('SIGINT');
    assert.deepEqual(await program.exited, { code: null, signal: 'SIGINT' });
    assert.deepEqual(program.screen(), [`a${HALF}`, `b${EMPTY}`]);
    assertRestored(program);
  });

  it('process.exit leaves the bars as they are, and its code', async () => {
    using program = play('exit', { ...SIZE, args: ['7'] });
    assert.deepEqual(await program.exited, { code: 7, signal: null });
    assert.deepEqual(program.screen(), [`a${EMPTY}`, `b${EMPTY}`]);
    assertRestored(program);
  });

  it('an error that nobody catches is told below the bars', async () => {
    using program = play('throw', { cols: 120, rows: 30 });
    assert.deepEqual(await program.exited, { code: 1, signal: null });
    const [a, b, ...rest] = program.screen();
    assert.deepEqual([a?.slice(0, 2), b?.slice(0, 2)], ['a|', 'b|']);
    assert.ok(
      rest.some((row) => row === 'Error: of the program'),
      rest.join('\n'),
    );
  });

  it('the taskbar is cleared, by an error too', async () => {
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
