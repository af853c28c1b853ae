/** Numbers keep all digits, and field names can contain any text. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { MultiProcessRedisBackend } from 'metheus/backends/redis';
import {
  numberText,
  parseNumber,
  parseWriterField,
  writerField,
} from '#metheus/backends/redis/per-writer.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { randomNumbers } from './faulty-proxy.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

describe('numbers in Redis', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  let backends: MultiProcessRedisBackend[];
  before(async () => {
    server = await startRedis();
    const options = optionsFor(server);
    backends = await Promise.all([1, 2].map(() => openBackend(options)));
  });
  after(async () => {
    for (const backend of backends) await backend.close();
    await server.stop();
  });

  /** Returns the sums that Redis makes of pairs of numbers, one from each producer. */
  async function sums(pairs: readonly (readonly [number, number])[]): Promise<number[]> {
    const family = makeFamily();
    for (const [producer, backend] of backends.entries()) {
      for (const [i, pair] of pairs.entries()) {
        const { page, offset } = backend.reserve({ family, labels: [String(i).padStart(6, '0')] });
        page[offset] = pair[producer]!;
      }
      await backend.flush();
    }
    const [snapshot] = await backends[0]!.snapshot({ families: [family], scopes: [] });
    return rowsOf(snapshot!).map(([, [value]]) => value!);
  }

  it('add up exactly as float64, whole numbers up to 2^53', async () => {
    const pairs: [number, number][] = [
      [2 ** 53 - 1, 1],
      [2 ** 53, 0],
      [9007199254740991, 0],
      [0.1, 0.2],
      [1e-300, 1e-301],
      [5e-324, 0],
      [Math.PI * 1e-10, 0],
      [1.7976931348623157e308, 0],
      [1e21, 1e-21],
      [123456789.12345678, 0.00000001],
      [1 / 3, 2 / 3],
    ];
    const random = randomNumbers(1);
    for (let i = 0; i < 2000; i++)
      pairs.push([random() * 10 ** (random() * 40 - 20), random() * 10 ** (random() * 40 - 20)]);
    assert.deepEqual(
      await sums(pairs),
      pairs.map(([a, b]) => a + b),
    );
  });

  it('add up as float64 when infinite or NaN', async () => {
    const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minus } = Number;
    const pairs: [number, number][] = [
      [inf, 1],
      [1, inf],
      [minus, 5],
      [inf, minus],
      [nan, 1],
      [1, nan],
      [inf, inf],
    ];
    assert.deepEqual(
      await sums(pairs),
      pairs.map(([a, b]) => a + b),
    );
    await backends[0]!.flush();
    const texts = [0, -0, nan, inf, minus, 5e-324, 1e21, 0.1];
    assert.deepEqual(
      texts.map((number) => parseNumber(numberText(number))),
      texts,
    );
  });

  it('of one producer equal its cells after any number of flushes', async () => {
    const family = makeFamily({ labelNames: [] });
    const { page, offset } = backends[0]!.reserve({ family, labels: [] });
    for (let i = 0; i < 100; i++) {
      page[offset]! += 0.1;
      await backends[0]!.flush();
    }
    const [snapshot] = await backends[1]!.snapshot({ families: [family], scopes: [] });
    assert.equal(rowsOf(snapshot!)[0]![1][0], page[offset]);
  });

  it('of a histogram with thousands of buckets fit in a batch', async () => {
    const cells = 5002;
    const bounds = Array.from({ length: cells - 2 }, (_, i) => i);
    const family = makeFamily({ type: 'histogram', cells, bounds });
    const { page, offset } = backends[0]!.reserve({ family, labels: ['x'] });
    for (let cell = 0; cell < cells; cell++) page[offset + cell] = cell;
    const [snapshot] = await backends[0]!.snapshot({ families: [family], scopes: [] });
    assert.deepEqual(
      rowsOf(snapshot!)[0]![1],
      Array.from({ length: cells }, (_, i) => i),
    );
  });

  it('have field names that can contain any text', () => {
    const texts = [
      '',
      ':',
      '"',
      '\\',
      '[',
      ']',
      '{}',
      '",":',
      '"]:',
      ' ',
      '\n',
      '\0',
      '😀',
      'é',
      'p:["',
      'q:',
      'c:0:',
    ];
    for (const producer of texts) {
      for (const writer of texts) {
        const labels = [producer, writer, '"]:["x'];
        const json = JSON.stringify(labels);
        const field = parseWriterField(writerField(producer, writer, json));
        assert.deepEqual(field, { labels, producer, writer });
      }
    }
    for (const none of ['t', 'q:x', 'r:[]', 'b:1', 'p:["a","b"]:', 'p:["a","b"]:[1]', 'p:["a"]:[]', 'p:x']) {
      assert.equal(parseWriterField(none), undefined, none);
    }
  });
});
