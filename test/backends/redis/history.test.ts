/**
 * Redis changes its history: it returns to any earlier state, goes on from a copy, or loses everything. The totals of
 * the running producers are exact again after two flushes of each.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Redis } from 'ioredis';
import type { FamilyDescriptor } from 'metheus';
import type { Cells } from 'metheus/backends';
import type { MultiProcessRedisBackend } from 'metheus/backends/redis';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { startProducer } from './counting-producer.js';
import { randomNumbers } from './faulty-proxy.js';
import { openBackend, optionsFor, type RedisServer, startRedis, untilFlushed, withServer } from './server.js';

const SEQUENCES = process.env.CI === 'true' ? 100 : 30;
const STEPS = 40;

process.removeAllListeners('warning');

/** All keys of a server at one moment. */
type State = readonly (readonly [key: string, dump: Buffer])[];

async function save(client: Redis): Promise<State> {
  const keys = await client.keys('*');
  return Promise.all(keys.map(async (key) => [key, (await client.dumpBuffer(key))!] as const));
}

/** Replaces all keys at once, as a restart from a file or a failover does. */
async function restore(client: Redis, state: State): Promise<void> {
  const change = client.multi().flushall();
  for (const [key, dump] of state) change.restore(key, 0, dump);
  await change.exec();
}

describe('another history of Redis', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  it('20 flushes, SAVE, FLUSHALL, 5 flushes, restart from the dump, 25 flushes: all 50 are served', () =>
    withServer({}, async (own) => {
      const one = await startProducer(own);
      const count = async (flushes: number) => {
        for (let i = 0; i < flushes; i++) {
          one.inc();
          await one.backend.flush();
        }
      };
      await count(20);
      await own.call('SAVE');
      await own.call('FLUSHALL');
      await count(5);
      await own.kill();
      await own.start();
      await untilFlushed(one.backend);
      await count(25);
      assert.deepEqual(await one.read(), [50, 1]);
      await one.backend.close();
    }));

  it('leaves no family behind that has no changes to send', async () => {
    const one = await startProducer(server);
    one.inc(3);
    await one.backend.flush();
    const earlier = await save(server.client);
    one.inc(4);
    await one.backend.flush();
    await restore(server.client, earlier);
    await one.backend.flush();
    const reader = await openBackend({
      ...optionsFor(server),
      keyPrefix: one.backend.config.keyPrefix as string,
    });
    const [snapshot] = await reader.snapshot({ families: [one.family], scopes: [] });
    assert.deepEqual(rowsOf(snapshot!), [['', [7]]]);
    for (const backend of [one.backend, reader]) await backend.close();
  });

  it('is reported once, with all that was lost', async () => {
    const warnings: string[] = [];
    const listener = ({ message }: Error) => void warnings.push(message);
    const backend = await openBackend(optionsFor(server));
    const families = Array.from({ length: 5 }, () => makeFamily({ labelNames: [] }));
    const cells = families.map((family) => backend.reserve({ family, labels: [] }));
    await backend.flush();
    const earlier = await save(server.client);
    for (const { page, offset } of cells) page[offset] = 1;
    await backend.flush();
    process.on('warning', listener);
    await restore(server.client, earlier);
    for (let i = 0; i < 3; i++) await backend.flush();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listener);
    assert.deepEqual(warnings, [
      'Redis has returned to an earlier state of 5 metrics: running programs send their numbers again, what ended programs had sent since then is gone.',
    ]);
    await backend.close();
  });

  it('a producer that joined after that state sends all of its numbers again', async () => {
    const options = optionsFor(server);
    const family = makeFamily({ labelNames: [] });
    const count = async (by: number) => {
      const backend = await openBackend(options);
      const cells = backend.reserve({ family, labels: [] });
      cells.page[cells.offset] = by;
      await backend.flush();
      return { backend, cells };
    };
    const first = await count(1000);
    const earlier = await save(server.client);
    const late = await count(5);
    await restore(server.client, earlier);
    late.cells.page[late.cells.offset]! += 5;
    for (const { backend } of [late, first, late, first]) await backend.flush();
    const [snapshot] = await first.backend.snapshot({ families: [family], scopes: [] });
    assert.deepEqual(rowsOf(snapshot!), [['', [1010]]]);
    for (const { backend } of [late, first]) await backend.close();
  });

  it('does not bring back what a running producer has removed since that state', async () => {
    const options = optionsFor(server);
    const families = [makeFamily(), makeFamily({ type: 'gauge', cells: 2, merge: 'max' })];
    const only = [makeFamily(), makeFamily({ type: 'gauge', cells: 2, merge: 'max' })];
    const [backend, other] = [await openBackend(options), await openBackend(options)];
    const reserve = (by: MultiProcessRedisBackend, family: FamilyDescriptor, label: string) => {
      const cells = by.reserve({ family, labels: [label] });
      cells.page.fill(2, cells.offset, cells.offset + family.cells);
      return cells;
    };
    for (const family of families) for (const by of [backend, other]) reserve(by, family, 'kept');
    const removed = [...families, ...only].map(
      (family) => [family, reserve(backend, family, 'removed')] as const,
    );
    await backend.flush();
    await other.flush();
    const earlier = await save(server.client);
    for (const [family, cells] of removed) backend.release(family, cells);
    await backend.flush();
    for (let i = 0; i < 2; i++) {
      await restore(server.client, earlier);
      for (const each of [backend, other, backend, other]) await each.flush();
      const reader = await openBackend(options);
      const snapshots = await reader.snapshot({ families: [...families, ...only], scopes: [] });
      assert.deepEqual(snapshots.map(rowsOf), [[['a=kept', [4]]], [['a=kept', [2, 2]]], [], []]);
      await reader.close();
    }
    for (const each of [backend, other]) await each.close();
  });

  for (let seed = 1; seed <= SEQUENCES; seed++) {
    it(`keeps totals exact in the random sequence ${seed}`, () => checkSequence(seed));
  }

  async function checkSequence(seed: number): Promise<void> {
    const random = randomNumbers(seed * 7919);
    const pick = (count: number) => Math.floor(random() * count);
    await server.call('FLUSHALL');
    let loseReply = false;
    let isRepeating = false;
    const late: (() => Promise<unknown>)[] = [];
    /** Loses replies of executed commands, and keeps commands to execute them a second time later. */
    const intercept =
      (method: 'call' | 'callBuffer') =>
      async (...args: [string, ...string[]]): Promise<unknown> => {
        if (isRepeating && late.length < 50) late.push(() => server.client[method](...args));
        const reply = await server.client[method](...args);
        if (!loseReply) return reply;
        loseReply = false;
        throw new Error('the reply is lost');
      };
    const client = Object.assign(Object.create(server.client), {
      call: intercept('call'),
      callBuffer: intercept('callBuffer'),
    });
    const options = { ...optionsFor(server), client };
    const families = [
      makeFamily({ labelNames: ['a'] }),
      makeFamily({ type: 'histogram', cells: 4, bounds: [1, 2], labelNames: ['a'] }),
      makeFamily({ type: 'gauge', cells: 2, merge: 'sum', labelNames: ['a'] }),
    ];
    const totals = families.map(() => new Map<string, number>());
    const producers = await Promise.all(
      [1, 2, 3].map(async () => ({
        backend: await openBackend(options),
        cells: new Map<string, { readonly family: number; readonly label: string; readonly cells: Cells }>(),
      })),
    );
    const states: State[] = [await save(server.client)];
    const flush = async (producer: number) => {
      for (let i = 0; i < 1 + pick(4); i++) {
        const f = pick(families.length);
        const label = `s${pick(150)}`;
        const family = families[f]!;
        const { backend, cells: known } = producers[producer]!;
        const series = known.get(`${f} ${label}`) ?? {
          family: f,
          label,
          cells: backend.reserve({ family, labels: [label] }),
        };
        known.set(`${f} ${label}`, series);
        const { page, offset } = series.cells;
        page[offset]! += 1;
        if (family.merge === 'sum') page[offset + 1] = 2;
        totals[f]!.set(label, (totals[f]!.get(label) ?? 0) + 1);
      }
      await producers[producer]!.backend.flush().catch(() => {});
    };
    const remove = (producer: number) => {
      const { backend, cells: known } = producers[producer]!;
      const [key, series] = [...known][pick(known.size)] ?? [];
      if (series === undefined) return;
      const { family, label, cells } = series;
      totals[family]!.set(label, totals[family]!.get(label)! - cells.page[cells.offset]!);
      backend.release(families[family]!, cells);
      known.delete(key!);
    };
    for (let step = 0; step < STEPS; step++) {
      const dice = random();
      if (dice < 0.6) {
        if (random() < 0.2) remove(pick(producers.length));
        isRepeating = random() < 0.3;
        loseReply = random() < 0.2;
        await flush(pick(producers.length));
        loseReply = false;
        isRepeating = false;
      } else if (dice < 0.75) states.push(await save(server.client));
      else if (dice < 0.85) {
        // Saved, so that a later step can return to it.
        states.push(await save(server.client));
        await restore(server.client, states[pick(states.length)]!);
      } else if (dice < 0.9) await server.call('FLUSHALL');
      else for (const repeat of late.splice(0, pick(20))) await repeat().catch(() => {});
    }
    for (let i = 0; i < 2; i++) for (const { backend } of producers) await backend.flush();
    const reader = await openBackend({ ...options, client: server.client as never });
    const snapshots = await reader.snapshot({ families, scopes: [] });
    for (const [f, snapshot] of snapshots.entries()) {
      const found = new Map(rowsOf(snapshot).map(([labels, [value]]) => [labels.slice(2), value]));
      for (const [label, value] of totals[f]!) {
        assert.equal(found.get(label) ?? 0, value, `series ${label} of family ${f}, seed ${seed}`);
      }
    }
    for (const { backend } of [...producers, { backend: reader }]) await backend.close();
  }
});
