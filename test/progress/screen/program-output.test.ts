/** Output of the program while bars are on its terminal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requireTerminal } from '../../support/terminal.js';
import { play } from './play-scene.js';

const SIZE = { cols: 16, rows: 12 };
const EMPTY = '|         | 0/2';
const HALF = '|████▌    | 1/2';

describe('output of the program', { skip: requireTerminal() }, () => {
  it('is printed above the bars, unfinished lines too', async () => {
    using program = play('logs', SIZE);
    const written = ['one', 'two', 'and a half'];
    await program.shows([...written, `a${EMPTY}`, `b${EMPTY}`]);
    program.write(' ');
    await program.shows([...written, 'three,', `a${HALF}`, `b${EMPTY}`]);
    program.write(' ');
    await program.shows([...written, 'three, four,', `a${HALF}`, `b${EMPTY}`]);
    program.write(' ');
    // An unfinished line is wrapped at the end of its row, like any other.
    const rows = [...written, 'three, four, fiv', 'e', 'six.'];
    await program.shows([...rows, `a${HALF}`, `b${EMPTY}`]);
    program.write(' ');
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.deepEqual(program.screen(), [...rows, `a${HALF}`, `b${EMPTY}`, 'true']);
  });

  it('is not redirected with `redirect: false`', async () => {
    using program = play('plain', SIZE);
    await program.shows(['log        | 0/2']);
    program.write(' ');
    await program.exited;
    assert.deepEqual(program.screen(), ['log        | 0/2', `a${EMPTY}`]);
  });

  it('has the screen without bars in externalWriteMode', async () => {
    using program = play('external', SIZE);
    await program.shows(['drawn by others']);
    program.write(' ');
    await program.shows(['drawn by others', `a${HALF}`, `b${EMPTY}`]);
    program.write(' ');
    await program.exited;
    assert.deepEqual(program.screen(), ['drawn by others', `a${HALF}`, `b${EMPTY}`]);
  });
});
