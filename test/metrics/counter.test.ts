/** Counters: increments and invalid values. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, Counter, createCounter, createGauge, generateMetrics } from 'metheus';

describe('createCounter', () => {
  it('creates a counter that is exposed with 0 from its creation', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('jobs_total', 'Jobs done.', { registry });
    const head = '# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\n';
    assert.equal(await generateMetrics(registry), `${head}jobs_total 0\n`);
    counter.inc();
    counter.inc(2.5);
    counter.inc(0);
    assert.equal(await generateMetrics(registry), `${head}jobs_total 3.5\n`);
    assert.equal(counter.get(), 3.5);
  });

  it('has a name, help and definition', () => {
    const counter = createCounter('jobs_seconds_total', 'Jobs.', {
      registry: null,
      requiredLabels: ['a'],
      unit: 'seconds',
    });
    assert.equal(counter.name, 'jobs_seconds_total');
    assert.equal(counter.help, 'Jobs.');
    const { scope, ...rest } = counter.descriptor;
    assert.match(scope, /^private:\d+$/);
    assert.deepEqual(rest, {
      name: 'jobs_seconds_total',
      help: 'Jobs.',
      type: 'counter',
      unit: 'seconds',
      labelNames: ['a'],
      cells: 1,
      merge: 'add',
      bounds: [],
    });
    assert.ok(Object.isFrozen(counter.descriptor) && Object.isFrozen(counter.descriptor.labelNames));
  });

  it('copies the array of label names', () => {
    const names = ['a'];
    const counter = createCounter('jobs_total', 'Jobs.', { registry: null, requiredLabels: names });
    names.push('b');
    assert.deepEqual(counter.descriptor.labelNames, ['a']);
  });

  it('exposes no series of a counter with labels until labels() is called', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('jobs_total', 'Jobs.', { registry, requiredLabels: ['kind'] });
    const head = '# HELP jobs_total Jobs.\n# TYPE jobs_total counter\n';
    assert.equal(await generateMetrics(registry), head);
    counter.labels({ kind: 'a' });
    assert.equal(await generateMetrics(registry), `${head}jobs_total{kind="a"} 0\n`);
  });

  it('counts exactly up to 2^53, and as float64 beyond', () => {
    const counter = createCounter('big_total', 'Big.', { registry: null });
    counter.inc(2 ** 53 - 1);
    counter.inc();
    assert.equal(counter.get(), 2 ** 53);
    counter.inc(5e-324);
    counter.inc(1e308);
    assert.equal(counter.get(), 1e308);
  });
});

describe('class Counter', () => {
  it('is the same as createCounter', async () => {
    const registry = new CollectorRegistry();
    const made = new Counter('jobs_total', 'Jobs.', { registry, requiredLabels: ['a', 'b'] });
    const again = createCounter('jobs_total', 'Jobs.', { registry, requiredLabels: ['a', 'b'] });
    assert.equal(made as object, again);
    made.labels({ a: 1 }).labels({ b: 2 }).inc(3);
    assert.equal(again.labels({ a: '1', b: '2' }).get(), 3);
  });

  it('recognises its instances, however created and with any labels', () => {
    const counter = createCounter('jobs_total', 'Jobs.', { registry: null, requiredLabels: ['a', 'b'] });
    for (const metric of [counter, counter.labels({ a: 1 }), counter.labels({ a: 1, b: 2 })]) {
      assert.ok(metric instanceof Counter);
    }
    assert.ok(new Counter('x_total', 'X.', { registry: null }) instanceof Counter);
    assert.equal(createGauge('g', 'G.', { registry: null }) instanceof Counter, false);
    assert.equal(({} as object) instanceof Counter, false);
  });
});

describe('inc', () => {
  const refused: [unknown, string][] = [
    [-1, '-1'],
    [-5e-324, '-5e-324'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    ['3', "'3'"],
    ['', "''"],
    [null, 'null'],
    [true, 'true'],
    [1n, '1n'],
    [[1], '[1]'],
    [{ valueOf: () => 1 }, '{}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ];
  for (const [by, shown] of refused) {
    it(`refuses ${typeof by} ${shown} and counts nothing`, () => {
      const counter = createCounter('jobs_total', 'Jobs.', { registry: null });
      counter.inc(7);
      assert.throws(() => counter.inc(by as number), {
        name: 'MetheusError',
        code: 'METHEUS_INVALID_INCREMENT',
        message:
          `Invalid increment: given ${shown} to counter 'jobs_total', ` +
          'expected a finite number that is not negative.',
      });
      assert.equal(counter.get(), 7);
    });
  }

  it('adds 1 for undefined and nothing for -0', () => {
    const counter = createCounter('jobs_total', 'Jobs.', { registry: null });
    counter.inc(undefined);
    counter.inc(-0);
    assert.equal(counter.get(), 1);
    const zero = createCounter('zero_total', 'Zero.', { registry: null });
    zero.inc(-0);
    assert.ok(Object.is(zero.get(), 0));
  });

  it('reports missing labels before an invalid argument', () => {
    const counter = createCounter('jobs_total', 'Jobs.', { registry: null, requiredLabels: ['a'] });
    for (const by of [1, -1, '3']) {
      assert.throws(() => (counter as unknown as { inc(by: unknown): void }).inc(by), {
        name: 'UnobservableMetricError',
        code: 'METHEUS_MISSING_LABELS',
        missing: ['a'],
      });
    }
  });
});
