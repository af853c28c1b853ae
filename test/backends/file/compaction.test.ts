/** Compaction: it loses nothing, counts nothing twice, and leaves few files. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { MultiProcessFileBackend } from 'metheus/backends/file';
import type { CompactionStep } from '#metheus/backends/file/compaction.js';
import { loadMapping, type Mapping } from '#metheus/backends/file/mapping.js';
import {
  atEnd,
  Child,
  filesIn,
  IN_CI,
  MAPPINGS,
  makeDirectory,
  onlyValue,
  openBackend,
  readStranger,
  scrapeOf,
  startObeying,
} from './support.js';
import { leaveFile } from './written-files.js';

/** In order; `unlinked` comes once for each file. */
const STEPS: readonly CompactionStep[] = [
  'locked',
  'encoded',
  'written',
  'synced',
  'renamed',
  'unlinked',
  'cleaned',
];
const GONE = 5;

const stepsOf = () =>
  STEPS.flatMap((step) => (step === 'unlinked' ? Array(GONE).fill(step) : [step]) as CompactionStep[]);

/** Returns the total of all series. */
async function numbersOf(backend: MultiProcessFileBackend): Promise<{ total: number; series: number[] }> {
  // Both start to read the files before the first await.
  const [total, each] = await Promise.all([
    onlyValue(backend, 'counted_total'),
    readStranger(backend, 'each_total'),
  ]);
  return { total: total!, series: each.map(([, [value]]) => value!) };
}

describe('short-lived processes', () => {
  it('leave few files and every number: 1,000 threads', async (t) => {
    const directory = makeDirectory(t);
    const backend = await openBackend(t, { directory });
    const reader = await openBackend(t, { directory, readOnly: true });
    let most = 0;
    for (let i = 1; i <= 1000; i++) {
      leaveFile(directory, 1, 2);
      // One backend compacts while the other reads.
      if (i % 7 === 0) assert.equal(await onlyValue(backend, 'counted_total'), i);
      assert.deepEqual(await numbersOf(reader), { total: i, series: [i, i] });
      most = Math.max(most, filesIn(directory).length);
      if (i % 40 === 0) await backend.compact();
    }
    await backend.compact();
    assert.ok(most < 100, `${most} files at one time`);
    assert.equal(filesIn(directory).length, 1);
    assert.deepEqual(await numbersOf(reader), { total: 1000, series: [1000, 1000] });
    assert.equal(await onlyValue(reader, 'metheus_backend_files'), 2);
    assert.ok((await onlyValue(reader, 'metheus_backend_folds_total'))! >= 10);
  });

  const processes = IN_CI ? 30 : 10;
  it(`leave few files and every number: ${processes} processes, half of them killed`, async (t) => {
    const directory = makeDirectory(t);
    const backend = await openBackend(t, { directory });
    let dipped = 0;
    let last = 0;
    let looked = Promise.resolve();
    const look = () => {
      looked = looked.then(async () => {
        const total = (await onlyValue(backend, 'n_total')) ?? 0;
        if (total < last) dipped += 1;
        last = total;
      });
      return looked;
    };
    const timer = setInterval(look, 5);
    atEnd(t, () => clearInterval(timer));
    const one = async (i: number) => {
      const child = await startObeying(t, directory);
      await child.ask({ do: 'inc', name: 'n_total', by: 3 });
      if (i % 2 === 0) await child.kill();
      else await child.ask({ do: 'exit' }).then(() => child.exited);
      await look();
    };
    for (let i = 0; i < processes; i += 2) await Promise.all([one(i), one(i + 1)]);
    await backend.compact();
    await look();
    assert.deepEqual({ dipped, last }, { dipped: 0, last: 3 * processes });
    assert.equal(filesIn(directory).length, 1);
  });
});

describe('a compaction', () => {
  it('by four processes at once compacts each file once', async (t) => {
    const directory = makeDirectory(t);
    const children = await Promise.all([1, 2, 3, 4].map(() => startObeying(t, directory)));
    const reader = await openBackend(t, { directory, readOnly: true });
    for (let round = 1; round <= (IN_CI ? 20 : 6); round++) {
      for (let i = 0; i < 25; i++) leaveFile(directory, 1, 1);
      const compacting = Promise.all(children.map((child) => child.ask({ do: 'compact' })));
      let done = false;
      compacting.finally(() => {
        done = true;
      });
      while (!done) {
        assert.deepEqual(await numbersOf(reader), { total: 25 * round, series: [25 * round] });
        await new Promise(setImmediate);
      }
      await compacting;
      for (const child of children) assert.equal((await scrapeOf(child)).counted_total, 25 * round);
      // Processes that found a compaction under way did not compact.
      assert.equal(filesIn(directory).length, 4);
    }
    assert.equal(await onlyValue(reader, 'metheus_backend_errors_total'), 0);
  });

  for (const [name, get] of MAPPINGS) {
    it(`changes no total at any step, ${name}`, async (t) => {
      const directory = makeDirectory(t);
      const known = await openBackend(t, { directory, readOnly: true }, { mapping: get() });
      const reached: CompactionStep[] = [];
      const seen: Promise<unknown>[] = [];
      const onCompactionStep = (step: CompactionStep) => {
        reached.push(step);
        seen.push(numbersOf(known));
      };
      const backend = await openBackend(t, { directory }, { mapping: get(), onCompactionStep });
      for (let round = 1; round <= 3; round++) {
        for (let i = 0; i < GONE; i++) leaveFile(directory, 2, 1);
        const expected = { total: 2 * GONE * round, series: [GONE * round] };
        assert.deepEqual(await numbersOf(known), expected);
        await backend.compact();
        assert.deepEqual(reached.splice(0), stepsOf());
        const numbers = await Promise.all(seen.splice(0));
        assert.deepEqual(new Set(numbers.map((each) => JSON.stringify(each))).size, 1);
        assert.deepEqual(await numbersOf(known), expected);
        // A new reader sees the same.
        const fresh = await openBackend(t, { directory, readOnly: true }, { mapping: get() });
        assert.deepEqual(await numbersOf(fresh), expected);
      }
    });
  }

  it('killed at any step loses nothing and counts nothing twice, and the next one completes it', async (t) => {
    const directory = makeDirectory(t);
    const known = await openBackend(t, { directory, readOnly: true });
    let total = 0;
    const counts = new Map<CompactionStep, number>();
    for (const step of stepsOf()) {
      counts.set(step, (counts.get(step) ?? 0) + 1);
      // Each process finds the files that the previous one has left, so that it reaches its step.
      for (let i = 0; i < GONE; i++) leaveFile(directory, 1, 1);
      total += GONE;
      const child = new Child(t, 'interrupted-compaction', {
        args: [directory, step, String(counts.get(step))],
      });
      const [, signal] = await child.exited;
      assert.equal(signal, 'SIGKILL', `${step} was not reached: ${child.output}`);
      assert.deepEqual(await numbersOf(known), { total, series: [total] }, `after ${step}`);
      const fresh = await openBackend(t, { directory, readOnly: true });
      assert.deepEqual(
        await numbersOf(fresh),
        { total, series: [total] },
        `after ${step}, to one who comes now`,
      );
    }
    const backend = await openBackend(t, { directory });
    await backend.compact();
    await backend.compact();
    assert.equal(filesIn(directory).length, 1);
    assert.deepEqual(await numbersOf(known), { total, series: [total] });
  });

  it('removes the other files when one cannot be removed, and counts the error', async (t) => {
    const directory = makeDirectory(t);
    const [stubborn] = [1, 2, 3].map(() => leaveFile(directory, 1, 1)) as [string];
    const onCompactionStep = (step: CompactionStep) => {
      if (step !== 'renamed') return;
      rmSync(stubborn, { recursive: true });
      mkdirSync(stubborn);
    };
    const backend = await openBackend(t, { directory }, { onCompactionStep });
    await backend.compact();
    assert.equal(filesIn(directory).length, 2, 'its own and the one that stays');
    assert.deepEqual(await numbersOf(backend), { total: 3, series: [3] });
    for (let i = 0; i < 3; i++) leaveFile(directory, 1, 1);
    await backend.compact();
    assert.equal(filesIn(directory).length, 2);
    assert.deepEqual(await numbersOf(backend), { total: 6, series: [6] });
    const errors = await readStranger(backend, 'metheus_backend_errors_total');
    assert.deepEqual(
      errors.filter(([, [count]]) => count! > 0),
      [['kind=compact', [2]]],
    );
  });

  it('removes old files that crashes have left behind', async (t) => {
    const directory = makeDirectory(t);
    const [old, young] = [join(directory, 'old.metheus.tmp'), join(directory, 'young.metheus.tmp')];
    for (const path of [old, young]) writeFileSync(path, 'half');
    utimesSync(old, 1, 1);
    leaveFile(directory, 1);
    const backend = await openBackend(t, { directory });
    await backend.compact();
    assert.deepEqual([existsSync(old), existsSync(young)], [false, true]);
  });

  it('needs no locks of the file system, whose absence is counted and reported once', async (t) => {
    const directory = makeDirectory(t);
    const mapping: Mapping = { ...loadMapping(), lock: () => false };
    const warned: string[] = [];
    const onWarning = ({ message }: Error) => warned.push(message);
    process.on('warning', onWarning);
    atEnd(t, () => process.off('warning', onWarning));
    // A process with locks has compacted here before.
    writeFileSync(join(directory, 'fold.lock'), '');
    const backends = [
      await openBackend(t, { directory }, { mapping }),
      await openBackend(t, { directory }, { mapping }),
    ];
    for (let round = 1; round <= 2; round++) {
      for (let i = 0; i < 5; i++) leaveFile(directory, 1, 1);
      await Promise.all(backends.map((backend) => backend.compact()));
      assert.equal(filesIn(directory).length, 2);
      assert.deepEqual(await numbersOf(backends[0]!), { total: 5 * round, series: [5 * round] });
    }
    assert.equal(existsSync(join(directory, 'fold.taken')), false);
    const errors = await readStranger(backends[0]!, 'metheus_backend_errors_total');
    assert.deepEqual(
      errors.filter(([, [count]]) => count! > 0),
      [['kind=lock', [2]]],
    );
    assert.deepEqual(
      warned.map((message) => /no file locks \(flock\).*local file system/.test(message)),
      [true],
    );
  });

  it('without koffi is refused after one with koffi, and is counted and reported', async (t) => {
    const directory = makeDirectory(t);
    for (const [name, get] of MAPPINGS) {
      leaveFile(directory, 1, 1);
      const backend = await openBackend(t, { directory }, { mapping: get() });
      await backend.compact();
      const errors = (await readStranger(backend, 'metheus_backend_errors_total')).filter(
        ([, [count]]) => count! > 0,
      );
      assert.deepEqual(errors, name === 'koffi' ? [] : [['kind=compact', [1]]]);
    }
    assert.equal(existsSync(join(directory, 'fold.taken')), false);
  });

  it('that takes long updates the time of its marker', async (t) => {
    const directory = makeDirectory(t);
    const marker = join(directory, 'fold.taken');
    const [, get] = MAPPINGS[1]!;
    leaveFile(directory, 1);
    t.mock.timers.enable({ apis: ['setInterval'] });
    const ages: number[] = [];
    const onCompactionStep = () => {
      utimesSync(marker, 1, 1);
      t.mock.timers.tick(30_000);
      ages.push(Date.now() - statSync(marker).mtimeMs);
    };
    const backend = await openBackend(t, { directory }, { mapping: get(), onCompactionStep });
    await backend.compact();
    assert.equal(filesIn(directory).length, 1);
    assert.ok(ages.length > 0 && ages.every((age) => age < 30_000), String(ages));
    assert.equal(existsSync(marker), false);
  });

  it('respects the mark of a process without locks, and replaces an abandoned one', async (t) => {
    const directory = makeDirectory(t);
    const taken = join(directory, 'fold.taken');
    for (const [name, get] of MAPPINGS) {
      const backend = await openBackend(t, { directory }, { mapping: get() });
      leaveFile(directory, 1);
      writeFileSync(taken, '');
      const before = filesIn(directory).length;
      await backend.compact();
      assert.equal(filesIn(directory).length, before, `${name}: another process compacts`);
      utimesSync(taken, 1, 1);
      await backend.compact();
      // A process without locks leaves compaction to those with locks.
      if (name === 'koffi') assert.equal(filesIn(directory).length, 1);
      assert.equal(await onlyValue(backend, 'counted_total'), name === 'koffi' ? 1 : 2);
    }
    assert.ok(readdirSync(directory).includes('archive.metheus'));
  });
});
