/** Labels: required, default and partial, in any order and any portion. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter } from 'metheus';
import { samples } from './samples.js';

type Given = Record<string, string | number | boolean>;

const three = (registry: CollectorRegistry | null = null) =>
  createCounter('requests_total', 'Requests.', {
    registry,
    requiredLabels: ['method', 'route', 'status'],
  });

/** Returns every order of the items. */
function orders<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => orders(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

/** Returns every way to cut a list into portions. */
function portions<T>(items: readonly T[]): T[][][] {
  if (items.length === 0) return [[]];
  return items.flatMap((_, i) =>
    portions(items.slice(i + 1)).map((rest) => [items.slice(0, i + 1), ...rest]),
  );
}

describe('labels', () => {
  const entries: [string, string][] = [
    ['method', 'GET'],
    ['route', '/'],
    ['status', '200'],
  ];
  for (const way of orders(entries).flatMap(portions)) {
    const text = way.map((portion) => portion.map(([name]) => name).join('+')).join(', ');
    it(`leads to the same child by ${text}`, async () => {
      const registry = new CollectorRegistry();
      const counter = three(registry);
      const child = counter.labels({ method: 'GET', route: '/', status: '200' });
      let metric: { labels(given: Given): unknown } = counter as never;
      for (const portion of way) metric = metric.labels(Object.fromEntries(portion)) as typeof metric;
      assert.equal(metric as unknown, child);
      child.inc();
      assert.deepEqual(await samples(registry), ['requests_total{method="GET",route="/",status="200"} 1']);
    });
  }

  it('returns the same partial for the same labels in any order', () => {
    const counter = three();
    const partial = counter.labels({ route: '/', status: 200 });
    assert.equal(counter.labels({ status: '200', route: '/' }), partial);
    assert.equal(counter.labels({ status: 200 }).labels({ route: '/' }) as object, partial);
    assert.notEqual(counter.labels({ route: '/', method: '200' }) as object, partial);
  });

  it('returns the metric itself without labels', () => {
    const counter = three();
    const partial = counter.labels({ route: '/' });
    const child = partial.labels({ method: 'GET', status: 200 });
    const plain = createCounter('plain_total', 'Plain.', { registry: null });
    for (const metric of [counter, partial, child, plain]) {
      assert.equal((metric as { labels(given: object): unknown }).labels({}), metric);
    }
  });

  it('converts numbers and booleans to text', async () => {
    const registry = new CollectorRegistry();
    const counter = three(registry);
    const child = counter.labels({ method: true, route: 1.5, status: 200 });
    assert.equal(counter.labels({ method: 'true', route: '1.5', status: '200' }), child);
    child.inc();
    assert.deepEqual(await samples(registry), ['requests_total{method="true",route="1.5",status="200"} 1']);
  });

  it('accepts an empty string', async () => {
    const registry = new CollectorRegistry();
    three(registry).labels({ method: '', route: '', status: '' }).inc();
    assert.deepEqual(await samples(registry), ['requests_total{method="",route="",status=""} 1']);
  });

  it('distinguishes values whose texts look alike', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a', 'b'] });
    counter.labels({ a: 'x","b="y', b: '' }).inc(1);
    counter.labels({ a: 'x', b: 'y","b="' }).inc(2);
    counter.labels({ a: 'x\\', b: '\n' }).inc(3);
    assert.deepEqual(await samples(registry), [
      'c_total{a="x\\",\\"b=\\"y",b=""} 1',
      'c_total{a="x",b="y\\",\\"b=\\""} 2',
      'c_total{a="x\\\\",b="\\n"} 3',
    ]);
  });

  it('counts lone surrogates in one series, as their bytes are equal', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: ['a'] });
    const child = counter.labels({ a: '\ufffd' });
    for (const a of ['\ud800', '\udfff']) {
      assert.equal(counter.labels({ a }), child);
      counter.labels({ a }).inc();
    }
    assert.deepEqual(await samples(registry), ['c_total{a="\ufffd"} 2']);
  });

  it('accepts names of properties that every object inherits', async () => {
    const registry = new CollectorRegistry();
    const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf'] as const;
    const counter = createCounter('c_total', 'C.', { registry, requiredLabels: names });
    const partial = counter.labels({ toString: 'x', valueOf: 'y' } as never) as unknown as typeof counter;
    assert.throws(() => (partial as never as { inc(): void }).inc(), {
      missing: ['constructor', 'hasOwnProperty'],
    });
    const child = partial.labels({ constructor: 'a', hasOwnProperty: 'b' } as never);
    (child as never as { inc(): void }).inc();
    assert.deepEqual(await samples(registry), [
      'c_total{constructor="a",toString="x",hasOwnProperty="b",valueOf="y"} 1',
    ]);
  });

  it('works with any number of labels', async () => {
    for (let count = 1; count <= 8; count++) {
      const registry = new CollectorRegistry();
      const names = Array.from({ length: count }, (_, i) => `l${i}`);
      const counter = createCounter('c_total', 'C.', { registry, requiredLabels: names });
      const given = Object.fromEntries(names.map((name, i) => [name, `v${i}`]));
      const other = { ...given, [names.at(-1)!]: 'other' };
      counter.labels(given).inc();
      counter.labels(given).inc();
      counter.labels(other).inc(5);
      const text = (labels: Given) => names.map((name) => `${name}="${labels[name]}"`).join(',');
      assert.deepEqual(await samples(registry), [`c_total{${text(given)}} 2`, `c_total{${text(other)}} 5`]);
    }
  });
});

describe('defaults', () => {
  const withDefault = (registry: CollectorRegistry | null = null) =>
    createCounter('requests_total', 'Requests.', {
      registry,
      requiredLabels: ['method', 'status'],
      defaultLabels: { status: 200 },
    });

  it('apply to labels that are not given', async () => {
    const registry = new CollectorRegistry();
    const counter = withDefault(registry);
    counter.labels({ method: 'GET' }).inc();
    counter.labels({ method: 'GET', status: 500 }).inc(2);
    counter.labels({ method: 'GET' }).labels({ status: 404 }).inc(3);
    counter.labels({ status: 500 }).labels({ method: 'PUT' }).inc(4);
    assert.deepEqual(await samples(registry), [
      'requests_total{method="GET",status="200"} 1',
      'requests_total{method="GET",status="500"} 2',
      'requests_total{method="GET",status="404"} 3',
      'requests_total{method="PUT",status="500"} 4',
    ]);
  });

  it('count in the series of the same labels given by name', () => {
    const counter = withDefault();
    const short = counter.labels({ method: 'GET' });
    const long = counter.labels({ method: 'GET', status: '200' });
    short.inc(1);
    long.inc(2);
    assert.equal(short.get(), 3);
    assert.equal(long.get(), 3);
    assert.equal(counter.labels({ method: 'GET' }), short);
    assert.equal(counter.labels({ method: 'GET', status: 200 }), long);
  });

  it('count in the same series when the names came first', () => {
    const counter = withDefault();
    const long = counter.labels({ method: 'GET', status: '200' });
    long.inc();
    assert.equal(counter.labels({ method: 'GET' }).get(), 1);
  });

  it('for every label make a metric observable without labels()', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'C.', {
      registry,
      requiredLabels: ['a', 'b'],
      defaultLabels: { a: 'x', b: true },
    });
    assert.deepEqual(await samples(registry), ['c_total{a="x",b="true"} 0']);
    counter.inc();
    counter.labels({ a: 'x' }).inc();
    counter.labels({ b: true, a: 'x' }).inc();
    counter.labels({ b: 'y' }).inc(10);
    assert.equal(counter.get(), 3);
    assert.equal(counter.labels({}), counter);
    assert.deepEqual(await samples(registry), ['c_total{a="x",b="true"} 3', 'c_total{a="x",b="y"} 10']);
  });

  it('are ignored when undefined', () => {
    const counter = createCounter('c_total', 'C.', {
      registry: null,
      requiredLabels: ['a'],
      defaultLabels: { a: undefined } as never,
    });
    assert.throws(() => (counter as never as { inc(): void }).inc(), { missing: ['a'] });
  });

  it('are read once', () => {
    const defaultLabels = { status: 200 };
    const counter = createCounter('c_total', 'C.', {
      registry: null,
      requiredLabels: ['status'],
      defaultLabels,
    });
    defaultLabels.status = 500;
    counter.inc();
    assert.equal(counter.labels({ status: 200 }).get(), 1);
  });
});

describe('missing labels', () => {
  it('are named in the order of declaration', () => {
    const counter = three() as never as { inc(): void; labels(given: Given): { inc(): void } };
    const message = (names: string[], list: string) =>
      `Missing labels: given metric 'requests_total' without ${names.map((name) => `'${name}'`).join(', ')}, ` +
      `expected a value for every required label. Call .labels({ ${list} }) first.`;
    assert.throws(() => counter.inc(), {
      name: 'UnobservableMetricError',
      code: 'METHEUS_MISSING_LABELS',
      missing: ['method', 'route', 'status'],
      message: message(['method', 'route', 'status'], 'method: …, route: …, status: …'),
    });
    assert.throws(() => counter.labels({ route: '/' }).inc(), {
      missing: ['method', 'status'],
      message: message(['method', 'status'], 'method: …, status: …'),
    });
  });

  it('do not include labels with a default', () => {
    const counter = createCounter('c_total', 'C.', {
      registry: null,
      requiredLabels: ['a', 'b', 'c'],
      defaultLabels: { b: 1 },
    }) as never as { get(): number; labels(given: Given): { get(): number } };
    assert.throws(() => counter.get(), { missing: ['a', 'c'] });
    assert.throws(() => counter.labels({ b: 2 }).get(), { missing: ['a', 'c'] });
    assert.throws(() => counter.labels({ c: 2 }).get(), { missing: ['a'] });
  });
});

describe('invalid labels', () => {
  async function refused(
    run: (counter: { labels(given: unknown): never }) => unknown,
    code: string,
    message?: string,
  ) {
    const registry = new CollectorRegistry();
    const counter = three(registry);
    counter.labels({ method: 'GET', route: '/', status: 200 }).inc(7);
    const expected = { name: 'MetheusError', code, ...(message === undefined ? {} : { message }) };
    assert.throws(() => run(counter as never), expected);
    assert.deepEqual(await samples(registry), ['requests_total{method="GET",route="/",status="200"} 7']);
  }

  it('are refused for an unknown name', () =>
    refused(
      (counter) => counter.labels({ method: 'GET', path: '/' }),
      'METHEUS_UNKNOWN_LABEL',
      "Unknown label: given label 'path' on metric 'requests_total', expected only 'method', 'route', 'status'.",
    ));

  it('are refused for one unknown name among the right number', () =>
    refused(
      (counter) => counter.labels({ method: 'GET', route: '/', path: '200' }),
      'METHEUS_UNKNOWN_LABEL',
    ));

  it('are refused for a value other than a string, number or boolean', async () => {
    for (const value of [{}, [], 1n, Symbol('x'), () => {}, new Date(0)]) {
      await refused((counter) => counter.labels({ method: value }), 'METHEUS_INVALID_LABEL_VALUE');
      await refused(
        (counter) => counter.labels({ method: 'GET', route: '/', status: value }),
        'METHEUS_INVALID_LABEL_VALUE',
      );
    }
  });

  it('are refused unless an object', async () => {
    for (const [given, shown] of [
      [null, 'null'],
      [undefined, 'undefined'],
      ['GET', "'GET'"],
      [3, '3'],
    ] as const) {
      await refused(
        (counter) => counter.labels(given),
        'METHEUS_INVALID_LABEL_VALUE',
        `Invalid label value: given ${shown} as labels of metric 'requests_total', ` +
          'expected an object whose own properties are the labels.',
      );
    }
  });

  it('are refused as an array', () => refused((counter) => counter.labels(['GET']), 'METHEUS_UNKNOWN_LABEL'));

  it('are refused when given twice', async () => {
    type Chain = { labels(given: object): Chain };
    const message =
      "Label already given: given 'PUT' for label 'method' of metric 'requests_total', " +
      "which is 'GET', expected a label that has no value yet. " +
      'Call labels() of the metric that you gave the label to.';
    const code = 'METHEUS_LABEL_ALREADY_GIVEN';
    await refused(
      (counter) => (counter as unknown as Chain).labels({ method: 'GET' }).labels({ method: 'PUT' }),
      code,
      message,
    );
    await refused(
      (counter) =>
        (counter as unknown as Chain)
          .labels({ method: 'GET', route: '/', status: 200 })
          .labels({ method: 'PUT' }),
      code,
      message,
    );
    await refused(
      (counter) => (counter as unknown as Chain).labels({ method: 'GET' }).labels({ method: 'GET' }),
      code,
    );
  });

  it('are refused on a metric without labels', () => {
    const plain = createCounter('plain_total', 'Plain.', { registry: null });
    plain.inc(7);
    assert.throws(() => (plain as never as { labels(given: Given): void }).labels({ method: 'GET' }), {
      code: 'METHEUS_LABELS_NOT_ALLOWED',
      message:
        "Labels not allowed: given label 'method' on metric 'plain_total', expected no labels. " +
        'Name them in requiredLabels when the metric is created.',
    });
    assert.equal(plain.get(), 7);
  });
});
