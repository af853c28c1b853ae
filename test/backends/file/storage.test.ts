/** Errors of storage: the program continues to count in memory, and its numbers move to a file when they can. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { MultiProcessFileBackend } from 'metheus/backends/file';
import { until } from '../../support/processes.js';
import {
  atEnd,
  type Child,
  filesIn,
  IN_CI,
  makeDirectory,
  onlyValue,
  openBackend,
  readStranger,
  scrapeOf,
  startObeying,
  WITHOUT_KOFFI,
} from './support.js';

const isRoot = process.getuid?.() === 0;
const mayMount = (() => {
  if (!isRoot) return false;
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
})();
/** The unprivileged user. */
const UID = 65534;

const seriesOf = (samples: Record<string, number>) =>
  Object.keys(samples).filter((name) => name.startsWith('s_total')).length;

/** Waits until other processes see all series, each with the count `by`. */
async function seesAll(reader: MultiProcessFileBackend, count: number, by: number): Promise<void> {
  await until('the series in the files', async () => {
    const series = (await readStranger(reader, 's_total')).filter(([, [value]]) => value === by);
    return series.length === count ? true : undefined;
  });
}

const errorsOf = (samples: Record<string, number>) => samples['metheus_backend_errors_total{kind="write"}']!;

/** Asserts that there is one warning for each kind of error, for any number of series. */
async function warnings(child: Child, wanted: RegExp): Promise<void> {
  const heard = await child.ask<string[]>({ do: 'warnings' });
  assert.equal(heard.length, 1, heard.join('\n'));
  assert.match(heard[0]!, wanted);
}

describe('a full disk', () => {
  const skip = !mayMount && 'mount is not permitted here';
  for (const [name, execArgv] of [
    ['koffi', []],
    ['without koffi', WITHOUT_KOFFI],
  ] as const) {
    it(`does not stop counting, and new room is used, ${name}`, { skip }, async (t) => {
      const directory = makeDirectory(t);
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', directory]);
      assert.equal(mounted.status, 0, String(mounted.stderr));
      atEnd(t, () => spawnSync('umount', ['-l', directory]));
      const filler = join(directory, 'filler');
      assert.throws(() => writeFileSync(filler, Buffer.alloc(4 << 20)), /ENOSPC/);
      // Enough for the file and half a chunk.
      writeFileSync(filler, Buffer.alloc((2 << 20) - 65536 - 32768));
      const child = await startObeying(t, directory, { execArgv });
      assert.equal(filesIn(directory).length, 1);
      await child.ask({ do: 'inc', name: 's_total', series: 2000 });
      await child.ask({ do: 'inc', name: 's_total', series: 2000, by: 2 });
      const samples = await scrapeOf(child);
      assert.equal(seriesOf(samples), 2000);
      assert.equal(samples['s_total{i="1999"}'], 3);
      assert.ok(errorsOf(samples) > 100, `${errorsOf(samples)} series stayed in memory`);
      if (name === 'koffi') await warnings(child, /stay in memory.*ENOSPC/);
      const reader = await openBackend(t, { directory, readOnly: true });
      assert.ok((await readStranger(reader, 's_total')).length < 1500);

      unlinkSync(filler);
      await child.ask({ do: 'inc', name: 'new_total' });
      await seesAll(reader, 2000, 3);
      assert.equal(await onlyValue(reader, 'new_total'), 1);
      assert.equal(filesIn(directory).length, 1);
      const after = await scrapeOf(child);
      assert.equal(seriesOf(after), 2000);
      assert.equal(errorsOf(after), errorsOf(samples), 'nothing more went wrong');
      await child.kill();
      if (name === 'koffi') await seesAll(reader, 2000, 3);
    });
  }

  it('from the start does not stop counting, and new room is used', { skip }, async (t) => {
    const directory = makeDirectory(t);
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', directory]);
    atEnd(t, () => spawnSync('umount', ['-l', directory]));
    const filler = join(directory, 'filler');
    writeFileSync(filler, Buffer.alloc(65536));
    const child = await startObeying(t, directory);
    await child.ask({ do: 'inc', name: 's_total', series: 3 });
    assert.equal(seriesOf(await scrapeOf(child)), 3);
    await warnings(child, /ENOSPC/);
    assert.equal(filesIn(directory).length, 0);
    unlinkSync(filler);
    const reader = await openBackend(t, { directory, readOnly: true });
    await seesAll(reader, 3, 1);
    assert.ok(errorsOf(await scrapeOf(child)) >= 3);
  });
});

describe('a limit of file sizes', () => {
  it('does not stop counting, and numbers stay in memory', async (t) => {
    const directory = makeDirectory(t);
    // In units of 512 bytes: one and a half chunks.
    const wrapper = ['sh', '-c', 'ulimit -f 192; exec "$@"', 'sh'];
    const child = await startObeying(t, directory, { wrapper });
    await child.ask({ do: 'inc', name: 's_total', series: 2000 });
    const samples = await scrapeOf(child);
    assert.equal(seriesOf(samples), 2000);
    assert.ok(errorsOf(samples) > 100);
    await warnings(child, /EFBIG/);
    const reader = await openBackend(t, { directory, readOnly: true });
    const inFile = (await readStranger(reader, 's_total')).length;
    assert.ok(inFile > 100 && inFile < 2000);
  });
});

describe('a file that disappears', () => {
  for (const [what, remove] of [
    ['itself', (directory: string) => unlinkSync(join(directory, filesIn(directory)[0]!))],
    ['with its directory', (directory: string) => rmSync(directory, { recursive: true })],
  ] as const) {
    it(`${what} is created again with the same values`, async (t) => {
      const directory = join(makeDirectory(t), 'deep', 'er');
      const child = await startObeying(t, directory);
      await child.ask({ do: 'inc', name: 's_total', series: 800 });
      await child.ask({ do: 'gauge', name: 'g', mode: 'max', calls: [['set', 4]] });
      const { metheus_backend_bytes: _, ...before } = await scrapeOf(child);
      for (let i = 0; i < 3; i++) {
        remove(directory);
        // Its own scrape detects this at once, the other processes within a second.
        if (i > 0) {
          const { metheus_backend_bytes: __, ...after } = await scrapeOf(child);
          assert.deepEqual(after, before);
        }
        const reader = await openBackend(t, { directory, readOnly: true });
        await seesAll(reader, 800, 1);
        assert.equal(await onlyValue(reader, 'g'), 4);
      }
      await child.ask({ do: 'inc', name: 's_total', series: 800 });
      assert.equal((await scrapeOf(child))['s_total{i="799"}'], 2);
    });
  }

  it('and cannot be created again continues in memory', {
    skip: !isRoot && 'needs root to change to an unprivileged user',
  }, async (t) => {
    const parent = makeDirectory(t);
    const directory = join(parent, 'metrics');
    mkdirSync(directory, { mode: 0o777 });
    chmodSync(parent, 0o755);
    chmodSync(directory, 0o777);
    const child = await startObeying(t, directory, { uid: UID });
    await child.ask({ do: 'inc', name: 's_total', series: 10 });
    rmSync(directory, { recursive: true });
    for (let i = 0; i < 2; i++) assert.equal(seriesOf(await scrapeOf(child)), 10);
    assert.ok(errorsOf(await scrapeOf(child)) > 0);
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    const reader = await openBackend(t, { directory, readOnly: true });
    await seesAll(reader, 10, 1);
  });
});

describe('a directory that is moved away and back', () => {
  for (const [name, execArgv] of [
    ['koffi', []],
    ['without koffi', WITHOUT_KOFFI],
  ] as const) {
    it(`does not count anything twice, ${name}`, async (t) => {
      const parent = makeDirectory(t);
      const [directory, away] = [join(parent, 'metrics'), join(parent, 'away')];
      const child = await startObeying(t, directory, { execArgv });
      await child.ask({ do: 'inc', name: 'n_total', by: 100 });
      await child.ask({ do: 'inc', name: 's_total', series: 800 });
      for (let round = 0; round < 2; round++) {
        renameSync(directory, away);
        const { n_total, ...samples } = await scrapeOf(child);
        assert.deepEqual([n_total, seriesOf(samples)], [100, 800]);
        const reader = await openBackend(t, { directory: away, readOnly: true });
        assert.equal(await onlyValue(reader, 'n_total'), undefined, 'the numbers have moved');
        assert.deepEqual(await readStranger(reader, 's_total'), []);
        rmSync(directory, { recursive: true });
        renameSync(away, directory);
        const back = await scrapeOf(child);
        assert.deepEqual([back.n_total, seriesOf(back), back['s_total{i="799"}']], [100, 800, 1]);
      }
      await child.kill();
      const reader = await openBackend(t, { directory, readOnly: true });
      assert.equal(await onlyValue(reader, 'n_total'), 100);
    });
  }
});

describe('a directory that cannot be searched for a moment', () => {
  it('keeps the file of the process, and nothing is counted twice', {
    skip: !isRoot && 'needs root to change to an unprivileged user',
  }, async (t) => {
    const directory = makeDirectory(t);
    chownSync(directory, UID, UID);
    const child = await startObeying(t, directory, { uid: UID });
    await child.ask({ do: 'inc', name: 'n_total', by: 100 });
    assert.equal((await scrapeOf(child)).n_total, 100);
    chmodSync(directory, 0);
    for (let i = 0; i < 2; i++) assert.equal((await scrapeOf(child)).n_total, 100);
    await child.ask({ do: 'inc', name: 'n_total', by: 1 });
    assert.equal((await scrapeOf(child)).n_total, 101);
    chmodSync(directory, 0o700);
    assert.equal((await scrapeOf(child)).n_total, 101);
    assert.equal(filesIn(directory).length, 1);
    const reader = await openBackend(t, { directory, readOnly: true });
    assert.equal(await onlyValue(reader, 'n_total'), 101);
  });
});

describe('a directory that cannot be written', () => {
  const skip = !isRoot && 'needs root to change to an unprivileged user';
  it('keeps everything in memory, with one warning', { skip }, async (t) => {
    const directory = makeDirectory(t);
    chmodSync(directory, 0o755);
    const child = await startObeying(t, directory, { uid: UID });
    await child.ask({ do: 'inc', name: 's_total', series: 500 });
    await child.ask({ do: 'compact' });
    const samples = await scrapeOf(child);
    assert.equal(seriesOf(samples), 500);
    assert.ok(errorsOf(samples) >= 500);
    const heard = (await child.ask<string[]>({ do: 'warnings' })).filter((text) =>
      /stay in memory/.test(text),
    );
    assert.equal(heard.length, 1);
    assert.match(heard[0]!, /EACCES/);
    chmodSync(directory, 0o777);
    const reader = await openBackend(t, { directory, readOnly: true });
    await seesAll(reader, 500, 1);
  });

  it('or read does not fail a scrape', { skip }, async (t) => {
    const directory = makeDirectory(t);
    chmodSync(directory, 0o700);
    const child = await startObeying(t, directory, { uid: UID });
    await child.ask({ do: 'inc', name: 's_total', series: 5 });
    assert.equal(seriesOf(await scrapeOf(child)), 5);
    assert.equal(seriesOf(await scrapeOf(child)), 5);
  });

  it('on a read-only file system keeps everything in memory', {
    skip: !mayMount && 'mount is not permitted here',
  }, async (t) => {
    const directory = makeDirectory(t);
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,ro', 'none', directory]);
    atEnd(t, () => spawnSync('umount', ['-l', directory]));
    const child = await startObeying(t, directory);
    await child.ask({ do: 'inc', name: 's_total', series: 5 });
    assert.equal(seriesOf(await scrapeOf(child)), 5);
    await warnings(child, /EROFS/);
  });

  it('because its path is a file or cannot exist keeps everything in memory', async (t) => {
    const file = join(makeDirectory(t), 'file');
    writeFileSync(file, '');
    for (const directory of [file, join(file, 'below'), '/proc/no/such']) {
      const child = await startObeying(t, directory);
      await child.ask({ do: 'inc', name: 's_total', series: 5 });
      assert.equal(seriesOf(await scrapeOf(child)), 5);
      await child.kill();
    }
    assert.ok(existsSync(file));
  });
});

if (IN_CI && !mayMount) throw new Error('In continuous integration a tmpfs must be mountable');
