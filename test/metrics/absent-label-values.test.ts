/** Label values that are `undefined` or `null`: they do not end a program that is not strict. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  createInfo,
  createStateSet,
  createSummary,
} from 'metheus';
import { samples } from './samples.js';

/** Returns the warnings that the test emits. */
function warningsOf(t: TestContext): () => unknown[] {
  const { mock } = t.mock.method(process, 'emitWarning', () => {});
  return () => mock.calls.map(({ arguments: [message] }) => message);
}

const LABELS = { requiredLabels: ['method', 'route'], defaultLabels: { method: 'GET' } } as const;

type Counting = { inc(by: number): void; labels(given: object): Counting };

/** Returns a counter without its types, since most of these calls do not compile. */
function untyped(registry: CollectorRegistry | null, name = 'c_total', more: object = {}): Counting {
  return createCounter(name, 'C.', { registry, ...LABELS, ...more }) as never;
}

describe('a label value that is undefined or null', () => {
  for (const value of [undefined, null]) {
    const shapes: Record<string, (counter: Counting) => Counting> = {
      'all labels at once': (counter) => counter.labels({ method: value, route: value }),
      'one after the other': (counter) => counter.labels({ route: value }).labels({ method: value }),
      'a label left to its default': (counter) => counter.labels({ route: value }),
      'on a partial': (counter) => counter.labels({ method: 'GET' }).labels({ route: value }),
      'an object without a prototype': (counter) =>
        counter.labels(Object.assign(Object.create(null), { route: value })),
    };
    for (const [shape, count] of Object.entries(shapes)) {
      it(`counts under the default, else the empty string: ${value}, ${shape}`, async (t) => {
        warningsOf(t);
        const registry = new CollectorRegistry();
        const counter = untyped(registry);
        counter.labels({ method: 'GET', route: '/' }).inc(7);
        count(counter).inc(1);
        count(counter).inc(2);
        assert.deepEqual(await samples(registry), [
          'c_total{method="GET",route="/"} 7',
          'c_total{method="GET",route=""} 3',
        ]);
      });
    }

    it(`is accepted by all types of metrics: ${value}`, async (t) => {
      warningsOf(t);
      const registry = new CollectorRegistry();
      const options = { registry, requiredLabels: ['a'] } as const;
      const given: { a: string } = { a: value as never };
      createGauge('gauge', 'G.', options).labels(given).set(1);
      createHistogram('histogram', 'H.', { ...options, buckets: [1] })
        .labels(given)
        .observe(1);
      createHistogram('native', 'N.', { ...options, native: true })
        .labels(given)
        .observe(1);
      createSummary('summary', 'S.', options).labels(given).observe(1);
      createInfo('facts', 'I.', options).info(given);
      createStateSet('door', 'D.', { ...options, states: ['open'] })
        .labels(given)
        .set('open');
      assert.deepEqual(await samples(registry), [
        'gauge{a=""} 1',
        'histogram_bucket{a="",le="1"} 1',
        'histogram_bucket{a="",le="+Inf"} 1',
        'histogram_sum{a=""} 1',
        'histogram_count{a=""} 1',
        'native_bucket{a="",le="+Inf"} 1',
        'native_sum{a=""} 1',
        'native_count{a=""} 1',
        'summary_sum{a=""} 1',
        'summary_count{a=""} 1',
        'facts_info{a=""} 1',
        'door{a="",door="open"} 1',
      ]);
    });

    it(`is an error of remove(), which removes nothing: ${value}`, () => {
      const counter = createCounter('c_total', 'C.', { registry: null, ...LABELS });
      for (const route of ['', '/']) counter.labels({ route }).inc();
      assert.throws(() => counter.remove({ route: value } as never), { code: 'METHEUS_INVALID_LABEL_VALUE' });
      for (const route of ['', '/']) assert.equal(counter.labels({ route }).get(), 1);
    });
  }

  it('causes one warning for each label of each metric', (t) => {
    const warnings = warningsOf(t);
    const [requests, errors] = ['requests_total', 'errors_total'].map((name) => untyped(null, name));
    for (let i = 0; i < 3; i++) {
      requests?.labels({ method: undefined, route: undefined }).inc(1);
      requests?.labels({ route: undefined }).inc(1);
      errors?.labels({ route: undefined }).inc(1);
    }
    assert.deepEqual(warnings(), [
      "Label 'method' of metric 'requests_total' is undefined, and counts as 'GET'.",
      "Label 'route' of metric 'requests_total' is undefined, and counts as ''.",
      "Label 'route' of metric 'errors_total' is undefined, and counts as ''.",
    ]);
  });

  it('is an error with strict: true, and counts nothing', async (t) => {
    const warnings = warningsOf(t);
    const registry = new CollectorRegistry();
    const counter = untyped(registry, 'c_total', { strict: true });
    for (const value of [undefined, null]) {
      for (const label of ['method', 'route']) {
        const expected = {
          code: 'METHEUS_INVALID_LABEL_VALUE',
          message:
            `Invalid label value: given ${value} for label '${label}' of metric 'c_total', ` +
            'expected a string, number or boolean.',
        };
        assert.throws(() => counter.labels({ method: 'GET', route: '/', [label]: value }), expected);
        assert.throws(() => counter.labels({ [label]: value }), expected);
      }
    }
    assert.deepEqual(await samples(registry), []);
    assert.deepEqual(warnings(), []);
  });

  it('is an error in defaultLabels, unless undefined', () => {
    const make = (route: unknown) =>
      createCounter('c_total', 'C.', {
        registry: null,
        requiredLabels: ['route'],
        defaultLabels: { route } as never,
      });
    assert.throws(() => make(null), { code: 'METHEUS_INVALID_LABEL_VALUE' });
    make(undefined);
  });
});
