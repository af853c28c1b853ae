/** Bars that move from one bucket to another, and bars that are published after their start. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadBackend, SingleProcessBackend } from 'metheus';
import { type BarSnapshot, TqdmPromProxy, tqdm } from 'metheus/progress';
import { FakeFile } from './fakes.js';
import { bucketOf, COUNTED, listenForWarnings, scrape, serve } from './served-proxy.js';

/** Returns the numbers of a bucket: completed, expected, active, finished or incomplete, failed. */
async function numbersOf(proxy: TqdmPromProxy, bucket: string, unit = 'it'): Promise<(number | undefined)[]> {
  const found = bucketOf(await scrape(proxy), bucket);
  return [
    found[`completed_total ${unit}`],
    found[`expected ${unit}`],
    found.active_bars,
    closed(found.finished_bars_total, found.incomplete_bars_total),
    found.failed_bars_total,
  ];
}

function closed(finished?: number, incomplete?: number): number | undefined {
  return finished === undefined || incomplete === undefined ? undefined : finished + incomplete;
}

const firstWord = ({ desc }: BarSnapshot) => desc.split(' ')[0]!;

describe('a bar whose bucket changes', () => {
  it('counts in the new bucket from then on', async (t) => {
    const proxy = await serve(t, { bucketFunc: firstWord });
    const bar = proxy.tqdm({ ...COUNTED, desc: 'read a', total: 10 });
    bar.update(4);
    bar.setDescription('read b');
    assert.deepEqual(await numbersOf(proxy, 'read'), [4, 10, 1, 0, 0]);
    bar.setDescription('write b');
    // The old bucket expects only the units that were done in it; the new one expects the rest.
    assert.deepEqual(await numbersOf(proxy, 'read'), [4, 4, 0, 0, 0]);
    assert.deepEqual(await numbersOf(proxy, 'write'), [0, 6, 1, 0, 0]);
    bar.update(5);
    bar.total = 20;
    assert.deepEqual(await numbersOf(proxy, 'write'), [5, 16, 1, 0, 0]);
    bar.setDescription('read c');
    assert.deepEqual(await numbersOf(proxy, 'write'), [5, 5, 0, 0, 0]);
    bar.update(1);
    bar.close();
    assert.deepEqual(await numbersOf(proxy, 'read'), [5, 15, 0, 1, 0]);
    assert.deepEqual(await numbersOf(proxy, 'write'), [5, 5, 0, 0, 0]);
  });

  it('moves in the middle of a loop, with whole rounds', async (t) => {
    const proxy = await serve(t, { bucketFunc: firstWord });
    const sources: (Iterable<number> | number)[] = [[0, 1, 2, 3, 4, 5], 6, new Set([0, 1, 2, 3, 4, 5])];
    for (const items of sources) {
      const kind = typeof items === 'number' ? 'number' : items.constructor.name;
      const bar = proxy.tqdm(items as Iterable<number>, { ...COUNTED, desc: `${kind}-one` });
      for (const item of bar) {
        if (item === 2) bar.setDescription(`${kind}-two`);
      }
      // Rounds 0 and 1 are done when round 2 renames the bar.
      assert.deepEqual(await numbersOf(proxy, `${kind}-one`), [2, 2, 0, 0, 0]);
      assert.deepEqual(await numbersOf(proxy, `${kind}-two`), [4, 4, 0, 1, 0]);
    }
  });

  it('calls bucketFunc at most once a frame, and only after a change', async (t) => {
    const asked: (readonly [string, number | null, unknown])[] = [];
    const proxy = await serve(t, {
      bucketFunc({ desc, total, postfix }) {
        asked.push([desc, total, postfix]);
        return 'all';
      },
    });
    const bar = proxy.tqdm({ file: new FakeFile(), mininterval: 0, miniters: 1, desc: 'one', total: 3 });
    for (let i = 0; i < 5; i++) bar.update();
    bar.setDescription('two', false);
    bar.setPostfix({ loss: 1 }, false);
    bar.total = 9;
    bar.refresh();
    bar.refresh();
    bar.setPostfix({ loss: 2 });
    bar.unit = 'B';
    bar.refresh();
    bar.close();
    assert.deepEqual(asked, [
      ['one', 3, null],
      ['two', 9, 'loss=1'],
      ['two', 9, 'loss=2'],
    ]);
    assert.deepEqual(await numbersOf(proxy, 'all'), [5, 9, 0, 1, 0]);
  });

  it('ends in its last bucket, even without a frame after the change', async (t) => {
    const proxy = await serve(t, { bucketFunc: firstWord });
    const bar = proxy.tqdm({ ...COUNTED, desc: 'open' });
    bar.desc = 'closing';
    bar.fail();
    assert.deepEqual(await numbersOf(proxy, 'open'), [0, 0, 0, 0, 0]);
    assert.deepEqual(await numbersOf(proxy, 'closing'), [0, 0, 0, 0, 1]);
    bar.desc = 'closed';
    bar.refresh();
    assert.deepEqual(await numbersOf(proxy, 'closed'), Array(5).fill(undefined));
  });

  it('passes the whole bar to bucketFunc', async (t) => {
    let seen: BarSnapshot | undefined;
    const proxy = await serve(t, {
      bucketFunc(bar) {
        seen = bar;
        return 'all';
      },
    });
    const options = {
      ...COUNTED,
      desc: 'x',
      unit: 'B',
      unitScale: true,
      unitDivisor: 1024,
      initial: 2,
      total: 8,
    };
    const bar = proxy.tqdm({ ...options, postfix: 'p', position: 3 });
    const { id } = seen!;
    bar.update(3);
    bar.setDescription('y');
    const { elapsed, rate, ...rest } = seen!;
    assert.ok(elapsed >= 0 && (rate === null || rate > 0));
    assert.deepEqual(rest, {
      id,
      desc: 'y',
      n: 5,
      total: 8,
      initial: 2,
      unit: 'B',
      unitScale: true,
      unitDivisor: 1024,
      postfix: 'p',
      position: 3,
      mininterval: 1e9,
      maxinterval: 10,
      miniters: 0,
    });
  });

  it('stays in its bucket without a bucketFunc', async (t) => {
    const proxy = await serve(t);
    const bar = proxy.tqdm({ ...COUNTED, desc: 'start' });
    bar.setDescription('file 1');
    bar.update();
    bar.close();
    assert.deepEqual(await numbersOf(proxy, 'start'), [1, undefined, 0, 1, 0]);
    assert.deepEqual(await numbersOf(proxy, 'file 1'), Array(5).fill(undefined));
  });

  it('moves to another backend with the other bars, and its records are reused', async (t) => {
    const proxy = await serve(t, { bucketFunc: firstWord });
    const bar = proxy.tqdm({ ...COUNTED, desc: 'a', total: 4 });
    bar.update(1);
    bar.setDescription('b');
    await loadBackend(SingleProcessBackend);
    bar.update(2);
    const next = proxy.tqdm({ ...COUNTED, desc: 'a', total: 4 });
    next.update(4);
    assert.deepEqual(await numbersOf(proxy, 'a'), [5, 5, 1, 0, 0]);
    assert.deepEqual(await numbersOf(proxy, 'b'), [2, 3, 1, 0, 0]);
  });
});

describe('add', () => {
  it('publishes a bar that was created without a proxy, with its count so far', async (t) => {
    const proxy = await serve(t);
    const bar = tqdm({ ...COUNTED, desc: 'elsewhere', total: 10, unit: 'B' });
    bar.update(3);
    assert.equal(proxy.add(bar), bar);
    assert.deepEqual(await numbersOf(proxy, 'elsewhere', 'B'), [3, 10, 1, 0, 0]);
    bar.update(4);
    proxy.add(bar);
    assert.deepEqual(await numbersOf(proxy, 'elsewhere', 'B'), [7, 10, 1, 0, 0]);
    bar.close();
    assert.deepEqual(await numbersOf(proxy, 'elsewhere', 'B'), [7, 10, 0, 1, 0]);
  });

  it('publishes the bar of a loop, before the loop or during it', async (t) => {
    const proxy = await serve(t, { bucketFunc: firstWord });
    for (const _ of proxy.add(tqdm([1, 2, 3], { ...COUNTED, desc: 'before' })));
    assert.deepEqual(await numbersOf(proxy, 'before'), [3, 3, 0, 1, 0]);
    const bar = tqdm([1, 2, 3], { ...COUNTED, desc: 'inside' });
    for (const item of bar) if (item === 2) proxy.add(bar);
    assert.deepEqual(await numbersOf(proxy, 'inside'), [3, 3, 0, 1, 0]);
  });

  it('calls bucketFunc again for a bar that was added', async (t) => {
    const proxy = await serve(t, { bucketFunc: firstWord });
    const bar = proxy.add(tqdm({ ...COUNTED, desc: 'one', total: 5 }));
    bar.update(2);
    bar.setDescription('two');
    assert.deepEqual(await numbersOf(proxy, 'one'), [2, 2, 0, 0, 0]);
    assert.deepEqual(await numbersOf(proxy, 'two'), [0, 3, 1, 0, 0]);
  });

  it('has no effect on a bar that has ended', async (t) => {
    const proxy = await serve(t);
    const bar = tqdm({ ...COUNTED, desc: 'ended' });
    bar.close();
    proxy.add(bar);
    assert.deepEqual(await numbersOf(proxy, 'ended'), Array(5).fill(undefined));
  });

  it('throws for a value that is not a bar, and for a bar of another proxy', async (t) => {
    const warnings = listenForWarnings(t);
    const proxy = await serve(t);
    const other = await serve(t);
    const code = 'METHEUS_INVALID_VALUE';
    for (const wrong of [null, [1], { update() {} }])
      assert.throws(() => proxy.add(wrong as never), { code });
    const bar = other.tqdm({ ...COUNTED, desc: 'theirs' });
    assert.throws(() => proxy.add(bar), { code, message: new RegExp(other.name) });
    bar.update();
    assert.deepEqual(await numbersOf(other, 'theirs'), [1, undefined, 1, 0, 0]);
    const same = new TqdmPromProxy({ name: other.name });
    assert.equal(same.add(bar), bar);
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
  });
});
