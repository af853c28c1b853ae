/** Files that other users have created in the directory. Each invalid file, family or series is refused and counted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { FamilyDescriptor } from 'metheus';
import type { MultiProcessFileBackend } from 'metheus/backends/file';
import { WrittenMapping } from '#metheus/backends/file/mapping.js';
import { FileWriter } from '#metheus/backends/file/writer.js';
import {
  filesIn,
  makeDirectory,
  onlyValue,
  openBackend,
  readStranger,
  scrapeOf,
  startObeying,
} from './support.js';
import { COUNTED, EACH, int32, leaveFile, patch } from './written-files.js';

const mapping = new WrittenMapping();

/** A series to write: its family, its labels, and optionally its writer. */
type Series = readonly [family: object, labels?: readonly unknown[], writer?: object];

/** Writes the file of an ended process. Families and labels can be anything. Each series counts 1. */
function plantFile(directory: string, series: readonly Series[]): string {
  const file = new FileWriter(directory, mapping);
  for (const [family, labels = [], writer] of series) {
    const request = { family, labels, writer } as unknown as Parameters<FileWriter['reserve']>[0];
    const { page, offset } = file.reserve(request);
    page[offset] = 1;
  }
  file.close();
  return file.path;
}

async function errorsOf(backend: MultiProcessFileBackend): Promise<Record<string, number>> {
  const all = await readStranger(backend, 'metheus_backend_errors_total');
  return Object.fromEntries(
    all.map(([labels, [count]]) => [labels.slice('kind='.length), count!]).filter(([, count]) => count !== 0),
  );
}

const namesOf = async (backend: MultiProcessFileBackend) =>
  (await backend.snapshot({ families: [], scopes: [''] }))
    .map(({ family }) => family.name)
    .filter((name) => !name.startsWith('metheus_'));

describe('a compaction', () => {
  it('does not write through a link that has the name of its temporary file', async (t) => {
    const directory = makeDirectory(t);
    const victim = join(makeDirectory(t), 'victim');
    writeFileSync(victim, 'untouched');
    symlinkSync(victim, join(directory, `archive.metheus.${process.pid}.tmp`));
    symlinkSync(victim, join(directory, 'archive.metheus.tmp'));
    leaveFile(directory, 3);
    const backend = await openBackend(t, { directory });
    await backend.compact();
    assert.equal(readFileSync(victim, 'utf8'), 'untouched');
    assert.equal(await onlyValue(backend, 'counted_total'), 3);
    assert.equal(filesIn(directory).length, 1);
  });

  for (const [what, plant] of [
    ['a pipe', (path: string) => spawnSync('mkfifo', [path])],
    ['a link', (path: string) => symlinkSync('/dev/zero', path)],
    ['a directory', (path: string) => spawnSync('mkdir', [path])],
  ] as const) {
    it(`fails without waiting if its lock file is ${what}`, async (t) => {
      const directory = makeDirectory(t);
      plant(join(directory, 'fold.lock'));
      leaveFile(directory, 3);
      const backend = await openBackend(t, { directory });
      await backend.compact();
      assert.equal(await onlyValue(backend, 'counted_total'), 3);
      assert.deepEqual(await errorsOf(backend), { compact: 1 });
      assert.equal(filesIn(directory).length, 2);
    });
  }
});

describe('a metrics file', () => {
  it('that is a link is refused', async (t) => {
    const [directory, elsewhere] = [makeDirectory(t), makeDirectory(t)];
    symlinkSync(leaveFile(elsewhere, 5), join(directory, 'link.metheus'));
    symlinkSync('/dev/zero', join(directory, 'zero.metheus'));
    leaveFile(directory, 1);
    const backend = await openBackend(t, { directory, readOnly: true });
    for (let scrape = 0; scrape < 2; scrape++) {
      assert.equal(await onlyValue(backend, 'counted_total'), 1);
      assert.deepEqual(await errorsOf(backend), { file: 2 });
    }
  });

  it('that claims a gigabyte, and is sparse, takes little memory', async (t) => {
    const directory = makeDirectory(t);
    leaveFile(directory, 1);
    const used = 2 ** 30 - 8;
    for (let i = 0; i < 5; i++) {
      const path = leaveFile(directory, 1);
      truncateSync(path, used);
      patch(path, 20, int32(used));
    }
    const backend = await openBackend(t, { directory, readOnly: true });
    const before = process.resourceUsage().maxRSS;
    // The sparse files have valid records before the hole.
    for (let scrape = 0; scrape < 3; scrape++) assert.equal(await onlyValue(backend, 'counted_total'), 6);
    const grown = (process.resourceUsage().maxRSS - before) / 1024;
    assert.ok(grown < 250, `${grown} MiB`);
    assert.deepEqual(await errorsOf(backend), { file: 5 });
  });

  it('with more writers than a process can have is read in part', async (t) => {
    const directory = makeDirectory(t);
    const MAX = 16_384;
    const writers = Array.from(
      { length: MAX + 100 },
      (_, i): Series => [COUNTED, [], { id: `w${i}`, live: true }],
    );
    plantFile(directory, writers);
    leaveFile(directory, 5);
    const backend = await openBackend(t, { directory, readOnly: true });
    assert.equal(await onlyValue(backend, 'counted_total'), MAX + 5);
    assert.deepEqual(await errorsOf(backend), { record: 100 });
  });
});

describe('a family in a file', () => {
  const named = (name: string, more: Partial<FamilyDescriptor> = {}) => ({ ...COUNTED, name, ...more });
  const GAUGE = { type: 'gauge', cells: 2, merge: 'all' } as const;
  /** Families by their fault: each makes Prometheus refuse a whole scrape, or cannot be defined by a program. */
  const INVALID: Readonly<Record<string, object>> = {
    'a label twice': named('bad_total', { labelNames: ['a', 'a'] }),
    'a reserved label': named('bad_total', { labelNames: ['__name__'] }),
    'an empty name': named(''),
    'a name that is not well-formed': named('\ud800'),
    'the label of a bucket': named('bad_total', { labelNames: ['le'] }),
    'an empty label name': named('bad_total', { labelNames: [''] }),
    'the label that its mode adds': named('bad', { ...GAUGE, labelNames: ['pid'] }),
    'equal bounds': named('bad', { type: 'histogram', cells: 4, bounds: [1, 1] }),
    'descending bounds': named('bad', { type: 'histogram', cells: 4, bounds: [2, 1] }),
    'a quantile above 1': named('bad', { type: 'summary', cells: 2, bounds: [1.5] }),
    'a unit that its name does not end with': named('bad_total', { unit: 'seconds' }),
    'too few cells': named('bad', { type: 'gauge', merge: 'max' }),
    'a help that is not text': named('bad_total', { help: 1 as unknown as string }),
    'nothing of a family': { name: 'bad_total' },
  };
  for (const [what, family] of Object.entries(INVALID)) {
    it(`with ${what} is refused, and counted once; others in the file are served`, async (t) => {
      const directory = makeDirectory(t);
      const labels = (family as FamilyDescriptor).labelNames ?? [];
      plantFile(directory, [
        [COUNTED],
        [{ cells: 1, bounds: [], labelNames: [], ...family }, labels],
        [EACH, ['1']],
      ]);
      const backend = await openBackend(t, { directory });
      for (let scrape = 0; scrape < 2; scrape++) {
        assert.deepEqual((await namesOf(backend)).sort(), ['counted_total', 'each_total']);
        assert.deepEqual(await errorsOf(backend), { record: 1 });
      }
      // The valid families are compacted.
      await backend.compact();
      assert.deepEqual((await namesOf(backend)).sort(), ['counted_total', 'each_total']);
      assert.equal(filesIn(directory).length, 1);
    });
  }

  it('leaves out series that do not fit it, and keeps the others', async (t) => {
    const directory = makeDirectory(t);
    plantFile(directory, [
      [EACH, ['1']],
      [EACH, []],
      [EACH, ['1', '2']],
      [EACH, [1]],
      [EACH, ['\ud800']],
      [EACH, ['2'], { id: 7, live: true }],
      [EACH, ['2'], { id: 'x'.repeat(1000), live: true }],
      [EACH, ['2'], { id: '\ud800', live: true }],
      [EACH, ['2'], { id: 'x' }],
      [EACH, ['3']],
    ]);
    const backend = await openBackend(t, { directory, readOnly: true });
    assert.deepEqual(await readStranger(backend, 'each_total'), [
      ['i=1', [1]],
      ['i=3', [1]],
    ]);
    assert.deepEqual(await errorsOf(backend), { record: 8 });
  });

  it('of the archive does not prevent a compaction, and the archive is kept for inspection', async (t) => {
    const directory = makeDirectory(t);
    const planted = plantFile(directory, [[COUNTED], [INVALID['a label twice']!, ['x', 'x']]]);
    spawnSync('mv', [planted, join(directory, 'archive.metheus')]);
    leaveFile(directory, 1);
    const backend = await openBackend(t, { directory });
    await backend.compact();
    assert.equal(await onlyValue(backend, 'counted_total'), 2);
    assert.equal(readdirSync(directory).filter((name) => name.endsWith('.broken')).length, 1);
  });

  it('is named in one warning', async (t) => {
    const directory = makeDirectory(t);
    const invalid = Object.values(INVALID).map(
      (family): Series => [{ cells: 1, bounds: [], labelNames: [], ...family }],
    );
    plantFile(directory, [[COUNTED], ...invalid]);
    const reader = await startObeying(t, undefined);
    await reader.ask({ do: 'load', config: { directory, readOnly: true } });
    for (let scrape = 0; scrape < 2; scrape++) assert.equal((await scrapeOf(reader)).counted_total, 1);
    const heard = await reader.ask<string[]>({ do: 'warnings' });
    assert.equal(heard.length, 1, heard.join('\n'));
    assert.match(heard[0]!, /invalid records: .*"labelNames":\["a","a"\]/);
  });
});
