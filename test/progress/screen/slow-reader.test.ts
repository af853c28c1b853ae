/** Readers that stop reading: the program does not wait for them, and the last frame is not lost. */
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

const skip = process.platform === 'linux' ? false : 'only on Linux can a terminal be opened a second time';

/** Returns the path of a file that does not exist yet, in a folder that is removed after the test. */
function markerPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'metheus-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'marker');
}

/** Returns a function that reads a file, or returns `undefined` while it is missing or empty. */
const contentOf = (file: string) => async () => {
  try {
    return readFileSync(file, 'utf8') || undefined;
  } catch {
    return undefined;
  }
};

describe('a slow reader', { skip }, () => {
  it('of a terminal misses frames, and receives the last one', { skip: requireTerminal() }, async (t) => {
    const file = markerPath(t);
    using program = play('slow', { cols: 24, rows: 4, args: [file] });
    program.pause();
    assert.equal(await until('the end of the loop', contentOf(file)), 'finished');
    assert.equal(program.output(), '');
    program.resume();
    await program.shows(['slow|██████| 20000/20000']);
    program.write(' ');
    await program.exited;
    assert.deepEqual(program.screen(), ['slow|██████| 20000/20000', 'ended']);
    // 20,000 frames are more than a megabyte.
    assert.ok(program.output().length < 200_000, `${program.output().length} characters`);
  });

  it('of a pipe misses frames, and receives the last one', async (t) => {
    const file = markerPath(t);
    // Lines, the default for a pipe, would not fill it.
    const env = { ...process.env, TQDM_OUTPUT: 'terminal' };
    const child = spawn(process.execPath, [SCENES, 'slow', file], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env,
    });
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    assert.equal(await until('the end of the loop', contentOf(file)), 'finished');
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await until('the last frame', async () => text.endsWith('20000/20000\n') || undefined);
    child.stdin.end(' ');
    assert.deepEqual(await ended, [0, null]);
    assert.ok(text.length < 400_000, `${text.length} characters`);
  });

  it('receives all last frames when that takes more than a second', async (t) => {
    // Through a shell, since Node.js gives its children sockets instead of pipes.
    const command = '"$0" "$1" twoMegabytes 2>&1 | cat';
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
