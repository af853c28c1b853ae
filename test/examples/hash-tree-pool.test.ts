/** The worker threads of the hash-tree example, given files that have changed since they were found. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generateMetrics } from 'metheus';
// The main thread of the program creates the metrics too.
import '../../examples/hash-tree/metrics.js';
import { hashAll } from '../../examples/hash-tree/pool.js';
import type { FoundFile } from '../../examples/hash-tree/walk.js';
import { temporaryFolder } from './hash-tree-run.js';

describe('the threads of hash-tree', { timeout: 300_000 }, () => {
  it('hash the files as they are now', async (t) => {
    const folder = temporaryFolder(t);
    const grown = Buffer.alloc((2 << 20) + 3, 'grown');
    writeFileSync(join(folder, 'grown'), grown);
    writeFileSync(join(folder, 'shrunk'), 'small');
    mkdirSync(join(folder, 'replaced'));
    const found = (name: string, size: number): FoundFile => ({
      path: Buffer.from(join(folder, name)),
      size,
    });
    const files = [found('grown', 1), found('shrunk', 1e9), found('vanished', 10), found('replaced', 10)];

    const done: Record<string, string> = {};
    let bytes = 0;
    await hashAll(
      files,
      2,
      (thread, report) => {
        assert.ok(thread === 1 || thread === 2);
        bytes += report.read;
        if (report.done === undefined) return;
        const { path, digest, error } = report.done;
        done[
          Buffer.from(path)
            .toString()
            .slice(folder.length + 1)
        ] = digest ?? error!;
      },
      new AbortController().signal,
    );
    const sum = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
    assert.equal(bytes, grown.length + 5);
    assert.deepEqual(Object.keys(done).sort(), ['grown', 'replaced', 'shrunk', 'vanished']);
    assert.equal(done.grown, sum(grown));
    assert.equal(done.shrunk, sum('small'));
    assert.match(done.vanished!, /ENOENT/);
    assert.match(done.replaced!, /EISDIR/);

    const served = await generateMetrics();
    for (const line of [
      'hash_files_total 2',
      `hash_bytes_total ${grown.length + 5}`,
      'hash_duration_seconds_count 2',
      'hash_errors_total{kind="ENOENT"} 1',
      'hash_errors_total{kind="EISDIR"} 1',
    ]) {
      assert.ok(served.includes(`\n${line}\n`), `${line} is not in\n${served}`);
    }
  });

  it('end immediately when stopped before the start', async () => {
    const report = () => assert.fail('Nothing is done');
    await hashAll([{ path: Buffer.from('any'), size: 1 }], 4, report, AbortSignal.abort());
  });

  it('end together when the files of one cannot be sent', async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'file'), 'text');
    const file = { path: Buffer.from(join(folder, 'file')), size: 4 };
    const unsendable = { path: (() => {}) as never, size: 0 };
    let reports = 0;
    const hashing = hashAll(
      [unsendable, ...Array(5000).fill(file)],
      4,
      () => reports++,
      new AbortController().signal,
    );
    await assert.rejects(hashing, { name: 'DataCloneError' });
    const before = reports;
    await new Promise(setImmediate);
    assert.equal(reports, before);
    assert.ok(reports < 5000);
  });
});
