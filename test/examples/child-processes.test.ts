/** The example with bars of child processes, on a terminal and without one. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requireTerminal, runInTerminal } from '../support/terminal.js';

const PROGRAM = fileURLToPath(new URL('../../examples/child-processes/main.js', import.meta.url));

describe('child-processes', { timeout: 300_000 }, () => {
  it('draws the bars of all children on one screen, each line whole', {
    skip: requireTerminal(),
  }, async (t) => {
    const terminal = runInTerminal(PROGRAM, { cols: 80, rows: 10 });
    t.after(() => terminal[Symbol.dispose]());
    assert.deepEqual(await terminal.exited, { code: 0, signal: null });
    const rows = terminal.screen();
    assert.deepEqual(rows.splice(-1), ['148933 primes']);
    // In the order in which they ended.
    const parts = rows.map((row) => /^(.+): +100%\|█+\| (.+) \[.*\]$/.exec(row)?.slice(1) ?? row).sort();
    assert.deepEqual(parts, [
      ['From 0', '500k/500k'],
      ['From 1000000', '500k/500k'],
      ['From 1500000', '500k/500k'],
      ['From 500000', '500k/500k'],
      ['Parts', '4/4'],
    ]);
  });

  it('counts the same with a pipe as output', async () => {
    const child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    const [code] = await once(child, 'close');
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '148933 primes\n');
    assert.match(stderr, /^Parts: 100%\|█+\| 4\/4 \[.*\]$/m);
  });
});
