/** Bars of threads and processes whose parent has no terminal, or is gone. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './controlled-screen.js';

const PROGRAM = fileURLToPath(new URL('./bar-per-argument.js', import.meta.url));

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

describe('remote bars without a terminal', { timeout: 120_000 }, () => {
  it('are one line each in the log of the parent, at their end', async () => {
    const { code, stdout, stderr } = await run(['worker', 'child']);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'worker: 3 rows\n' });
    // Text of a child goes to its own stdout, which is not a terminal.
    assert.equal(stderr, 'worker 3/3\nchild 3/3\n');
  });

  it('are drawn by the child when the directory is gone', async (t) => {
    const gone = join(temporaryFolder(t), 'gone');
    const { stderr, stdout } = await run(['bar'], { METHEUS_PROGRESS_PARENT: gone });
    assert.equal(stderr, 'bar 3/3\n');
    assert.equal(stdout, 'bar: 3 rows\n');
    assert.ok(!existsSync(gone));
  });

  it('are not drawn, with one warning, when the directory goes before their first frame', async (t) => {
    const folder = temporaryFolder(t);
    const { code, stderr, stdout } = await run(['late'], { METHEUS_PROGRESS_PARENT: folder });
    assert.equal(code, 0);
    assert.equal(stdout, 'late: 3 rows\n');
    assert.match(stderr, /Progress bars cannot be shown \(ENOENT.*\): counting goes on/);
    assert.equal(stderr.match(/cannot be shown/g)!.length, 1);
  });

  it('are drawn by the child when no directory can be made', async (t) => {
    const { code, stderr } = await run(['child'], { TMPDIR: join(temporaryFolder(t), 'gone') });
    assert.equal(code, 0);
    assert.match(stderr, /Progress bars of child processes are not drawn here: ENOENT/);
    assert.match(stderr, /^child 3\/3$/m);
  });
});
