/** Scrapes at the same time share one collection, and what each of them then sees. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter, createFamily, generateMetrics } from 'metheus';
import { createFetchHandler, startMetricsServer } from 'metheus/http';
import { JOINED_MS, sharedCollections } from '#metheus/exporter/shared-collection.js';
import type { FamilySnapshot } from '#metheus/model/family.js';
import { get } from '../support/http.js';

/** A registry that answers when it is told to, and counts how often it was asked. */
class Asked {
  readonly answers: ((value: number | Error) => void)[] = [];

  collect(): Promise<readonly FamilySnapshot[]> {
    return new Promise((resolve, reject) => {
      this.answers.push((value) => {
        if (value instanceof Error) reject(value);
        else resolve([createFamily('a', '', { series: [{ value }] })]);
      });
    });
  }
}

const numberOf = (families: readonly FamilySnapshot[]) => families[0]!.values[0];

describe('scrapes at the same time', () => {
  it('share one collection, whatever handler they came to', async () => {
    const empty = new CollectorRegistry();
    let collections = 0;
    let finish = (): void => {};
    const registry = new CollectorRegistry();
    registry.register({
      collect: () => {
        collections += 1;
        return new Promise<FamilySnapshot[]>((resolve) => {
          finish = () => resolve([createFamily('a', '', { series: [{ value: collections }] })]);
        });
      },
    });
    const handlers = [createFetchHandler({ registry }), createFetchHandler({ registry, compress: false })];
    const accepted = ['text/plain', 'application/openmetrics-text;version=1.0.0'];
    const first = sharedCollections(registry).collect();
    const running = Array.from({ length: 8 }, (_, i) =>
      handlers[i % 2]!(new Request('http://localhost/', { headers: { accept: accepted[(i >> 1) % 2]! } })),
    );
    // The first of each format loads its encoder before it collects.
    await Promise.all([generateMetrics(empty), generateMetrics(empty, { format: 'openmetrics' })]);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    finish();
    await first;
    const texts = await Promise.all(running.map(async (response) => (await response).text()));
    assert.equal(collections, 1);
    assert.deepEqual(
      new Set(texts),
      new Set(['# HELP a \n# TYPE a gauge\na 1\n', '# TYPE a gauge\n# HELP a \na 1\n# EOF\n']),
    );
  });

  it('share one that is still being sent, but not for long', async (t) => {
    let now = 5000;
    t.mock.method(performance, 'now', () => now);
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['id'] });
    for (let id = 0; id < 10_000; id++) counter.labels({ id }).inc();
    const handler = createFetchHandler({ registry, compress: false });
    const scrape = async (method = 'GET') =>
      (await handler(new Request('http://localhost/', { method }))).body;
    const first = async (body: ReadableStream<Uint8Array> | null) => {
      const reader = body!.getReader();
      let [text, chunk] = ['', await reader.read()];
      for (; !chunk.done; chunk = await reader.read()) text += Buffer.from(chunk.value).toString();
      return /^c_total\{id="0"\} (\d+)$/m.exec(text)?.[1];
    };
    const [slow, other] = [await scrape(), await scrape()];
    counter.labels({ id: 0 }).inc();
    now += JOINED_MS - 1;
    assert.equal(await first(await scrape()), '1');
    now += 1;
    const late = await scrape();
    counter.labels({ id: 0 }).inc();
    assert.equal(await first(await scrape()), '2');
    assert.equal(await first(slow), '1');
    await other!.cancel();
    assert.equal(await first(late), '2');
    // Now that all have been served, each sees what was counted before.
    assert.equal(await first(await scrape()), '3');
    counter.labels({ id: 0 }).inc();
    await scrape('HEAD');
    counter.labels({ id: 0 }).inc();
    assert.equal(await first(await scrape()), '5');
  });

  it('one after the other each see what was counted before', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry });
    await using server = await startMetricsServer({ port: 0, registry });
    for (let i = 1; i < 20; i++) {
      counter.inc();
      assert.match((await get(server.url)).body.toString(), new RegExp(`^c_total ${i}$`, 'm'));
    }
  });

  it('that come too late for the one that runs share the next one', async (t) => {
    let now = 5000;
    t.mock.method(performance, 'now', () => now);
    const registry = new Asked();
    const shared = sharedCollections(registry);
    assert.equal(sharedCollections(registry), shared);
    const early = [shared.collect(), shared.collect()];
    now += JOINED_MS - 1;
    early.push(shared.collect());
    now += 1;
    const late = [shared.collect(), shared.collect()];
    assert.equal(registry.answers.length, 1);
    registry.answers[0]!(1);
    assert.deepEqual((await Promise.all(early)).map(numberOf), [1, 1, 1]);
    await new Promise(setImmediate);
    assert.equal(registry.answers.length, 2);
    // The next one has just begun, so this joins it.
    late.push(shared.collect());
    registry.answers[1]!(2);
    assert.deepEqual((await Promise.all(late)).map(numberOf), [2, 2, 2]);
    const alone = shared.collect();
    registry.answers[2]!(3);
    assert.equal(numberOf(await alone), 3);
  });

  it('fail together, and the next ones do not', async (t) => {
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    const registry = new Asked();
    const shared = sharedCollections(registry);
    const together = [shared.collect(), shared.collect()];
    now = JOINED_MS;
    const next = shared.collect();
    registry.answers[0]!(new Error('broken'));
    for (const one of together) await assert.rejects(one, /broken/);
    await new Promise(setImmediate);
    registry.answers[1]!(5);
    assert.equal(numberOf(await next), 5);
    const throwing = sharedCollections({
      collect: () => {
        throw new Error('at once');
      },
    });
    await assert.rejects(throwing.collect(), /at once/);
    await assert.rejects(throwing.collect(), /at once/);
  });
});
