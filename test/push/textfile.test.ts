/** Files for node_exporter, read by a real one. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CollectorRegistry, createCounter, createFamily } from 'metheus';
import { writeTextfile } from 'metheus/push';
import { freePort, startProcess, until } from '../support/processes.js';
import { requireTool } from '../support/tools.js';

describe('writeTextfile', () => {
  let folder: string;
  let path: string;
  let registry: CollectorRegistry;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'metheus-textfile-'));
    path = join(folder, 'backup.prom');
    registry = new CollectorRegistry();
    createCounter('backup_rows_total', 'Rows.', { requiredLabels: ['table'], registry })
      .labels({ table: 'a' })
      .inc(5);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('writes a file that node_exporter serves', {
    skip: requireTool('prometheus-node-exporter'),
  }, async () => {
    const stamped = createFamily('stamped', 'With a time.', {
      type: 'gauge',
      series: [{ value: 2, timestamp: 1 }],
    });
    await writeTextfile(path, {
      registry: { collect: async () => [...(await registry.collect()), stamped] },
    });
    const port = await freePort();
    const exporter = startProcess('prometheus-node-exporter', [
      `--web.listen-address=127.0.0.1:${port}`,
      '--collector.disable-defaults',
      '--collector.textfile',
      `--collector.textfile.directory=${folder}`,
      '--log.level=error',
    ]);
    try {
      const text = await until('node_exporter', async () => {
        const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
        return response?.ok ? response.text() : undefined;
      });
      assert.match(text, /^backup_rows_total\{table="a"\} 5$/m);
      assert.match(text, /^stamped 2$/m);
      assert.match(text, /^node_textfile_scrape_error 0$/m);
    } finally {
      await exporter.stop();
    }
  });

  it('replaces the file as a whole, and leaves no other', async () => {
    await writeFile(path, 'old');
    await writeTextfile(path, { registry, mode: 0o640 });
    assert.match(await readFile(path, 'utf8'), /^backup_rows_total\{table="a"\} 5$/m);
    assert.equal((await stat(path)).mode & 0o777, 0o640);
    assert.deepEqual(await readdir(folder), ['backup.prom']);
  });

  it('keeps the old file when the collection fails', async () => {
    await writeFile(path, 'old');
    const failing = { collect: () => Promise.reject(new Error('no numbers')) };
    await assert.rejects(writeTextfile(path, { registry: failing }), { message: 'no numbers' });
    assert.equal(await readFile(path, 'utf8'), 'old');
    assert.deepEqual(await readdir(folder), ['backup.prom']);
  });

  it('leaves no file behind when it cannot replace the old one', async () => {
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(path, 'full'), { recursive: true });
    await assert.rejects(writeTextfile(path, { registry }), { code: /EISDIR|ENOTEMPTY|EEXIST/ });
    assert.deepEqual(await readdir(folder), ['backup.prom']);
  });

  it('rejects unknown options', async () => {
    await assert.rejects(writeTextfile(path, { registries: registry } as object), {
      code: 'METHEUS_INVALID_OPTIONS',
      message: /Write registry/,
    });
  });

  it('rejects names that node_exporter does not read', async () => {
    await assert.rejects(writeTextfile(join(folder, 'backup.txt'), { registry }), {
      code: 'METHEUS_INVALID_OPTIONS',
    });
  });
});
