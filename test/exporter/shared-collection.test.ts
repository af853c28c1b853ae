/** Concurrent scrapes share one collection, and the numbers that each of them sees. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CollectorRegistry, createCounter, createFamily, generateMetrics } from 'metheus';
import { createFetchHandler, startMetricsServer } from 'metheus/http';
import {
  JOINABLE_MS,
  MAX_RUN_MS,
  MAX_WAIT_MS,
  sharedCollections,
} from '#metheus/exporter/shared-collection.js';
import type { FamilySnapshot } from '#metheus/model/family.js';
import { get } from '../support/http.js';

/** A registry whose collections end when the test answers them. */
class Answered {
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

/** The families of a scrape that ends when it has them. */
async function collect(shared: ReturnType<typeof sharedCollections>): Promise<readonly FamilySnapshot[]> {
  const collection = shared.join();
  try {
    return await collection.families;
  } finally {
    collection.release();
  }
}

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
};

const numberOf = (families: readonly FamilySnapshot[]) => families[0]!.values[0];

describe('concurrent scrapes', () => {
  it('share one collection across handlers', async () => {
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
    const first = collect(sharedCollections(registry));
    const running = Array.from({ length: 8 }, (_, i) =>
      handlers[i % 2]!(new Request('http://localhost/', { headers: { accept: accepted[(i >> 1) % 2]! } })),
    );
    // The first scrape of each format loads its encoder before it writes.
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

  it('share a collection that is still being sent, for a limited time', async (t) => {
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
    now += JOINABLE_MS - 1;
    assert.equal(await first(await scrape()), '1');
    now += 1;
    const late = await scrape();
    counter.labels({ id: 0 }).inc();
    assert.equal(await first(await scrape()), '2');
    assert.equal(await first(slow), '1');
    await other!.cancel();
    assert.equal(await first(late), '2');
    // All scrapes have ended, so the next one begins a new collection.
    assert.equal(await first(await scrape()), '3');
    counter.labels({ id: 0 }).inc();
    await scrape('HEAD');
    counter.labels({ id: 0 }).inc();
    assert.equal(await first(await scrape()), '5');
  });

  it('that follow one another see all that was counted before', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry });
    await using server = await startMetricsServer({ port: 0, registry });
    for (let i = 1; i < 20; i++) {
      counter.inc();
      assert.match((await get(server.url)).body.toString(), new RegExp(`^c_total ${i}$`, 'm'));
    }
  });

  it('that arrive too late for the running collection share the next one', async (t) => {
    let now = 5000;
    t.mock.method(performance, 'now', () => now);
    const registry = new Answered();
    const shared = sharedCollections(registry);
    assert.equal(sharedCollections(registry), shared);
    const early = [collect(shared), collect(shared)];
    now += JOINABLE_MS - 1;
    early.push(collect(shared));
    now += 1;
    const late = [collect(shared), collect(shared)];
    assert.equal(registry.answers.length, 1);
    registry.answers[0]!(1);
    assert.deepEqual((await Promise.all(early)).map(numberOf), [1, 1, 1]);
    await new Promise(setImmediate);
    assert.equal(registry.answers.length, 2);
    // The next collection has just begun, so this scrape joins it.
    late.push(collect(shared));
    registry.answers[1]!(2);
    assert.deepEqual((await Promise.all(late)).map(numberOf), [2, 2, 2]);
    const alone = collect(shared);
    registry.answers[2]!(3);
    assert.equal(numberOf(await alone), 3);
  });

  it('fail together, and later ones succeed', async (t) => {
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    const registry = new Answered();
    const shared = sharedCollections(registry);
    const together = [collect(shared), collect(shared)];
    now = JOINABLE_MS;
    const next = collect(shared);
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
    await assert.rejects(collect(throwing), /at once/);
    await assert.rejects(collect(throwing), /at once/);
  });
});

describe('a collection that hangs', () => {
  it('is neither joined nor waited for when it is too old', async (t) => {
    let now = 5000;
    t.mock.method(performance, 'now', () => now);
    const registry = new Answered();
    const shared = sharedCollections(registry);
    void shared.join();
    now += MAX_RUN_MS;
    const later = collect(shared);
    assert.equal(registry.answers.length, 2);
    registry.answers[1]!(2);
    assert.equal(numberOf(await later), 2);
    // The end of the first collection has no effect on later scrapes.
    const last = collect(shared);
    registry.answers[0]!(1);
    registry.answers[2]!(3);
    assert.equal(numberOf(await last), 3);
  });

  it('delays scrapes that wait for the next collection at most for MAX_RUN_MS', async (t) => {
    let now = 5000;
    t.mock.method(performance, 'now', () => now);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const registry = new Answered();
    const shared = sharedCollections(registry);
    void shared.join();
    now += JOINABLE_MS;
    const waiting = [collect(shared), collect(shared)];
    t.mock.timers.tick(MAX_RUN_MS - JOINABLE_MS - 1);
    assert.equal(registry.answers.length, 1);
    t.mock.timers.tick(1);
    assert.equal(registry.answers.length, 2);
    registry.answers[1]!(2);
    assert.deepEqual((await Promise.all(waiting)).map(numberOf), [2, 2]);
  });

  it('fails a scrape that waits too long', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const registry = new Answered();
    const handler = createFetchHandler({ registry });
    const answer = handler(new Request('http://localhost/'));
    while (registry.answers.length === 0) await new Promise(setImmediate);
    t.mock.timers.tick(MAX_WAIT_MS);
    const response = await answer;
    assert.equal(response.status, 500);
    assert.match(await response.text(), /a collection that has not ended after 60 s/);
  });

  it('releases the memory of scrapes whose clients have disconnected', async () => {
    const registry = new Answered();
    const shared = sharedCollections(registry);
    const scrapes = Array.from({ length: 100 }, () => {
      const leaving = new AbortController();
      const scrape = shared.join(leaving.signal);
      const ended = assert.rejects(scrape.families, { name: 'AbortError' });
      leaving.abort();
      return { scrape: new WeakRef(scrape), ended };
    });
    for (const { ended } of scrapes) await ended;
    await new Promise(setImmediate);
    collectGarbage();
    assert.equal(scrapes.filter(({ scrape }) => scrape.deref() !== undefined).length, 0);
    assert.equal(registry.answers.length, 1);
  });

  it('is not followed by another collection when all waiting scrapes were abandoned', async (t) => {
    let now = 5000;
    t.mock.method(performance, 'now', () => now);
    const registry = new Answered();
    const shared = sharedCollections(registry);
    const first = collect(shared);
    now += JOINABLE_MS;
    const leaving = new AbortController();
    const waiting = shared.join(leaving.signal);
    leaving.abort(new Error('gone'));
    await assert.rejects(waiting.families, /gone/);
    registry.answers[0]!(1);
    await first;
    await new Promise(setImmediate);
    assert.equal(registry.answers.length, 1);
    const next = collect(shared);
    registry.answers[1]!(2);
    assert.equal(numberOf(await next), 2);
  });

  it('emits no warning for clients that have disconnected', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    const registry = new Answered();
    const handler = createFetchHandler({ registry });
    const leaving = new AbortController();
    const answer = handler(new Request('http://localhost/', { signal: leaving.signal }));
    while (registry.answers.length === 0) await new Promise(setImmediate);
    leaving.abort();
    assert.equal((await answer).status, 500);
    await new Promise(setImmediate);
    process.off('warning', listen);
    assert.deepEqual(warnings, []);
  });
});
