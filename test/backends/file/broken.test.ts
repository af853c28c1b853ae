/** Files that are broken or of another version: they are skipped and counted, and all others are served. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { MultiProcessFileBackend } from 'metheus/backends/file';
import { Descriptors } from '#metheus/backends/file/descriptors.js';
import { MetricsFile } from '#metheus/backends/file/metrics-file.js';
import { runAtOnce } from '#metheus/system/time-slice.js';
import {
  filesIn,
  IN_CI,
  makeDirectory,
  onlyValue,
  openBackend,
  readStranger,
  startObeying,
  type Test,
} from './support.js';
import { int32, leaveFile, patch } from './written-files.js';

const troubles = async (backend: MultiProcessFileBackend): Promise<number> =>
  (await readStranger(backend, 'metheus_backend_errors_total')).find(
    ([labels]) => labels === 'kind=file',
  )![1][0]!;

/** Returns a directory with a valid file, and a backend that reads it. */
async function openBesideGood(t: Test): Promise<{ directory: string; backend: MultiProcessFileBackend }> {
  const directory = makeDirectory(t);
  leaveFile(directory, 1000);
  const backend = await openBackend(t, { directory, readOnly: true });
  assert.equal(await onlyValue(backend, 'counted_total'), 1000);
  return { directory, backend };
}

/** Reads a file without a backend. */
function readWhole(path: string): MetricsFile {
  const file = new MetricsFile(path, 'some', new Descriptors());
  runAtOnce(file.read());
  return file;
}

/** Returns a deterministic random generator (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

describe('a file that cannot be read', () => {
  const HEADER: readonly (readonly [what: string, at: number, bytes: Uint8Array])[] = [
    ['another magic', 0, Buffer.from('PROMDATA')],
    ['a newer version', 8, int32(2)],
    ['a version before the first', 8, int32(0)],
    ['another byte order', 12, int32(0x04030201)],
    ['a header without end', 16, int32(2 ** 31 - 8)],
    ['a negative header', 16, int32(-8)],
    ['a negative end of records', 20, int32(-8)],
    ['an end of records that is no multiple of 8', 20, int32(100)],
    ['an end of records within the header', 20, int32(8)],
    ['an end of records behind the end of the file', 20, int32(65536 * 2)],
    ['an end of records far behind', 20, int32(2 ** 31 - 8)],
    ['an empty record', 96, int32(0)],
    ['a record of negative length', 96, int32(-64)],
    ['a record longer than the file', 96, int32(2 ** 31 - 8)],
    ['a text longer than its record', 96 + 12, int32(2 ** 31 - 1)],
    ['more cells than its record', 96 + 20, int32(2 ** 29)],
    ['an unknown kind of record', 96 + 4, int32(7)],
    ['a gap where none can be', 96 + 4, int32(0)],
    ['a family that was not declared', 96 + 16, int32(3)],
  ];
  for (const [what, at, bytes] of HEADER) {
    it(`because of ${what} is skipped and counted once`, async (t) => {
      const { directory, backend } = await openBesideGood(t);
      patch(leaveFile(directory, 1), at, bytes);
      for (let scrape = 0; scrape < 3; scrape++) {
        assert.equal(await onlyValue(backend, 'counted_total'), 1000);
        assert.equal(await troubles(backend), 1);
      }
    });
  }

  it('because it is empty is skipped and counted', async (t) => {
    const { directory, backend } = await openBesideGood(t);
    writeFileSync(join(directory, 'nothing.metheus'), '');
    assert.equal(await onlyValue(backend, 'counted_total'), 1000);
    assert.equal(await troubles(backend), 1);
  });

  it('because it is a directory, a pipe or a broken link does not block a scrape', async (t) => {
    const { directory, backend } = await openBesideGood(t);
    mkdirSync(join(directory, 'directory.metheus'));
    assert.equal(spawnSync('mkfifo', [join(directory, 'pipe.metheus')]).status, 0);
    spawnSync('ln', ['-s', '/nowhere', join(directory, 'link.metheus')]);
    for (let scrape = 0; scrape < 3; scrape++) assert.equal(await onlyValue(backend, 'counted_total'), 1000);
    assert.equal(await troubles(backend), 3);
  });

  it('because it claims a gigabyte is not read', async (t) => {
    const { directory, backend } = await openBesideGood(t);
    const path = leaveFile(directory, 1);
    truncateSync(path, 2 ** 31);
    patch(path, 20, int32(2 ** 30 + 8));
    assert.equal(await onlyValue(backend, 'counted_total'), 1000);
    assert.equal(await troubles(backend), 1);
  });

  it('stays when others are compacted', async (t) => {
    const { directory } = await openBesideGood(t);
    const broken = leaveFile(directory, 1);
    patch(broken, 8, int32(2));
    const backend = await openBackend(t, { directory });
    await backend.compact();
    assert.equal(await onlyValue(backend, 'counted_total'), 1000);
    assert.equal(statSync(broken).size, 65536);
    assert.equal(filesIn(directory).length, 2, 'the broken one and our own');
  });

  it('is served up to its first broken record', async (t) => {
    const { directory, backend } = await openBesideGood(t);
    const path = leaveFile(directory, 1, 5);
    const bytes = readFileSync(path);
    const last = bytes.lastIndexOf('"labels"');
    patch(path, last, Buffer.from('"lAbels"'));
    assert.equal(await onlyValue(backend, 'counted_total'), 1001);
    assert.equal((await readStranger(backend, 'each_total')).length, 4);
    assert.equal(await troubles(backend), 1);
  });

  it('is served up to its first broken record, or not at all, when cut at any length', async (t) => {
    const directory = makeDirectory(t);
    const path = leaveFile(directory, 7, 3);
    const whole = readWhole(path);
    const bytes = whole.content.bytes.length;
    whole.close();
    const copy = join(directory, 'copy');
    copyFileSync(path, copy);
    for (let length = bytes + 16; length >= 0; length--) {
      truncateSync(copy, length);
      const file = readWhole(copy);
      assert.equal(file.fault === undefined, length >= bytes, `cut at ${length}: ${file.fault}`);
      if (file.fault !== undefined) assert.equal([...file.tables.values()].length, 0);
      file.close();
    }
  });

  it('with flipped bits never fails a scrape', async (t) => {
    const { directory, backend } = await openBesideGood(t);
    const good = readFileSync(leaveFile(directory, 1, 20));
    const random = seeded(11);
    const victims = filesIn(directory).map((name) => join(directory, name));
    const victim = victims.find((path) => readFileSync(path).equals(good))!;
    for (let round = 0; round < (IN_CI ? 1500 : 500); round++) {
      const bytes = Buffer.from(good);
      for (let flips = 1 + random(4); flips > 0; flips--) bytes[random(3000)]! ^= 1 << random(8);
      // Once in place, after a reader has read the intact file, and once as a new file.
      writeFileSync(victim, bytes);
      assert.ok((await onlyValue(backend, 'counted_total')) !== undefined);
      const file = readWhole(victim);
      for (const table of file.tables.values()) {
        for (const value of table.values()) assert.equal(typeof value, 'number');
        assert.ok(['counted_total', 'each_total'].includes(table.family.name));
      }
      file.close();
    }
    writeFileSync(victim, good);
    assert.equal(await onlyValue(backend, 'counted_total'), 1001, 'it is read again when it is whole');
  });

  it('does not end a program that scrapes, counts and compacts', async (t) => {
    const directory = makeDirectory(t);
    for (let i = 0; i < 12; i++) patch(leaveFile(directory, 1), 96 + 8 * (i % 4), int32(-1 << i));
    for (let i = 0; i < 12; i++) leaveFile(directory, 1);
    const child = await startObeying(t, directory);
    await child.ask({ do: 'inc', name: 'counted_total' });
    await child.ask({ do: 'compact' });
    const text = await child.ask<string>({ do: 'scrape' });
    assert.match(text, /^metheus_backend_errors_total\{kind="file"\} [1-9]/m);
    assert.match(text, /^counted_total 1[3-9]$/m);
  });
});

describe('an archive that cannot be read', () => {
  const archived = async (t: Test) => {
    const directory = makeDirectory(t);
    leaveFile(directory, 5, 4);
    const backend = await openBackend(t, { directory });
    await backend.compact();
    assert.equal(await onlyValue(backend, 'counted_total'), 5);
    return { directory, backend, archive: join(directory, 'archive.metheus') };
  };

  it('because it is of another version is not replaced', async (t) => {
    const { directory, backend, archive } = await archived(t);
    patch(archive, 8, int32(2));
    const before = readFileSync(archive);
    leaveFile(directory, 1);
    await backend.compact();
    assert.deepEqual(readFileSync(archive), before);
    const compacts = (await readStranger(backend, 'metheus_backend_errors_total')).find(
      ([labels]) => labels === 'kind=compact',
    );
    assert.equal(compacts![1][0], 1);
  });

  it('completely is kept beside the new one', async (t) => {
    const { directory, backend, archive } = await archived(t);
    const bytes = readFileSync(archive);
    patch(archive, bytes.lastIndexOf('"labels"'), Buffer.from('"lAbels"'));
    leaveFile(directory, 1);
    await backend.compact();
    assert.equal(await onlyValue(backend, 'counted_total'), 6);
    assert.equal((await readStranger(backend, 'each_total')).length, 3);
    const { readdirSync } = await import('node:fs');
    assert.equal(readdirSync(directory).filter((name) => name.endsWith('.broken')).length, 1);
  });
});
