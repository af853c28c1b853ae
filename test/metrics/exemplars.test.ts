/** Exemplars: labels that lead from a number to a cause. */

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  CollectorRegistry,
  Counter,
  createCounter,
  createHistogram,
  loadBackend,
  SingleProcessBackend,
  seriesOf,
} from 'metheus';
import { currentTrace } from 'metheus/opentelemetry';

/** Returns the exemplars of the only family: labels of the series, cell, labels of the exemplar, value. */
async function exposed(registry: CollectorRegistry) {
  const [snapshot] = await registry.collect();
  const { family, rows, exemplars = new Map() } = snapshot!;
  const series = [...seriesOf(snapshot!)];
  assert.equal(rows.size, series.length, 'no row was removed, so that rows are series');
  return [...exemplars].map(([index, { labels, value, timestamp }]) => {
    assert.ok(Math.abs(timestamp - Date.now() / 1000) < 60);
    const row = Math.floor(index / family.cells);
    return [series[row]!.labels, index % family.cells, labels, value];
  });
}

describe('exemplars', () => {
  it('of a counter are the newest, with the increment', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] });
    const [x, y] = [counter.labels({ a: 'x' }), counter.labels({ a: '"y\\' })];
    assert.deepEqual(await exposed(registry), []);
    x.inc(1, { trace_id: 'one' });
    x.inc(2, { trace_id: 'two', n: 2 });
    x.inc(3);
    y.inc(4, { id: '' });
    assert.deepEqual(await exposed(registry), [
      [{ a: 'x' }, 0, { trace_id: 'two', n: '2' }, 2],
      [{ a: '"y\\' }, 0, { id: '' }, 4],
    ]);
    assert.equal(x.get(), 6);
  });

  it('of a histogram are the newest of each bucket', async () => {
    const registry = new CollectorRegistry();
    const histogram = createHistogram('h', 'H.', { registry, buckets: [1, 2] });
    for (const [i, value] of [0.5, 1.5, 0.7, 9].entries()) histogram.observe(value, { i });
    histogram.observe(1.6);
    assert.deepEqual(
      await exposed(registry),
      [
        [{}, 1, { i: '1' }, 1.5],
        [{}, 0, { i: '2' }, 0.7],
        [{}, 2, { i: '3' }, 9],
      ].sort(([, a], [, b]) => Number(a) - Number(b)),
    );
  });

  it('of a native histogram without other buckets are the newest', async () => {
    const registry = new CollectorRegistry();
    const native = createHistogram('n', 'N.', { registry, native: true });
    native.observe(1, { i: 1 });
    native.observe(2, { i: 2 });
    assert.deepEqual(await exposed(registry), [[{}, 0, { i: '2' }, 2]]);
    const other = new CollectorRegistry();
    createHistogram('n', 'N.', { registry: other, native: true, exemplars: () => ({ i: 3 }) }).observe(3);
    assert.deepEqual(await exposed(other), [[{}, 0, { i: '3' }, 3]]);
  });

  it('belong to the series, on whichever of its metrics they were given', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', {
      registry,
      requiredLabels: ['a', 'b'],
      defaultLabels: { b: 'd' },
    });
    const [partial, named] = [counter.labels({ a: 1 }), counter.labels({ a: 1, b: 'd' })];
    partial.inc(1, { from: 'partial' });
    assert.deepEqual(await exposed(registry), [[{ a: '1', b: 'd' }, 0, { from: 'partial' }, 1]]);
    await new Promise((resolve) => setTimeout(resolve, 2));
    named.inc(1, { from: 'named' });
    assert.deepEqual(await exposed(registry), [[{ a: '1', b: 'd' }, 0, { from: 'named' }, 1]]);
  });

  it('are dropped with their series', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] });
    const child = counter.labels({ a: 1 });
    child.inc(1, { trace_id: 'x' });
    child.remove();
    child.inc(1, { trace_id: 'nobody' });
    counter.labels({ a: 1 }).inc();
    assert.deepEqual(await exposed(registry), []);

    const other = new CollectorRegistry();
    const plain = createCounter('c_total', 'C.', { registry: other });
    plain.inc(1, { trace_id: 'x' });
    assert.equal((await exposed(other)).length, 1);
    plain.clear();
    assert.deepEqual(await exposed(other), []);
  });

  it('stay when another backend is loaded', async () => {
    const registry = new CollectorRegistry();
    createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] })
      .labels({ a: 1 })
      .inc(1, { x: 'y' });
    await loadBackend(SingleProcessBackend);
    assert.deepEqual(await exposed(registry), [[{ a: '1' }, 0, { x: 'y' }, 1]]);
  });

  it('are exposed under names with a prefix', async () => {
    const registry = new CollectorRegistry({ prefix: 'my' });
    createCounter('c_total', 'C.', { registry }).inc(1, { x: 'y' });
    assert.deepEqual(await exposed(registry), [[{}, 0, { x: 'y' }, 1]]);
  });

  it('are found among many series, while the event loop runs', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] });
    for (let a = 0; a < 20_000; a++) counter.labels({ a }).inc();
    counter.labels({ a: 19_999 }).inc(1, { last: true });
    counter.labels({ a: 7 }).inc(1, { early: true });
    assert.deepEqual(await exposed(registry), [
      [{ a: '7' }, 0, { early: 'true' }, 1],
      [{ a: '19999' }, 0, { last: 'true' }, 1],
    ]);
  });

  describe('that are invalid', () => {
    const counter = createCounter('refused_total', 'R.', { registry: null });
    const histogram = createHistogram('refused', 'R.', { registry: null });
    const fits = { k: '😀'.repeat(127) };
    const cases: [what: string, exemplar: unknown, code: string][] = [
      ['too long', { k: 'x'.repeat(128) }, 'METHEUS_INVALID_EXEMPLAR'],
      ['too long together', { ...fits, l: '' }, 'METHEUS_INVALID_EXEMPLAR'],
      ['a string', 'abc', 'METHEUS_INVALID_EXEMPLAR'],
      ['null', null, 'METHEUS_INVALID_EXEMPLAR'],
      ['empty', {}, 'METHEUS_INVALID_EXEMPLAR'],
      ['a map', new Map([['a', 'b']]), 'METHEUS_INVALID_EXEMPLAR'],
      ['a bad name', { 'a-b': 'c' }, 'METHEUS_INVALID_EXEMPLAR'],
      ['no value', { a: undefined }, 'METHEUS_INVALID_LABEL_VALUE'],
    ];
    for (const [what, exemplar, code] of cases) {
      it(`${what}: nothing is counted`, () => {
        assert.throws(() => counter.inc(1, exemplar as never), { code });
        assert.throws(() => histogram.observe(1, exemplar as never), { code });
        assert.equal(counter.get(), 0);
        assert.equal(histogram.get().count, 0);
      });
    }

    it('are refused with their length', () => {
      assert.throws(() => counter.inc(1, { k: 'x'.repeat(128) }), {
        message:
          `Invalid exemplar: given {"k":"${'x'.repeat(74)}… to metric 'refused_total', ` +
          'expected at most 128 code points in all names and values, not 129.',
      });
    });

    it('may have exactly 128 code points', () => {
      counter.inc(1, fits);
      assert.equal(counter.get(), 1);
      counter.clear();
    });
  });
});

describe('the option exemplars', () => {
  it('is called for observations without an exemplar', async () => {
    const registry = new CollectorRegistry();
    let labels: { id: number } | undefined = { id: 1 };
    const counter = createCounter('c_total', 'C.', { registry, exemplars: () => labels });
    assert.ok(counter instanceof Counter);
    counter.inc();
    assert.deepEqual(await exposed(registry), [[{}, 0, { id: '1' }, 1]]);
    labels = undefined;
    counter.inc(2);
    counter.inc(3, { id: 'given' });
    assert.deepEqual(await exposed(registry), [[{}, 0, { id: 'given' }, 3]]);
    assert.equal(counter.get(), 6);
  });

  it('is called for timers too', async () => {
    const registry = new CollectorRegistry();
    const options = { registry, buckets: [1000], exemplars: () => ({ id: 1 }) };
    const histogram = createHistogram('h', 'H.', options);
    histogram.time(() => {});
    const [[, cell, labels]] = (await exposed(registry)) as [[unknown, number, object]];
    assert.deepEqual([cell, labels], [0, { id: '1' }]);
  });

  it('must be a function', () => {
    assert.throws(() => createCounter('c_total', 'C.', { registry: null, exemplars: 'trace' as never }), {
      code: 'METHEUS_INVALID_OPTIONS',
      message:
        "Invalid options: given exemplars: 'trace' for metric 'c_total', expected a function that returns labels.",
    });
  });
});

/** Keeps the context as `@opentelemetry/context-async-hooks` does. */
class Contexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(active, () => fn.apply(thisArg, args));
  }

  bind<T>(_: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}

describe('the current trace of OpenTelemetry', () => {
  const span = (traceFlags: number) => {
    const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
    return trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext({ ...ids, traceFlags }));
  };

  before(() => context.setGlobalContextManager(new Contexts()));
  after(() => context.disable());

  it('becomes an exemplar if it is sampled', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry, exemplars: currentTrace() });
    counter.inc();
    context.with(span(0), () => counter.inc());
    assert.deepEqual(await exposed(registry), []);
    await context.with(span(1), async () => {
      await new Promise(setImmediate);
      counter.inc(5);
    });
    counter.inc(7);
    const trace_id = '0af7651916cd43dd8448eb211c80319c';
    assert.deepEqual(await exposed(registry), [[{}, 0, { trace_id, span_id: 'b7ad6b7169203331' }, 5]]);
    assert.equal(counter.get(), 14);
  });

  it('names the package to install if it is missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'metheus-'));
    try {
      cpSync('build/src', join(folder, 'dist'), { recursive: true });
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      const program = `import { currentTrace } from './dist/instrumentation/opentelemetry.js';
        try { currentTrace(); } catch ({ code, message }) { console.log(code, message); }`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.equal(
        stdout,
        'METHEUS_DEPENDENCY_MISSING Dependency missing: given no package @opentelemetry/api, ' +
          "expected the package, which currentTrace() needs. Run 'npm install @opentelemetry/api'.\n",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
