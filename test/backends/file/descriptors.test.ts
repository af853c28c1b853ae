/** More files than the process may open: a scrape serves all of them, and a compaction reduces their number. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { until } from '../../support/processes.js';
import { Child, filesIn, makeDirectory, onlyValue, openBackend, scrapeOf, startObeying } from './support.js';
import { leaveFile } from './written-files.js';

/** Runs Node with at most this number of descriptors. */
const withDescriptors = (count: number) => ['sh', '-c', `ulimit -n ${count}; exec "$@"`, 'sh'];

const leaveFiles = (directory: string, count: number) => {
  for (let i = 0; i < count; i++) leaveFile(directory, 1);
};

const fileErrors = (samples: Record<string, number>) => samples['metheus_backend_errors_total{kind="file"}'];

describe('a process that may open fewer files than there are', () => {
  it('reads all of them', async (t) => {
    const directory = makeDirectory(t);
    leaveFiles(directory, 300);
    const reader = await startObeying(t, undefined, { wrapper: withDescriptors(100) });
    await reader.ask({ do: 'load', config: { directory, readOnly: true } });
    for (let added = 0; added < 2; added++) {
      const { counted_total, metheus_backend_files } = await scrapeOf(reader);
      assert.deepEqual(
        { counted_total, metheus_backend_files },
        { counted_total: 300, metheus_backend_files: 300 },
      );
    }
    leaveFile(directory, 1);
    const samples = await scrapeOf(reader);
    assert.equal(samples.counted_total, 301);
    assert.equal(fileErrors(samples), 0);
    // The program itself can still open files.
    assert.ok((await reader.ask<number>({ do: 'take descriptors' })) > 10);
  });

  it('compacts them, and loses nothing', async (t) => {
    const directory = makeDirectory(t);
    leaveFiles(directory, 600);
    const child = await startObeying(t, directory, { wrapper: withDescriptors(100) });
    await child.ask({ do: 'inc', name: 'own_total', by: 5 });
    await until('compaction', async () => (filesIn(directory).length === 1 ? true : undefined));
    const { counted_total, own_total, ...samples } = await scrapeOf(child);
    assert.deepEqual({ counted_total, own_total }, { counted_total: 600, own_total: 5 });
    assert.equal(samples.metheus_backend_folds_total, 3, 'in batches of at most 256 files');
    assert.equal(fileErrors(samples), 0);
  });
});

describe('a process that has no descriptor left', () => {
  it('serves its own metrics at its first scrape, and all metrics later', async (t) => {
    const directory = makeDirectory(t);
    leaveFiles(directory, 5);
    const child = await startObeying(t, undefined, { wrapper: withDescriptors(100) });
    // Loads the modules of a scrape.
    await scrapeOf(child);
    await child.ask({ do: 'load', config: { directory } });
    await child.ask({ do: 'inc', name: 'own_total', by: 5 });
    await child.ask({ do: 'take descriptors' });
    const first = await scrapeOf(child);
    assert.equal(first.own_total, 5);
    await child.ask({ do: 'inc', name: 'own_total', by: 1 });
    const second = await scrapeOf(child);
    assert.equal(second.own_total, 6);
    assert.equal(fileErrors(second), 1, 'one error for the whole directory');
    await child.ask({ do: 'give descriptors back' });
    const { own_total, counted_total } = await scrapeOf(child);
    assert.deepEqual({ own_total, counted_total }, { own_total: 6, counted_total: 5 });
    const heard = await child.ask<string[]>({ do: 'warnings' });
    assert.equal(heard.length, 1, heard.join('\n'));
    assert.match(heard[0]!, /EMFILE/);
  });

  it('serves what it has read before, and reads the rest later', async (t) => {
    const directory = makeDirectory(t);
    leaveFiles(directory, 300);
    const reader = await startObeying(t, undefined, { wrapper: withDescriptors(100) });
    await reader.ask({ do: 'load', config: { directory, readOnly: true } });
    assert.equal((await scrapeOf(reader)).counted_total, 300);
    await reader.ask({ do: 'take descriptors' });
    for (let i = 0; i < 2; i++) assert.equal((await scrapeOf(reader)).counted_total, 300);
    // Another process compacts while this one can open neither the directory nor the archive.
    const backend = await openBackend(t, { directory });
    await backend.compact();
    assert.equal(filesIn(directory).length, 1);
    for (let i = 0; i < 2; i++) assert.equal((await scrapeOf(reader)).counted_total, 300);
    await reader.ask({ do: 'give descriptors back' });
    leaveFile(directory, 1);
    for (let i = 0; i < 2; i++) assert.equal((await scrapeOf(reader)).counted_total, 301);
  });
});

describe('an archive that cannot be opened', () => {
  it('is not replaced, and a reader serves the previous one', async (t) => {
    const directory = makeDirectory(t);
    const [archive, saved] = [join(directory, 'archive.metheus'), join(directory, 'saved')];
    leaveFiles(directory, 3);
    const backend = await openBackend(t, { directory });
    await backend.compact();
    assert.equal(await onlyValue(backend, 'counted_total'), 3);
    renameSync(archive, saved);
    mkdirSync(archive);
    leaveFile(directory, 1);
    await backend.compact();
    assert.equal(await onlyValue(backend, 'counted_total'), 4);
    assert.equal(filesIn(directory).length, 2, 'nothing was compacted');
    rmSync(archive, { recursive: true });
    renameSync(saved, archive);
    await backend.compact();
    assert.equal(await onlyValue(backend, 'counted_total'), 4);
    assert.equal(filesIn(directory).length, 1);
  });
});

describe('a directory whose files only a read-only process serves', () => {
  it('stays small: writers compact when they start', async (t) => {
    const directory = makeDirectory(t);
    const reader = await openBackend(t, { directory, readOnly: true });
    let most = 0;
    for (let i = 1; i <= 40; i++) {
      const writer = await openBackend(t, { directory });
      leaveFile(directory, 1);
      await writer.close();
      most = Math.max(most, filesIn(directory).length);
      assert.equal(await onlyValue(reader, 'counted_total'), i);
    }
    assert.ok(most <= 8, `${most} files at one time`);
  });

  it('stays small: writers compact when they end', async (t) => {
    const directory = makeDirectory(t);
    const child = new Child(t, 'draining-writer', { args: [directory] });
    await child.hear();
    leaveFiles(directory, 20);
    child.process.send('end');
    assert.deepEqual(await child.exited, [0, null], child.output);
    assert.deepEqual(readdirSync(directory).filter((name) => name.endsWith('.metheus')).length, 2);
    const reader = await openBackend(t, { directory, readOnly: true });
    assert.equal(await onlyValue(reader, 'counted_total'), 20);
    assert.equal(await onlyValue(reader, 'drained_total'), 1);
  });
});
