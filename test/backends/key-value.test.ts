/** Backends that keep one number for each key: the contract, with synchronous and asynchronous storage, and sharing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FamilyDescriptor } from 'metheus';
import { type Backend, KeyValueBackend } from 'metheus/backends';
import { backendContract, makeFamily, rowsOf } from './contract.js';

/** Keeps the numbers in a map, which backends may share. */
class MapBackend extends KeyValueBackend {
  override readonly flushInterval = 1e5;

  constructor(readonly map: Map<string, number> = new Map()) {
    super();
  }

  increment(key: string, by: number): void {
    this.map.set(key, (this.map.get(key) ?? 0) + by);
  }

  set(key: string, value: number): void {
    this.map.set(key, value);
  }

  entries(): Iterable<[string, number]> {
    return this.map;
  }
}

/** Storage whose calls resolve later, each after a different time. */
class SlowBackend extends KeyValueBackend {
  override readonly flushInterval = 1e5;
  readonly map = new Map<string, number>();
  #calls = 0;

  async increment(key: string, by: number): Promise<void> {
    await this.#wait();
    this.map.set(key, (this.map.get(key) ?? 0) + by);
  }

  async set(key: string, value: number): Promise<void> {
    await this.#wait();
    this.map.set(key, value);
  }

  async entries(): Promise<[string, number][]> {
    await this.#wait();
    return [...this.map];
  }

  async #wait(): Promise<void> {
    this.#calls += 1;
    if (this.#calls % 3 === 0) await new Promise(setImmediate);
  }
}

async function opened<B extends KeyValueBackend>(backend: B): Promise<B> {
  await backend.open();
  return backend;
}

backendContract('a synchronous KeyValueBackend', () => opened(new MapBackend()));
backendContract('an asynchronous KeyValueBackend', () => opened(new SlowBackend()));

const read = async (backend: Backend, family: FamilyDescriptor) =>
  rowsOf((await backend.snapshot({ families: [family], scopes: [] }))[0]!);

describe('processes that share a KeyValueBackend', () => {
  it('add up, and keep what ended ones have counted', async () => {
    const map = new Map<string, number>();
    const family = makeFamily({ type: 'summary', cells: 2 });
    const gauge = makeFamily({ type: 'gauge', cells: 2, merge: 'livesum' });
    const all = await Promise.all([1, 2, 3].map(() => opened(new MapBackend(map))));
    for (const [i, backend] of all.entries()) {
      const sum = backend.reserve({ family, labels: ['x'] });
      const value = backend.reserve({ family: gauge, labels: ['x'] });
      for (let round = 1; round <= 3; round++) {
        sum.page[sum.offset]! += 0.5;
        sum.page[sum.offset + 1]! += 1;
        value.page.set([10 ** i * round, 1e9], value.offset);
        await backend.flush();
      }
    }
    const [first, second, third] = all;
    for (const backend of all) {
      assert.deepEqual(await read(backend, family), [['a=x', [4.5, 9]]]);
      assert.deepEqual(await read(backend, gauge), [['a=x', [333, 1e9]]]);
    }
    await second!.close();
    assert.deepEqual(await read(first!, gauge), [['a=x', [303, 1e9]]]);
    assert.deepEqual(await read(first!, family), [['a=x', [4.5, 9]]]);
    await third!.close();
    const reader = await opened(new MapBackend(map));
    const shown = (await reader.snapshot({ families: [], scopes: [''] })).map((snapshot) => [
      snapshot.family,
      rowsOf(snapshot),
    ]);
    assert.deepEqual(shown, [
      [family, [['a=x', [4.5, 9]]]],
      [gauge, [['a=x', [3, 1e9]]]],
    ]);
  });

  it('keep their series when another process removes its own', async () => {
    const map = new Map<string, number>();
    const family = makeFamily();
    const [one, two] = [await opened(new MapBackend(map)), await opened(new MapBackend(map))];
    const mine = one.reserve({ family, labels: ['x'] });
    const theirs = two.reserve({ family, labels: ['x'] });
    mine.page[mine.offset] = 7;
    theirs.page[theirs.offset] = 50;
    assert.deepEqual(await read(one, family), [['a=x', [7]]]);
    await two.flush();
    assert.deepEqual(await read(one, family), [['a=x', [57]]]);
    one.release(family, mine);
    assert.deepEqual(await read(one, family), [['a=x', [50]]]);
    theirs.page[theirs.offset]! += 1;
    assert.deepEqual(await read(two, family), [['a=x', [51]]]);
    two.release(family, theirs);
    await two.flush();
    assert.deepEqual(await read(one, family), []);
  });

  it('pass over keys of other programs', async () => {
    const foreign = [
      '',
      'x',
      '{}',
      '[]',
      '["x"]',
      '["[]",["x"],0]',
      '[1,["x"],0]',
      '["x",["x"],1e9]',
      '["help"]',
      // A family with a label that Prometheus reserves.
      JSON.stringify([JSON.stringify(['', 'x', 'counter', '', ['__name__'], 1, 'add', []]), ['y'], 0]),
      JSON.stringify([JSON.stringify(['', 'x', 'nonsense', '', [], 1, 'add', []]), [], 0]),
    ];
    const map = new Map(foreign.map((key) => [key, 1]));
    const backend = await opened(new MapBackend(map));
    const family = makeFamily();
    const { page, offset } = backend.reserve({ family, labels: ['x'] });
    page[offset] = 1;
    const snapshots = await backend.snapshot({ families: [family], scopes: ['', 'x'] });
    assert.deepEqual(snapshots.map(rowsOf), [[['a=x', [1]]]]);
  });
});

describe('a KeyValueBackend whose storage fails', () => {
  it('serves the numbers of this process with one warning, and loses nothing', async (t) => {
    const warnings = t.mock.method(process, 'emitWarning', () => {});
    let isDown = true;
    class Failing extends MapBackend {
      override increment(key: string, by: number): void {
        if (isDown) throw new Error('storage is away');
        super.increment(key, by);
      }
      override entries(): Iterable<[string, number]> {
        if (isDown) throw new Error('storage is away');
        return super.entries();
      }
    }
    const backend = await opened(new Failing());
    const family = makeFamily();
    const { page, offset } = backend.reserve({ family, labels: ['x'] });
    for (let count = 1; count <= 3; count++) {
      page[offset] = count;
      assert.deepEqual(await read(backend, family), [['a=x', [count]]]);
    }
    await assert.rejects(backend.flush(), /storage is away/);
    assert.equal(warnings.mock.callCount(), 1);
    isDown = false;
    await backend.flush();
    assert.deepEqual(
      [...backend.map].filter(([key]) => key.includes('["x"]')).map(([, value]) => value),
      [3],
    );
    assert.deepEqual(await read(backend, family), [['a=x', [3]]]);
    await backend.close();
  });
});
