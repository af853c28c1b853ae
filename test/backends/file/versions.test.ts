/** Rolling upgrades: programs with two versions of the package share a directory. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { WrittenMapping } from '#metheus/backends/file/mapping.js';
import { FileWriter } from '#metheus/backends/file/writer.js';
import { ROOT } from '../../support/snippets.js';
import type { VersionedOrder } from './programs/versioned-writer.js';
import { Child, filesIn, makeDirectory, onlyValue, openBackend, samplesOf, type Test } from './support.js';
import { COUNTED, EACH, int32, leaveFile, patch } from './written-files.js';

const EARLIER = pathToFileURL(join(ROOT, 'test', 'support', 'earlier-version.mjs')).href;
type Version = 'earlier' | 'this';
const VERSIONS: readonly Version[] = ['earlier', 'this'];

const ask = <T>(child: Child, order: VersionedOrder) => child.ask<T>(order);

async function start(t: Test, version: Version, directory: string, readOnly = false): Promise<Child> {
  const child = new Child(t, 'versioned-writer', { args: version === 'earlier' ? [EARLIER] : [] });
  await child.hear();
  await ask(child, { do: 'load', directory, readOnly });
  return child;
}

/** Returns what a program serves, without metrics of the backend itself. */
async function served(child: Child): Promise<Record<string, number>> {
  const samples = Object.entries(samplesOf(await ask<string>(child, { do: 'scrape' })));
  return Object.fromEntries(samples.filter(([name]) => !name.startsWith('metheus_')));
}

/** A program that has counted: the amount it adds to the sums, and whether it still runs. */
interface Counted {
  readonly child: Child;
  readonly by: number;
  live: boolean;
}

/** Returns what every program has to serve. The programs are in the order in which they counted last. */
function expected(programs: readonly Counted[]): Record<string, number> {
  const sum = (some: readonly Counted[]) => some.reduce((total, { by }) => total + by, 0);
  const all = sum(programs);
  const living = programs.filter(({ live }) => live);
  return {
    plain_total: all,
    'labelled_total{a="x\\"\\n",b="ü"}': all,
    ...Object.fromEntries(
      programs.map(({ child, by }) => [`labelled_total{a="${child.process.pid}",b=""}`, by]),
    ),
    'sizes_bucket{le="1"}': 0,
    'sizes_bucket{le="2"}': all,
    'sizes_bucket{le="+Inf"}': all,
    sizes_sum: all * 1.5,
    sizes_count: all,
    gauge_sum: all,
    ...(living.length > 0 && { gauge_livesum: sum(living) }),
    gauge_max: Math.max(...programs.map(({ by }) => by)),
    gauge_mostrecent: programs.at(-1)!.by,
    gauge_shared: sum(living),
  };
}

describe('two versions in one directory', () => {
  it('serve the sums of both, in every order of ending, compacting and reading', async (t) => {
    const directory = makeDirectory(t);
    const readers = [await start(t, 'earlier', directory, true), await start(t, 'this', directory, true)];
    const programs: Counted[] = [];
    const check = async () => {
      const living = programs.filter(({ live }) => live).map(({ child }) => child);
      for (const child of [...readers, ...living]) assert.deepEqual(await served(child), expected(programs));
    };
    const count = async (version: Version, by: number) => {
      const child = await start(t, version, directory);
      await ask(child, { do: 'count', by });
      const counted = { child, by, live: true };
      programs.push(counted);
      await new Promise((resolve) => setTimeout(resolve, 60));
      return counted;
    };
    const kill = async (counted: Counted) => {
      await counted.child.kill();
      counted.live = false;
    };
    const first = { earlier: await count('earlier', 1), this: await count('this', 2) };
    await check();
    for (const [round, version] of ([...VERSIONS, ...VERSIONS] as const).entries()) {
      // The file of either version is compacted, with the archive that the other one has written.
      await kill(await count(VERSIONS[round >> 1]!, 10 ** (round + 1)));
      await check();
      await ask(first[version].child, { do: 'compact' });
      assert.equal(filesIn(directory).length, 2);
      await check();
    }
    for (const version of VERSIONS) await kill(first[version]);
    await check();
    for (const version of VERSIONS) {
      const last = await start(t, version, directory);
      await ask(last, { do: 'compact' });
      assert.equal(filesIn(directory).length, 1);
      await check();
      await last.kill();
    }
    for (const reader of readers) assert.deepEqual(await ask(reader, { do: 'warnings' }), []);
  });
});

describe('a file of a later version', () => {
  const VERSION = 8;

  it('with another layout is passed over and reported, and is not removed', async (t) => {
    const directory = makeDirectory(t);
    patch(leaveFile(directory, 100), VERSION, int32(2));
    for (let i = 0; i < 3; i++) leaveFile(directory, 1);
    const child = await start(t, 'this', directory);
    await ask(child, { do: 'compact' });
    const { counted_total, ...samples } = samplesOf(await ask<string>(child, { do: 'scrape' }));
    assert.equal(counted_total, 3);
    assert.equal(samples['metheus_backend_errors_total{kind="file"}'], 1);
    assert.equal(filesIn(directory).length, 2, 'its own and the later one');
    const warnings = await ask<string[]>(child, { do: 'warnings' });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /another version of metheus/);
  });

  it('is never replaced if it is the archive', async (t) => {
    const directory = makeDirectory(t);
    const archive = join(directory, 'archive.metheus');
    const later = leaveFile(directory, 100);
    patch(later, VERSION, int32(2));
    renameSync(later, archive);
    const before = readFileSync(archive);
    for (let i = 0; i < 10; i++) leaveFile(directory, 1);
    const backend = await openBackend(t, { directory });
    await backend.compact();
    assert.equal(await onlyValue(backend, 'counted_total'), 10);
    assert.equal(filesIn(directory).length, 11);
    assert.deepEqual(readFileSync(archive), before);
  });

  for (const [what, change] of [
    ['a type', { type: 'exponentialhistogram' }],
    ['a merge rule', { merge: 'median' }],
  ] as const) {
    it(`is kept when this version does not know ${what} in it; the rest is served`, async (t) => {
      const directory = makeDirectory(t);
      const writer = new FileWriter(directory, new WrittenMapping());
      const add = (family: object, labels: string[]) => {
        const { page, offset } = writer.reserve({ family: family as typeof COUNTED, labels });
        page[offset] = 1;
      };
      add(COUNTED, []);
      add({ ...COUNTED, name: 'later', ...change }, []);
      add(EACH, ['1']);
      writer.close();
      leaveFile(directory, 1);
      const backend = await openBackend(t, { directory });
      for (const compacted of [false, true]) {
        if (compacted) await backend.compact();
        assert.equal(await onlyValue(backend, 'counted_total'), 2);
        assert.equal(await onlyValue(backend, 'each_total'), 1);
        assert.equal(await onlyValue(backend, 'later'), undefined);
      }
      assert.equal(filesIn(directory).length, 2, 'its own and the later one');
      const reader = await start(t, 'this', directory, true);
      await ask(reader, { do: 'scrape' });
      assert.match(
        (await ask<string[]>(reader, { do: 'warnings' })).join('\n'),
        /a later version of metheus: .*later/,
      );
      // The same holds in the archive.
      renameSync(writer.path, join(directory, 'archive.metheus'));
      leaveFile(directory, 1);
      const other = await openBackend(t, { directory });
      await other.compact();
      assert.equal(await onlyValue(other, 'counted_total'), 2);
      assert.equal(filesIn(directory).length, 3, 'nothing was compacted');
    });
  }
});
