/** Whole screens of a real terminal: nested bars, bars closed in any order, more bars than rows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requireTerminal } from '../../support/terminal.js';
import { play } from './play.js';

describe('bars on a terminal', { skip: requireTerminal() }, () => {
  it('nested bars stand below each other, and the inner one goes when it is done', async () => {
    using program = play('nested', { cols: 26, rows: 6 });
    const bars = [
      ['folders:   0%|       | 0/2', 'a:   0%|             | 0/2'],
      ['folders:   0%|       | 0/2', 'a:  50%|██████▌      | 1/2'],
      ['folders:  50%|███▌   | 1/2', 'b:   0%|             | 0/2'],
      ['folders:  50%|███▌   | 1/2', 'b:  50%|██████▌      | 1/2'],
    ];
    for (const screen of bars) {
      await program.shows(screen);
      program.write(' ');
    }
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    assert.deepEqual(program.screen(), ['folders: 100%|███████| 2/2', 'done']);
    assert.deepEqual(program.cursor(), { row: 2, column: 0 });
  });
});
