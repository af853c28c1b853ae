/** How many source files a reader has to enter to follow a call to its end. See "Ways" in `docs/architecture.md`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startRedis } from './backends/redis/server.js';
import { requireTool } from './support/tools.js';
import type { Way } from './ways/ways.js';

const MAIN = fileURLToPath(new URL('./ways/main.js', import.meta.url));

/** The number of files that each way has reached. A change that shortens a way lowers its number. */
const MAX_FILES: Readonly<Record<Way, number>> = { scrape: 24, bar: 13, terminal: 15, worker: 35, redis: 10 };

async function filesOf(way: Way, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, way], {
    // Bars in continuous integration are drawn as lines, every ten seconds.
    env: { ...process.env, CI: '', ...env },
  });
  return stdout.trim().split('\n');
}

function assertHeld(way: Way, files: readonly string[]): void {
  const max = MAX_FILES[way];
  assert.ok(files.length > 3, `few files ran: ${files}`);
  assert.ok(files.length <= max, `${files.length} files, where there were ${max}:\n${files.join('\n')}`);
}

/** Asserts that the section of `docs/architecture.md` lists these files and no others. */
function assertListed(heading: string, files: readonly string[]): void {
  const section = readFileSync('docs/architecture.md', 'utf8')
    .split(`\n### ${heading}\n`)[1]
    ?.split(/\n##+ /)[0];
  const list = section?.split('\n\n').find((paragraph) => paragraph.trim().startsWith('1. '));
  const listed = [...(list ?? '').matchAll(/`([\w/-]+\.ts)`/g)].map(([, file]) => file!);
  const missing = files.filter((file) => !listed.includes(file));
  const extra = listed.filter((file) => !files.includes(file));
  assert.deepEqual(
    { missing, extra },
    { missing: [], extra: [] },
    `update '${heading}' in docs/architecture.md`,
  );
}

describe('ways through the source', () => {
  it('a counted call and its scrape', async () => {
    const files = await filesOf('scrape');
    assertHeld('scrape', files);
    assertListed('A call that counts, and the scrape that shows it', files);
  });

  it('an update of a bar that draws into a file', async () => {
    const files = await filesOf('bar');
    assertHeld('bar', files);
    assertListed('An update of a bar that draws into a file', files);
  });

  it('an update of a bar that draws on a terminal', async () =>
    assertHeld('terminal', await filesOf('terminal')));

  it('an update in a worker thread, until it is drawn and published', async () => {
    const files = await filesOf('worker');
    assertHeld('worker', files);
    assertListed('An update in a worker thread, until it is drawn and published', files);
  });

  it('a flush of the Redis backend', { skip: requireTool('redis-server') }, async () => {
    const server = await startRedis();
    try {
      const files = await filesOf('redis', { REDIS_PORT: String(server.port) });
      assertHeld('redis', files);
      assertListed('A flush of the Redis backend', files);
    } finally {
      await server.stop();
    }
  });
});
