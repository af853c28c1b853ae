/** Removing metrics and series that other processes also count in. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  type FamilyDescriptor,
  generateMetrics,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';

describe('with numbers of a running and of an ended process', () => {
  const directory = mkdtempSync(join(tmpdir(), 'metheus-removal-'));
  const running = new MultiProcessFileBackend({ directory });
  let registry: CollectorRegistry;
  let scopes = 0;

  before(async () => {
    await running.open({ migrate() {} });
    await loadBackend(MultiProcessFileBackend, { directory });
  });
  after(async () => {
    await loadBackend(SingleProcessBackend);
    await running.close();
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    registry = new CollectorRegistry({ scope: `removal-${++scopes}` });
  });

  /** Counts 100 in a process that ends, for each of these label values, and 10 in the running one. */
  async function countElsewhere(family: FamilyDescriptor, labels: readonly string[]): Promise<void> {
    const ended = new MultiProcessFileBackend({ directory });
    await ended.open({ migrate() {} });
    for (const [backend, count] of [
      [ended, 100],
      [running, 10],
    ] as const) {
      for (const value of labels) {
        const { page, offset } = backend.reserve({ family, labels: family.labelNames.map(() => value) });
        page.fill(count, offset, offset + family.cells);
      }
    }
    await running.flush();
    await ended.close();
  }

  const samples = async () =>
    (await generateMetrics(registry))
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .toSorted();

  it('remove() deletes the series of this process and of the ended one', async () => {
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] });
    for (const a of ['x', 'y']) counter.labels({ a }).inc();
    await countElsewhere(counter.descriptor, ['x', 'y', 'z']);
    assert.deepEqual(await samples(), ['c_total{a="x"} 111', 'c_total{a="y"} 111', 'c_total{a="z"} 110']);
    counter.remove({ a: 'x' });
    counter.remove({ a: 'z' });
    assert.deepEqual(await samples(), ['c_total{a="x"} 10', 'c_total{a="y"} 111', 'c_total{a="z"} 10']);
    counter.labels({ a: 'x' }).inc();
    assert.deepEqual(await samples(), ['c_total{a="x"} 11', 'c_total{a="y"} 111', 'c_total{a="z"} 10']);
  });

  it('clear() deletes all series of this process and of the ended one', async () => {
    const counter = createCounter('c_total', 'C.', { registry });
    const gauge = createGauge('g', 'G.', { registry, multiprocessMode: 'max', requiredLabels: ['a'] });
    counter.inc();
    gauge.labels({ a: 'x' }).set(500);
    await countElsewhere(counter.descriptor, ['']);
    await countElsewhere(gauge.descriptor, ['x']);
    assert.deepEqual(await samples(), ['c_total 111', 'g{a="x"} 500']);
    counter.clear();
    gauge.clear();
    assert.deepEqual(await samples(), ['c_total 10', 'g{a="x"} 10']);
  });

  it('removes the native buckets of the ended process with their series', async () => {
    const options = { registry, requiredLabels: ['a'], native: true } as const;
    const histogram = createHistogram('h', 'H.', options);
    histogram.labels({ a: 'x' }).observe(1);
    await countElsewhere(histogram.descriptor, ['x']);
    const blocks = (histogram as unknown as { blocks: FamilyDescriptor }).blocks;
    const labels = ['x', '3:p0'];
    const ended = new MultiProcessFileBackend({ directory });
    await ended.open({ migrate() {} });
    const { page, offset } = ended.reserve({ family: blocks, labels });
    page[offset] = 1000;
    await ended.close();
    const counts = async () => (await registry.collect())[0]!.native!.map((native) => native?.count);
    const [before] = await counts();
    assert.equal(before, 1001);
    histogram.remove({ a: 'x' });
    histogram.labels({ a: 'x' }).observe(1);
    assert.deepEqual(await counts(), [1]);
  });

  it('unregister() takes the metric from other processes, and one created again starts at 0', async () => {
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] });
    counter.labels({ a: 'x' }).inc(5);
    counter.labels({ a: 'own' }).inc(5);
    const family = counter.descriptor;
    await countElsewhere(family, ['x']);
    assert.deepEqual(await samples(), ['c_total{a="own"} 5', 'c_total{a="x"} 115']);
    registry.unregister(counter);
    const seen = async () => {
      const [snapshot] = await running.snapshot({ families: [family], scopes: [] });
      return snapshot!.values[0];
    };
    await counter.backend.flush();
    assert.equal(await seen(), 10);
    counter.labels({ a: 'x' }).inc();
    assert.equal(counter.labels({ a: 'x' }).get(), 6, 'the metric itself goes on');
    assert.equal(await seen(), 10);
    const again = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] });
    assert.notEqual(again, counter);
    again.labels({ a: 'own' }).inc();
    assert.deepEqual(await samples(), ['c_total{a="own"} 1', 'c_total{a="x"} 10']);
  });

  it('10,000 registries that are thrown away do not change the file', async () => {
    const bytes = async () => {
      const snapshots = await running.snapshot({ families: [], scopes: [''] });
      return snapshots.find(({ family }) => family.name === 'metheus_backend_bytes')!.values[0];
    };
    const before = await bytes();
    for (let probe = 0; probe < 10_000; probe++) {
      const private_ = new CollectorRegistry();
      createGauge('probe_success', 'P.', { registry: private_, requiredLabels: ['target'] })
        .labels({ target: probe })
        .set(1);
      if (probe % 1000 > 0) continue;
      const shared = new CollectorRegistry({ scope: 'probes' });
      const gauge = createGauge('probe_success', 'P.', { registry: shared });
      gauge.set(1);
      shared.unregister(gauge);
    }
    const grown = (await bytes())! - before!;
    assert.ok(grown < 4096, `${grown} bytes`);
  });
});
