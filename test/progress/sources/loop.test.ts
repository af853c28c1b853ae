/** Loops over bars: their items, when these are counted, and how a loop ends. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { COMPLETED, EXPECTED, FAILED, FINISHED, INCOMPLETE, STARTED } from '#metheus/progress/bar/record.js';
import { FakeFile, fakeTqdm } from '../fakes.js';

// A fixed seed, for the same cases in every run.
fc.configureGlobal({ seed: 20_241_121 });

function* letters(): Generator<string, void, undefined> {
  yield* ['a', 'b', 'c'];
}

async function* slowLetters(): AsyncGenerator<string, void, undefined> {
  yield* ['a', 'b', 'c'];
}

describe('a bar iterates over', () => {
  const sources: [string, () => Iterable<unknown>, number | null][] = [
    ['an array', () => [3, 1, 2], 3],
    ['a sparse array', () => new Array(4), 4],
    ['a typed array', () => new Uint8Array([1, 2]), 2],
    ['a Map', () => new Map([['k', 1]]), 1],
    ['a Set', () => new Set([1, 2, 3]), 3],
    ['a string, by code points', () => 'a🚀b', 3],
    ['a generator', letters, null],
    ['an iterator', () => [5, 6].values(), null],
    ['nothing', () => [], 0],
  ];
  for (const [name, source, total] of sources) {
    it(name, () => {
      const { tqdm, records } = fakeTqdm();
      const bar = tqdm(source());
      assert.equal(bar.total, total);
      assert.deepEqual([...bar], [...source()]);
      assert.equal(bar.n, [...source()].length);
      assert.equal(records[0]!.cell(COMPLETED), [...source()].length);
      assert.equal(records[0]!.cell(EXPECTED), total ?? 0);
      assert.equal(records[0]!.cell(FINISHED), 1);
    });
  }

  it('a number, as a range', () => {
    const { tqdm } = fakeTqdm();
    assert.deepEqual([...tqdm(3)], [0, 1, 2]);
    assert.deepEqual([...tqdm(0)], []);
    assert.deepEqual([...tqdm(-2)], []);
  });

  it('the numbers of trange, as Python does with range', () => {
    const { trange } = fakeTqdm();
    assert.deepEqual([...trange(3)], [0, 1, 2]);
    assert.deepEqual([...trange(2, 5, { desc: 'x' })], [2, 3, 4]);
    assert.deepEqual([...trange(10, 0, -4)], [10, 6, 2]);
    assert.equal(trange(1, 10, 3, { disable: true }).total, 3);
    fc.assert(
      fc.property(
        fc.integer({ min: -30, max: 30 }),
        fc.integer({ min: -30, max: 30 }),
        fc.integer({ min: -7, max: 7 }),
        (start, stop, step) => {
          fc.pre(step !== 0);
          const expected: number[] = [];
          for (let i = start; step > 0 ? i < stop : i > stop; i += step) expected.push(i);
          assert.deepEqual([...trange(start, stop, step, { disable: true })], expected);
        },
      ),
    );
  });

  it('an array that grows meanwhile, and an array with its own iterator', () => {
    const { tqdm } = fakeTqdm();
    const growing = [1, 2];
    const seen: number[] = [];
    for (const item of tqdm(growing)) {
      seen.push(item);
      if (growing.length < 5) growing.push(item * 10);
    }
    assert.deepEqual(seen, [1, 2, 10, 20, 100]);
    const doubled = Object.assign([1, 2], { [Symbol.iterator]: () => [2, 4].values() });
    assert.deepEqual([...tqdm(doubled)], [2, 4]);
  });

  it('an async iterable, and a sync one asynchronously', async () => {
    const { tqdm, clock, stderr, records } = fakeTqdm();
    const seen: string[] = [];
    const bar = tqdm(slowLetters(), { total: 3 });
    for await (const letter of bar) {
      seen.push(letter);
      clock.tick(1);
    }
    for await (const letter of tqdm([Promise.resolve('x'), 'y'], { disable: true })) seen.push(letter);
    assert.deepEqual(seen, ['a', 'b', 'c', 'x', 'y']);
    assert.equal(bar.n, 3);
    assert.equal(records[0]!.cell(COMPLETED), 3);
    assert.equal(
      stderr.take(),
      '\r  0%|          | 0/3 [00:00<?, ?it/s]' +
        '\r 33%|███▎      | 1/3 [00:01<00:02,  1.00it/s]' +
        '\r 67%|██████▋   | 2/3 [00:02<00:01,  1.00it/s]' +
        '\r100%|██████████| 3/3 [00:03<00:00,  1.00it/s]' +
        '\r100%|██████████| 3/3 [00:03<00:00,  1.00it/s]\n',
    );
  });

  it('an async iterable with for await only', () => {
    const { tqdm } = fakeTqdm();
    using bar = tqdm(slowLetters());
    // @ts-expect-error it has no synchronous iterator, for the compiler and in fact
    assert.throws(() => [...bar], TypeError);
  });

  it('an iterator that is not iterable, sync or async, and closes it', async () => {
    const { tqdm, records } = fakeTqdm();
    let left = 0;
    const counter = (): Iterator<number> => {
      let n = 0;
      return {
        next: () => ({ value: n++, done: n > 3 }),
        return: () => {
          left += 1;
          return { value: undefined, done: true };
        },
      };
    };
    const asyncCounter = (): AsyncIterator<number> => {
      const { next, return: leave } = counter();
      return { next: async () => next(), return: async () => leave!() };
    };
    assert.deepEqual([...tqdm(counter())], [0, 1, 2]);
    const seen: number[] = [];
    for await (const n of tqdm(counter())) seen.push(n);
    for await (const n of tqdm(asyncCounter())) seen.push(n);
    assert.deepEqual(seen, [0, 1, 2, 0, 1, 2]);
    for (const n of tqdm(counter())) if (n === 1) break;
    for await (const n of tqdm(asyncCounter())) if (n === 1) break;
    assert.equal(left, 2);
    assert.deepEqual(
      records.map((record) => [record.cell(COMPLETED), record.cell(FINISHED)]),
      [
        [3, 1],
        [3, 1],
        [3, 1],
        [1, 1],
        [1, 1],
      ],
    );
    // The compiler rejects it; at run time the loop would never end.
    const wrong = tqdm(asyncCounter()) as unknown as Iterable<number>;
    assert.throws(() => [...wrong], { code: 'METHEUS_NOT_ITERABLE' });
    assert.equal(records[5]!.cell(FAILED), 1);
  });

  it('a web stream, by chunks', async () => {
    const { tqdm } = fakeTqdm();
    const bar = tqdm(new Blob(['abc']).stream());
    for await (const chunk of bar) assert.equal(chunk.byteLength, 3);
    assert.deepEqual([bar.n, bar.total], [1, null]);
  });

  it('an async iterable with its length as total, where it has one', () => {
    const { tqdm } = fakeTqdm();
    const cursor = { size: 7, [Symbol.asyncIterator]: slowLetters };
    assert.equal(tqdm(cursor).total, 7);
    assert.equal(tqdm(cursor, { total: 3 }).total, 3);
  });

  it('objects of another realm, as those of Node are in some test runners', async () => {
    const { tqdm } = fakeTqdm();
    const bar = tqdm(runInNewContext('[1, 2]') as number[]);
    assert.deepEqual([[...bar], bar.total], [[1, 2], 2]);
    assert.deepEqual([...tqdm(runInNewContext('(function* () { yield 5; })()') as Generator<number>)], [5]);
    const without = Object.assign(Object.create(null), { [Symbol.iterator]: letters }) as Iterable<string>;
    assert.deepEqual([...tqdm(without)], ['a', 'b', 'c']);
    // A promise of another realm is recognized too.
    const foreign = runInNewContext('({ next: async () => ({ done: false }) })') as Iterator<unknown>;
    assert.throws(() => [...tqdm(foreign)], { code: 'METHEUS_NOT_ITERABLE' });
  });

  it('a source without a total when its length is not a number', () => {
    const { tqdm } = fakeTqdm();
    const source = (length: unknown) => Object.assign(letters(), { length }) as Iterable<string>;
    for (const length of [Number.NaN, -1, '3', () => 3]) assert.equal(tqdm(source(length)).total, null);
    const callable = Object.assign((_a: 1, _b: 2) => {}, { [Symbol.iterator]: letters });
    assert.equal(tqdm(callable).total, null);
  });

  it('nothing else: other sources throw', () => {
    const { tqdm, trange } = fakeTqdm();
    assert.throws(() => tqdm(Promise.resolve([1]) as never), {
      code: 'METHEUS_NOT_ITERABLE',
      message: /given a promise, .* Await it first/,
    });
    const bad: unknown[] = [new Date(), /x/, () => 1, true, Symbol('s'), 1.5, Number.NaN];
    for (const source of bad) {
      assert.throws(() => tqdm(source as number), { code: 'METHEUS_NOT_ITERABLE' });
    }
    assert.throws(() => trange(1, 2, 0), { code: 'METHEUS_NOT_ITERABLE' });
  });
});

describe('options as the only argument', () => {
  it('create a bar that is advanced by update', () => {
    const { tqdm, opened } = fakeTqdm();
    const bar = tqdm({ total: 100, desc: 'By hand', unit: 'B' });
    bar.update(50);
    assert.deepEqual([bar.n, bar.total, bar.desc, Symbol.iterator in bar], [50, 100, 'By hand', false]);
    assert.deepEqual(opened, [['By hand', 'B']]);
  });

  it('may be any plain object: empty, without a prototype, of another realm', () => {
    const { tqdm } = fakeTqdm();
    const foreign = runInNewContext('({ total: 3 })') as { total: number };
    for (const options of [
      {},
      Object.create(null),
      foreign,
      Object.freeze({ desc: undefined }),
    ] as object[]) {
      const bar = tqdm(options);
      bar.update(2);
      assert.deepEqual([bar.n, bar.total], [2, options === foreign ? 3 : null]);
    }
  });

  it('are checked like the second argument', () => {
    const { tqdm } = fakeTqdm();
    const wrong = (options: object) => () => tqdm(options);
    assert.throws(wrong({ totl: 3 }), { code: 'METHEUS_INVALID_BAR_OPTION', message: /'totl'.*total/ });
    assert.throws(wrong({ total: '3' }), { code: 'METHEUS_INVALID_BAR_OPTION', message: /total = '3'/ });
  });

  it('are the source if they are iterable, and an invalid source if followed by other options', () => {
    const { tqdm } = fakeTqdm();
    const source = { total: 5, *[Symbol.iterator]() {} };
    assert.deepEqual([...tqdm(source)], []);
    assert.throws(() => tqdm({ total: 5 } as never, { desc: 'Twice' }), { code: 'METHEUS_NOT_ITERABLE' });
    const promise = Object.assign(Promise.resolve(), { total: 5 });
    assert.throws(() => tqdm(promise as never), { code: 'METHEUS_NOT_ITERABLE', message: /Await it first/ });
  });
});

describe('the end of a loop', () => {
  it('by a break closes the bar and the source, and does not count the interrupted round', () => {
    const { tqdm, records, stderr } = fakeTqdm();
    let closed = false;
    function* source() {
      try {
        yield* [1, 2, 3];
      } finally {
        closed = true;
      }
    }
    for (const items of [source(), [1, 2, 3], new Set([1, 2, 3])]) {
      for (const item of tqdm(items)) if (item === 2) break;
    }
    for (const item of tqdm(5)) if (item === 1) break;
    assert.ok(closed);
    for (const record of records) {
      assert.equal(record.cell(COMPLETED), 1);
      // Without a total, nothing says that a bar is incomplete.
      const [outcome, other] = record.cell(EXPECTED) > 0 ? [INCOMPLETE, FINISHED] : [FINISHED, INCOMPLETE];
      assert.deepEqual([record.cell(outcome), record.cell(other), record.cell(FAILED)], [1, 0, 0]);
      assert.equal(record.released, 1);
    }
    assert.ok(stderr.take().endsWith('\r 20%|██        | 1/5 [00:00<?, ?it/s]\n'));
  });

  it('by a return or an error of the body closes the bar, as incomplete below a known total', () => {
    const { tqdm, records } = fakeTqdm();
    const first = () => {
      for (const item of tqdm(letters())) return item;
      return null;
    };
    assert.equal(first(), 'a');
    assert.throws(() => {
      for (const _ of tqdm([1])) throw new Error('body');
    }, /body/);
    assert.deepEqual(
      records.map((record) => [record.cell(FINISHED), record.cell(INCOMPLETE), record.cell(FAILED)]),
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    );
  });

  it('at the end of its source finishes the bar, whatever its total', async () => {
    const { tqdm, records } = fakeTqdm();
    for (const _ of tqdm(letters(), { total: 10 }));
    for await (const _ of tqdm(slowLetters(), { total: 10 }));
    for (const _ of tqdm([1, 2], { total: 10 }));
    for (const record of records) assert.deepEqual([record.cell(FINISHED), record.cell(INCOMPLETE)], [1, 0]);
  });

  it('by close() below a known total is incomplete, and by done() finished', () => {
    const { tqdm, records } = fakeTqdm();
    const close = (total: number | null, n: number, end: 'close' | 'done') => {
      const bar = tqdm({ total });
      bar.update(n);
      bar[end]();
      const record = records.at(-1)!;
      return [record.cell(FINISHED), record.cell(INCOMPLETE), record.cell(FAILED)];
    };
    assert.deepEqual(close(10, 4, 'close'), [0, 1, 0]);
    assert.deepEqual(close(10, 10, 'close'), [1, 0, 0]);
    assert.deepEqual(close(10, 11, 'close'), [1, 0, 0]);
    assert.deepEqual(close(null, 4, 'close'), [1, 0, 0]);
    assert.deepEqual(close(10, 4, 'done'), [1, 0, 0]);
    for (const i of tqdm(10)) if (i === 3) break;
    assert.equal(records.at(-1)!.cell(INCOMPLETE), 1);
    const bar = tqdm(10);
    for (const i of bar) {
      if (i !== 3) continue;
      bar.done();
      break;
    }
    assert.deepEqual([records.at(-1)!.cell(FINISHED), records.at(-1)!.cell(INCOMPLETE)], [1, 0]);
    const again = tqdm({ total: 4 });
    again.update(4);
    again.reset();
    again.update(1);
    again.reset();
    assert.deepEqual([records.at(-1)!.cell(FINISHED), records.at(-1)!.cell(INCOMPLETE)], [1, 1]);
  });

  it('by an error of the source fails the bar and throws the error', async () => {
    const { tqdm, records } = fakeTqdm();
    function* broken() {
      yield 1;
      throw new Error('source');
    }
    async function* brokenLater() {
      yield* broken();
    }
    assert.throws(() => [...tqdm(broken())], /source/);
    await assert.rejects(async () => {
      for await (const _ of tqdm(brokenLater()));
    }, /source/);
    const neverStarts: Iterable<number> = {
      [Symbol.iterator]() {
        throw new Error('start');
      },
    };
    assert.throws(() => [...tqdm(neverStarts)], /start/);
    for (const record of records) {
      assert.equal(record.cell(FAILED), 1);
      assert.equal(record.cell(FINISHED), 0);
    }
    assert.deepEqual(
      records.map((record) => record.cell(COMPLETED)),
      [1, 1, 0],
    );
  });

  it('by a break out of for await finishes the bar and its source', async () => {
    const { tqdm, records, live } = fakeTqdm();
    const source = slowLetters();
    for await (const letter of tqdm(source)) if (letter === 'b') break;
    assert.equal(records[0]!.cell(COMPLETED), 1);
    assert.equal(records[0]!.cell(FINISHED), 1);
    assert.deepEqual(await source.next(), { value: undefined, done: true });
    assert.equal(live.freeRow(), 0);
  });

  it('before its first round closes the bar of an async loop', async () => {
    const { tqdm, records } = fakeTqdm();
    const rounds = tqdm(slowLetters())[Symbol.asyncIterator]();
    assert.deepEqual(await rounds.return(), { value: undefined, done: true });
    assert.deepEqual(await rounds.next(), { value: undefined, done: true });
    assert.equal(records[0]!.cell(FINISHED), 1);
  });

  it('by return or throw of a generator around it closes the bar', () => {
    const { tqdm, records } = fakeTqdm();
    function* over(items: Iterable<number>) {
      yield* tqdm(items);
    }
    const returned = over([1, 2]);
    returned.next();
    returned.return();
    const thrown = over(new Set([1, 2]));
    thrown.next();
    assert.throws(() => thrown.throw(new Error('in')));
    for (const record of records) assert.equal(record.cell(INCOMPLETE), 1);
    assert.equal(records.length, 2);
  });

  it('by fail() is counted as one failure', () => {
    const { tqdm, records } = fakeTqdm();
    const bar = tqdm(null, { total: 2 });
    bar.fail(new Error('disk'));
    bar.close();
    assert.equal(records[0]!.cell(FAILED), 1);
    assert.equal(records[0]!.cell(FINISHED), 0);
  });

  it('by using closes a bar', () => {
    const { tqdm, records, stderr } = fakeTqdm();
    {
      using bar = tqdm(null, { total: 2 });
      bar.update(2);
    }
    assert.equal(records[0]!.cell(FINISHED), 1);
    assert.ok(stderr.take().endsWith('\r100%|██████████| 2/2 [00:00<?, ?it/s]\n'));
  });

  it('is final: next() stays at the end', () => {
    const { tqdm, records } = fakeTqdm();
    for (const source of [[1], new Set([1])]) {
      const iterator = tqdm(source)[Symbol.iterator]();
      assert.deepEqual(iterator.next(), { value: 1, done: false });
      for (let i = 0; i < 3; i += 1) assert.deepEqual(iterator.next(), { value: undefined, done: true });
    }
    for (const record of records) {
      assert.deepEqual([record.cell(COMPLETED), record.cell(STARTED), record.cell(FINISHED)], [1, 1, 1]);
    }
  });
});

describe('a running loop', () => {
  it('has the number of complete rounds at any time', () => {
    const { tqdm, clock } = fakeTqdm();
    const bar = tqdm([0, 1, 2, 3, 4, 5, 6, 7], { mininterval: 1, miniters: 3 });
    for (const item of bar) {
      assert.equal(bar.n, item);
      clock.tick(0.4);
    }
    assert.equal(bar.n, 8);
  });

  it('can be combined with update, and closed from inside', () => {
    const { tqdm, records, stderr } = fakeTqdm();
    const bar = tqdm(4);
    for (const i of bar) {
      if (i === 1) bar.update(10);
      if (i === 2) bar.close();
    }
    assert.equal(records[0]!.cell(COMPLETED), 14);
    assert.equal(records[0]!.cell(FINISHED), 1);
    assert.equal(stderr.take().match(/\n/g)?.length, 1);
  });

  it('keeps what its body changes by update, n and reset', () => {
    for (const source of [[1, 2, 3, 4], new Set([1, 2, 3, 4]), 4]) {
      const { tqdm, records } = fakeTqdm();
      const open = () => tqdm(source as Iterable<unknown>);
      const updated = open();
      for (const _ of updated) updated.update(10);
      assert.equal(updated.n, 44);
      const assigned = open();
      let rounds = 0;
      for (const _ of assigned) {
        rounds += 1;
        if (rounds === 2) assigned.n = 100;
      }
      assert.equal(assigned.n, 103);
      const restarted = open();
      rounds = 0;
      for (const _ of restarted) {
        rounds += 1;
        if (rounds === 3) restarted.reset();
      }
      assert.equal(restarted.n, 2);
      assert.equal(records[0]!.cell(COMPLETED), 44);
    }
  });

  it('reads the clock no more often than the frames need', () => {
    const { tqdm, clock } = fakeTqdm();
    for (const _ of tqdm(1000, { miniters: 100, mininterval: 0, file: new FakeFile() }));
    // Ten frames of a few readings each, and the first and the last one.
    assert.ok(clock.readings < 60, `${clock.readings} readings`);
  });
});
