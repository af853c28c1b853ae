/** How many source files a reader has to enter to follow a call to its end. See "Ways" in `docs/architecture.md`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startRedis } from './backends/redis/server.js';
import { requireTool } from './support/tools.js';
import type { Way } from './ways/ways.js';

const MAIN = fileURLToPath(new URL('./ways/main.js', import.meta.url));

/** The number of files that each way has reached. A change that shortens a way lowers its number. */
const MAX_FILES: Readonly<Record<Way, number>> = { scrape: 30, bar: 16, terminal: 18, worker: 49, redis: 9 };

async function filesOf(way: Way, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, way], {
    env: { ...process.env, ...env },
  });
  return stdout.trim().split('\n');
}

function assertHeld(way: Way, files: readonly string[]): void {
  const max = MAX_FILES[way];
  assert.ok(files.length > 3, `few files ran: ${files}`);
  assert.ok(files.length <= max, `${files.length} files, where there were ${max}:\n${files.join('\n')}`);
}

describe('ways through the source', () => {
  it('a counted call and its scrape', async () => assertHeld('scrape', await filesOf('scrape')));

  it('an update of a bar that draws into a file', async () => assertHeld('bar', await filesOf('bar')));

  it('an update of a bar that draws on a terminal', async () =>
    assertHeld('terminal', await filesOf('terminal')));

  it('an update in a worker thread, until it is drawn and published', async () =>
    assertHeld('worker', await filesOf('worker')));

  it('a flush of the Redis backend', { skip: requireTool('redis-server') }, async () => {
    const server = await startRedis();
    try {
      assertHeld('redis', await filesOf('redis', { REDIS_PORT: String(server.port) }));
    } finally {
      await server.stop();
    }
  });
});
