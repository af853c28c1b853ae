/** The logging example on a terminal: lines are whole, in order, and above the bars. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requireTerminal, runInTerminal } from '../support/terminal.js';

const PROGRAM = fileURLToPath(new URL('../../examples/logging/main.js', import.meta.url));
const LINES = ['north', 'south', 'west'].flatMap((batch) => [
  `begin ${batch}`,
  `{"level":40,"batch":"${batch}","row":7,"msg":"odd row"}`,
  `info: checked ${batch}`,
]);

describe('the logging example', () => {
  it('prints its log above its bars', { skip: requireTerminal() }, async () => {
    using program = runInTerminal(PROGRAM, { cols: 80, rows: 24 });
    await program.waitFor((screen) => screen.at(-1)?.startsWith('north:') === true);
    assert.deepEqual(await program.exited, { code: 0, signal: null });
    const screen = program.screen();
    assert.deepEqual(screen.slice(0, -2), LINES);
    assert.match(screen.at(-2)!, /^batches: 100%\|█+\| 3\/3 \[/);
    assert.equal(screen.at(-1), 'done');
  });

  it('writes the same log into a pipe', () => {
    const env = { ...process.env, TQDM_OUTPUT: 'json' };
    const { stdout, stderr, status } = spawnSync(process.execPath, [PROGRAM], { env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.trimEnd().split('\n'), [...LINES, 'done']);
    const states = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ state }) => state !== 'running')
      .map(({ desc, state, n }) => `${desc} ${state} ${n}`);
    const inner = ['north', 'south', 'west'].flatMap((batch) => [
      `${batch} started 0`,
      `${batch} finished 20`,
    ]);
    assert.deepEqual(states, ['batches started 0', ...inner, 'batches finished 3']);
  });
});
