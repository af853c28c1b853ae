/** The times at which series began to count, through all changes of backends and writers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  type Collectable,
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  createSummary,
  loadBackend,
  REGISTRY,
  SingleProcessBackend,
} from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { REMOVED, rowText } from '#metheus/model/label-column.js';
import { gone, said, startWorker } from '../support/workers.js';

/** Returns the created times of a family, by default the only one, by label text; `bare` is the series without labels. */
async function createdOf(registry: Collectable, name?: string, bare = '') {
  const snapshots = await registry.collect();
  const { rows, created } = snapshots.find(({ family }) => name === undefined || family.name === name)!;
  assert.ok(created !== undefined);
  const times: Record<string, number> = {};
  for (let row = 0; row < rows.size; row++) {
    if (rows.lengths[row] !== REMOVED) times[rowText(rows, row) || bare] = created[row]!;
  }
  return times;
}

const nextMoment = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('created times', () => {
  const directory = mkdtempSync(join(tmpdir(), 'metheus-'));
  after(() => rmSync(directory, { recursive: true }));

  it('exist for counters, histograms and summaries, not for gauges', async () => {
    const registry = new CollectorRegistry();
    const before = Date.now() / 1000;
    createCounter('c_total', 'C.', { registry });
    createHistogram('h', 'H.', { registry });
    createSummary('s', 'S.', { registry });
    createGauge('g', 'G.', { registry }).set(1);
    for (const { family, created } of await registry.collect()) {
      if (family.type === 'gauge') assert.equal(created, undefined);
      else assert.ok(created![0]! >= before && created![0]! <= Date.now() / 1000, family.name);
    }
  });

  it('are new for a series that replaces a removed one', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] });
    for (const a of [1, 2]) counter.labels({ a }).inc();
    const first = await createdOf(registry);
    await nextMoment();
    counter.remove({ a: 1 });
    counter.labels({ a: 1 }).inc();
    const second = await createdOf(registry);
    assert.equal(second['a="2"'], first['a="2"']);
    assert.ok(second['a="1"']! > first['a="1"']!);
    await nextMoment();
    const plain = new CollectorRegistry();
    const one = createCounter('c_total', 'C.', { registry: plain });
    const [before] = Object.values(await createdOf(plain));
    await nextMoment();
    one.clear();
    assert.ok(Object.values(await createdOf(plain))[0]! > before!);
  });

  it('stay when numbers move to a file, within it, and back', async () => {
    const registry = new CollectorRegistry({ scope: 'moved' });
    const counter = createCounter('moved_total', 'M.', { registry, requiredLabels: ['a'] });
    counter.labels({ a: 1 }).inc();
    await nextMoment();
    counter.labels({ a: 2 }).inc();
    const first = await createdOf(registry);
    assert.ok(first['a="1"']! < first['a="2"']!);
    await nextMoment();
    await loadBackend(MultiProcessFileBackend, { directory });
    assert.deepEqual(await createdOf(registry), first);
    rmSync(directory, { recursive: true });
    assert.deepEqual(await createdOf(registry), first, 'in a new file');
    await loadBackend(MultiProcessFileBackend, { directory });
    assert.deepEqual(await createdOf(registry), first, 'in the file of another backend');
    await loadBackend(SingleProcessBackend);
    assert.deepEqual(await createdOf(registry), first);
  });

  it('are the earliest when processes and archives add up', async () => {
    const family = {
      scope: '',
      help: '',
      type: 'counter',
      unit: '',
      cells: 1,
      merge: 'add',
      bounds: [],
    } as const;
    const request = { family: { ...family, name: 'compacted_total', labelNames: ['a'] }, labels: ['1'] };
    const backends = [];
    for (const created of [3000.5, 1000.5, 2000.5]) {
      const backend = new MultiProcessFileBackend({ directory });
      backends.push(backend);
      const { page, offset } = backend.reserve({ ...request, created });
      page[offset] = 1;
    }
    const read = async () => {
      const reader = new MultiProcessFileBackend({ directory, readOnly: true });
      const [snapshot] = await reader.snapshot({ families: [request.family], scopes: [] });
      return [snapshot!.values[0], snapshot!.created![0]];
    };
    assert.deepEqual(await read(), [3, 1000.5]);
    for (const backend of backends) await backend.close();
    const compacting = new MultiProcessFileBackend({ directory });
    await compacting.compact();
    assert.deepEqual(await read(), [3, 1000.5]);
    await compacting.close();
  });

  it('of worker threads are those in the thread, even when it has ended', async () => {
    /** Starts a worker that runs until it receives a message. */
    const start = (name: string) =>
      startWorker(
        ({ createCounter }, { say, data, port }) => {
          for (const counted of ['threads_total', data.name]) createCounter(counted, 'T.').inc();
          port.once('message', () => {});
          say();
        },
        { name },
      );
    const before = Date.now() / 1000;
    const old = start('old_total');
    await said(old);
    const between = Date.now() / 1000;
    await nextMoment();
    const { threads_total: first } = await createdOf(REGISTRY, 'threads_total', 'threads_total');
    assert.ok(first! >= before && first! <= between);
    const young = start('young_total');
    await said(young);
    // The later worker ends first; the earlier time is still shown.
    for (const worker of [young, old]) {
      worker.postMessage('end');
      await gone(worker);
      assert.equal((await createdOf(REGISTRY, 'threads_total', 'threads_total')).threads_total, first);
    }
    const { young_total } = await createdOf(REGISTRY, 'young_total', 'young_total');
    assert.ok(young_total! > between);
  });
});
