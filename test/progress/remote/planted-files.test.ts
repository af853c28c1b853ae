/** Directories and files of other users in the places where a parent and its children expect their own. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from './controlled-screen.js';

const isRoot = process.getuid?.() === 0;
/** An unprivileged user. */
const UID = 65534;
/** The identity of an ended process: its boot id differs from that of this system. */
const ENDED = JSON.stringify({ pid: 1, start: 1, bootId: 'another boot', pidNamespace: 0 });

/** Makes a directory that looks like that of a parent that has ended. */
function plant(folder: string, name: string, mode = 0o700): string {
  const directory = join(folder, `metheus-progress-${name}`);
  mkdirSync(directory);
  chmodSync(directory, mode);
  return directory;
}

/** Runs a module, given as text, with `folder` for temporary files. Returns its output. */
async function run(
  folder: string,
  code: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, TMPDIR: folder, ...env },
    timeout: 60_000,
    cwd: new URL('../../../..', import.meta.url).pathname,
  });
  return stdout;
}

/** A module that prints the directory for its child processes, and whether it exists. */
const PARENT = `
  import { existsSync } from 'node:fs';
  import { progressEnv } from 'metheus/progress';
  const directory = progressEnv().METHEUS_PROGRESS_PARENT;
  console.log(JSON.stringify([directory, existsSync(directory)]));
`;

async function parentIn(folder: string, env?: Readonly<Record<string, string>>): Promise<string> {
  const [directory, exists] = JSON.parse(await run(folder, PARENT, env)) as [string, boolean];
  assert.ok(exists, 'the parent has a directory');
  return directory;
}

const fifo = (path: string) => assert.equal(spawnSync('mkfifo', [path]).status, 0);

describe('a parent', () => {
  const PLANTED: Readonly<Record<string, (directory: string, t: TestContext) => void>> = {
    'a pipe': (directory) => fifo(join(directory, 'owner')),
    'a link to an endless device': (directory) => symlinkSync('/dev/zero', join(directory, 'owner')),
    'a sparse file of a terabyte': (directory) => {
      writeFileSync(join(directory, 'owner'), '{');
      truncateSync(join(directory, 'owner'), 2 ** 40);
    },
    'a directory': (directory) => mkdirSync(join(directory, 'owner')),
    'no JSON': (directory) => writeFileSync(join(directory, 'owner'), 'owner'),
  };
  for (const [what, make] of Object.entries(PLANTED)) {
    it(`is not disturbed by ${what} in the place of an owner file`, async (t) => {
      const folder = temporaryFolder(t);
      const planted = plant(folder, 'planted');
      make(planted, t);
      assert.notEqual(await parentIn(folder), planted);
      assert.ok(existsSync(planted));
    });
  }

  it('removes the directory of an ended parent, unless other users can write to it or it is a link', async (t) => {
    const folder = temporaryFolder(t);
    const [own, shared, target] = [
      plant(folder, 'own'),
      plant(folder, 'shared', 0o770),
      join(folder, 'target'),
    ];
    mkdirSync(target, { mode: 0o700 });
    for (const directory of [own, shared, target]) writeFileSync(join(directory, 'owner'), ENDED);
    const link = join(folder, 'metheus-progress-link');
    symlinkSync(target, link);
    await parentIn(folder);
    assert.deepEqual([own, shared, link, target].map(existsSync), [false, true, true, true]);
  });

  it('does not remove the directory of another user', {
    skip: !isRoot && 'needs root to change the owner of a directory',
  }, async (t) => {
    const folder = temporaryFolder(t);
    const other = plant(folder, 'other');
    writeFileSync(join(other, 'owner'), ENDED);
    chownSync(other, UID, UID);
    await parentIn(folder);
    assert.ok(existsSync(join(other, 'owner')));
  });

  it('ignores files in its directory that are not boards or texts', async (t) => {
    const folder = temporaryFolder(t);
    const code = `
      import { spawnSync } from 'node:child_process';
      import { symlinkSync, truncateSync, writeFileSync } from 'node:fs';
      import { setTimeout } from 'node:timers/promises';
      import { progressEnv } from 'metheus/progress';
      const directory = progressEnv().METHEUS_PROGRESS_PARENT;
      spawnSync('mkfifo', [directory + '/pipe.board', directory + '/pipe.stdout']);
      symlinkSync('/dev/zero', directory + '/link.board');
      symlinkSync('/dev/zero', directory + '/link.stderr');
      writeFileSync(directory + '/text.board', 'text');
      writeFileSync(directory + '/sparse.board', JSON.stringify({ pid: process.pid, start: 0, bootId: '' }));
      truncateSync(directory + '/sparse.board', 2 ** 40);
      await setTimeout(1500);
      console.log(process.memoryUsage().rss < 400 * 2 ** 20);
    `;
    assert.equal(await run(folder, code), 'true\n');
    assert.deepEqual(readdirSync(folder), [], 'the directory is removed at exit');
  });
});

describe('a child', () => {
  const bars = `
    import { tqdm } from 'metheus/progress';
    for (const _ of tqdm([1, 2, 3], { file: process.stdout, output: 'json' }));
  `;
  const drawnBy = async (folder: string, directory: string) =>
    (await run(folder, bars, { METHEUS_PROGRESS_PARENT: directory })) === '' ? 'parent' : 'child';

  it('shows its bars in a directory of the same user', async (t) => {
    const folder = temporaryFolder(t);
    assert.equal(await drawnBy(folder, plant(folder, 'own')), 'parent');
  });

  it('draws its bars itself if other users can write to the directory, or if it is a link', async (t) => {
    const folder = temporaryFolder(t);
    const [shared, link] = [plant(folder, 'shared', 0o777), join(folder, 'link')];
    fifo(join(shared, 'owner'));
    symlinkSync(plant(folder, 'own'), link);
    for (const directory of [shared, link, join(folder, 'nowhere'), '/dev/zero']) {
      assert.equal(await drawnBy(folder, directory), 'child', directory);
    }
  });

  it('draws its bars itself if the directory belongs to another user', {
    skip: !isRoot && 'needs root to change the owner of a directory',
  }, async (t) => {
    const folder = temporaryFolder(t);
    const other = plant(folder, 'other');
    chownSync(other, UID, UID);
    assert.equal(await drawnBy(folder, other), 'child');
    assert.deepEqual(readdirSync(other), []);
  });
});
