/**
 * The contract of backends. A custom backend passes this suite:
 *
 * ```ts
 * backendContract('MyBackend', async () => new MyBackend({ … }));
 * ```
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Exemplar, type FamilyDescriptor, type FamilySnapshot, seriesOf } from 'metheus';
import type { Backend, Cells, MergeMode, Writer } from 'metheus/backends';
import { rowText } from '#metheus/model/label-column.js';
import { blockFamily } from '#metheus/model/native/blocks.js';

let families = 0;

/** Returns a family that no other test has, since a backend may outlive its test. */
export function makeFamily(given: Partial<FamilyDescriptor> = {}): FamilyDescriptor {
  families += 1;
  return {
    scope: '',
    name: `family_${families}`,
    help: 'Help.',
    type: 'counter',
    unit: '',
    labelNames: ['a'],
    cells: 1,
    merge: 'add',
    bounds: [],
    ...given,
  };
}

const gauge = (merge: MergeMode) => makeFamily({ type: 'gauge', cells: 2, merge });

/** Returns the labels and cells of every series, sorted by labels. */
export function rowsOf(snapshot: FamilySnapshot): [labels: string, cells: number[]][] {
  const rows = [...seriesOf(snapshot)].map(({ labels, values }): [string, number[]] => [
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(),
    [...values],
  ]);
  return rows.sort(([a], [b]) => (a < b ? -1 : 1));
}

let writers = 0;
const makeWriter = (live = true): Writer => {
  writers += 1;
  return { id: `writer-${writers}`, live };
};

/**
 * The contract of backends whose processes show each other's exemplars.
 *
 * @param makeStorage - returns a function that opens backends on one new storage, each of which stands for a process
 */
export function sharedExemplarsContract(name: string, makeStorage: () => () => Promise<Backend>): void {
  /** Returns the ids of the exemplars that a backend shows, by labels and cell. */
  async function shown(backend: Backend, family: FamilyDescriptor): Promise<Record<string, string>> {
    const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
    const { rows, exemplars = new Map<number, Exemplar>() } = snapshot!;
    const found = [...exemplars].map(([index, { labels, value, timestamp }]) => {
      assert.equal(value, timestamp! * 2);
      return [`${rowText(rows, Math.floor(index / family.cells))} ${index % family.cells}`, labels.id];
    });
    return Object.fromEntries(found);
  }

  const exemplar = (id: string, timestamp: number): Exemplar => ({
    labels: { id, text: '"\\\n漢😀' },
    value: timestamp * 2,
    timestamp,
  });
  const histogram = () => makeFamily({ type: 'histogram', cells: 4, bounds: [1, 2] });

  describe(`${name}: exemplars of other processes`, () => {
    it('are shown, the newest of each bucket', async () => {
      const open = makeStorage();
      const [one, two] = [await open(), await open()];
      const family = histogram();
      const cells = [one, two].map((backend) => backend.reserve({ family, labels: ['x\n"'] }));
      for (const { page, offset } of cells) page[offset]! += 1;
      const put = (i: 0 | 1, cell: number, id: string, time: number) =>
        [one, two][i]!.putExemplar!(family, cells[i]!, cell, exemplar(id, time));
      put(0, 0, 'old', 10);
      put(1, 0, 'new', 20);
      put(0, 1, 'own', 30);
      await Promise.all([one.flush(), two.flush()]);
      const label = 'a="x\\n\\""';
      const expected = { [`${label} 0`]: 'new', [`${label} 1`]: 'own' };
      for (const backend of [one, two]) assert.deepEqual(await shown(backend, family), expected);
      put(0, 0, 'newest', 40);
      put(1, 2, 'inf', 5);
      await Promise.all([one.flush(), two.flush()]);
      const later = { ...expected, [`${label} 0`]: 'newest', [`${label} 2`]: 'inf' };
      for (const backend of [one, two]) {
        assert.deepEqual(await shown(backend, family), later);
        assert.deepEqual(await shown(backend, family), later, 'reading changes nothing');
      }
      await Promise.all([one.close(), two.close()]);
    });

    it('disappear with their series, and do not return with a new one', async () => {
      const open = makeStorage();
      const [one, two] = [await open(), await open()];
      const family = histogram();
      const mine = one.reserve({ family, labels: ['x'] });
      const theirs = two.reserve({ family, labels: ['x'] });
      for (const { page, offset } of [mine, theirs]) page[offset]! += 1;
      one.putExemplar!(family, mine, 0, exemplar('one', 30));
      two.putExemplar!(family, theirs, 0, exemplar('two', 20));
      await Promise.all([one.flush(), two.flush()]);
      assert.deepEqual(await shown(two, family), { 'a="x" 0': 'one' });
      one.release(family, mine);
      one.removeEnded?.(family, ['x']);
      await one.flush();
      for (const backend of [two, one]) {
        const left = Object.values(await shown(backend, family));
        assert.ok(
          left.every((id) => id === 'two'),
          `${left}`,
        );
      }
      const again = one.reserve({ family, labels: ['x'] });
      again.page[again.offset]! += 1;
      await one.flush();
      assert.ok(!Object.values(await shown(two, family)).includes('one'));
      await Promise.all([one.close(), two.close()]);
    });

    it('are bounded, and the latest ones are shown', async () => {
      const open = makeStorage();
      const [one, two] = [await open(), await open()];
      const family = makeFamily();
      for (let i = 0; i < 3000; i++) {
        const cells = one.reserve({ family, labels: [String(i)] });
        cells.page[cells.offset]! += 1;
        one.putExemplar!(family, cells, 0, exemplar(String(i), i + 1));
        if (i % 500 === 499) {
          await one.flush();
          await two.snapshot({ families: [family], scopes: [] });
        }
      }
      await one.flush();
      const found = Object.values(await shown(two, family)).map(Number);
      assert.ok(found.length >= 500 && found.length < 3000, `${found.length}`);
      assert.equal(Math.max(...found), 2999);
      assert.ok(Math.min(...found) >= 500, `${Math.min(...found)}`);
      assert.equal(Object.keys(await shown(one, family)).length, 3000, 'all of its own');
      await Promise.all([one.close(), two.close()]);
    });

    it('of the hidden blocks of native buckets are shown too', async () => {
      const open = makeStorage();
      const [one, two] = [await open(), await open()];
      const family = blockFamily(makeFamily({ type: 'histogram', cells: 2 }), [160, 0]);
      const cells = one.reserve({ family, labels: ['x', '3:z0'] });
      cells.page[cells.offset]! += 1;
      one.putExemplar!(family, cells, 7, exemplar('native', 9));
      await one.flush();
      assert.deepEqual(Object.values(await shown(two, family)), ['native']);
      await Promise.all([one.close(), two.close()]);
    });

    it('of the far future are left out', async () => {
      const open = makeStorage();
      const [one, two] = [await open(), await open()];
      const family = makeFamily();
      for (const [label, time] of [
        ['x', Date.now() / 1000 + 3600],
        ['y', Date.now() / 1000],
      ] as const) {
        const cells = one.reserve({ family, labels: [label] });
        cells.page[cells.offset]! += 1;
        one.putExemplar!(family, cells, 0, exemplar(label, time));
      }
      await one.flush();
      assert.deepEqual(Object.values(await shown(two, family)), ['y']);
      await Promise.all([one.close(), two.close()]);
    });
  });
}

/**
 * The contract of backends that keep the numbers of ended processes.
 *
 * @param name - the name of the backend, for the report
 * @param makeStorage - returns a function that opens backends on one new storage. A closed backend stands for an ended
 * process
 * @param isShared - whether several backends can use the storage at the same time
 */
export function removalContract(
  name: string,
  makeStorage: () => () => Promise<Backend>,
  { isShared = true }: { readonly isShared?: boolean } = {},
): void {
  type Counts = Record<string, number>;

  /** Counts in one series for each key, whose characters are the label values, and closes the backend. */
  async function countAndEnd(open: () => Promise<Backend>, family: FamilyDescriptor, counts: Counts) {
    const backend = await open();
    countIn(backend, family, counts);
    await backend.flush();
    await backend.close();
  }

  function countIn(backend: Backend, family: FamilyDescriptor, counts: Counts): Map<string, Cells> {
    const series = new Map<string, Cells>();
    for (const [key, count] of Object.entries(counts)) {
      const cells = backend.reserve({ family, labels: [...key] });
      cells.page.fill(count, cells.offset, cells.offset + family.cells);
      series.set(key, cells);
    }
    return series;
  }

  async function read(backend: Backend, family: FamilyDescriptor): Promise<Counts> {
    const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
    const rows = [...seriesOf(snapshot!)].map(({ labels, values }) => [
      Object.values(labels).join(''),
      values[0]!,
    ]);
    return Object.fromEntries(rows.toSorted());
  }

  const makeCounter = () => makeFamily({ labelNames: ['a', 'b'] });
  const kinds = {
    counter: makeCounter,
    histogram: () => makeFamily({ labelNames: ['a', 'b'], type: 'histogram', cells: 4, bounds: [1, 2] }),
    gauge: () => makeFamily({ labelNames: ['a', 'b'], type: 'gauge', cells: 2, merge: 'max' }),
  };

  describe(`${name}: removeEnded`, () => {
    it('deletes the series that match, of all ended processes, and nothing else', async () => {
      const open = makeStorage();
      const [family, other] = [makeCounter(), makeCounter()];
      for (const counts of [
        { xx: 1, xy: 2 },
        { xx: 10, yx: 20, yy: 30 },
      ]) {
        await countAndEnd(open, family, counts);
        await countAndEnd(open, other, counts);
      }
      const backend = await open();
      assert.deepEqual(await read(backend, family), { xx: 11, xy: 2, yx: 20, yy: 30 });
      backend.removeEnded!(family, ['z', undefined]);
      backend.removeEnded!(family, ['x', 'x']);
      assert.deepEqual(await read(backend, family), { xy: 2, yx: 20, yy: 30 });
      backend.removeEnded!(family, [undefined, 'y']);
      assert.deepEqual(await read(backend, family), { yx: 20 });
      backend.removeEnded!(family, [undefined, undefined]);
      assert.deepEqual(await read(backend, family), {});
      assert.deepEqual(await read(backend, other), { xx: 11, xy: 2, yx: 20, yy: 30 });
      await backend.close();
      const next = await open();
      assert.deepEqual(await read(next, family), {}, 'for processes that start later too');
      assert.deepEqual(await read(next, other), { xx: 11, xy: 2, yx: 20, yy: 30 });
      await next.close();
    });

    for (const [kind, make] of Object.entries(kinds)) {
      it(`lets a ${kind} that is created again start at 0`, async () => {
        const open = makeStorage();
        const family = make();
        await countAndEnd(open, family, { xx: 5, xy: 6 });
        const backend = await open();
        const { xx } = Object.fromEntries(countIn(backend, family, { xx: 3 }));
        backend.release(family, xx!, 'removed');
        backend.removeEnded!(family, ['x', 'x']);
        countIn(backend, family, { xx: 1 });
        // Values of gauges do not outlast every backend.
        const { xx: again } = await read(backend, family);
        assert.equal(again, 1);
        await backend.close();
      });
    }

    for (const [kind, make] of Object.entries(kinds)) {
      it(`keeps the series of this process (${kind})`, async () => {
        const open = makeStorage();
        const family = make();
        await countAndEnd(open, family, { xx: 5, xy: 5 });
        const backend = await open();
        countIn(backend, family, { xx: 3 });
        await backend.flush();
        backend.removeEnded!(family, ['x', undefined]);
        assert.deepEqual(await read(backend, family), { xx: 3 });
        assert.deepEqual(await read(backend, family), { xx: 3 });
        await backend.close();
      });
    }

    it('takes effect when only a flush follows', async () => {
      const open = makeStorage();
      const family = makeCounter();
      await countAndEnd(open, family, { xx: 5, xy: 6 });
      const backend = await open();
      backend.removeEnded!(family, [undefined, 'x']);
      await backend.flush();
      await backend.close();
      const next = await open();
      assert.deepEqual(await read(next, family), { xy: 6 });
      await next.close();
    });

    for (const [kind, make] of isShared ? Object.entries(kinds) : []) {
      it(`keeps the series of running processes (${kind})`, async () => {
        const open = makeStorage();
        const family = make();
        await countAndEnd(open, family, { xx: 100, yy: 100 });
        const [one, two] = [await open(), await open()];
        const mine = countIn(one, family, { xx: 7, xy: 7 });
        const theirs = countIn(two, family, { xx: 50, yx: 50 });
        await two.flush();
        for (const cells of mine.values()) one.release(family, cells, 'removed');
        one.removeEnded!(family, [undefined, undefined]);
        assert.deepEqual(await read(one, family), { xx: 50, yx: 50 });
        assert.deepEqual(await read(two, family), { xx: 50, yx: 50 });
        const { page, offset } = theirs.get('xx')!;
        page.fill(60, offset, offset + family.cells);
        await two.flush();
        assert.deepEqual(await read(one, family), { xx: 60, yx: 50 });
        countIn(one, family, { xx: 1 });
        const both = kind === 'gauge' ? 60 : 61;
        assert.deepEqual(await read(one, family), { xx: both, yx: 50 });
        await two.close();
        assert.deepEqual(await read(one, family), { xx: both, yx: 50 });
        await one.close();
      });
    }
  });
}

/**
 * @param name - the name of the backend, for the report
 * @param make - returns an open, empty backend, which the suite closes
 */
export function backendContract(name: string, make: () => Promise<Backend>): void {
  /** Defines a test that has a backend of its own. */
  function test(what: string, run: (backend: Backend) => Promise<void>): void {
    it(what, async () => {
      const backend = await make();
      try {
        await run(backend);
      } finally {
        await backend.close();
      }
    });
  }

  async function read(backend: Backend, family: FamilyDescriptor): Promise<[string, number[]][]> {
    const snapshots = await backend.snapshot({ families: [family], scopes: [] });
    assert.equal(snapshots.length, 1);
    assert.deepEqual(snapshots[0]!.family, family);
    return rowsOf(snapshots[0]!);
  }

  describe(`${name}: cells`, () => {
    test('are zeroed, separate for each series, and written without a call', async (backend) => {
      const family = makeFamily({ cells: 3, labelNames: ['a', 'b'] });
      const one = backend.reserve({ family, labels: ['1', 'x'] });
      const two = backend.reserve({ family, labels: ['2', 'x'] });
      for (const { page, offset } of [one, two]) {
        assert.ok(page instanceof Float64Array);
        assert.deepEqual([...page.subarray(offset, offset + 3)], [0, 0, 0]);
      }
      one.page.set([1, 2, 3], one.offset);
      two.page[two.offset + 2] = 9;
      const expected = [
        ['a=1,b=x', [1, 2, 3]],
        ['a=2,b=x', [0, 0, 9]],
      ];
      assert.deepEqual(await read(backend, family), expected);
      assert.deepEqual(await read(backend, family), expected, 'reading changes nothing');
    });

    test('accept labels of any name and any value', async (backend) => {
      const labelNames = ['http.route', 'a="b",c', '{漢 \\\n}'];
      const family = makeFamily({ name: `a.b {"\n}${labelNames.length}`, labelNames });
      const { page, offset } = backend.reserve({ family, labels: ['/', 'x="y",', '"\\\n'] });
      page[offset]! += 2;
      const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
      const [series, ...others] = [...seriesOf(snapshot!)];
      const labels = { 'http.route': '/', 'a="b",c': 'x="y",', '{漢 \\\n}': '"\\\n' };
      assert.deepEqual([series?.labels, [...(series?.values ?? [])], others], [labels, [2], []]);
    });

    test('stay valid when more are handed out', async (backend) => {
      const family = makeFamily({ cells: 2 });
      const all = Array.from({ length: 5000 }, (_, i) => backend.reserve({ family, labels: [String(i)] }));
      for (const [i, { page, offset }] of all.entries()) page[offset + 1]! += i;
      const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
      const seen = [...seriesOf(snapshot!)].map(({ labels, values }) => [Number(labels.a), ...values]);
      assert.deepEqual(
        seen.sort(([a], [b]) => a! - b!),
        all.map((_, i) => [i, 0, i]),
      );
    });

    test('keep the time at which they began to count, if the backend supports it', async (backend) => {
      const family = makeFamily();
      const before = Date.now() / 1000;
      backend.reserve({ family, labels: ['new'] });
      backend.reserve({ family, labels: ['moved'], created: 1000.5 });
      backend.reserve({ family, labels: ['both'], writer: makeWriter() });
      backend.reserve({ family, labels: ['both'], created: 2000.5, writer: makeWriter() });
      await backend.flush();
      const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
      const { rows, created } = snapshot!;
      if (created === undefined) return;
      const times = Object.fromEntries(
        Array.from({ length: rows.size }, (_, row) => [rowText(rows, row), created[row]!]),
      );
      assert.deepEqual(Object.keys(times).sort(), ['a="both"', 'a="moved"', 'a="new"']);
      const now = Date.now() / 1000;
      assert.ok(times['a="new"']! >= before - 1 && times['a="new"']! <= now + 1, String(times['a="new"']));
      // Redis keeps one time for a whole family.
      if (times['a="moved"'] === times['a="new"']) return;
      assert.equal(times['a="moved"'], 1000.5);
      assert.equal(times['a="both"'], 2000.5, 'the older of two');
    });

    test('keep every float64 exactly', async (backend) => {
      const numbers = [Number.NaN, Infinity, -Infinity, -0, 5e-324, -5e-324, 1e308, 2 ** 53, 0.1, -1.5];
      const family = gauge('shared');
      for (const [i, number] of numbers.entries()) {
        const { page, offset } = backend.reserve({ family, labels: [String(i)] });
        page.set([number, 1e9 + i], offset);
      }
      const expected = numbers.map((number, i) => [`a=${i}`, [number, 1e9 + i]]);
      assert.deepEqual(await read(backend, family), expected);
      // The same as one writer among several.
      backend.reserve({ family, labels: ['0'], writer: makeWriter() });
      assert.deepEqual(await read(backend, family), expected);
    });

    test('keep every label value exactly', async (backend) => {
      const family = makeFamily({ labelNames: ['a', 'b'] });
      const values = [
        '',
        ' ',
        '"',
        '\\',
        '\n',
        '\r',
        '\t',
        '\0',
        ',',
        '=',
        'a="b"',
        '😀',
        'é',
        '\ufffd',
        'x'.repeat(5000),
      ];
      for (const [i, value] of values.entries()) {
        const { page, offset } = backend.reserve({ family, labels: [value, value] });
        page[offset] = i;
      }
      const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
      const seen = [...seriesOf(snapshot!)].toSorted((a, b) => a.values[0]! - b.values[0]!);
      assert.deepEqual(
        seen.map(({ labels }) => labels),
        values.map((value) => ({ a: value, b: value })),
      );
    });

    test('are one row in a family without labels', async (backend) => {
      const family = makeFamily({ labelNames: [] });
      const { page, offset } = backend.reserve({ family, labels: [] });
      page[offset] = 3;
      assert.deepEqual(await read(backend, family), [['', [3]]]);
    });
  });

  describe(`${name}: exemplars`, () => {
    /** Returns exemplars with the label text of their row and their cell. */
    async function exemplarsOf(backend: Backend, family: FamilyDescriptor): Promise<[string, Exemplar][]> {
      const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
      const { rows, exemplars = new Map() } = snapshot!;
      const named = [...exemplars].map(([index, exemplar]): [string, Exemplar] => [
        `${rowText(rows, Math.floor(index / family.cells))} ${index % family.cells}`,
        exemplar,
      ]);
      return named.sort(([a], [b]) => (a < b ? -1 : 1));
    }

    const exemplar = (id: string, timestamp: number): Exemplar => ({ labels: { id }, value: 1, timestamp });

    test('appear in snapshots, the newest of each cell', async (backend) => {
      if (backend.putExemplar === undefined) return;
      const family = makeFamily({ cells: 3, type: 'histogram', bounds: [1] });
      const cells = ['x', 'y', 'z'].map((label) => backend.reserve({ family, labels: [label] }));
      for (const { page, offset } of cells) page[offset]! += 1;
      assert.deepEqual(await exemplarsOf(backend, family), []);
      backend.putExemplar(family, cells[0]!, 1, exemplar('old', 10));
      backend.putExemplar(family, cells[0]!, 1, exemplar('new', 20));
      backend.putExemplar(family, cells[0]!, 1, exemplar('older', 5));
      backend.putExemplar(family, cells[2]!, 0, exemplar('z', 1));
      const expected = [
        ['a="x" 1', exemplar('new', 20)],
        ['a="z" 0', exemplar('z', 1)],
      ];
      assert.deepEqual(await exemplarsOf(backend, family), expected);
      assert.deepEqual(await exemplarsOf(backend, family), expected, 'reading changes nothing');
      const [first] = backend.exemplarsOf!(family, cells[2]!)!;
      assert.deepEqual(first, exemplar('z', 1));
      assert.equal(backend.exemplarsOf!(family, cells[1]!), undefined);
      backend.putExemplar(family, cells[1]!, 2, exemplar('y', 1));
      assert.deepEqual(await exemplarsOf(backend, family), [
        expected[0],
        ['a="y" 2', exemplar('y', 1)],
        expected[1],
      ]);
    });

    test('of several writers belong to the series', async (backend) => {
      if (backend.putExemplar === undefined) return;
      const family = makeFamily({ cells: 2, type: 'summary' });
      const own = backend.reserve({ family, labels: ['x'] });
      const other = backend.reserve({ family, labels: ['x'], writer: makeWriter() });
      backend.putExemplar(family, own, 0, exemplar('own', 2));
      backend.putExemplar(family, own, 1, exemplar('own', 2));
      backend.putExemplar(family, other, 1, exemplar('other', 3));
      const both = [
        ['a="x" 0', exemplar('own', 2)],
        ['a="x" 1', exemplar('other', 3)],
      ];
      assert.deepEqual(await exemplarsOf(backend, family), both);
      backend.release(family, other);
      assert.deepEqual(await exemplarsOf(backend, family), [both[0], ['a="x" 1', exemplar('own', 2)]]);
    });

    test('are dropped with their series, and ignored for cells of another backend', async (backend) => {
      if (backend.putExemplar === undefined) return;
      const family = makeFamily();
      const cells = backend.reserve({ family, labels: ['x'] });
      backend.putExemplar(family, cells, 0, exemplar('x', 1));
      backend.release(family, cells);
      const again = backend.reserve({ family, labels: ['x'] });
      again.page[again.offset]! += 1;
      backend.putExemplar(family, { page: new Float64Array(1), offset: 0 }, 0, exemplar('elsewhere', 1));
      assert.deepEqual(await exemplarsOf(backend, family), []);
      assert.deepEqual(await read(backend, family), [['a=x', [1]]]);
    });
  });

  describe(`${name}: writers`, () => {
    test('with equal labels add up, cell by cell', async (backend) => {
      const family = makeFamily({ type: 'histogram', cells: 4, bounds: [1, 2] });
      const cells = [undefined, makeWriter(), makeWriter(false)].map((writer, i) => {
        const { page, offset } = backend.reserve({ family, labels: ['x'], ...(writer && { writer }) });
        page.set(
          [1, 10, 100, 1000].map((cell) => cell * (i + 1)),
          offset,
        );
        return { page, offset };
      });
      const [y] = [backend.reserve({ family, labels: ['y'], writer: makeWriter() })];
      assert.deepEqual(await read(backend, family), [
        ['a=x', [6, 60, 600, 6000]],
        ['a=y', [0, 0, 0, 0]],
      ]);
      cells[1]!.page[cells[1]!.offset]! += 4;
      y!.page[y!.offset + 3]! += 5;
      assert.deepEqual(await read(backend, family), [
        ['a=x', [10, 60, 600, 6000]],
        ['a=y', [0, 0, 0, 5]],
      ]);
    });

    test('add up when families differ only in their help', async (backend) => {
      const family = makeFamily();
      const theirs = { ...structuredClone(family), help: 'Of another version.' };
      const one = backend.reserve({ family: theirs, labels: ['x'], writer: makeWriter() });
      const two = backend.reserve({ family, labels: ['x'] });
      one.page[one.offset] = 1;
      two.page[two.offset] = 2;
      assert.deepEqual(await read(backend, family), [['a=x', [3]]]);
    });

    test('do not add up when families differ otherwise', async (backend) => {
      const family = makeFamily();
      for (const other of [{ scope: 'billing' }, { type: 'unknown' }, { labelNames: ['b'] }] as const) {
        const { page, offset } = backend.reserve({
          family: { ...family, ...other },
          labels: ['x'],
          writer: makeWriter(),
        });
        page[offset] = 1;
      }
      assert.deepEqual(await read(backend, family), []);
    });

    test('and series that come later are included', async (backend) => {
      const family = makeFamily();
      const own = backend.reserve({ family, labels: ['x'] });
      own.page[own.offset] = 1;
      assert.deepEqual(await read(backend, family), [['a=x', [1]]]);
      const writer = makeWriter();
      const first = backend.reserve({ family, labels: ['x'], writer });
      first.page[first.offset] = 10;
      assert.deepEqual(await read(backend, family), [['a=x', [11]]]);
      const second = backend.reserve({ family, labels: ['y'], writer });
      second.page[second.offset] = 100;
      assert.deepEqual(await read(backend, family), [
        ['a=x', [11]],
        ['a=y', [100]],
      ]);
    });
  });

  describe(`${name}: gauges`, () => {
    type State = 'live' | 'dead' | 'own';
    /** A value and its time: 0 never touched, 1 only incremented, else the time of the last `set`. */
    type Cell = readonly [state: State, value: number, at: number];
    type Expected = Partial<Record<MergeMode, number | Record<string, number>>>;

    async function check(mode: MergeMode, cells: readonly Cell[], expected: number | Record<string, number>) {
      const backend = await make();
      const family = { ...gauge(mode), labelNames: [] };
      for (const [i, [state, value, at]] of cells.entries()) {
        const writer = state === 'own' ? {} : { writer: { id: `w${i}`, live: state === 'live' } };
        const { page, offset } = backend.reserve({ family, labels: [], ...writer });
        page.set([value, at], offset);
      }
      const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
      const seen = [...seriesOf(snapshot!)].map(({ labels, values }) => [labels.pid ?? '', values[0]]);
      const wanted = typeof expected === 'number' ? { '': expected } : expected;
      assert.deepEqual(Object.fromEntries(seen), wanted);
      assert.equal(seen.length, Object.keys(wanted).length);
      await backend.close();
    }

    const table: [string, readonly Cell[], Expected][] = [
      [
        'sets of the living and the dead, and writers that never touched it',
        [
          ['own', 0, 0],
          ['live', 5, 100],
          ['live', 3, 200],
          ['dead', 9, 300],
          ['dead', 1, 50],
          ['live', 0, 0],
          ['dead', 0, 0],
        ],
        {
          shared: 9,
          min: 1,
          livemin: 3,
          max: 9,
          livemax: 5,
          sum: 18,
          livesum: 8,
          mostrecent: 9,
          livemostrecent: 3,
          all: { w1: 5, w2: 3, w3: 9, w4: 1 },
          liveall: { w1: 5, w2: 3 },
        },
      ],
      [
        'increments of the living and the dead',
        [
          ['own', 0, 0],
          ['live', 2, 1],
          ['dead', 10, 1],
          ['live', 3, 1],
        ],
        {
          shared: 5,
          min: 2,
          livemin: 2,
          max: 10,
          livemax: 3,
          sum: 15,
          livesum: 5,
          all: { w1: 2, w2: 10, w3: 3 },
          liveall: { w1: 2, w3: 3 },
        },
      ],
      [
        'increments, and a set by one writer only',
        [
          ['live', 2, 1],
          ['own', 7, 100],
          ['live', 3, 1],
          ['dead', 4, 1],
        ],
        { shared: 7, sum: 16, livesum: 12, mostrecent: 7, livemostrecent: 7 },
      ],
      [
        'a set by an ended writer, after those of living ones',
        [
          ['own', 2, 100],
          ['dead', 4, 101],
        ],
        { shared: 4, min: 2, livemin: 2, max: 4, livemax: 2, mostrecent: 4, livemostrecent: 2 },
      ],
      [
        'gauges that no writer touched',
        [
          ['own', 0, 0],
          ['live', 0, 0],
          ['dead', 0, 0],
        ],
        {
          shared: 0,
          min: 0,
          livemin: 0,
          max: 0,
          livemax: 0,
          sum: 0,
          livesum: 0,
          mostrecent: 0,
          livemostrecent: 0,
          all: {},
          liveall: {},
        },
      ],
      [
        'nothing but the dead',
        [
          ['dead', 4, 100],
          ['dead', 6, 1],
        ],
        {
          shared: 4,
          min: 4,
          max: 6,
          sum: 10,
          mostrecent: 4,
          livemin: {},
          livemax: {},
          livesum: {},
          liveall: {},
        },
      ],
      [
        'negative values and zeros that were set',
        [
          ['own', 0, 100],
          ['live', -5, 90],
        ],
        { shared: 0, min: -5, max: 0, sum: -5, mostrecent: 0 },
      ],
    ];
    for (const [what, cells, expected] of table) {
      for (const [mode, value] of Object.entries(expected)) {
        it(`${mode} of ${what}`, () => check(mode as MergeMode, cells, value));
      }
    }

    test('warn once that increments are not served when another writer has set the gauge', async (backend) => {
      const warnings: string[] = [];
      const listen = ({ message }: Error) => warnings.push(message);
      const about = ({ name }: FamilyDescriptor) => warnings.filter((text) => text.includes(`'${name}'`));
      process.on('warning', listen);
      const touch = (family: FamilyDescriptor, cells: readonly Cell[]) => {
        for (const [who, value, at] of cells) {
          const writer = who === 'own' ? {} : { writer: makeWriter(who === 'live') };
          const { page, offset } = backend.reserve({ family, labels: ['x'], ...writer });
          page.set([value, at], offset);
        }
      };
      const harmless: readonly Cell[][] = [
        [
          ['own', 5, 100],
          ['live', 0, 1],
          ['dead', 3, 1],
          ['live', 7, 200],
        ],
        [
          ['own', 2, 1],
          ['live', 3, 1],
        ],
        [
          ['own', 0, 1],
          ['live', 5, 100],
        ],
      ];
      for (const cells of harmless) {
        const family = gauge('shared');
        touch(family, cells);
        await read(backend, family);
        await new Promise(setImmediate);
        assert.deepEqual(about(family), []);
      }
      for (const cells of [
        [
          ['own', 5, 100],
          ['live', 4, 1],
        ],
        [
          ['own', 4, 1],
          ['live', 5, 100],
          ['live', 4, 1],
        ],
      ] as const) {
        const family = gauge('shared');
        const other = gauge('sum');
        touch(family, cells);
        touch(other, cells);
        for (let times = 0; times < 2; times++) {
          assert.deepEqual(await read(backend, family), [['a=x', [5, 100]]]);
          await read(backend, other);
        }
        await new Promise(setImmediate);
        assert.deepEqual([about(family).length, about(other).length], [1, 0]);
        assert.match(about(family)[0]!, /'livesum'.*'livemostrecent'.*'liveall'/);
      }
      process.off('warning', listen);
    });

    test('change at once when a writer ends', async (backend) => {
      const writer = makeWriter();
      const modes = { shared: 0, livesum: 0, sum: 4 };
      const all = Object.keys(modes).map((mode) => {
        const family = { ...gauge(mode as MergeMode), labelNames: [] };
        backend.reserve({ family, labels: [] });
        const { page, offset } = backend.reserve({ family, labels: [], writer });
        page.set([4, 1], offset);
        return family;
      });
      const values = async () =>
        (await backend.snapshot({ families: all, scopes: [] })).map((snapshot) => rowsOf(snapshot)[0]![1][0]);
      assert.deepEqual(await values(), [4, 4, 4]);
      writer.live = false;
      assert.deepEqual(await values(), Object.values(modes));
    });

    test('have a `pid` label behind the others with all and liveall', async (backend) => {
      const family = gauge('all');
      const { page, offset } = backend.reserve({ family, labels: ['x'], writer: { id: 'a"b', live: true } });
      page.set([4, 1], offset);
      assert.deepEqual(await read(backend, family), [['a=x,pid=a"b', [4, 1]]]);
    });
  });

  describe(`${name}: rows with a time`, () => {
    test('are those of the newest time, added up when several have it', async (backend) => {
      const family = { ...makeFamily({ cells: 3 }), merge: 'newest' as const };
      const rows: [label: string, cells: number[]][] = [
        ['x', [7, 1, 10]],
        ['x', [8, 2, 20]],
        ['x', [8, 3, 30]],
        ['x', [6, 4, 40]],
        ['y', [5, 5, 50]],
      ];
      for (const [label, cells] of rows) {
        const { page, offset } = backend.reserve({ family, labels: [label], writer: makeWriter() });
        page.set(cells, offset);
      }
      assert.deepEqual(await read(backend, family), [
        ['a=x', [8, 5, 50]],
        ['a=y', [5, 5, 50]],
      ]);
    });
  });

  describe(`${name}: rows that are not merged`, () => {
    test('exist for each writer, with its liveness', async (backend) => {
      const family = { ...makeFamily({ cells: 2 }), merge: 'each' as const };
      const gone = makeWriter();
      for (const [i, writer] of [makeWriter(), gone, makeWriter(false)].entries()) {
        for (const label of ['x', 'y']) {
          const { page, offset } = backend.reserve({ family, labels: [label], writer });
          page.set([i, label === 'x' ? 10 : 20], offset);
        }
      }
      const own = backend.reserve({ family, labels: ['x'] });
      own.page.set([3, 10], own.offset);
      gone.live = false;
      const [snapshot] = await backend.snapshot({ families: [family], scopes: [] });
      const seen = [...seriesOf(snapshot!)].map(({ labels, values, live }) => [
        values[0],
        labels.a,
        values[1],
        live,
      ]);
      assert.deepEqual(
        seen.sort((a, b) => `${a}`.localeCompare(`${b}`)),
        [
          [0, 'x', 10, true],
          [0, 'y', 20, true],
          [1, 'x', 10, false],
          [1, 'y', 20, false],
          [2, 'x', 10, false],
          [2, 'y', 20, false],
          [3, 'x', 10, true],
        ],
      );
    });
  });

  describe(`${name}: release`, () => {
    test('removes a series, and reuses its cells zeroed', async (backend) => {
      const family = makeFamily({ cells: 2 });
      const cells = ['x', 'y', 'z'].map((label) => backend.reserve({ family, labels: [label] }));
      for (const [i, { page, offset }] of cells.entries()) page.set([i, i + 10], offset);
      backend.release(family, cells[1]!);
      assert.deepEqual(await read(backend, family), [
        ['a=x', [0, 10]],
        ['a=z', [2, 12]],
      ]);
      const { page, offset } = backend.reserve({ family, labels: ['new'] });
      assert.deepEqual([...page.subarray(offset, offset + 2)], [0, 0]);
      page[offset] = 7;
      assert.deepEqual(await read(backend, family), [
        ['a=new', [7, 0]],
        ['a=x', [0, 10]],
        ['a=z', [2, 12]],
      ]);
    });

    test('removes the share of one writer, and keeps those of others', async (backend) => {
      const family = makeFamily();
      const [one, two] = [makeWriter(), makeWriter()];
      const theirs = backend.reserve({ family, labels: ['x'], writer: one });
      const others = backend.reserve({ family, labels: ['x'], writer: two });
      const own = backend.reserve({ family, labels: ['x'] });
      for (const { page, offset } of [theirs, others, own]) page[offset] = 1;
      backend.release(structuredClone(family), theirs);
      assert.deepEqual(await read(backend, family), [['a=x', [2]]]);
      backend.release(family, own);
      assert.deepEqual(await read(backend, family), [['a=x', [1]]]);
      backend.release(family, others);
      assert.deepEqual(await read(backend, family), []);
      const again = backend.reserve({ family, labels: ['y'], writer: one });
      again.page[again.offset] = 5;
      assert.deepEqual(await read(backend, family), [['a=y', [5]]]);
    });

    test('and reuse by a new family are visible in the next snapshot', async (backend) => {
      const before = makeFamily();
      const old = backend.reserve({ family: before, labels: ['x'] });
      await read(backend, before);
      backend.release(before, old);
      assert.deepEqual(await read(backend, before), []);
      const family = makeFamily();
      const { page, offset } = backend.reserve({ family, labels: ['y'] });
      page[offset] = 2;
      assert.deepEqual(await read(backend, family), [['a=y', [2]]]);
      assert.deepEqual(await read(backend, family), [['a=y', [2]]]);
    });

    test('and reuse are visible in a merge of several writers, with reads in between', async (backend) => {
      const family = makeFamily();
      const writer = makeWriter();
      backend.reserve({ family, labels: ['own'] });
      backend.reserve({ family, labels: ['stays'], writer });
      const old = backend.reserve({ family, labels: ['old'], writer });
      old.page[old.offset] = 1;
      await read(backend, family);
      backend.release(family, old);
      await read(backend, family);
      const made = backend.reserve({ family, labels: ['new'], writer });
      made.page[made.offset] = 2;
      assert.deepEqual(await read(backend, family), [
        ['a=new', [2]],
        ['a=own', [0]],
        ['a=stays', [0]],
      ]);
    });
  });

  describe(`${name}: snapshot`, () => {
    test('has every requested family, in order, even when it is empty', async (backend) => {
      const wanted = [makeFamily(), makeFamily({ merge: 'max', type: 'gauge', cells: 2 }), makeFamily()];
      backend.reserve({ family: wanted[2]!, labels: ['x'] });
      for (const families of [wanted, wanted.toReversed(), []]) {
        const snapshots = await backend.snapshot({ families, scopes: [] });
        assert.deepEqual(
          snapshots.map(({ family }) => family),
          families,
        );
      }
      assert.deepEqual(await read(backend, wanted[0]!), []);
      assert.deepEqual(await read(backend, wanted[1]!), []);
      assert.deepEqual(await read(backend, wanted[2]!), [['a=x', [0]]]);
    });

    test('has the other families of other writers, in the requested scopes only', async (backend) => {
      const writer = makeWriter();
      const [mine, hidden] = [makeFamily({ scope: 's1' }), makeFamily({ scope: 's1' })];
      const theirs = ['s1', 's2', 's3'].map((scope) => makeFamily({ scope }));
      for (const [i, family] of [mine, ...theirs].entries()) {
        const { page, offset } = backend.reserve({ family: structuredClone(family), labels: ['x'], writer });
        page[offset] = i;
      }
      backend.reserve({ family: mine, labels: ['x'] });
      backend.reserve({ family: hidden, labels: ['x'] });
      const names = async (scopes: string[]) => {
        const snapshots = await backend.snapshot({ families: [mine], scopes });
        assert.deepEqual(snapshots[0]!.family, mine);
        return snapshots
          .slice(1)
          .map((snapshot) => [snapshot.family.name, rowsOf(snapshot)])
          .toSorted();
      };
      const shown = (i: number) => [theirs[i]!.name, [['a=x', [i + 1]]]];
      assert.deepEqual(await names([]), []);
      assert.deepEqual(await names(['s4']), []);
      assert.deepEqual(await names(['s1']), [shown(0)]);
      assert.deepEqual(await names(['s2', 's3']), [shown(1), shown(2)]);
    });

    test('does not change afterwards', async (backend) => {
      const alone = makeFamily();
      const shared = makeFamily();
      const all = gauge('all');
      const writer = makeWriter();
      backend.reserve({ family: shared, labels: ['theirs'], writer });
      const taken: [FamilySnapshot, unknown][] = [];
      let kept: { family: FamilyDescriptor; page: Float64Array; offset: number }[] = [];
      for (let round = 0; round < 8; round++) {
        for (const family of [alone, shared, all]) {
          for (let i = 0; i < 5; i++) {
            const mine = { family, labels: [`${round}-${i}`] };
            const cells = backend.reserve(family === all ? { ...mine, writer } : mine);
            cells.page.fill(round + 1, cells.offset, cells.offset + family.cells);
            kept.push({ family, page: cells.page, offset: cells.offset });
          }
        }
        for (const snapshot of await backend.snapshot({ families: [alone, shared, all], scopes: [] })) {
          taken.push([snapshot, rowsOf(snapshot)]);
        }
        for (const { page, offset } of kept) page[offset]! += 100;
        for (const one of kept.filter((_, i) => i % 3 === 0)) backend.release(one.family, one);
        kept = kept.filter((_, i) => i % 3 !== 0);
      }
      for (const [snapshot, then] of taken) assert.deepEqual(rowsOf(snapshot), then);
    });

    test('is the sum of all writers at any time', async () => {
      const step = fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({
            add: fc.nat({ max: 5 }),
            writer: fc.nat({ max: 2 }),
            by: fc.nat({ max: 9 }),
          }),
        },
        { weight: 2, arbitrary: fc.record({ release: fc.nat() }) },
        { weight: 1, arbitrary: fc.constant({ read: true }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const backend = await make();
          const family = makeFamily();
          const writers = [undefined, makeWriter(), makeWriter()];
          const series = new Map<string, { page: Float64Array; offset: number; label: string }>();
          const sums = () => {
            const sums = new Map<string, number>();
            for (const { label, page, offset } of series.values()) {
              sums.set(label, (sums.get(label) ?? 0) + page[offset]!);
            }
            return [...sums].toSorted().map(([label, sum]) => [`a=${label}`, [sum]]);
          };
          for (const one of steps) {
            if ('add' in one) {
              const [label, writer] = [String(one.add), writers[one.writer]];
              const key = `${label} ${one.writer}`;
              const request = { family, labels: [label], ...(writer && { writer }) };
              const cells = series.get(key) ?? { ...backend.reserve(request), label };
              series.set(key, cells);
              cells.page[cells.offset]! += one.by;
            } else if ('release' in one) {
              const key = [...series.keys()][one.release % Math.max(1, series.size)];
              if (key === undefined) continue;
              backend.release(family, series.get(key)!);
              series.delete(key);
            } else assert.deepEqual(await read(backend, family), sums());
          }
          assert.deepEqual(await read(backend, family), sums());
          await backend.close();
        }),
        { seed: 5, numRuns: 60 },
      );
    });
  });

  describe(`${name}: flush and close`, () => {
    test('are allowed at any time, any number of times', async (backend) => {
      await backend.flush();
      const family = makeFamily();
      const { page, offset } = backend.reserve({ family, labels: ['x'] });
      page[offset] = 1;
      await Promise.all([backend.flush(), backend.flush()]);
      await backend.flush();
      assert.deepEqual(await read(backend, family), [['a=x', [1]]]);
      await backend.close();
      page[offset]! += 1;
      await backend.close();
      assert.equal(page[offset], 2, 'cells stay writable');
    });

    test('leave a configuration of plain data', async (backend) => {
      assert.deepEqual(structuredClone(backend.config), { ...backend.config });
    });
  });
}
