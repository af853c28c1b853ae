/** Readers that do not read: nothing waits for them, and the last frame is not lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/processes.js';
import { requireTerminal } from '../../support/terminal.js';
import { play, SCENES } from './play-scene.js';

const skip = process.platform === 'linux' ? false : 'only Linux opens a terminal again';

function marker(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'metheus-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'marker');
}

const written = (file: string) => async () => {
  try {
    return readFileSync(file, 'utf8') || undefined;
  } catch {
    return undefined;
  }
};

describe('a slow reader', { skip }, () => {
  it('of a terminal misses frames, and gets the last', { skip: requireTerminal() }, async (t) => {
    const file = marker(t);
    using program = play('slow', { cols: 24, rows: 4, args: [file] });
    program.pause();
    assert.equal(await until('the end of the loop', written(file)), 'through');
    assert.equal(program.output(), '');
    program.resume();
    await program.shows(['slow|██████| 20000/20000']);
    program.write(' ');
    await program.exited;
    assert.deepEqual(program.screen(), ['slow|██████| 20000/20000', 'ended']);
    // 20,000 frames are more than a megabyte.
    assert.ok(program.output().length < 200_000, `${program.output().length} characters`);
  });

  it('of a pipe misses frames, and gets the last', async (t) => {
    const file = marker(t);
    // Frames, where lines would not fill the pipe.
    const env = { ...process.env, TQDM_OUTPUT: 'terminal' };
    const child = spawn(process.execPath, [SCENES, 'slow', file], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env,
    });
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    assert.equal(await until('the end of the loop', written(file)), 'through');
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await until('the last frame', async () => text.endsWith('20000/20000\n') || undefined);
    child.stdin.end(' ');
    assert.deepEqual(await ended, [0, null]);
    assert.ok(text.length < 400_000, `${text.length} characters`);
  });

  it('gets all that is left at the end, when that takes more than a second', async (t) => {
    // Of Node itself, a child has a socket.
    const command = '"$0" "$1" leaving 2>&1 | cat';
    const child = spawn('sh', ['-c', command, process.execPath, SCENES], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    let text = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      text += chunk;
      await sleep(100);
    }
    const ended = [...text.matchAll(/^bar (\d+) \.+\|.*\| 0\/2$/gm)].map(([, i]) => Number(i));
    assert.deepEqual(
      ended,
      Array.from({ length: 20 }, (_, i) => i),
    );
  });
});
