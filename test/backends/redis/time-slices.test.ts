/** Scrapes and flushes of many series and families run in time slices. */
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { mapConcurrently } from '#metheus/system/time-slice.js';
import { requireTool } from '../../support/tools.js';
import { turnsDuring } from '../../support/turns.js';
import { makeFamily, rowsOf } from '../contract.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

const SERIES = 10_000;
const FAMILIES = 300;

/** Replaces the clock by one on which everything takes longer than a time slice. */
function slowClock(t: TestContext): void {
  let now = 0;
  t.mock.method(performance, 'now', () => (now += 100));
}

describe('time slices', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  for (const family of [makeFamily(), makeFamily({ type: 'gauge', cells: 2, merge: 'sum' })]) {
    it(`divide a scrape of many series: ${family.type}`, async (t) => {
      const options = optionsFor(server);
      const [backend, reader] = [await openBackend(options), await openBackend(options)];
      for (let i = 0; i < SERIES; i++) {
        const { page, offset } = backend.reserve({ family, labels: [String(i)] });
        page.fill(2, offset, offset + family.cells);
      }
      await backend.flush();
      slowClock(t);
      const turns = await turnsDuring(async () => {
        const [snapshot] = await reader.snapshot({ families: [family], scopes: [] });
        const rows = rowsOf(snapshot!);
        assert.equal(rows.length, SERIES);
        assert.ok(rows.every(([, [value]]) => value === 2));
      });
      // A slice ends after at most 16 series.
      assert.ok(turns > SERIES / 16, `${turns} turns`);
      for (const each of [backend, reader]) await each.close();
    });
  }

  it('divide a flush and a scrape of many families', async (t) => {
    const options = optionsFor(server);
    const [backend, reader] = [await openBackend(options), await openBackend(options)];
    for (let i = 0; i < FAMILIES; i++) {
      const { page, offset } = backend.reserve({ family: makeFamily({ labelNames: [] }), labels: [] });
      page[offset] = i;
    }
    slowClock(t);
    const flushed = await turnsDuring(() => backend.flush());
    assert.ok(flushed > FAMILIES / 64, `${flushed} turns`);
    const scraped = await turnsDuring(async () => {
      const snapshots = await reader.snapshot({ families: [], scopes: [''] });
      const values = snapshots.slice(0, FAMILIES).map((snapshot) => rowsOf(snapshot)[0]![1][0]!);
      assert.deepEqual(
        values.sort((a, b) => a - b),
        Array.from({ length: FAMILIES }, (_, i) => i),
      );
    });
    assert.ok(scraped > FAMILIES / 64, `${scraped} turns`);
    for (const each of [backend, reader]) await each.close();
  });
});

describe('mapConcurrently', () => {
  it('keeps the order, with a limited number of tasks at a time', async () => {
    let running = 0;
    let most = 0;
    const items = Array.from({ length: 500 }, (_, i) => i);
    const results = await mapConcurrently(items, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return item * 2;
    });
    assert.deepEqual(
      results,
      items.map((item) => item * 2),
    );
    assert.equal(most, 64);
  });

  it('starts no further tasks when one has failed', async () => {
    let started = 0;
    const failing = mapConcurrently(new Array(500).fill(0), async () => {
      started += 1;
      await new Promise(setImmediate);
      throw new Error('failed');
    });
    await assert.rejects(failing, /^Error: failed$/);
    assert.equal(started, 64);
  });
});
