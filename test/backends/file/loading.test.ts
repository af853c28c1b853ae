/** Loading the file backend by the environment, late, and another one after it, with threads and bars. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadBackend, SingleProcessBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { TqdmPromProxy } from 'metheus/progress';
import { activeBackend } from '#metheus/backends/active-backend.js';
import { until } from '../../support/processes.js';
import {
  atEnd,
  Child,
  filesIn,
  IN_CI,
  makeDirectory,
  onlyValue,
  openBackend,
  program,
  readStranger,
  samplesOf,
  scrapeOf,
  startObeying,
} from './support.js';

describe('the environment', () => {
  it('chooses the backend without a change of the program', async (t) => {
    const directory = makeDirectory(t);
    const file = join(directory, 'config.json');
    writeFileSync(file, JSON.stringify({ directory }));
    for (const [i, config] of [JSON.stringify({ directory }), file].entries()) {
      const env = { METHEUS_BACKEND_CLASS: 'file', METHEUS_BACKEND_CONFIG: config };
      const child = new Child(t, 'environment-backend', { env });
      assert.deepEqual(await child.exited, [0, null]);
      assert.equal(samplesOf(child.output).plain_total, 5 * (i + 1));
    }
    assert.equal(await onlyValue(await openBackend(t, { directory, readOnly: true }), 'plain_total'), 10);
  });

  it('with an unknown name reports the known ones', async (t) => {
    const child = new Child(t, 'environment-backend', { env: { METHEUS_BACKEND_CLASS: 'files' } });
    assert.deepEqual(await child.exited, [0, null]);
    assert.match(child.output, /Unknown backend: given METHEUS_BACKEND_CLASS='files', expected .*'file'/);
    assert.match(child.output, /^plain_total 5$/m);
  });
});

describe('the configuration', () => {
  it('needs a directory, which has no default', () => {
    for (const config of [undefined, {}, { readOnly: true }, { directory: '' }, { directory: 3 }]) {
      assert.throws(() => new MultiProcessFileBackend(config as never), {
        code: 'METHEUS_INVALID_OPTIONS',
        message: /directory/,
      });
    }
  });

  it('rejects text in place of a flag, since "false" would count as true', () => {
    assert.throws(() => new MultiProcessFileBackend({ directory: '/x', readOnly: 'false' as never }), {
      message: "Invalid options: given readOnly: 'false', expected true or false.",
    });
  });
});

describe('loading late, and loading another backend', () => {
  it('moves all numbers, and leaves nothing that counts twice', async (t) => {
    const directory = makeDirectory(t);
    const [mover, stayer] = [await startObeying(t, undefined), await startObeying(t, directory)];
    const value = async (child: Child) => {
      const { n_total, g, h_seconds_count } = await scrapeOf(child);
      return [n_total, g, h_seconds_count];
    };
    for (const child of [mover, stayer]) {
      await child.ask({ do: 'inc', name: 'n_total', by: 4 });
      await child.ask({ do: 'gauge', name: 'g', mode: 'sum', calls: [['set', 2]] });
      await child.ask({ do: 'observe', name: 'h_seconds', buckets: [1], value: 0.5 });
    }
    for (let i = 0; i < 4; i++) {
      await mover.ask({ do: 'load', config: { directory } });
      assert.deepEqual(await value(mover), [8 + i, 4, 2]);
      assert.deepEqual(await value(stayer), [8 + i, 4, 2]);
      await mover.ask({ do: 'leave' });
      assert.deepEqual(await value(mover), [4 + i, 2, 1]);
      assert.deepEqual(await value(stayer), [4, 2, 1]);
      await mover.ask({ do: 'inc', name: 'n_total' });
    }
    await stayer.ask({ do: 'compact' });
    assert.equal(filesIn(directory).length, 1, 'the file left behind is compacted though the process runs');
    assert.deepEqual(await value(stayer), [4, 2, 1]);
    // From one directory to another.
    const other = makeDirectory(t);
    await stayer.ask({ do: 'load', config: { directory: other } });
    assert.deepEqual(await value(stayer), [4, 2, 1]);
    assert.equal((await onlyValue(await openBackend(t, { directory, readOnly: true }), 'n_total')) ?? 0, 0);
  });
});

describe('worker threads', () => {
  const count = IN_CI ? 500 : 60;
  it(`terminated at random, ${count} of them, do not abort the process and lose nothing`, async (t) => {
    const directory = makeDirectory(t);
    const child = new Child(t, 'terminated-threads', { args: [directory, String(count)] });
    const told = await child.hear<number>();
    assert.deepEqual(await child.exited, [0, null], child.output);
    const backend = await openBackend(t, { directory, readOnly: true });
    assert.equal(await onlyValue(backend, 'finished_total'), count);
    for (const name of ['ticks_total', 'kinds_total']) {
      const total = (await readStranger(backend, name)).reduce((sum, [, [value]]) => sum + value!, 0);
      // A thread may end after it has counted and before it reports that.
      assert.ok(
        total >= told && total <= told + count,
        `${name}: ${total} in the file, ${told} were told of`,
      );
    }
    assert.equal((await readStranger(backend, 'kinds_total')).length, 50);
    // Records of ended threads are used again after a second.
    assert.ok((await onlyValue(backend, 'metheus_backend_bytes'))! < 1 << 20);
  });

  it('never load koffi, and are read while they run and afterwards', async (t) => {
    const directory = makeDirectory(t);
    const env = { METHEUS_BACKEND_CLASS: 'file', METHEUS_BACKEND_CONFIG: JSON.stringify({ directory }) };
    const child = await startObeying(t, undefined, { env });
    const module = program('single-count-thread').href;
    const told = await child.ask({ do: 'threads', module, count: 3, data: 'thread' });
    assert.deepEqual(told, [{ koffi: false }, { koffi: false }, { koffi: false }]);
    assert.equal(await child.ask({ do: 'koffi' }), true);
    assert.equal((await scrapeOf(child))['exits_total{at="thread"}'], 3);
    const reader = await openBackend(t, { directory, readOnly: true });
    // A timer copies the numbers, so that others see them without a scrape.
    await until(
      'the numbers of threads',
      async () => (await readStranger(reader, 'exits_total'))[0]?.[1][0] === 3 || undefined,
    );
    await child.kill();
    assert.equal((await readStranger(reader, 'exits_total'))[0]?.[1][0], 3);
  });
});

describe('progress bars of four processes and four threads', () => {
  it('add up at the proxy of another process, and fail when their process is killed', async (t) => {
    const directory = makeDirectory(t);
    await loadBackend(MultiProcessFileBackend, { directory });
    atEnd(t, () => loadBackend(SingleProcessBackend));
    const proxy = new TqdmPromProxy({ httpHost: '127.0.0.1', httpPort: 0, name: 'shared' });
    await proxy.start();
    atEnd(t, () => proxy.stop());
    const numbers = async () => {
      await activeBackend().flush();
      const samples = samplesOf(await (await fetch(proxy.url!)).text());
      return {
        completed: samples['progress_completed_total{bucket="Job",unit="it"}'],
        expected: samples['progress_expected{bucket="Job",unit="it"}'],
        active: samples['progress_active_bars{bucket="Job"}'],
        failed: samples['progress_failed_bars_total{bucket="Job"}'],
        finished: samples['progress_finished_bars_total{bucket="Job"}'],
      };
    };
    const own = proxy.tqdm(null, { desc: 'Job', total: 100, disable: true });
    own.update(1);
    const children = await Promise.all([1, 2, 3, 4].map(() => startObeying(t, directory)));
    for (const child of children) await child.ask({ do: 'bar', desc: 'Job', total: 100, n: 10 });
    const { Worker } = await import('node:worker_threads');
    const workers = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const worker = new Worker(program('bar-thread'));
        atEnd(t, () => worker.terminate());
        await new Promise((resolve) => worker.once('message', resolve));
        return worker;
      }),
    );
    const all = { completed: 441, expected: 900, finished: 0 };
    assert.deepEqual(await numbers(), { ...all, active: 9, failed: 0 });
    await children[0]!.kill();
    assert.deepEqual(await numbers(), { ...all, active: 8, failed: 1 });
    await (activeBackend().backend as MultiProcessFileBackend).compact();
    assert.deepEqual(await numbers(), { ...all, active: 8, failed: 1 });
    await workers[0]!.terminate();
    assert.deepEqual(await numbers(), { ...all, active: 7, failed: 2 });
    own.close();
    const { active, failed } = await numbers();
    assert.deepEqual({ active, failed }, { active: 6, failed: 2 });
  });
});
