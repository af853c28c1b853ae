/** Liveness of processes: pids are reused, and are equal in different containers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { MultiProcessFileBackend } from 'metheus/backends/file';
import { LIVE_BY_LOCK, LIVE_BY_PID } from '#metheus/backends/file/layout.js';
import { FileWriter } from '#metheus/backends/file/writer.js';
import {
  type Child,
  filesIn,
  MAPPINGS,
  makeDirectory,
  onlyValue,
  openBackend,
  scrapeOf,
  startObeying,
  WITHOUT_KOFFI,
} from './support.js';
import { COUNTED, int32, leaveFile, patch } from './written-files.js';

const PID = 24;
const LIVENESS = 28;
const START = 32;
const BOOT_ID = 48;
const PID_NAMESPACE = 88;

const float64 = (value: number) => new Uint8Array(Float64Array.of(value).buffer);

/** Writes a file whose header has the pid of this process. */
function forge(directory: string, liveness: number, start: number): string {
  const path = leaveFile(directory, 7);
  patch(path, PID, int32(process.pid));
  patch(path, LIVENESS, int32(liveness));
  patch(path, START, float64(start));
  return path;
}

const compacted = async (backend: MultiProcessFileBackend, directory: string) => {
  await backend.compact();
  return filesIn(directory).length === 1;
};

for (const [name, get] of MAPPINGS) {
  describe(`the file of an earlier process, ${name}`, () => {
    it('with the pid of this process is never written, and is compacted', async (t) => {
      const directory = makeDirectory(t);
      const path = forge(directory, name === 'koffi' ? LIVE_BY_LOCK : LIVE_BY_PID, 12345);
      const before = readFileSync(path);
      const backend = await openBackend(t, { directory }, { mapping: get() });
      const { page, offset } = backend.reserve({ family: COUNTED, labels: [] });
      page[offset] = 100;
      await backend.flush();
      assert.deepEqual(readFileSync(path), before);
      assert.equal(filesIn(directory).length, 2);
      assert.equal(await onlyValue(backend, 'counted_total'), 7, 'our own is not asked for');
      assert.ok(await compacted(backend, directory));
      assert.equal(await onlyValue(backend, 'counted_total'), 7);
    });

    it('is compacted once when the machine has restarted and pid 1 exists again', async (t) => {
      const directory = makeDirectory(t);
      for (let i = 0; i < 3; i++) {
        const path = forge(directory, i === 0 ? LIVE_BY_LOCK : LIVE_BY_PID, 0);
        patch(path, PID, int32(1));
        patch(path, BOOT_ID, Buffer.from('00000000-1111-2222-3333-444444444444'));
      }
      const backend = await openBackend(t, { directory }, { mapping: get() });
      for (let i = 0; i < 3; i++) {
        assert.ok(await compacted(backend, directory));
        assert.equal(await onlyValue(backend, 'counted_total'), 21);
      }
    });

    it('is compacted when it is closed, although the process still runs', async (t) => {
      const directory = makeDirectory(t);
      const writer = new FileWriter(directory, get());
      const { page, offset } = writer.reserve({ family: COUNTED, labels: [] });
      page[offset] = 3;
      const backend = await openBackend(t, { directory }, { mapping: get() });
      assert.equal(await compacted(backend, directory), false);
      writer.close();
      await onlyValue(backend, 'counted_total');
      assert.ok(await compacted(backend, directory));
      assert.equal(await onlyValue(backend, 'counted_total'), 3);
    });
  });
}

describe('a file without a lock', () => {
  it('of another pid namespace may belong to a living process, and is left alone', async (t) => {
    const directory = makeDirectory(t);
    patch(forge(directory, LIVE_BY_PID, 12345), PID_NAMESPACE, float64(4));
    const backend = await openBackend(t, { directory });
    assert.equal(await compacted(backend, directory), false);
  });

  it('of a process with koffi is checked by pid without koffi, and the other way round', async (t) => {
    const directory = makeDirectory(t);
    const [one, other] = [
      await startObeying(t, directory),
      await startObeying(t, directory, { execArgv: WITHOUT_KOFFI }),
    ];
    const both = [one, other];
    for (const child of both)
      await child.ask({ do: 'gauge', name: 'g', mode: 'livesum', calls: [['set', 5]] });
    await other.ask({ do: 'flush' });
    for (const child of both) {
      await child.ask({ do: 'compact' });
      assert.equal((await scrapeOf(child)).g, 10);
    }
    assert.equal(filesIn(directory).length, 2);
    await other.kill();
    assert.equal((await scrapeOf(one)).g, 5);
    await one.ask({ do: 'compact' });
    assert.equal(filesIn(directory).length, 1);
    const third = await startObeying(t, directory, { execArgv: WITHOUT_KOFFI });
    await one.kill();
    await third.ask({ do: 'scrape' });
    await third.ask({ do: 'gauge', name: 'g', mode: 'livesum', calls: [['set', 1]] });
    assert.equal((await scrapeOf(third)).g, 1);
  });
});

const mayUnshare = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

describe('two pid namespaces that share a directory', () => {
  const skip = !mayUnshare && 'unshare is not permitted here';

  it('do not collide, and living processes do not count as ended', { skip }, async (t) => {
    const directory = makeDirectory(t);
    const wrapper = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const children: Child[] = [];
    for (let i = 0; i < 3; i++) children.push(await startObeying(t, directory, i === 0 ? {} : { wrapper }));
    for (const [i, child] of children.entries()) {
      const calls = [['set', i + 1]] as const;
      const pid = await child.ask({ do: 'gauge', name: 'g', mode: 'livesum', calls });
      if (i > 0) assert.equal(pid, 1);
      await child.ask({ do: 'inc', name: 'n_total', by: 10 ** i });
    }
    for (const child of children) {
      await child.ask({ do: 'compact' });
      const { g, n_total } = await scrapeOf(child);
      assert.deepEqual({ g, n_total }, { g: 6, n_total: 111 });
    }
    assert.equal(filesIn(directory).length, 3);
    await children[1]!.kill();
    for (const child of [children[0]!, children[2]!]) {
      await child.ask({ do: 'compact' });
      const { g, n_total } = await scrapeOf(child);
      assert.deepEqual({ g, n_total }, { g: 4, n_total: 111 });
    }
    assert.deepEqual(readdirSync(directory).includes('archive.metheus'), true);
    assert.equal(filesIn(directory).length, 2);
    assert.ok(filesIn(directory).every((file) => readFileSync(join(directory, file)).length > 0));
  });
});
