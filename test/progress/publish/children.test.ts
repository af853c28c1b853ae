/** Bars of child processes, as published by the proxy of the process that started them. */

import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadBackend, SingleProcessBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { progressEnv, TqdmPromProxy } from 'metheus/progress';
import { activeBackend } from '#metheus/backends/active-backend.js';
import { seriesOf } from '#metheus/model/family.js';
import { BARS } from '#metheus/progress/publish/record-pool.js';
import { until } from '../../support/processes.js';
import { bucketOf, COUNTED, scrape, serve } from '../served-proxy.js';
import type { ChildOpening, ChildOrder } from './bar-child.js';

const CHILD = fileURLToPath(new URL('./bar-child.js', import.meta.url));

/** Starts a child and waits until its bar is open. */
async function startChild(t: TestContext, opening: ChildOpening, env = {}): Promise<ChildProcess> {
  const child = fork(CHILD, [JSON.stringify(opening)], {
    env: { ...process.env, ...progressEnv(), ...env },
    silent: true,
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}

/** Sends a command and waits until the child has executed it. */
async function tell(child: ChildProcess, order: ChildOrder): Promise<void> {
  child.send(order);
  await once(child, 'message');
}

/** The numbers of a bucket that do not depend on time, without those of running bars. */
async function numbersOf(proxy: TqdmPromProxy, bucket: string): Promise<Record<string, number>> {
  const found = bucketOf(await scrape(proxy), bucket);
  const other = /^(last_update|eta|rate|running)_/;
  return Object.fromEntries(Object.entries(found).filter(([name]) => !other.test(name)));
}

/** Waits until a bucket has these numbers. A child writes its numbers ten times a second. */
async function publishes(
  proxy: TqdmPromProxy,
  bucket: string,
  [completed, expected, active, incomplete, failed]: readonly [number, number, number, number, number],
  finished = 0,
): Promise<void> {
  const wanted = {
    'completed_total it': completed,
    'expected it': expected,
    active_bars: active,
    finished_bars_total: finished,
    incomplete_bars_total: incomplete,
    failed_bars_total: failed,
  };
  let found = {};
  const isEqual = async () => {
    found = await numbersOf(proxy, bucket);
    return (
      Object.entries(wanted).every(([name, value]) => found[name as keyof typeof found] === value) ||
      undefined
    );
  };
  await until('the numbers', isEqual, 20).catch(() => {});
  assert.deepEqual(found, wanted);
}

const BAR = { desc: 'Job', total: 100 };

describe('bars of child processes', { timeout: 120_000 }, () => {
  it('add up with those of the parent, and end with their process', async (t) => {
    // The default name, which the proxies of these children have too.
    const { name } = new TqdmPromProxy();
    const proxy = await serve(t, { name });
    const own = proxy.tqdm({ ...COUNTED, ...BAR });
    own.update(5);
    const children = await Promise.all([1, 2, 3, 4].map(() => startChild(t, { options: BAR })));
    await publishes(proxy, 'Job', [5, 500, 5, 0, 0]);
    for (let round = 1; round <= 3; round++) {
      await Promise.all(children.map((child, i) => tell(child, { update: 10 ** i })));
      await publishes(proxy, 'Job', [5 + 1111 * round, 500, 5, 0, 0]);
    }
    const [closing, killed, leaving, failing] = children as [
      ChildProcess,
      ChildProcess,
      ChildProcess,
      ChildProcess,
    ];
    await tell(closing, 'close');
    await publishes(proxy, 'Job', [3338, 500, 4, 1, 0]);

    const end = async (child: ChildProcess, order: ChildOrder | undefined) => {
      const ended = once(child, 'exit');
      if (order === undefined) child.kill('SIGKILL');
      else child.send(order);
      await ended;
    };
    // The numbers of an ended child are exact at once.
    await end(killed, undefined);
    assert.equal((await numbersOf(proxy, 'Job')).failed_bars_total, 1);
    await publishes(proxy, 'Job', [3338, 500, 3, 1, 1]);
    leaving.send({ update: 0.5 });
    await end(leaving, 'leave');
    assert.equal((await numbersOf(proxy, 'Job'))['completed_total it'], 3338.5);
    await publishes(proxy, 'Job', [3338.5, 500, 2, 1, 1], 1);
    await end(failing, { exit: 3 });
    await publishes(proxy, 'Job', [3338.5, 500, 1, 1, 2], 1);
    await end(closing, 'leave');
    await publishes(proxy, 'Job', [3338.5, 500, 1, 1, 2], 1);
    own.close();
  });

  it('are published from children of children, from threads of children, and if they are not drawn', async (t) => {
    const proxy = await serve(t, { name: 'nested' });
    const options = { ...BAR, disable: true };
    const nested = await startChild(t, { options, name: 'nested', nested: 'child' });
    await tell(nested, { update: 3 });
    await publishes(proxy, 'Job', [3, 100, 1, 0, 0]);
    const threaded = await startChild(t, { options: BAR, name: 'nested', nested: 'worker' });
    await tell(threaded, { update: 20 });
    await publishes(proxy, 'Job', [23, 200, 2, 0, 0]);
    threaded.send('end thread');
    await publishes(proxy, 'Job', [23, 200, 1, 0, 1]);
    nested.send('leave');
    await publishes(proxy, 'Job', [23, 200, 0, 1, 1]);
  });

  it('are updated while their process blocks its event loop', async (t) => {
    const proxy = await serve(t, { name: 'busy' });
    const folder = mkdtempSync(join(tmpdir(), 'metheus-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const child = await startChild(t, { options: BAR, name: 'busy' });
    child.send({ loopUntil: join(folder, 'done') });
    const completed = async () => (await numbersOf(proxy, 'Busy'))['completed_total it'] || undefined;
    const first = await until('the first rounds', completed, 20);
    await until('more rounds', async () => ((await completed())! > first ? true : undefined), 20);
    writeFileSync(join(folder, 'done'), '');
    await until('the end', async () => (await numbersOf(proxy, 'Busy')).finished_bars_total || undefined, 20);
  });

  it('leave only one record, for any number of children', async (t) => {
    const proxy = await serve(t, { name: 'generations' });
    for (let generation = 1; generation <= 4; generation++) {
      const child = await startChild(t, { options: BAR, name: 'generations' });
      await tell(child, { update: 10 });
      const ended = once(child, 'exit');
      child.send('leave');
      await ended;
      await publishes(proxy, 'Job', [10 * generation, 100 * generation, 0, generation, 0]);
      const [bars] = await activeBackend().snapshot({ families: [BARS], scopes: [] });
      const rows = [...seriesOf(bars!)].filter(({ labels }) => labels.proxy === 'generations');
      assert.equal(rows.length, 1);
    }
  });

  it('of another proxy are not published', async (t) => {
    const proxy = await serve(t, { name: 'here' });
    const there = await serve(t, { name: 'there' });
    await startChild(t, { options: BAR, name: 'there' });
    await publishes(there, 'Job', [0, 100, 1, 0, 0]);
    assert.deepEqual(bucketOf(await scrape(proxy), 'Job'), {});
  });

  it('are published once if the processes share a backend, even if the child loads it later', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'metheus-'));
    t.after(async () => {
      await loadBackend(SingleProcessBackend);
      rmSync(directory, { recursive: true });
    });
    const proxy = await serve(t, { name: 'shared' });
    const before = await startChild(t, { options: BAR, name: 'shared' });
    await tell(before, { update: 1 });
    await publishes(proxy, 'Job', [1, 100, 1, 0, 0]);
    await loadBackend(MultiProcessFileBackend, { directory });
    await publishes(proxy, 'Job', [1, 100, 1, 0, 0]);
    // The child keeps its own numbers until it loads the same backend.
    await tell(before, { update: 1 });
    await publishes(proxy, 'Job', [2, 100, 1, 0, 0]);
    await tell(before, { load: directory });
    await tell(before, { update: 1 });
    await publishes(proxy, 'Job', [3, 100, 1, 0, 0]);
    const after = await startChild(
      t,
      { options: BAR, name: 'shared' },
      { METHEUS_BACKEND_CLASS: 'file', METHEUS_BACKEND_CONFIG: JSON.stringify({ directory }) },
    );
    await tell(after, { update: 40 });
    await publishes(proxy, 'Job', [43, 200, 2, 0, 0]);
    const ended = Promise.all([before, after].map((child) => once(child, 'exit')));
    for (const child of [before, after]) child.kill('SIGKILL');
    await ended;
    await publishes(proxy, 'Job', [43, 200, 0, 0, 2]);
  });
});
