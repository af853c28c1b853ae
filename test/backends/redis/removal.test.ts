/** Removing many series, and removing the numbers of ended programs while others go on. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FamilyDescriptor } from 'metheus';
import type { Cells } from 'metheus/backends';
import type { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { SumOutbox } from '#metheus/backends/redis/sum-outbox.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { randomNumbers } from './faulty-proxy.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

/** Returns the processor time in which an outbox sends the removal of all of its series. */
function timeOfRemoval(count: number): number {
  const outbox = new SumOutbox(makeFamily());
  const page = new Float64Array(count);
  for (let offset = 0; offset < count; offset++) outbox.add({ page, offset }, [String(offset)], undefined);
  const sendAll = () => {
    let sent = 0;
    outbox.startScan();
    for (let batch = outbox.next(); batch !== undefined; batch = outbox.next()) {
      sent += batch.series.length;
      outbox.acknowledge(batch);
    }
    return sent;
  };
  assert.equal(sendAll(), count);
  const start = process.cpuUsage();
  for (let offset = 0; offset < count; offset++) outbox.remove({ page, offset }, 'removed');
  assert.equal(sendAll(), 2 * count, 'numbers are taken back, then series are removed');
  assert.equal(outbox.hasReleased, false);
  return process.cpuUsage(start).user;
}

describe('the removal of many series', () => {
  it('takes time in proportion to their number', () => {
    timeOfRemoval(5_000);
    const best = (count: number) => Math.min(...[1, 2, 3].map(() => timeOfRemoval(count)));
    const few = best(5_000);
    const many = best(40_000);
    // Eight times the series: proportional work takes about 8 times as long, quadratic work 64 times. The processor
    // time is known to 10 ms only.
    assert.ok(many < 30 * Math.max(few, 10_000), `5,000 series: ${few} µs; 40,000 series: ${many} µs`);
  });
});

describe('the removal of what ended programs have counted', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  const bounds = Array.from({ length: 48 }, (_, i) => i);
  for (const family of [
    makeFamily({ labelNames: ['a'] }),
    makeFamily({ labelNames: ['a'], type: 'histogram', bounds, cells: 50 }),
  ]) {
    for (let seed = 1; seed <= 4; seed++) {
      it(`keeps what others have counted: ${family.type}, random sequence ${seed}`, () =>
        check(family, seed));
    }
  }

  /** Counts, ends, kills and removes at random, and compares all totals after each removal. */
  async function check(family: FamilyDescriptor, seed: number): Promise<void> {
    const random = randomNumbers(seed * 7919);
    const pick = (count: number) => Math.floor(random() * count);
    const options = optionsFor(server);
    const producers = `${options.keyPrefix}:producers`;
    const listed = () => server.call('ZRANGE', producers, 0, -1) as Promise<string[]>;
    const start = async () => {
      const before = await listed();
      const backend = await openBackend(options);
      await backend.flush();
      const name = (await listed()).find((producer) => !before.includes(producer))!;
      return { backend, name, cells: new Map<string, Cells>() };
    };
    const countOf = ({ page, offset }: Cells) => page[offset]!;
    const ended = new Map<string, number>();
    const opened: MultiProcessRedisBackend[] = [];
    const running = [await start(), await start(), await start()];
    let removals = 0;
    for (let step = 0; step < 80; step++) {
      const index = pick(running.length);
      const { backend, name, cells } = running[index]!;
      opened.push(backend);
      switch (pick(8)) {
        case 0:
        case 1: {
          await backend.flush();
          // A killed program does not sign off. Its heartbeats stop.
          if (random() < 0.5) await backend.close();
          else await server.call('ZADD', producers, Math.floor(Date.now() / 1000) - 60, name);
          for (const [label, own] of cells) ended.set(label, (ended.get(label) ?? 0) + countOf(own));
          running[index] = await start();
          break;
        }
        case 2:
        case 3: {
          const label = `l${pick(200)}`;
          const own = cells.get(label);
          if (own !== undefined) backend.release(family, own);
          backend.removeEnded(family, [label]);
          cells.delete(label);
          ended.delete(label);
          // Others may not have sent their latest numbers, or may send them while the series is removed.
          if (random() < 0.5) await backend.flush();
          await Promise.all(running.map((program) => program.backend.flush()));
          const expected = new Map(ended);
          for (const program of running) {
            for (const [counted, its] of program.cells) {
              expected.set(counted, (expected.get(counted) ?? 0) + countOf(its));
            }
          }
          const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
          const found = rowsOf(snapshot!).map(([text, values]) => [text.slice('a='.length), values[0]]);
          assert.deepEqual(
            new Map(found.toSorted() as [string, number][]),
            new Map([...expected].toSorted()),
          );
          removals += 1;
          break;
        }
        default:
          for (let i = pick(30); i >= 0; i--) {
            const label = `l${pick(200)}`;
            const own = cells.get(label) ?? backend.reserve({ family, labels: [label] });
            cells.set(label, own);
            for (let cell = 0; cell < family.cells; cell++) own.page[own.offset + cell]! += 1 + pick(5);
          }
          if (random() < 0.5) await backend.flush();
      }
    }
    assert.ok(removals > 5 && ended.size > 5);
    for (const backend of new Set(opened)) await backend.close();
    for (const { backend } of running) await backend.close();
  }
});
