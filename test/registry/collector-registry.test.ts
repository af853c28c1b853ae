/** Registries: registration, names, and the order of collection. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Collector,
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  createInfo,
  createSummary,
  generateMetrics,
} from 'metheus';

const family = (name: string, value: number) => createFamily(name, 'Help.', { series: [{ value }] });
const exposed = (name: string, value: number) =>
  `# HELP ${name} Help.\n# TYPE ${name} gauge\n${name} ${value}\n`;

describe('prefix', () => {
  for (const [prefix, name] of [
    ['app', 'app_jobs_total'],
    ['app_', 'app_jobs_total'],
    ['app__', 'app__jobs_total'],
    ['_', '_jobs_total'],
    ['a:b', 'a:b_jobs_total'],
    ['', 'jobs_total'],
  ] as const) {
    it(`'${prefix}' gives ${name}`, async () => {
      const registry = new CollectorRegistry({ prefix });
      createCounter('jobs_total', 'Jobs.', { registry }).inc(3);
      const text = `# HELP ${name} Jobs.\n# TYPE ${name} counter\n${name} 3\n`;
      assert.equal(await generateMetrics(registry), text);
      assert.equal(await generateMetrics(registry), text, 'the same the second time');
    });
  }

  it('precedes every sample of a histogram, and families of collectors', async () => {
    const registry = new CollectorRegistry({ prefix: 'app' });
    createHistogram('h', 'H.', { registry, buckets: [1] }).observe(1);
    registry.register({ collect: () => [family('c', 1)] });
    assert.equal(
      await generateMetrics(registry),
      '# HELP app_h H.\n# TYPE app_h histogram\napp_h_bucket{le="1"} 1\napp_h_bucket{le="+Inf"} 1\n' +
        `app_h_sum 1\napp_h_count 1\n${exposed('app_c', 1)}`,
    );
  });

  it('does not change the name of the metric', () => {
    const registry = new CollectorRegistry({ prefix: 'app' });
    assert.equal(createCounter('jobs_total', 'Jobs.', { registry }).name, 'jobs_total');
    assert.equal(registry.prefix, 'app_');
  });

  for (const prefix of ['a-b', '9', ' ', 3]) {
    it(`cannot be ${JSON.stringify(prefix)}`, () => {
      assert.throws(() => new CollectorRegistry({ prefix: prefix as string }), {
        code: 'METHEUS_INVALID_METRIC_NAME',
      });
    });
  }
});

describe('creating a metric again', () => {
  it('with the same definition returns the same metric', () => {
    const registry = new CollectorRegistry();
    const options = { registry, requiredLabels: ['a', 'b'], defaultLabels: { b: 1 }, maxSeries: 5 } as const;
    const counter = createCounter('c_total', 'C.', options);
    assert.equal(createCounter('c_total', 'C.', { ...options }), counter);
    const gauge = createGauge('g', 'G.', { registry, multiprocessMode: 'max' });
    assert.equal(createGauge('g', 'G.', { multiprocessMode: 'max', registry }), gauge);
    assert.equal(
      createGauge('s', 'S.', { registry }),
      createGauge('s', 'S.', { registry, multiprocessMode: 'shared' }),
    );
  });

  it('in another registry creates another metric', async () => {
    const [one, two] = [new CollectorRegistry(), new CollectorRegistry()];
    const first = createGauge('g', 'Help.', { registry: one });
    const second = createGauge('g', 'Help.', { registry: two });
    assert.notEqual(first, second);
    first.set(1);
    second.set(2);
    assert.equal(await generateMetrics(one), exposed('g', 1));
    assert.equal(await generateMetrics(two), exposed('g', 2));
  });

  const definition = (registry: CollectorRegistry) =>
    ({ registry, requiredLabels: ['a', 'b'], defaultLabels: { b: 1 }, maxSeries: 5 }) as const;
  type Options = { registry: CollectorRegistry; requiredLabels: readonly string[] };
  const others: [string, (registry: CollectorRegistry) => unknown][] = [
    ['type', (registry) => createGauge('c_total', 'C.', definition(registry))],
    [
      'labels',
      (registry) =>
        createCounter('c_total', 'C.', { ...definition(registry), requiredLabels: ['a', 'b', 'c'] }),
    ],
    [
      'order of labels',
      (registry) => createCounter('c_total', 'C.', { ...definition(registry), requiredLabels: ['b', 'a'] }),
    ],
    [
      'defaults',
      (registry) => createCounter('c_total', 'C.', { ...definition(registry), defaultLabels: { b: 2 } }),
    ],
    ['limit', (registry) => createCounter('c_total', 'C.', { ...definition(registry), maxSeries: 6 })],
    ['unit', (registry) => createCounter('c_total', 'C.', { ...definition(registry), unit: 'c' } as Options)],
  ];
  for (const [what, other] of others) {
    it(`with another ${what} is an error, and the first one goes on`, async () => {
      const registry = new CollectorRegistry();
      const counter = createCounter('c_total', 'C.', definition(registry));
      counter.labels({ a: 1 }).inc(3);
      if (what === 'unit') {
        assert.throws(() => other(registry), { code: 'METHEUS_INVALID_OPTIONS' });
        return;
      }
      assert.throws(() => other(registry), { name: 'MetheusError', code: 'METHEUS_CONFLICTING_METRIC' });
      assert.equal(
        await generateMetrics(registry),
        '# HELP c_total C.\n# TYPE c_total counter\nc_total{a="1",b="1"} 3\n',
      );
    });
  }

  it('with another definition throws an error that shows what differs', () => {
    const registry = new CollectorRegistry();
    const options = { registry, requiredLabels: ['a', 'b'], defaultLabels: { a: 'x' } } as const;
    const shows = (create: () => unknown, given: string, expected: string) =>
      assert.throws(create, {
        code: 'METHEUS_CONFLICTING_METRIC',
        message:
          `Conflicting metric: given ${given}, expected ${expected}. ` +
          'Use another name, the same definition, or another registry.',
      });
    createHistogram('h_seconds', 'Old help.', { ...options, buckets: [1, 2], unit: 'seconds' });
    shows(
      () => createHistogram('h_seconds', 'New help.', { ...options, buckets: [1, 3] }),
      'unit "", buckets [1,3] for metric \'h_seconds\'',
      'unit "seconds", buckets [1,2]',
    );
    createCounter('c_total', 'C.', options);
    shows(
      () => createCounter('c_total', 'C.', { ...options, defaultLabels: {}, maxSeries: 5, strict: true }),
      "defaultLabels [null,null], strict true, maxSeries 5 for metric 'c_total'",
      'defaultLabels ["x",null], strict false, maxSeries undefined',
    );
    createGauge('g', 'G.', { registry });
    shows(
      () => createGauge('g', 'G.', { registry, multiprocessMode: 'max' }),
      'multiprocessMode "max" for metric \'g\'',
      'multiprocessMode "shared"',
    );
    shows(
      () => createCounter('h_seconds_count', 'C.', { registry }),
      "a name of histogram 'h_seconds' for metric 'h_seconds_count'",
      'another name',
    );
    shows(
      () => registry.register(createGauge('g', 'G.', { registry: null })),
      "another for metric 'g'",
      'another name',
    );
  });
});

describe('names of samples', () => {
  type Make = (registry: CollectorRegistry) => unknown;
  const histogram: Make = (registry) => createHistogram('x', 'X.', { registry, buckets: [1] });
  const summary: Make = (registry) => createSummary('x', 'X.', { registry });
  const counter =
    (name: string): Make =>
    (registry) =>
      createCounter(name, 'C.', { registry });
  const gauge =
    (name: string): Make =>
    (registry) =>
      createGauge(name, 'G.', { registry });
  const info =
    (name: string): Make =>
    (registry) =>
      createInfo(name, 'I.', { registry, requiredLabels: ['a'] });

  for (const [what, one, other] of [
    ['a histogram and x_count', histogram, counter('x_count')],
    ['a histogram and x_sum', histogram, counter('x_sum')],
    ['a histogram and x_bucket', histogram, counter('x_bucket')],
    ['a summary and x_count', summary, counter('x_count')],
    ['a summary and x_sum', summary, counter('x_sum')],
    ['an info x and x_info', info('x'), counter('x_info')],
    ['an info x_info and x_info', info('x_info'), counter('x_info')],
    ['an info x and x', info('x'), counter('x')],
    ['a counter x and x_total', counter('x'), gauge('x_total')],
    ['a counter x and x_created', counter('x'), gauge('x_created')],
    ['a counter x_total and x_created', counter('x_total'), gauge('x_created')],
    ['a counter x and a counter x_total', counter('x'), counter('x_total')],
  ] as const) {
    it(`of ${what} collide, whichever is first`, async () => {
      for (const [first, second] of [
        [one, other],
        [other, one],
      ]) {
        const registry = new CollectorRegistry();
        first!(registry);
        const before = await generateMetrics(registry);
        assert.throws(() => second!(registry), { code: 'METHEUS_CONFLICTING_METRIC' });
        assert.equal(await generateMetrics(registry), before);
      }
    });
  }

  it('of a summary and x_bucket do not collide, nor those of a counter and x_count', () => {
    const registry = new CollectorRegistry();
    summary(registry);
    counter('x_bucket')(registry);
    counter('x_total')(registry);
    counter('y')(registry);
    counter('y_count')(registry);
    counter('z_total_total')(registry);
    gauge('z_total')(registry);
    gauge('z')(registry);
  });

  for (const [what, make] of [
    ['histogram', histogram],
    ['summary', summary],
  ] as const) {
    it(`of a ${what} x and a gauge x_created do not collide, since created times are written on request only`, () => {
      for (const [first, second] of [
        [make, gauge('x_created')],
        [gauge('x_created'), make],
      ]) {
        const registry = new CollectorRegistry();
        first!(registry);
        second!(registry);
      }
    });
  }

  it('of a gauge histogram of a collector are reserved too', async () => {
    for (const name of ['x_bucket', 'x_gcount', 'x_gsum']) {
      const registry = new CollectorRegistry({ onError: 'fail' });
      counter(name)(registry);
      const options = { type: 'gaugehistogram', buckets: [1], series: [{ value: [1, 1, 2] }] } as const;
      registry.register({ collect: () => [createFamily('x', 'X.', options)] });
      await assert.rejects(registry.collect(), { code: 'METHEUS_DUPLICATE_FAMILY' });
    }
  });

  it('are free again when the metric is unregistered', () => {
    const registry = new CollectorRegistry();
    const made = createHistogram('x', 'X.', { registry, buckets: [1] });
    registry.unregister(made);
    counter('x_count')(registry);
    assert.throws(() => registry.register(made), { code: 'METHEUS_CONFLICTING_METRIC' });
  });
});

describe('register and unregister', () => {
  it('remove a metric, which goes on counting, and add it again', async () => {
    const registry = new CollectorRegistry();
    const gauge = createGauge('g', 'Help.', { registry });
    gauge.set(1);
    assert.equal(registry.unregister(gauge), true);
    assert.equal(await generateMetrics(registry), '');
    gauge.inc();
    assert.equal(registry.unregister(gauge), false);
    registry.register(gauge);
    registry.register(gauge);
    assert.equal(await generateMetrics(registry), exposed('g', 2));
  });

  it('free the name for another metric', async () => {
    const registry = new CollectorRegistry();
    const old = createGauge('g', 'Old.', { registry });
    registry.unregister(old);
    const made = createGauge('g', 'Help.', { registry });
    made.set(3);
    assert.throws(() => registry.register(old), { code: 'METHEUS_CONFLICTING_METRIC' });
    assert.equal(registry.unregister(old), false);
    assert.equal(await generateMetrics(registry), exposed('g', 3));
  });

  it('accept metrics of no registry and of another registry', async () => {
    const [one, two] = [new CollectorRegistry({ prefix: 'one' }), new CollectorRegistry()];
    const gauge = createGauge('g', 'Help.', { registry: null });
    gauge.set(4);
    assert.equal(await generateMetrics(one), '');
    one.register(gauge);
    two.register(gauge);
    assert.equal(await generateMetrics(one), exposed('one_g', 4));
    assert.equal(await generateMetrics(two), exposed('g', 4));
  });

  it('keep the order of registration', async () => {
    const registry = new CollectorRegistry();
    registry.register({ collect: () => [family('collected', 0)] });
    for (const name of ['b', 'c', 'a']) createGauge(name, 'Help.', { registry });
    const text = await generateMetrics(registry);
    assert.deepEqual(text.match(/^\w+/gm), ['b', 'c', 'a', 'collected']);
  });

  it('have a scope for each registry, unless one is given', () => {
    const [one, two] = [new CollectorRegistry(), new CollectorRegistry()];
    assert.notEqual(one.scope, two.scope);
    assert.equal(new CollectorRegistry({ scope: 'jobs' }).scope, 'jobs');
  });

  for (const [given, shown] of [
    [null, 'null'],
    [undefined, 'undefined'],
    [{}, '{}'],
    ['g', "'g'"],
    [{ collect: 3 }, '{"collect":3}'],
  ] as const) {
    it(`refuses ${shown}`, () => {
      assert.throws(() => new CollectorRegistry().register(given as never), {
        name: 'MetheusError',
        code: 'METHEUS_INVALID_COLLECTOR',
        message: `Invalid collector: given ${shown}, expected a metric, or an object with a collect() method.`,
      });
    });
  }
});

describe('custom collectors', () => {
  it('may be synchronous, asynchronous or generators, and return no families', async () => {
    const registry = new CollectorRegistry();
    registry.register({ collect: () => [family('a', 1), family('b', 2)] });
    registry.register({ collect: async () => [family('c', 3)] });
    registry.register({
      *collect() {
        yield family('d', 4);
      },
    });
    registry.register({ collect: () => [] });
    assert.equal(
      await generateMetrics(registry),
      exposed('a', 1) + exposed('b', 2) + exposed('c', 3) + exposed('d', 4),
    );
  });

  it('are called once at each scrape, with this', async () => {
    const registry = new CollectorRegistry();
    class Calls implements Collector {
      calls = 0;
      collect() {
        this.calls += 1;
        return [family('calls', this.calls)];
      }
    }
    const collector = new Calls();
    registry.register(collector);
    registry.register(collector);
    assert.equal(await generateMetrics(registry), exposed('calls', 1));
    assert.equal(await generateMetrics(registry), exposed('calls', 2));
    assert.equal(registry.unregister(collector), true);
    assert.equal(registry.unregister(collector), false);
    assert.equal(await generateMetrics(registry), '');
  });

  it('may set metrics, and the same scrape contains the new values', async () => {
    const registry = new CollectorRegistry();
    const gauge = createGauge('g', 'Help.', { registry });
    registry.register({
      collect: async () => {
        await new Promise(setImmediate);
        gauge.inc();
        return [];
      },
    });
    assert.equal(await generateMetrics(registry), exposed('g', 1));
    assert.equal(await generateMetrics(registry), exposed('g', 2));
  });

  class Failing implements Collector {
    readonly error: unknown;
    constructor(error: unknown) {
      this.error = error;
    }
    collect(): never {
      throw this.error;
    }
  }
  const cause = new Error('no connection');
  for (const [what, collector, shown] of [
    ['throws', new Failing(cause), 'Failing (no connection)'],
    ['rejects', { collect: () => Promise.reject(cause) }, 'collector-1 (no connection)'],
    ['throws what is no error', new Failing('text'), "Failing ('text')"],
    [
      'fails while it gives',
      {
        *collect() {
          yield family('a', 1);
          throw cause;
        },
      },
      'collector-1 (no connection)',
    ],
  ] as const) {
    it(`that ${what} fails the scrape with onError 'fail', with a cause and a name`, async () => {
      const registry = new CollectorRegistry({ onError: 'fail' });
      createGauge('g', 'Help.', { registry });
      registry.register(collector);
      await assert.rejects(generateMetrics(registry), {
        name: 'MetheusError',
        code: 'METHEUS_COLLECTOR_FAILED',
        message: `Collector failed: given ${shown}, expected families.`,
        cause: 'error' in collector ? collector.error : cause,
      });
      registry.unregister(collector);
      assert.ok((await generateMetrics(registry)).startsWith(exposed('g', 0)));
    });
  }

  for (const [what, collector] of [
    ['nothing', { collect: () => undefined }],
    ['what is no list', { collect: () => 3 }],
    ['what are no families', { collect: () => [{ name: 'a', value: 3 }] }],
    ['null among families', { collect: async () => [family('a', 1), null] }],
  ] as const) {
    it(`that give ${what} fail the scrape with onError 'fail'`, async () => {
      const registry = new CollectorRegistry({ onError: 'fail' });
      registry.register(collector as never);
      await assert.rejects(generateMetrics(registry), {
        name: 'MetheusError',
        code: 'METHEUS_COLLECTOR_FAILED',
      });
    });
  }

  it('cannot return a name that a sample of a metric has', async () => {
    const registry = new CollectorRegistry({ onError: 'fail' });
    createHistogram('h', 'H.', { registry, buckets: [1] });
    registry.register({ collect: () => [family('h_count', 1)] });
    await assert.rejects(generateMetrics(registry), { code: 'METHEUS_DUPLICATE_FAMILY' });
  });

  it('cannot return a family with the name of a metric', async () => {
    const registry = new CollectorRegistry({ onError: 'fail' });
    registry.register({ name: 'one', collect: () => [family('g', 1)] });
    const gauge = createGauge('g', 'Help.', { registry });
    await assert.rejects(generateMetrics(registry), {
      code: 'METHEUS_DUPLICATE_FAMILY',
      message:
        "Duplicate family: given 'g' from one and from the metric 'g', " +
        'expected a name that no metric of the registry has.',
    });
    registry.unregister(gauge);
    assert.ok((await generateMetrics(registry)).endsWith(exposed('g', 1)));
  });
});

describe('generateMetrics', () => {
  it('rejects an unknown format', async () => {
    const registry = new CollectorRegistry();
    for (const format of ['html', 'toString', '']) {
      await assert.rejects(generateMetrics(registry, { format: format as never }), {
        code: 'METHEUS_UNKNOWN_FORMAT',
        message: `Unknown format: given '${format}', expected 'text' or 'openmetrics' or 'protobuf'.`,
      });
    }
  });

  it('returns an empty string for an empty registry', async () => {
    assert.equal(await generateMetrics(new CollectorRegistry()), '');
  });
});
