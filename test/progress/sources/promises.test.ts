/** Bars over promises: results, counts and ends. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { COMPLETED, EXPECTED, FAILED, FINISHED, INCOMPLETE } from '#metheus/progress/bar/record.js';
import { type FakeRecord, fakeTqdm } from '../fakes.js';

/** Returns the count of a bar, and the numbers of finished, failed and incomplete bars. */
const ends = (record: FakeRecord) => {
  const left = record.cell(INCOMPLETE);
  return [record.cell(COMPLETED), record.cell(FINISHED), record.cell(FAILED), ...(left > 0 ? [left] : [])];
};

/** Returns a promise with the functions that settle it. */
function deferred<T = number>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...both) => {
    [resolve, reject] = both;
  });
  return { promise, resolve, reject };
}

describe('tqdm.all', () => {
  it('returns the values in order, and moves with each promise', async () => {
    const { tqdm, records, clock, stderr } = fakeTqdm();
    const [a, b] = [deferred(), deferred<string>()];
    const all = tqdm.all([a.promise, b.promise, true], { desc: 'All' });
    await turn();
    assert.deepEqual(ends(records[0]!), [1, 0, 0]);
    clock.tick(1);
    b.resolve('b');
    await turn();
    assert.deepEqual(ends(records[0]!), [2, 0, 0]);
    a.resolve(1);
    assert.deepEqual(await all, [1, 'b', true]);
    assert.deepEqual(ends(records[0]!), [3, 1, 0]);
    assert.equal(records[0]!.cell(EXPECTED), 3);
    assert.ok(stderr.take().endsWith('\rAll: 100%|██████████| 3/3 [00:01<00:00,  3.00it/s]\n'));
  });

  it('fails at once with the first rejection, and keeps counting', async () => {
    const { tqdm, records } = fakeTqdm();
    const [a, b, c] = [deferred(), deferred(), deferred()];
    const all = tqdm.all(new Set([a.promise, b.promise, c.promise]));
    b.reject(new Error('b'));
    await assert.rejects(all, /b/);
    assert.deepEqual(ends(records[0]!), [0, 0, 1]);
    a.resolve(1);
    c.reject(new Error('nobody hears this'));
    await turn();
    assert.deepEqual(ends(records[0]!), [1, 0, 1]);
  });

  it('throws for what is not iterable, and handles rejections that it does not report', async () => {
    const { tqdm } = fakeTqdm();
    const code = 'METHEUS_NOT_ITERABLE';
    for (const given of [5, undefined, {}, Promise.resolve([])] as never[]) {
      await assert.rejects(tqdm.all(given), { code });
      await assert.rejects(tqdm.allSettled(given), { code });
      assert.throws(() => tqdm.asCompleted(given), { code });
    }
    const wrong = { desk: 'x' } as never;
    const rejected = () => [Promise.reject(new Error('lost'))];
    await assert.rejects(tqdm.all(rejected(), wrong), { code: 'METHEUS_INVALID_BAR_OPTION' });
    await assert.rejects(tqdm.allSettled(rejected(), wrong), { code: 'METHEUS_INVALID_BAR_OPTION' });
    assert.throws(() => tqdm.asCompleted(rejected(), wrong), { code: 'METHEUS_INVALID_BAR_OPTION' });
    await turn();
  });

  it('returns nothing for no promises, and rejects for an invalid option', async () => {
    const { tqdm, records } = fakeTqdm();
    assert.deepEqual(await tqdm.all([]), []);
    assert.deepEqual(ends(records[0]!), [0, 1, 0]);
    await assert.rejects(tqdm.all([], { total: Number.NaN }), { code: 'METHEUS_INVALID_BAR_OPTION' });
  });
});

describe('tqdm.allSettled', () => {
  it('counts fulfilled and rejected promises, and finishes', async () => {
    const { tqdm, records } = fakeTqdm();
    const error = new Error('no');
    assert.deepEqual(await tqdm.allSettled([Promise.resolve(1), Promise.reject(error), 3]), [
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: error },
      { status: 'fulfilled', value: 3 },
    ]);
    assert.deepEqual(ends(records[0]!), [3, 1, 0]);
  });
});

describe('tqdm.asCompleted', () => {
  it('yields values in the order of completion, with the number of promises as total', async () => {
    const { tqdm, records } = fakeTqdm();
    const waiting = [deferred(), deferred(), deferred()];
    const bar = tqdm.asCompleted(waiting.map(({ promise }) => promise));
    assert.equal(bar.total, 3);
    const order = [2, 0, 1];
    const seen: number[] = [];
    waiting[order[0]!]!.resolve(order[0]!);
    for await (const value of bar) {
      seen.push(value);
      assert.equal(bar.n, seen.length - 1);
      const next = order[seen.length];
      if (next !== undefined) waiting[next]!.resolve(next);
    }
    assert.deepEqual(seen, order);
    assert.deepEqual(ends(records[0]!), [3, 1, 0]);
  });

  it('throws the first rejection in its order; a loop that was left ignores rejections', async () => {
    const { tqdm, records } = fakeTqdm();
    const [a, b, c] = [deferred(), deferred(), deferred()];
    const bar = tqdm.asCompleted([a.promise, b.promise, c.promise]);
    c.resolve(3);
    await turn();
    a.reject(new Error('a'));
    b.reject(new Error('b'));
    const seen: number[] = [];
    await assert.rejects(async () => {
      for await (const value of bar) seen.push(value);
    }, /a/);
    assert.deepEqual(seen, [3]);
    assert.deepEqual(ends(records[0]!), [1, 0, 1]);
    for await (const _ of tqdm.asCompleted([1, Promise.reject(new Error('late'))])) break;
    await turn();
    assert.deepEqual(ends(records[1]!), [0, 0, 0, 1]);
  });
});

describe('tqdm.map', () => {
  it('returns results in the order of the items, and counts each', async () => {
    const { tqdm, records } = fakeTqdm();
    const work = [deferred<string>(), deferred<string>(), deferred<string>()];
    const mapped = tqdm.map([0, 1, 2], (item, index) => {
      assert.equal(item, index);
      return work[item]!.promise;
    });
    await turn();
    for (const i of [2, 0, 1]) {
      work[i]!.resolve(`${i}`);
      await turn();
    }
    assert.deepEqual(await mapped, ['0', '1', '2']);
    assert.deepEqual(ends(records[0]!), [3, 1, 0]);
    assert.equal(records[0]!.cell(EXPECTED), 3);
  });

  it('takes sync and async iterables, promises as items, functions that are not async', async () => {
    const { tqdm, records } = fakeTqdm();
    async function* numbers() {
      yield* [1, 2, 3];
    }
    const double = (n: number) => n * 2;
    for (const concurrency of [1, 2, Number.POSITIVE_INFINITY]) {
      assert.deepEqual(await tqdm.map(numbers(), double, { concurrency }), [2, 4, 6]);
      assert.deepEqual(await tqdm.map([Promise.resolve(1), 2], double, { concurrency }), [2, 4]);
      assert.deepEqual(await tqdm.map(new Map([['a', 1]]), ([, n]) => n, { concurrency }), [1]);
      assert.deepEqual(await tqdm.map([], double, { concurrency }), []);
    }
    assert.deepEqual(
      records.slice(0, 4).map((record) => record.cell(EXPECTED)),
      [0, 2, 1, 0],
    );
    for (const record of records) assert.equal(record.cell(FINISHED), 1);
  });

  for (const kind of ['sync', 'async'] as const) {
    it(`runs no more than concurrency, and pulls a ${kind} source only when it may start`, async () => {
      const { tqdm } = fakeTqdm();
      let pulled = 0;
      let running = 0;
      let most = 0;
      function* source() {
        for (let i = 0; i < 20; i += 1) {
          pulled += 1;
          yield i;
        }
      }
      async function* asyncSource() {
        yield* source();
      }
      let done = 0;
      await tqdm.map(
        kind === 'sync' ? source() : asyncSource(),
        async () => {
          running += 1;
          most = Math.max(most, running);
          assert.ok(pulled <= done + 3, `${pulled} pulled with ${done} done`);
          await turn();
          running -= 1;
          done += 1;
        },
        { concurrency: 3 },
      );
      assert.deepEqual([pulled, done, most], [20, 20, 3]);
    });
  }

  it('rejects at once with the first error, closes the iterator, and starts no further call', async () => {
    const { tqdm, records } = fakeTqdm();
    const slow = deferred();
    const started: number[] = [];
    let left = false;
    function* source() {
      try {
        for (let i = 0; ; i += 1) yield i;
      } finally {
        left = true;
      }
    }
    const mapped = tqdm.map(
      source(),
      async (i) => {
        started.push(i);
        if (i === 1) throw new Error('one');
        return slow.promise;
      },
      { concurrency: 2 },
    );
    await assert.rejects(mapped, /one/);
    assert.deepEqual([started, left], [[0, 1], true]);
    assert.deepEqual(ends(records[0]!), [0, 0, 1]);
    slow.resolve(0);
    await turn();
    assert.deepEqual(started, [0, 1]);
    assert.deepEqual(ends(records[0]!), [1, 0, 1]);
  });

  it('rejects with the errors of the source, its items and functions that throw', async () => {
    const { tqdm, records } = fakeTqdm();
    function* broken() {
      yield 1;
      throw new Error('source');
    }
    const neverStarts: Iterable<number> = {
      [Symbol.iterator]() {
        throw new Error('start');
      },
    };
    await assert.rejects(
      tqdm.map(broken(), () => {}),
      /source/,
    );
    await assert.rejects(
      tqdm.map(neverStarts, () => {}),
      /start/,
    );
    await assert.rejects(
      tqdm.map([Promise.reject(new Error('item'))], () => {}),
      /item/,
    );
    await assert.rejects(
      tqdm.map([1], () => {
        throw new Error('work');
      }),
      /work/,
    );
    for (const record of records) assert.equal(record.cell(FAILED), 1);
  });

  it('rejects with the reason of a signal, at once', async () => {
    const { tqdm, records } = fakeTqdm();
    const controller = new AbortController();
    const { signal } = controller;
    const never = deferred();
    let started = 0;
    const mapped = tqdm.map(
      [1, 2, 3],
      () => {
        started += 1;
        return never.promise;
      },
      { concurrency: 1, signal, desc: 'Aborted' },
    );
    await turn();
    controller.abort(new Error('enough'));
    await assert.rejects(mapped, /enough/);
    assert.equal(started, 1);
    assert.deepEqual(ends(records[0]!), [0, 0, 1]);
    await assert.rejects(
      tqdm.map([1], () => {}, { signal }),
      /enough/,
    );
    assert.equal(records.length, 1);
  });

  it('takes numbers and iterators, as tqdm does', async () => {
    const { tqdm, records } = fakeTqdm();
    assert.deepEqual(await tqdm.map(3, (n) => n * 2), [0, 2, 4]);
    assert.equal(records[0]!.cell(EXPECTED), 3);
    const count = (n = 0) => ({ next: () => ({ value: n++, done: n > 3 }) });
    const { next } = count();
    assert.deepEqual(await tqdm.map(count(), (n) => n), [0, 1, 2]);
    assert.deepEqual(await tqdm.map({ next: async () => next() }, (n) => n), [0, 1, 2]);
  });

  it('handles a promise that is rejected before it is pulled', async () => {
    const { tqdm, records } = fakeTqdm();
    const first = deferred();
    const items = [
      first.promise,
      Promise.reject(new Error('early')),
      Promise.reject(new Error('never heard')),
    ];
    const mapped = tqdm.map(items, (n) => n, { concurrency: 1 });
    // An unhandled rejection would end the test here.
    await turn();
    first.resolve(1);
    await assert.rejects(mapped, /early/);
    assert.deepEqual(ends(records[0]!), [1, 0, 1]);
  });

  it('rejects invalid arguments', async () => {
    const { tqdm } = fakeTqdm();
    for (const signal of [{}, 'x'] as never[]) {
      await assert.rejects(
        tqdm.map([1], () => {}, { signal }),
        { code: 'METHEUS_INVALID_BAR_OPTION', message: /an AbortSignal/ },
      );
    }
    for (const concurrency of [0, -1, 1.5, Number.NaN, '2']) {
      const options = { concurrency: concurrency as number };
      await assert.rejects(
        tqdm.map([1], () => {}, options),
        { code: 'METHEUS_INVALID_BAR_OPTION' },
      );
    }
    await assert.rejects(tqdm.map([1], 'work' as never), { code: 'METHEUS_INVALID_CALLBACK' });
    await assert.rejects(
      tqdm.map({} as never, () => {}),
      { code: 'METHEUS_NOT_ITERABLE' },
    );
    await assert.rejects(
      tqdm.map([1], () => {}, { desk: 'x' } as never),
      { code: 'METHEUS_INVALID_BAR_OPTION' },
    );
  });
});

describe('tqdm.each', () => {
  it('calls a function for one item after the other, and counts each', async () => {
    const { tqdm, records } = fakeTqdm();
    let running = 0;
    const seen: [unknown, number][] = [];
    const work = async (item: unknown, index: number) => {
      running += 1;
      assert.equal(running, 1);
      assert.equal(records.at(-1)!.cell(COMPLETED), index);
      await turn();
      seen.push([item, index]);
      running -= 1;
    };
    async function* later() {
      yield* ['f', 'g'];
    }
    await tqdm.each(['a', Promise.resolve('b')], work);
    await tqdm.each(new Set(['c']), work);
    await tqdm.each(2, work);
    await tqdm.each(later(), work);
    const { next } = ['h'].values();
    const cursor = ['h'].values();
    await tqdm.each({ next: next.bind(cursor) } as Iterator<string>, work);
    const items = ['a', 'b', 'c', 0, 1, 'f', 'g', 'h'];
    assert.deepEqual(
      seen.map(([item]) => item),
      items,
    );
    assert.deepEqual(records.map(ends), [
      [2, 1, 0],
      [1, 1, 0],
      [2, 1, 0],
      [2, 1, 0],
      [1, 1, 0],
    ]);
    assert.deepEqual(
      records.map((record) => record.cell(EXPECTED)),
      [2, 1, 2, 0, 0],
    );
  });

  it('fails the bar and rejects when the function or the source throws, and closes the source', async () => {
    const { tqdm, records, stderr } = fakeTqdm();
    let isClosed = false;
    function* source() {
      try {
        yield* [1, 2, 3];
      } finally {
        isClosed = true;
      }
    }
    const work = (n: number) => {
      if (n === 2) throw new RangeError('two');
    };
    await assert.rejects(tqdm.each(source(), work), /two/);
    assert.ok(isClosed);
    assert.match(stderr.take(), /RangeError\n$/);
    await assert.rejects(
      tqdm.each([1, 2, 3], async (n) => work(n)),
      /two/,
    );
    await assert.rejects(
      tqdm.each(
        (function* () {
          yield 1;
          throw new TypeError('source');
        })(),
        () => {},
      ),
      /source/,
    );
    assert.deepEqual(records.map(ends), [
      [1, 0, 1],
      [1, 0, 1],
      [1, 0, 1],
    ]);
  });

  it('rejects anything but a function, and anything but a source', async () => {
    const { tqdm } = fakeTqdm();
    await assert.rejects(tqdm.each([1], 5 as never), { code: 'METHEUS_INVALID_CALLBACK' });
    await assert.rejects(
      tqdm.each({} as never, () => {}),
      { code: 'METHEUS_NOT_ITERABLE', message: /tqdm.each/ },
    );
  });
});
