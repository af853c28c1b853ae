/** Reading files while others write them. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { GaugeMode } from 'metheus';
import type { GaugeCalls } from './programs/controlled-writer.js';
import {
  Child,
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

describe('a reader beside a writer that never pauses', () => {
  it('sees no torn value and none that decreases', async (t) => {
    const directory = makeDirectory(t);
    // For instance 0x3ff0…0f and 0x4ccc…c3: no byte in common.
    const [a, b] = [1.0000000000000033, 2.7e61];
    const child = new Child(t, 'continuous-writer', { args: [directory, String(a), String(b)] });
    await child.hear();
    const backend = await openBackend(t, { directory, readOnly: true });
    let last = 0;
    let lastCount = 0;
    const seen = new Set<number>();
    for (let scrape = 0; scrape < (IN_CI ? 6000 : 3000); scrape++) {
      const total = (await onlyValue(backend, 'hammer_total'))!;
      assert.ok(total >= last && Number.isInteger(total), `${total} after ${last}`);
      last = total;
      const jumping = (await onlyValue(backend, 'hammer'))!;
      seen.add(jumping);
      assert.ok(jumping === a || jumping === b, `${jumping} was never set`);
      if (scrape % 10 > 0) continue;
      const [[, cells]] = (await readStranger(backend, 'hammer_seconds')) as [[string, number[]]];
      assert.ok(cells[0]! + cells[1]! >= lastCount);
      lastCount = cells[0]! + cells[1]!;
    }
    assert.deepEqual(seen, new Set([a, b]));
    assert.ok(last > 2 ** 32, 'it went past where both halves of the number change');
  });
});

describe('gauges of several processes', () => {
  const SET = (value: number): GaugeCalls => [['set', value]];
  /** Two living and two ended processes. The second of each pair created the gauge and never touched it. */
  const CALLS: readonly (readonly GaugeCalls[])[] = [
    [SET(5), SET(3), [], SET(9), SET(1), []],
    [[['inc', 2]], [['inc', 3]], [], [['inc', 10]], [['inc', 20]], []],
  ];
  const DEAD = [3, 4, 5];
  const EXPECTED: Readonly<Record<GaugeMode, readonly (number | readonly number[])[]>> = {
    // The calls follow each other: 1 was set last.
    shared: [1, 5],
    mostrecent: [1, NaN],
    livemostrecent: [3, NaN],
    min: [1, 2],
    livemin: [3, 2],
    max: [9, 20],
    livemax: [5, 3],
    sum: [18, 35],
    livesum: [8, 5],
    all: [
      [5, 3, 9, 1],
      [2, 3, 10, 20],
    ],
    liveall: [
      [5, 3],
      [2, 3],
    ],
  };

  it('are merged by their mode, with living and ended processes, and untouched gauges', async (t) => {
    const directory = makeDirectory(t);
    const children: Child[] = [];
    const pids: string[] = [];
    for (let i = 0; i < 6; i++) children.push(await startObeying(t, directory));
    for (const mode of Object.keys(EXPECTED) as GaugeMode[]) {
      for (const [c, calls] of CALLS.entries()) {
        for (const [i, child] of children.entries()) {
          // Where the order of the calls matters, each reads the clock anew.
          const pause = c === 0 && /recent|shared/.test(mode);
          const order = { do: 'gauge', name: `g_${mode}_${c}`, mode, calls: calls[i], pause };
          pids[i] = String(await child.ask(order));
        }
      }
    }
    for (const i of DEAD) await children[i]!.kill();
    const check = (samples: Record<string, number>) => {
      for (const [mode, expected] of Object.entries(EXPECTED)) {
        for (const [c, wanted] of expected.entries()) {
          const name = `g_${mode}_${c}`;
          const seen = Object.entries(samples).filter(([key]) => key === name || key.startsWith(`${name}{`));
          if (typeof wanted === 'number') {
            if (Number.isNaN(wanted)) continue;
            assert.deepEqual(seen, [[name, wanted]]);
            continue;
          }
          const touched = [0, 1, 3, 4].slice(0, wanted.length);
          const rows = touched.map((child, i) => [`${name}{pid="${pids[child]}"}`, wanted[i]]);
          assert.deepEqual(seen.sort(), rows.sort());
        }
      }
    };
    check(await scrapeOf(children[0]!));
    // The same after a compaction, by a process that never had these gauges.
    await children[0]!.ask({ do: 'compact' });
    assert.equal(filesIn(directory).length, 3);
    check(await scrapeOf(children[1]!));
    check(await scrapeOf(await startObeying(t, directory)));
  });
});

describe('a gauge that was set while the clock was wrong', () => {
  it('is served only until another process sets it, also after a compaction', async (t) => {
    const directory = makeDirectory(t);
    const family = {
      scope: '',
      name: 'g',
      help: '',
      type: 'gauge',
      unit: '',
      labelNames: [],
      cells: 2,
      merge: 'shared',
      bounds: [],
    } as const;
    const backend = await openBackend(t, { directory });
    const set = async (value: number, time: number) => {
      const other = await openBackend(t, { directory });
      const { page, offset } = other.reserve({ family, labels: [] });
      page.set([value, time], offset);
      await other.close();
    };
    await set(1, Date.UTC(2099, 0) / 1000);
    for (const compacted of [false, true]) {
      if (compacted) await backend.compact();
      assert.equal(await onlyValue(backend, 'g'), 1);
    }
    await set(2, Date.now() / 1000 - 60);
    for (const compacted of [false, true]) {
      if (compacted) await backend.compact();
      assert.equal(await onlyValue(backend, 'g'), 2);
    }
    await set(3, Date.now() / 1000 - 30);
    assert.equal(await onlyValue(backend, 'g'), 3);
  });
});

describe('a read-only process', () => {
  it('sees everything and writes nothing', async (t) => {
    const directory = makeDirectory(t);
    const [one, two] = [await startObeying(t, directory), await startObeying(t, directory)];
    for (const child of [one, two]) await child.ask({ do: 'inc', name: 'n_total', by: 2 });
    for (let i = 0; i < 12; i++) await two.ask({ do: 'inc', name: `n${i}_total` });
    await two.kill();
    const state = () =>
      readdirSync(directory)
        .map((name) => [name, statSync(join(directory, name)).ino])
        .sort();
    const before = state();
    const reader = await startObeying(t, undefined);
    await reader.ask({ do: 'load', config: { directory, readOnly: true } });
    await reader.ask({ do: 'inc', name: 'own_total', by: 5 });
    for (let i = 0; i < 3; i++) {
      const { n_total, own_total } = await scrapeOf(reader);
      assert.deepEqual({ n_total, own_total }, { n_total: 4, own_total: 5 });
    }
    await reader.ask({ do: 'compact' });
    assert.deepEqual(state(), before);
    assert.equal((await scrapeOf(one)).own_total, undefined);
  });

  it('creates no directory, and sees files that come later', async (t) => {
    const directory = join(makeDirectory(t), 'later');
    const reader = await openBackend(t, { directory, readOnly: true });
    assert.equal(await onlyValue(reader, 'n_total'), undefined);
    assert.equal(await onlyValue(reader, 'metheus_backend_files'), 0);
    assert.throws(() => readdirSync(directory), /ENOENT/);
    const child = await startObeying(t, directory);
    await child.ask({ do: 'inc', name: 'n_total' });
    assert.equal(await onlyValue(reader, 'n_total'), 1);
    assert.equal(await onlyValue(reader, 'metheus_backend_files'), 1);
    assert.equal(await onlyValue(reader, 'metheus_backend_errors_total'), 0);
    assert.ok((await onlyValue(reader, 'metheus_backend_bytes'))! > 96);
  });
});

describe('series that are removed', () => {
  it('disappear for readers, and their records are used again', async (t) => {
    const directory = makeDirectory(t);
    const child = await startObeying(t, directory);
    const reader = await openBackend(t, { directory, readOnly: true });
    await child.ask({ do: 'inc', name: 's_total', series: 10 });
    assert.equal((await readStranger(reader, 's_total')).length, 10);
    await child.ask({ do: 'remove', name: 's_total', series: 3 });
    const labels = (await readStranger(reader, 's_total')).map(([label]) => label);
    assert.equal(labels.length, 9);
    assert.ok(!labels.includes('i=3'));
    await child.ask({ do: 'inc', name: 's_total', series: 10 });
    assert.equal((await readStranger(reader, 's_total')).find(([label]) => label === 'i=3')![1][0], 1);
  });

  it('do not make the file grow without bound', async (t) => {
    const directory = makeDirectory(t);
    const backend = await openBackend(t, { directory }, { emptyFor: 0 });
    const reader = await openBackend(t, { directory, readOnly: true });
    const family = {
      scope: '',
      name: 's_total',
      help: '',
      type: 'counter',
      unit: '',
      labelNames: ['i'],
      cells: 1,
      merge: 'add',
      bounds: [],
    } as const;
    for (let i = 0; i < 5000; i++) {
      const cells = backend.reserve({
        // Every worker thread has a descriptor of its own.
        family: { ...family },
        labels: [String(10_000 + i)],
        writer: { id: `w-${1000 + (i % 7)}`, live: true },
      });
      assert.equal(cells.page[cells.offset], 0);
      cells.page[cells.offset] = i;
      if (i % 50 === 0) assert.deepEqual(await readStranger(reader, 's_total'), [[`i=${10_000 + i}`, [i]]]);
      backend.release(family, cells);
    }
    assert.deepEqual(await readStranger(reader, 's_total'), []);
    assert.ok((await onlyValue(reader, 'metheus_backend_bytes'))! < 4096);
  });
});

describe('two versions of a program', () => {
  it('with other buckets or another type conflict: the first is served, with a warning', async (t) => {
    const directory = makeDirectory(t);
    const [first, second] = [await startObeying(t, directory), await startObeying(t, directory)];
    await first.ask({ do: 'observe', name: 'h_seconds', buckets: [1, 2], value: 1 });
    await first.ask({ do: 'inc', name: 'x_total', by: 4 });
    await second.ask({ do: 'observe', name: 'h_seconds', buckets: [1, 2, 3], value: 1 });
    await second.ask({ do: 'gauge', name: 'x_total', mode: 'max', calls: [['set', 9]] });
    const reader = await startObeying(t, undefined);
    await reader.ask({ do: 'load', config: { directory, readOnly: true } });
    const errors = (samples: Record<string, number>) =>
      samples['metheus_backend_errors_total{kind="conflict"}'];
    for (let i = 0; i < 2; i++) {
      const samples = await scrapeOf(reader);
      assert.equal(samples.h_seconds_count, 1);
      assert.equal(samples['h_seconds_bucket{le="3"}'], undefined);
      assert.equal(samples['h_seconds_bucket{le="3.0"}'], undefined);
      assert.equal(samples.x_total, 4);
      assert.equal(errors(samples), i === 0 ? 0 : 2, 'counted when it is seen, so shown by the next scrape');
    }
    const heard = await reader.ask<string[]>({ do: 'warnings' });
    assert.equal(heard.length, 2);
    assert.match(heard.join('\n'), /'h_seconds' differently/);
    assert.match(heard.join('\n'), /'x_total' differently/);
    // A process with a metric of that name serves its own.
    assert.equal((await scrapeOf(second)).x_total, 9);
    // When the first version has ended and is compacted, the other is served.
    await first.kill();
    assert.equal((await scrapeOf(reader)).x_total, 9);
    await second.ask({ do: 'compact' });
    assert.equal((await scrapeOf(reader)).x_total, 9);
    assert.equal((await scrapeOf(reader))['h_seconds_bucket{le="3"}'], 1);
  });
});

describe('two backends of one process on one directory', () => {
  it('are two writers', async (t) => {
    const directory = makeDirectory(t);
    const backends = [await openBackend(t, { directory }), await openBackend(t, { directory })];
    const family = { ...(await import('./written-files.js')).COUNTED };
    for (const [i, backend] of backends.entries()) {
      const { page, offset } = backend.reserve({ family, labels: [] });
      page[offset] = i + 1;
    }
    for (const backend of backends) {
      await backend.compact();
      const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
      assert.equal(snapshot!.values[0], 3);
    }
    assert.equal(filesIn(directory).length, 2);
    await backends[0]!.close();
    await backends[1]!.compact();
    assert.equal(filesIn(directory).length, 1);
    assert.equal((await backends[1]!.snapshot({ families: [family], scopes: [] }))[0]!.values[0], 3);
  });
});

describe('without koffi', () => {
  it('there is one warning, others see the numbers a moment later, and the exit loses none', async (t) => {
    const directory = makeDirectory(t);
    const child = await startObeying(t, directory, { execArgv: WITHOUT_KOFFI });
    await child.ask({ do: 'inc', name: 'n_total', by: 7 });
    assert.equal(await child.ask({ do: 'koffi' }), false);
    const heard = await child.ask<string[]>({ do: 'warnings' });
    assert.equal(heard.length, 1);
    assert.match(heard[0]!, /koffi cannot be loaded \(koffi is hidden\).*npm install koffi/);
    await child.ask({ do: 'flush' });
    const reader = await openBackend(t, { directory, readOnly: true });
    assert.equal(await onlyValue(reader, 'n_total'), 7);
    await child.ask({ do: 'inc', name: 'n_total', by: 1 });
    await child.ask({ do: 'exit' });
    await child.exited;
    assert.equal(await onlyValue(reader, 'n_total'), 8);
  });

  it('a kill loses only what was counted since the last write', async (t) => {
    const directory = makeDirectory(t);
    const child = await startObeying(t, directory, { execArgv: WITHOUT_KOFFI });
    await child.ask({ do: 'inc', name: 'n_total', by: 7 });
    await child.ask({ do: 'flush' });
    await child.ask({ do: 'inc', name: 'n_total', by: 100 });
    await child.kill();
    const reader = await openBackend(t, { directory, readOnly: true });
    assert.ok([7, 107].includes((await onlyValue(reader, 'n_total'))!));
  });
});
