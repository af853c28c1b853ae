/** Hundreds of producers that come and go: Redis keeps their numbers in the fields of one. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FamilyDescriptor, type FamilySnapshot, seriesOf } from 'metheus';
import type { MergeRule } from 'metheus/backends';
import { familyId } from '#metheus/backends/redis/family-hash.js';
import { requireTool } from '../../support/tools.js';
import { makeFamily, rowsOf } from '../contract.js';
import { openBackend, optionsFor, type RedisServer, startRedis } from './server.js';

const PRODUCERS = 300;
const LABELS = ['x', 'a "quoted" \\ one', '😀:]"],'];
/** Rules that merge all writers into one row. */
const MERGED: readonly MergeRule[] = [
  ...(['add', 'each', 'shared', 'min', 'livemin', 'max', 'livemax', 'sum', 'livesum'] as const),
  ...(['mostrecent', 'livemostrecent', 'liveall'] as const),
];

describe('compaction of ended producers', { skip: requireTool('redis-server') }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  /** Moves the end of all producers that signed off one heartbeat into the past. */
  async function age(producers: string): Promise<void> {
    for (const producer of (await server.call('ZRANGE', producers, '-inf', '(0', 'BYSCORE')) as string[]) {
      await server.call('ZINCRBY', producers, 16, producer);
    }
  }

  const familyOf = (merge: MergeRule): FamilyDescriptor =>
    makeFamily({ merge, labelNames: ['a'], ...(merge === 'add' ? {} : { type: 'gauge', cells: 2 }) });

  it(`leaves no more fields of ${PRODUCERS} producers than of one`, async () => {
    const options = optionsFor(server);
    const producers = `${options.keyPrefix}:producers`;
    const families = MERGED.map(familyOf);
    const fieldsOf = () =>
      Promise.all(
        families.map(
          (family) => server.call('HLEN', `${options.keyPrefix}:{${familyId(family)}}`) as Promise<number>,
        ),
      );
    let most: number[] = [];
    for (let i = 0; i < PRODUCERS; i++) {
      const backend = await openBackend(options);
      for (const family of families) {
        for (const [l, label] of LABELS.entries()) {
          const { page, offset } = backend.reserve({ family, labels: [label] });
          page[offset] = i + l + 0.1;
          // The time of the last set: every tenth gauge was only incremented, and one never touched.
          if (family.cells > 1) page[offset + 1] = i === 7 ? 0 : i % 10 === 0 ? 1 : 1000 + i;
        }
      }
      await backend.close();
      await age(producers);
      const fields = await fieldsOf();
      most = fields.map((count, f) => Math.max(count, most[f] ?? 0));
    }
    // The head, sequence numbers of two producers, and for each label the compacted field and those of two.
    for (const [f, count] of most.entries()) assert.ok(count <= 17, `${MERGED[f]}: ${count} fields`);
    assert.ok(Number(await server.call('ZCARD', producers)) <= 2);

    const reader = await openBackend(options);
    const numbers = Array.from({ length: PRODUCERS }, (_, i) => i);
    const touched = numbers.filter((i) => i !== 7);
    const sum = (of: readonly number[], l: number) => of.reduce((total, i) => total + (i + l + 0.1), 0);
    const last = PRODUCERS - 1;
    const expected = (l: number): Partial<Record<MergeRule, number>> => ({
      add: sum(numbers, l),
      each: sum(numbers, l),
      shared: last + l + 0.1,
      min: l + 0.1,
      max: last + l + 0.1,
      sum: sum(touched, l),
      mostrecent: last + l + 0.1,
    });
    const check = (snapshots: readonly FamilySnapshot[]) => {
      for (const [f, snapshot] of snapshots.entries()) {
        const merge = MERGED[f]!;
        const rows = [...seriesOf(snapshot)];
        const found = new Map<string, number>();
        for (const { labels, values } of rows) {
          found.set(labels.a!, (found.get(labels.a!) ?? 0) + values[0]!);
        }
        const wanted = LABELS.flatMap((label, l) => {
          const value = expected(l)[merge];
          return value === undefined ? [] : [[label, value] as const];
        });
        assert.deepEqual([...found.keys()].toSorted(), wanted.map(([label]) => label).toSorted(), merge);
        for (const [label, value] of wanted) {
          // The order of 300 additions affects the rounding.
          assert.ok(Math.abs(found.get(label)! - value) < 1e-7, `${merge} ${label}: ${found.get(label)}`);
        }
        if (merge === 'each') assert.ok(rows.every(({ live }) => !live));
      }
    };
    check(await reader.snapshot({ families, scopes: [] }));
    // Compacts the last producer too.
    const compacting = await openBackend(options);
    await compacting.flush();
    check(await reader.snapshot({ families, scopes: [] }));
    for (const backend of [reader, compacting]) await backend.close();
  });

  it('leaves the totals of a producer exact that goes on afterwards', async () => {
    const options = optionsFor(server);
    const families = [
      ...(['add', 'sum'] as const).map(familyOf),
      makeFamily({ cells: 4, type: 'histogram', bounds: [1, 2], labelNames: ['a'] }),
    ];
    const [one, compacting] = [await openBackend(options), await openBackend(options)];
    const cells = families.flatMap((family) =>
      ['x', 'y'].map((label) => {
        const { page, offset } = one.reserve({ family, labels: [label] });
        return page.subarray(offset, offset + family.cells);
      }),
    );
    const count = async (by: number, series: readonly Float64Array[]) => {
      for (const own of series) {
        own[0]! += by;
        if (own.length > 1) own[1] = 2;
      }
      await one.flush();
    };
    const check = async (x: number, y: number) => {
      const snapshots = await compacting.snapshot({ families, scopes: [] });
      for (const [f, snapshot] of snapshots.entries()) {
        const found = rowsOf(snapshot).map(([label, [value]]) => [label, value]);
        assert.deepEqual(
          found,
          [
            ['a=x', x],
            ['a=y', y],
          ],
          families[f]!.type,
        );
      }
    };
    await count(5, cells);
    const key = `${options.keyPrefix}:producers`;
    for (const producer of (await server.call('ZRANGE', key, 0, -1)) as string[]) {
      await server.call('ZADD', key, -1, producer);
    }
    const another = await openBackend(options);
    await another.flush();
    for (const family of families) {
      const fields = (await server.call('HKEYS', `${options.keyPrefix}:{${familyId(family)}}`)) as string[];
      assert.deepEqual(
        fields.filter((name) => /^[oq]:/.test(name)),
        [],
        'the producer is compacted',
      );
    }
    await check(5, 5);
    const onlyX = cells.filter((_, i) => i % 2 === 0);
    await count(1, onlyX);
    await check(6, 5);
    // The producer joins again.
    for (const family of families) {
      const hash = `${options.keyPrefix}:{${familyId(family)}}`;
      const [field] = ((await server.call('HKEYS', hash)) as string[]).filter((name) =>
        name.startsWith('q:'),
      );
      await server.call('HSET', hash, field!, 'another 1');
    }
    await count(1, onlyX);
    await check(7, 5);
    await count(3, cells);
    await check(10, 8);
    for (const backend of [one, compacting, another]) await backend.close();
  });

  it("keeps the rows of the mode 'all'", async () => {
    const options = optionsFor(server);
    const family = familyOf('all');
    for (let i = 0; i < 5; i++) {
      const backend = await openBackend(options);
      const { page, offset } = backend.reserve({ family, labels: ['x'] });
      page.set([i, 1], offset);
      await backend.close();
      await age(`${options.keyPrefix}:producers`);
    }
    const reader = await openBackend(options);
    const [snapshot] = await reader.snapshot({ families: [family], scopes: [] });
    assert.deepEqual(
      rowsOf(snapshot!)
        .map(([, [value]]) => value)
        .toSorted(),
      [0, 1, 2, 3, 4],
    );
    await reader.close();
  });

  it('keeps infinite numbers and NaN', async () => {
    const options = optionsFor(server);
    const families = (['min', 'max', 'sum'] as const).map(familyOf);
    const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minus } = Number;
    for (const [x, y] of [
      [nan, inf],
      [1, 5],
      [2, minus],
    ]) {
      const backend = await openBackend(options);
      for (const family of families) {
        for (const [label, value] of [
          ['x', x],
          ['y', y],
        ] as const) {
          const { page, offset } = backend.reserve({ family, labels: [label] });
          page.set([value!, 1], offset);
        }
      }
      await backend.close();
      await age(`${options.keyPrefix}:producers`);
    }
    const compacting = await openBackend(options);
    await compacting.flush();
    const snapshots = await compacting.snapshot({ families, scopes: [] });
    assert.deepEqual(
      snapshots.map((snapshot) => rowsOf(snapshot).map(([, [value]]) => value)),
      [
        [nan, minus],
        [nan, inf],
        [nan, nan],
      ],
    );
    await compacting.close();
  });
});
