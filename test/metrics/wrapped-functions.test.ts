/**
 * time, timed, startTimer, trackInProgress and countErrors around sync and async functions that return or fail, called
 * and as decorators. Arguments, results and errors are passed through unchanged.
 */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { createCounter, createGauge, createHistogram, createSummary } from 'metheus';

/** Milliseconds of a clock that tests move. */
let now = 0;
const tick = (seconds: number) => {
  now += seconds * 1000;
};

beforeEach(() => {
  now = 1e6;
  mock.method(performance, 'now', () => now);
});
afterEach(() => mock.restoreAll());

const gauge = () => createGauge('g', 'G.', { registry: null });
const histogram = () => createHistogram('h_seconds', 'H.', { registry: null, buckets: [1, 10] });
const summary = () => createSummary('s_seconds', 'S.', { registry: null });
const counter = () => createCounter('c_total', 'C.', { registry: null });

class Broken extends Error {}
const broken = new Broken('broken');
const fail = () => {
  throw broken;
};

/** Checks that a histogram or summary has observed these durations, and that a gauge has the last one. */
const timing = [
  ['histogram', histogram, (metric: ReturnType<typeof histogram>) => metric.get()] as const,
  ['summary', summary, (metric: ReturnType<typeof summary>) => metric.get()] as const,
];

for (const [type, make, read] of timing) {
  describe(`time of a ${type}`, () => {
    const seen = (metric: unknown) => {
      const { count, sum } = read(metric as never);
      return { count, sum };
    };

    it('observes the seconds of a function and returns its result', () => {
      const metric = make();
      const result = { any: 'thing' };
      const returned = metric.time(() => {
        tick(2);
        return result;
      });
      assert.equal(returned, result);
      assert.deepEqual(seen(metric), { count: 1, sum: 2 });
    });

    it('observes the duration of a function that throws', () => {
      const metric = make();
      assert.throws(
        () =>
          metric.time(() => {
            tick(3);
            throw broken;
          }),
        (error) => error === broken,
      );
      assert.deepEqual(seen(metric), { count: 1, sum: 3 });
    });

    it('times a promise until it settles', async () => {
      const metric = make();
      const { promise, resolve } = withResolvers<string>();
      const returned = metric.time(() => promise);
      tick(4);
      assert.deepEqual(seen(metric), { count: 0, sum: 0 });
      resolve('done');
      assert.equal(await returned, 'done');
      assert.deepEqual(seen(metric), { count: 1, sum: 4 });
    });

    it('times a promise that is rejected', async () => {
      const metric = make();
      const { promise, reject } = withResolvers<string>();
      const returned = metric.time(() => promise);
      tick(5);
      reject(broken);
      await assert.rejects(returned, (error) => error === broken);
      assert.deepEqual(seen(metric), { count: 1, sum: 5 });
    });

    it('decorates methods and passes this, arguments and results through', async () => {
      const metric = make();
      class Service {
        factor = 2;

        @metric.time
        sync(value: number): number {
          tick(1);
          return value * this.factor;
        }

        @metric.timed
        async later(value: number): Promise<number> {
          await null;
          tick(2);
          return value * this.factor;
        }

        @metric.timed
        static fails(): never {
          tick(3);
          throw broken;
        }
      }
      const service = new Service();
      assert.equal(metric.get().count, 0, 'nothing is called when a class is defined');
      assert.equal(service.sync(21), 42);
      assert.deepEqual(seen(metric), { count: 1, sum: 1 });
      assert.equal(await service.later(4), 8);
      assert.deepEqual(seen(metric), { count: 2, sum: 3 });
      assert.throws(Service.fails, (error) => error === broken);
      assert.deepEqual(seen(metric), { count: 3, sum: 6 });
    });

    it('wraps a function to call later', () => {
      const metric = make();
      const wrapped = metric.timed(function (this: { base: number }, value: number) {
        tick(1);
        return this.base + value;
      });
      assert.equal(metric.get().count, 0);
      assert.equal(wrapped.call({ base: 1 }, 2), 3);
      assert.equal(wrapped.call({ base: 2 }, 2), 4);
      assert.deepEqual(seen(metric), { count: 2, sum: 2 });
    });

    it('starts timers that stop once', () => {
      const metric = make();
      const timer = metric.startTimer();
      tick(7);
      assert.equal(timer.stop(), 7);
      tick(1);
      assert.equal(timer.stop(), 7);
      timer[Symbol.dispose]();
      assert.deepEqual(seen(metric), { count: 1, sum: 7 });
    });

    it('stops a timer at the end of the block of a using', () => {
      const metric = make();
      {
        using _timer = metric.startTimer();
        tick(8);
      }
      assert.throws(() => {
        using timer = metric.startTimer();
        tick(1);
        assert.equal(timer.stop(), 1);
        tick(1);
        throw broken;
      }, Broken);
      assert.deepEqual(seen(metric), { count: 2, sum: 9 });
    });

    it('refuses a value that is not a function, and times nothing', () => {
      const metric = make();
      for (const [given, shown] of [
        [undefined, 'undefined'],
        [null, 'null'],
        [3, '3'],
        [Promise.resolve(), '[object Promise]'],
      ] as const) {
        assert.throws(() => metric.time(given as never), {
          name: 'MetheusError',
          code: 'METHEUS_INVALID_CALLBACK',
          message: `Invalid callback: given ${shown} to time(), expected a function.`,
        });
        assert.throws(() => metric.timed(given as never), {
          code: 'METHEUS_INVALID_CALLBACK',
          message: `Invalid callback: given ${shown} to timed(), expected a function.`,
        });
      }
      assert.deepEqual(seen(metric), { count: 0, sum: 0 });
    });
  });
}

describe('time of a gauge', () => {
  it('sets the gauge to the last duration, also of failed calls', async () => {
    const metric = gauge();
    metric.time(() => tick(2));
    assert.equal(metric.get(), 2);
    assert.throws(
      () =>
        metric.time(() => {
          tick(3);
          fail();
        }),
      Broken,
    );
    assert.equal(metric.get(), 3);
    await metric.time(async () => {
      await null;
      tick(4);
    });
    assert.equal(metric.get(), 4);
    {
      using _timer = metric.startTimer();
      tick(5);
    }
    assert.equal(metric.get(), 5);
    class Service {
      @metric.timed
      run() {
        tick(6);
      }
    }
    new Service().run();
    assert.equal(metric.get(), 6);
  });
});

describe('a decorated method', () => {
  it('keeps its name, its number of parameters, its properties and its metadata', () => {
    const metric = histogram();
    // Metadata, such as that of NestJS, belongs to the function or to one that it inherits from.
    const metadata = new WeakMap<object, string>();
    function metadataOf(method: object | null): string | undefined {
      return method === null
        ? undefined
        : (metadata.get(method) ?? metadataOf(Object.getPrototypeOf(method)));
    }
    function route(method: (value: number) => number, _context: ClassMethodDecoratorContext) {
      metadata.set(method, '/route');
      return Object.assign(method, { marked: true });
    }
    class Service {
      @metric.timed
      @route
      handle(value: number) {
        return value;
      }
    }
    const { handle } = new Service();
    assert.deepEqual([handle.name, handle.length], ['handle', 1]);
    assert.equal((handle as { marked?: boolean }).marked, true);
    assert.equal(metadataOf(handle), '/route');
    assert.equal(handle(7), 7);
    assert.equal(metric.get().count, 1);
  });

  it('must be a method of a metric whose labels are complete', () => {
    const open = createGauge('g', 'G.', { registry: null, requiredLabels: ['a'] }) as never;
    const metric = open as ReturnType<typeof gauge>;
    for (const decorator of ['time', 'timed', 'trackInProgress'] as const) {
      assert.throws(() => metric[decorator](() => {}, { kind: 'method' } as never), {
        code: 'METHEUS_MISSING_LABELS',
      });
    }
  });
});

describe('trackInProgress', () => {
  it('tracks the rest of a block when it is called without a function', () => {
    const metric = gauge();
    {
      using _first = metric.trackInProgress();
      using second = metric.trackInProgress();
      assert.equal(metric.get(), 2);
      second[Symbol.dispose]();
      assert.equal(metric.get(), 1);
    }
    assert.equal(metric.get(), 0, 'each is subtracted once');
    assert.throws(() => {
      using _all = metric.trackInProgress();
      throw broken;
    }, Broken);
    assert.equal(metric.get(), 0);
    assert.throws(() => metric.trackInProgress(undefined as never), { code: 'METHEUS_INVALID_CALLBACK' });
    const open = createGauge('g', 'G.', { registry: null, requiredLabels: ['a'] });
    assert.throws(() => (open as never as typeof metric).trackInProgress(), { missing: ['a'] });
  });

  it('adds 1 while a function runs', () => {
    const metric = gauge();
    const result = metric.trackInProgress(() => {
      assert.equal(metric.get(), 1);
      return metric.trackInProgress(() => metric.get());
    });
    assert.equal(result, 2);
    assert.equal(metric.get(), 0);
    assert.throws(
      () => metric.trackInProgress(fail),
      (error) => error === broken,
    );
    assert.equal(metric.get(), 0);
  });

  it('follows promises until they settle', async () => {
    const metric = gauge();
    const first = withResolvers<string>();
    const second = withResolvers<string>();
    const results = [
      metric.trackInProgress(() => first.promise),
      metric.trackInProgress(() => second.promise),
    ];
    assert.equal(metric.get(), 2);
    first.resolve('a');
    assert.equal(await results[0], 'a');
    assert.equal(metric.get(), 1);
    second.reject(broken);
    await assert.rejects(results[1]!, (error) => error === broken);
    assert.equal(metric.get(), 0);
  });

  it('follows any object with a then method', async () => {
    const metric = gauge();
    let finish = () => {};
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: the subject of this test
      then(done: (value: string) => void) {
        finish = () => done('done');
        return Promise.resolve('done');
      },
    };
    const returned = metric.trackInProgress(() => thenable);
    assert.equal(metric.get(), 1);
    finish();
    assert.equal(metric.get(), 0);
    assert.equal(await returned, 'done');
  });

  it('decorates methods', async () => {
    const metric = gauge();
    class Service {
      name = 'service';

      @metric.trackInProgress
      sync(greeting: string) {
        return `${greeting} ${this.name} ${metric.get()}`;
      }

      @metric.trackInProgress
      async fails(): Promise<never> {
        await null;
        throw broken;
      }
    }
    const service = new Service();
    assert.equal(metric.get(), 0);
    assert.equal(service.sync('hello'), 'hello service 1');
    assert.equal(metric.get(), 0);
    const failing = service.fails();
    assert.equal(metric.get(), 1);
    await assert.rejects(failing, (error) => error === broken);
    assert.equal(metric.get(), 0);
  });

  it('subtracts from the series to which it added', () => {
    const open = createGauge('g', 'G.', { registry: null, requiredLabels: ['a'] });
    const child = open.labels({ a: 1 });
    child.trackInProgress(() => open.remove({ a: 1 }));
    assert.equal(open.labels({ a: 1 }).get(), 0);
  });

  it('refuses a value that is not a function, and counts nothing', () => {
    const metric = gauge();
    assert.throws(() => metric.trackInProgress(3 as never), {
      code: 'METHEUS_INVALID_CALLBACK',
      message: 'Invalid callback: given 3 to trackInProgress(), expected a function.',
    });
    assert.equal(metric.get(), 0);
  });
});

describe('countErrors', () => {
  it('counts calls that throw and no others', () => {
    const metric = counter();
    assert.equal(
      metric.countErrors(() => 'fine'),
      'fine',
    );
    assert.equal(metric.get(), 0);
    assert.throws(
      () => metric.countErrors(fail),
      (error) => error === broken,
    );
    assert.equal(metric.get(), 1);
  });

  it('counts errors of a class and of its subclasses only', () => {
    const metric = counter();
    assert.throws(() => metric.countErrors(fail, TypeError), Broken);
    assert.equal(metric.get(), 0);
    assert.throws(() => metric.countErrors(fail, Broken), Broken);
    assert.throws(() => metric.countErrors(fail, Error), Broken);
    assert.equal(metric.get(), 2);
  });

  it('counts errors of several classes', async () => {
    const metric = counter();
    const classes = [TypeError, Broken] as const;
    assert.throws(() => metric.countErrors(fail, classes), Broken);
    assert.throws(() => metric.countErrors(fail, [TypeError, RangeError]), Broken);
    await assert.rejects(
      metric.countErrors(async () => fail(), classes),
      Broken,
    );
    assert.equal(metric.get(), 2);
  });

  it('decorates methods and wraps functions, for errors of some classes', async () => {
    const metric = counter();
    class NoError {}
    class Service {
      @metric.countErrors(Broken)
      one(error: unknown): never {
        throw error;
      }

      @metric.countErrors([Broken, NoError])
      async several(error: unknown): Promise<never> {
        throw error;
      }
    }
    const service = new Service();
    for (const [error, ofOne, ofSeveral] of [
      [broken, 1, 2],
      [new NoError(), 2, 3],
      [new TypeError('x'), 3, 3],
    ] as const) {
      assert.throws(
        () => service.one(error),
        (thrown) => thrown === error,
      );
      assert.equal(metric.get(), ofOne);
      await assert.rejects(service.several(error), (thrown) => thrown === error);
      assert.equal(metric.get(), ofSeveral);
    }
    const wrapped = metric.countErrors([TypeError])((a: number, b: number) => {
      if (a > b) throw new TypeError('too large');
      return a + b;
    });
    const before = metric.get();
    assert.equal(wrapped(1, 2), 3);
    assert.throws(() => wrapped(2, 1), TypeError);
    assert.equal(metric.get(), before + 1);
  });

  it('counts thrown values that are not errors', () => {
    const metric = counter();
    const throwText = () => {
      throw 'text';
    };
    assert.throws(
      () => metric.countErrors(throwText),
      (thrown) => thrown === 'text',
    );
    assert.throws(
      () => metric.countErrors(throwText, Error),
      (thrown) => thrown === 'text',
    );
    assert.equal(metric.get(), 1);
  });

  it('follows promises until they settle', async () => {
    const metric = counter();
    assert.equal(await metric.countErrors(async () => 'fine'), 'fine');
    assert.equal(metric.get(), 0);
    await assert.rejects(
      metric.countErrors(async () => fail()),
      (error) => error === broken,
    );
    await assert.rejects(
      metric.countErrors(async () => fail(), TypeError),
      Broken,
    );
    await assert.rejects(
      metric.countErrors(async () => fail(), Broken),
      Broken,
    );
    assert.equal(metric.get(), 2);
  });

  it('decorates methods', async () => {
    const metric = counter();
    class Service {
      error = broken;

      @metric.countErrors
      sync(fails: boolean): string {
        if (fails) throw this.error;
        return 'fine';
      }

      @metric.countErrors
      async later(): Promise<never> {
        await null;
        throw this.error;
      }
    }
    const service = new Service();
    assert.equal(service.sync(false), 'fine');
    assert.equal(metric.get(), 0);
    assert.throws(
      () => service.sync(true),
      (error) => error === broken,
    );
    await assert.rejects(service.later(), (error) => error === broken);
    assert.equal(metric.get(), 2);
  });

  it('refuses a value that is not a function or class, and counts nothing', () => {
    const metric = counter();
    assert.throws(() => metric.countErrors('x' as never), {
      code: 'METHEUS_INVALID_CALLBACK',
      message: "Invalid callback: given 'x' to countErrors(), expected a function.",
    });
    let called = false;
    const call = () => {
      called = true;
    };
    assert.throws(() => metric.countErrors(call, 'TypeError' as never), {
      code: 'METHEUS_INVALID_CALLBACK',
      message: "Invalid callback: given 'TypeError' to countErrors(), expected a class of errors.",
    });
    for (const errors of [[], ['TypeError'], [TypeError, undefined]]) {
      assert.throws(() => metric.countErrors(call, errors as never), { code: 'METHEUS_INVALID_CALLBACK' });
      assert.throws(() => metric.countErrors(errors as never), { code: 'METHEUS_INVALID_CALLBACK' });
    }
    assert.equal(called, false);
    assert.equal(metric.get(), 0);
  });

  it('checks labels before it calls the function', () => {
    const open = createCounter('c_total', 'C.', { registry: null, requiredLabels: ['a'] });
    let called = false;
    const use = open as unknown as ReturnType<typeof counter>;
    const call = () => {
      called = true;
    };
    assert.throws(() => use.countErrors(call), { name: 'UnobservableMetricError', missing: ['a'] });
    assert.equal(called, false);
  });
});

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
