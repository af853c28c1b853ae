/** Streaming an exposition, and the event loop meanwhile. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter, generateBytes, generateMetrics, streamMetrics } from 'metheus';
import { CHUNK_BYTES } from '#metheus/exposition/chunk.js';
import { turnsDuring } from '../support/turns.js';

function registryOf(series: number): CollectorRegistry {
  const registry = new CollectorRegistry();
  const counter = createCounter('requests_total', 'Served.', { requiredLabels: ['id', 'route'], registry });
  for (let id = 0; id < series; id++) counter.labels({ id: String(id), route: '/api/items' }).inc(id);
  return registry;
}

describe('streamMetrics', () => {
  it('yields the bytes of generateMetrics', async () => {
    const registry = registryOf(10_000);
    const chunks: Uint8Array[] = [];
    for await (const chunk of streamMetrics(registry)) chunks.push(chunk);
    assert.ok(chunks.length > 1);
    assert.ok(Buffer.concat(chunks).equals(Buffer.from(await generateMetrics(registry))));
  });

  for (const format of ['text', 'openmetrics', 'protobuf'] as const) {
    it(`fills two buffers in turn with the option reuse, as ${format}`, async () => {
      const registry = registryOf(10_000);
      const bytesOf = async (reuse: boolean) => {
        const [copies, buffers, held] = [[] as Buffer[], new Set<unknown>(), [] as Uint8Array[]];
        for await (const chunk of streamMetrics(registry, { format, reuse })) {
          buffers.add(chunk.buffer);
          // A chunk is still intact when the next one exists.
          if (held.length > 0) copies.push(Buffer.from(held.pop()!));
          held.push(chunk);
        }
        return { bytes: Buffer.concat([...copies, held[0]!]), buffers: buffers.size };
      };
      const [kept, reused] = [await bytesOf(false), await bytesOf(true)];
      assert.ok(kept.buffers > 5);
      assert.equal(reused.buffers, 2);
      assert.ok(reused.bytes.equals(kept.bytes));
    });
  }

  it('pauses for the event loop after each chunk that took a whole time slice', async (t) => {
    const registry = registryOf(20_000);
    let now = 0;
    // Between two readings of this clock more time passes than a time slice.
    t.mock.method(performance, 'now', () => (now += 100));
    let chunks = 0;
    const turns = await turnsDuring(async () => {
      for await (const chunk of streamMetrics(registry)) chunks += Math.sign(chunk.length);
    });
    assert.ok(chunks > 10);
    assert.ok(turns >= chunks - 1, `${turns} turns for ${chunks} chunks`);
  });

  it('does not pause before a time slice is over', async (t) => {
    const registry = registryOf(20_000);
    t.mock.method(performance, 'now', () => 0);
    const turns = await turnsDuring(() => generateMetrics(registry));
    assert.ok(turns <= 1, `${turns} turns`);
  });

  it('pauses during a large scrape on the real clock', async () => {
    const registry = registryOf(300_000);
    const turns = await turnsDuring(() => generateMetrics(registry));
    assert.ok(turns >= 2, `${turns} turns`);
  });

  it('makes a chunk only when it is read', async () => {
    const registry = registryOf(20_000);
    const families = await registry.collect();
    let taken = 0;
    const watched = {
      *[Symbol.iterator]() {
        for (const family of [...families, ...families, ...families]) {
          taken += 1;
          yield family;
        }
      },
    };
    const chunks = streamMetrics({ collect: async () => watched as unknown as typeof families });
    const first = await chunks.next();
    assert.ok((first.value?.length ?? 0) > CHUNK_BYTES / 2);
    await new Promise(setImmediate);
    assert.equal(taken, 1);
    await chunks.return();
    assert.equal(taken, 1);
  });

  it('yields the values of the moment of collection, one consistent set', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'h', { requiredLabels: ['i'], registry });
    for (let i = 0; i < 20_000; i++) counter.labels({ i }).inc();
    let text = '';
    for await (const chunk of streamMetrics(registry)) {
      text += Buffer.from(chunk).toString();
      counter.labels({ i: 19_999 }).inc();
      counter.remove({ i: 10_000 });
      counter.labels({ i: 'late' }).inc();
    }
    assert.match(text, /c_total\{i="10000"\} 1\n/);
    assert.match(text, /c_total\{i="19999"\} 1\n$/);
    assert.doesNotMatch(text, /late/);
  });

  it('rejects an unknown format', async () => {
    const options = { format: 'xml' } as unknown as { format: 'text' };
    await assert.rejects(generateMetrics(new CollectorRegistry(), options), {
      code: 'METHEUS_UNKNOWN_FORMAT',
    });
  });
});

describe('generateBytes', () => {
  const inPieces = async (registry: CollectorRegistry) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of streamMetrics(registry)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  it('returns the same bytes, whether longer or shorter than the last time', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'h', { requiredLabels: ['i'], registry });
    const kept: [whole: Uint8Array, expected: Buffer][] = [];
    for (const series of [0, 10, 20_000, 20_100, 50_000, 3]) {
      counter.clear();
      for (let i = 0; i < series; i++) counter.labels({ i }).inc(i);
      kept.push([await generateBytes(registry), await inPieces(registry)]);
    }
    // No chunk is overwritten later.
    for (const [whole, expected] of kept) assert.ok(expected.equals(whole));
  });

  it('returns no bytes for an empty registry', async () => {
    assert.equal((await generateBytes(new CollectorRegistry())).length, 0);
    assert.equal(await generateMetrics(new CollectorRegistry()), '');
  });

  it('supports two concurrent calls', async () => {
    const registry = registryOf(10_000);
    const expected = await inPieces(registry);
    const both = await Promise.all([generateBytes(registry), generateBytes(registry)]);
    for (const whole of both) assert.ok(expected.equals(whole));
  });
});

describe('generateMetrics', () => {
  it('decodes UTF-8 of any text', async () => {
    const registry = new CollectorRegistry();
    createCounter('c_total', 'Größe 寿司 🍣', { registry }).inc();
    assert.match(await generateMetrics(registry), /^# HELP c_total Größe 寿司 🍣\n/);
  });
});
