/** Collectors that fail, hang or return duplicate families: the served families, and the errors and warnings. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  type Collector,
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  type FamilyOptions,
  type FamilySnapshot,
  generateMetrics,
  loadBackend,
  MetheusError,
  REGISTRY,
  SingleProcessBackend,
} from 'metheus';

const family = (name: string, value: number, labels: Record<string, string> = {}) =>
  createFamily(name, 'Help.', { labelNames: Object.keys(labels), series: [{ labels, value }] });
const exposed = (name: string, value: number) =>
  `# HELP ${name} Help.\n# TYPE ${name} gauge\n${name} ${value}\n`;

/** Returns the counts of failed collectors in an exposition, each as `collector cause count`. */
function errorsIn(text: string): string[] {
  const sample = /^metheus_collector_errors_total\{collector="(.*)",cause="(.*)"\} (\d+)$/gm;
  return Array.from(text.matchAll(sample), ([, collector, cause, count]) => `${collector} ${cause} ${count}`);
}

/** A promise that a test settles. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const turn = () => new Promise(setImmediate);

const warnings: string[] = [];
const listen = ({ name, message }: Error): void => {
  if (name === 'MetheusWarning') warnings.push(message);
};
beforeEach(() => {
  warnings.length = 0;
  process.on('warning', listen);
});
afterEach(() => process.off('warning', listen));

describe('a failed collector', () => {
  it('does not affect the rest of the scrape, and is named in a metric and in one warning', async () => {
    const registry = new CollectorRegistry();
    createGauge('before', 'Help.', { registry }).set(1);
    registry.register({
      name: 'orders',
      collect: async () => {
        throw new Error('no connection');
      },
    });
    registry.register({ collect: () => [family('after', 2)] });
    for (const count of [1, 2]) {
      assert.equal(
        await generateMetrics(registry),
        exposed('before', 1) +
          '# HELP metheus_collector_errors_total Failures of collectors.\n' +
          '# TYPE metheus_collector_errors_total counter\n' +
          `metheus_collector_errors_total{collector="orders",cause="error"} ${count}\n` +
          exposed('after', 2),
      );
    }
    await turn();
    assert.deepEqual(warnings, [
      'Collector failed: given orders (no connection), expected families. The rest is served.',
    ]);
  });

  class Anonymous implements Collector {
    collect(): never {
      throw new Error('no');
    }
  }
  const collect = new Anonymous().collect;
  for (const [what, collector, name] of [
    ['its name', Object.assign(new Anonymous(), { name: 'pool' }), 'pool'],
    ['the name of its class', new Anonymous(), 'Anonymous'],
    ['its number, if it has an empty name', { name: '', collect }, 'collector-2'],
    ['its number, if it has no prototype', Object.assign(Object.create(null), { collect }), 'collector-2'],
    [
      'its number, if its class has no name',
      new (class {
        collect = collect;
      })(),
      'collector-2',
    ],
  ] as const) {
    it(`is named by ${what}`, async () => {
      const registry = new CollectorRegistry();
      registry.register({ collect: () => [] });
      registry.register(collector as Collector);
      assert.deepEqual(errorsIn(await generateMetrics(registry)), [`${name} error 1`]);
    });
  }

  for (const [what, given] of [
    ['nothing', undefined],
    ['a number', 3],
    ['an object', {}],
    ['null among families', [family('a', 1), null]],
    ['an object without rows', [{ family: family('a', 1).family }]],
    ['values that are too short', [{ ...family('a', 1), values: new Float64Array(1) }]],
    ['an array instead of columns', [{ ...family('a', 1), values: [1, 1] }]],
  ] as const) {
    it(`that returns ${what} leaves the rest served`, async () => {
      const registry = new CollectorRegistry();
      createGauge('g', 'Help.', { registry }).set(1);
      registry.register({ name: 'c', collect: () => given as never });
      const text = await generateMetrics(registry);
      assert.ok(text.startsWith(exposed('g', 1)));
      assert.match(errorsIn(text).join(), /^c (error|invalid) 1$/);
      await assert.rejects(registry.collect({ onError: 'fail' }), {
        code: 'METHEUS_COLLECTOR_FAILED',
        message: /^Collector failed: given c \(/,
      });
    });
  }

  it("fails the collection with onError: 'fail', which a single collection can override", async () => {
    const cause = new Error('no connection');
    const failing = { name: 'orders', collect: () => Promise.reject(cause) };
    const strict = new CollectorRegistry({ onError: 'fail' });
    strict.register(failing);
    const expected = { name: 'MetheusError', code: 'METHEUS_COLLECTOR_FAILED', cause };
    await assert.rejects(strict.collect(), expected);
    assert.equal((await strict.collect({ onError: 'partial' })).length, 1);
    const lenient = new CollectorRegistry();
    lenient.register(failing);
    await assert.rejects(lenient.collect({ onError: 'fail' }), expected);
    assert.throws(() => new CollectorRegistry({ onError: 'ignore' as 'fail' }), {
      code: 'METHEUS_INVALID_OPTIONS',
      message: "Invalid options: given onError: 'ignore', expected 'partial' or 'fail'.",
    });
  });

  it('is counted on a backend that is loaded later', async () => {
    const registries = [new CollectorRegistry({ scope: 'shared' }), new CollectorRegistry()];
    for (const registry of registries) {
      registry.register({ name: 'c', collect: () => Promise.reject(new Error('no')) });
      await registry.collect();
    }
    await loadBackend(class Other extends SingleProcessBackend {});
    for (const registry of registries) {
      assert.deepEqual(errorsIn(await generateMetrics(registry)), ['c error 2']);
    }
  });
});

describe('the time limit of a collector', () => {
  it('is 5 seconds by default; then the rest is served, and the next scrape calls it again', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const registry = new CollectorRegistry();
    const counter = createCounter('c_total', 'Help.', { registry });
    let calls = 0;
    let aborted = 0;
    registry.register({
      name: 'hung',
      collect: ({ signal }) => {
        calls += 1;
        signal.addEventListener('abort', () => {
          aborted += 1;
        });
        return calls === 1 ? new Promise<never>(() => {}) : [family('recovered', 1)];
      },
    });
    counter.inc();
    const scrape = generateMetrics(registry);
    let isOver = false;
    void scrape.then(() => {
      isOver = true;
    });
    await turn();
    t.mock.timers.tick(4999);
    for (let i = 0; i < 5; i++) await turn();
    assert.deepEqual([isOver, aborted], [false, 0]);
    counter.inc();
    t.mock.timers.tick(1);
    const text = await scrape;
    assert.match(text, /^c_total 2$/m);
    assert.deepEqual(errorsIn(text), ['hung timeout 1']);
    assert.equal(aborted, 1);
    assert.match(await generateMetrics(registry), /^recovered 1$/m);
    assert.equal(aborted, 1);
    await turn();
    assert.deepEqual(warnings, [
      'Collector failed: given hung (still running), expected families within 5 s. The rest is served.',
    ]);
  });

  it('can be set for each collector, and does not delay those that are ready', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const registry = new CollectorRegistry();
    const slow = deferred<FamilySnapshot[]>();
    registry.register({ name: 'short', collectTimeout: 0.5, collect: () => new Promise<never>(() => {}) });
    registry.register({ name: 'long', collectTimeout: 60, collect: () => slow.promise });
    const scrape = generateMetrics(registry);
    await turn();
    t.mock.timers.tick(59_999);
    slow.resolve([family('slow', 1)]);
    const text = await scrape;
    assert.match(text, /^slow 1$/m);
    assert.deepEqual(errorsIn(text), ['short timeout 1']);
  });

  it('stops an endless generator', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const registry = new CollectorRegistry();
    let given = 0;
    let hasEnded = false;
    registry.register({
      name: 'endless',
      *collect() {
        try {
          for (;;) yield family(`f_${given++}`, 1);
        } finally {
          hasEnded = true;
        }
      },
    });
    const scrape = generateMetrics(registry);
    while (given < 10) await turn();
    t.mock.timers.tick(5000);
    assert.deepEqual(errorsIn(await scrape), ['endless timeout 1']);
    while (!hasEnded) await turn();
  });

  it('drops results that arrive late', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const registry = new CollectorRegistry();
    const late = deferred<FamilySnapshot[]>();
    registry.register({ name: 'late', collect: () => late.promise });
    const scrape = generateMetrics(registry);
    await turn();
    t.mock.timers.tick(5000);
    const text = await scrape;
    late.resolve([family('late', 1)]);
    await turn();
    assert.doesNotMatch(text, /^late/m);
  });

  for (const collectTimeout of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2_147_484, '5', null]) {
    it(`cannot be ${String(collectTimeout)}`, () => {
      const collector = { name: 'c', collectTimeout: collectTimeout as number, collect: () => [] };
      assert.throws(() => new CollectorRegistry().register(collector), {
        code: 'METHEUS_INVALID_COLLECTOR',
        message: /^Invalid collector: given collectTimeout: .* of c, expected seconds/,
      });
    });
  }
});

describe('families of the same name from two collectors', () => {
  const pool = (name: string, value: number, more: Partial<FamilyOptions> = {}): Collector => ({
    name,
    collect: () => [
      createFamily('pool_size', `Of ${name}.`, {
        labelNames: ['pool'],
        series: [{ labels: { pool: name }, value }],
        ...more,
      }),
    ],
  });

  it('are joined when type and labels agree', async () => {
    const registry = new CollectorRegistry({ onError: 'fail' });
    registry.register(pool('a', 1));
    registry.register({ collect: () => [family('between', 0)] });
    registry.register(pool('b', 2));
    assert.equal(
      await generateMetrics(registry),
      '# HELP pool_size Of a.\n# TYPE pool_size gauge\npool_size{pool="a"} 1\npool_size{pool="b"} 2\n' +
        exposed('between', 0),
    );
  });

  it('are joined with exemplars and timestamps of their series, in any order of the labels', async () => {
    const registry = new CollectorRegistry({ onError: 'fail' });
    const exemplar = { labels: { trace: 't' }, value: 0.5, timestamp: 7 };
    const histogram = (labelNames: readonly string[], x: string): Collector => ({
      collect: () => [
        createFamily('h', 'H.', {
          type: 'histogram',
          buckets: [1],
          labelNames,
          series: [
            { labels: { x, y: '"' }, value: [1, 2, 3], created: 5, exemplars: [undefined, exemplar] },
            { labels: { x, y: 'timed' }, value: [0, 1, 9], timestamp: 11 },
          ],
        }),
      ],
    });
    registry.register(histogram(['x', 'y'], 'one'));
    registry.register(histogram(['y', 'x'], 'two'));
    const series = (x: string) =>
      `h_bucket{x="${x}",y="\\"",le="1.0"} 1\n` +
      `h_bucket{x="${x}",y="\\"",le="+Inf"} 3 # {trace="t"} 0.5 7\n` +
      `h_count{x="${x}",y="\\""} 3\nh_sum{x="${x}",y="\\""} 3\nh_created{x="${x}",y="\\""} 5\n` +
      `h_bucket{x="${x}",y="timed",le="1.0"} 0 11\nh_bucket{x="${x}",y="timed",le="+Inf"} 1 11\n` +
      `h_count{x="${x}",y="timed"} 1 11\nh_sum{x="${x}",y="timed"} 9 11\n`;
    const text = await generateMetrics(registry, { format: 'openmetrics', created: true });
    const lines = (given: string) =>
      given
        .split('\n')
        .filter((line) => line !== '')
        .sort();
    assert.deepEqual(
      lines(text),
      lines(`# TYPE h histogram\n# HELP h H.\n${series('one')}${series('two')}# EOF\n`),
    );
  });

  it('with an equal series serve the first one, and the error names both', async () => {
    const registry = new CollectorRegistry();
    registry.register(pool('a', 1));
    registry.register({ name: 'copy', collect: () => [family('pool_size', 9, { pool: 'a' })] });
    registry.register(pool('b', 2));
    const text = await generateMetrics(registry);
    assert.match(text, /^pool_size\{pool="a"\} 1\npool_size\{pool="b"\} 2$/m);
    assert.deepEqual(errorsIn(text), ['copy duplicate 1']);
    await assert.rejects(registry.collect({ onError: 'fail' }), {
      code: 'METHEUS_DUPLICATE_SERIES',
      message:
        'Duplicate series: given {pool="a"} of \'pool_size\' from copy and from a, ' +
        'expected each series from one source.',
    });
  });

  for (const [what, more] of [
    ['type', { type: 'unknown' }],
    ['unit', { unit: 'size' }],
    ['labels', { labelNames: ['pool', 'host'], series: [{ labels: { pool: 'b', host: 'h' }, value: 1 }] }],
    ['bounds', { type: 'histogram', buckets: [1], series: [{ labels: { pool: 'b' }, value: [1, 1, 1] }] }],
  ] as const) {
    it(`with another ${what} serve the first one, and the error names both`, async () => {
      const registry = new CollectorRegistry();
      if (what === 'bounds') {
        const series = [{ labels: { pool: 'a' }, value: [1, 1, 1] }];
        registry.register(pool('a', 0, { type: 'histogram', buckets: [2], series }));
      } else registry.register(pool('a', 1));
      registry.register(pool('b', 2, more));
      const text = await generateMetrics(registry);
      assert.doesNotMatch(text, /pool="b"/);
      assert.match(text, /pool="a"/);
      assert.deepEqual(errorsIn(text), ['b duplicate 1']);
      await assert.rejects(registry.collect({ onError: 'fail' }), {
        code: 'METHEUS_DUPLICATE_FAMILY',
        message:
          "Duplicate family: given 'pool_size' from b and from a, " +
          'expected the same type, unit, labels and bounds from both.',
      });
    });
  }
});

describe('a registry in a registry', () => {
  it('is collected with the prefixes of both, after the collectors of both', async () => {
    const outer = new CollectorRegistry({ prefix: 'outer' });
    const inner = new CollectorRegistry({ prefix: 'inner' });
    const [a, b] = [
      createGauge('a', 'Help.', { registry: outer }),
      createGauge('b', 'Help.', { registry: inner }),
    ];
    outer.register(inner);
    outer.register({
      collect: () =>
        turn()
          .then(() => b.inc())
          .then(() => [family('c', 1)]),
    });
    inner.register({
      collect: () =>
        turn()
          .then(() => a.inc())
          .then(() => [family('d', 2)]),
    });
    assert.equal(
      await generateMetrics(outer),
      exposed('outer_a', 1) +
        exposed('outer_inner_b', 1) +
        exposed('outer_inner_d', 2) +
        exposed('outer_c', 1),
    );
    assert.equal(await generateMetrics(inner), exposed('inner_b', 1) + exposed('inner_d', 2));
  });

  it('applies the time limit to each of its collectors, and counts failures in one metric', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const [outer, inner] = [new CollectorRegistry(), new CollectorRegistry()];
    createGauge('g', 'Help.', { registry: inner }).set(1);
    inner.register({ name: 'hung', collect: () => new Promise<never>(() => {}) });
    outer.register(inner);
    const scrape = generateMetrics(outer);
    await turn();
    t.mock.timers.tick(5000);
    const text = await scrape;
    assert.match(text, /^g 1$/m);
    assert.deepEqual(errorsIn(text), ['hung timeout 1']);
  });

  it('cannot expose a family with the name of a metric of the outer registry', async () => {
    const [outer, inner] = [new CollectorRegistry(), new CollectorRegistry({ scope: 'in' })];
    for (const registry of [outer, inner]) createGauge('g', 'Help.', { registry });
    outer.register(inner);
    await assert.rejects(outer.collect({ onError: 'fail' }), {
      code: 'METHEUS_DUPLICATE_FAMILY',
      message: /given 'g' from the registry 'in' and from the metric 'g'/,
    });
  });

  it('cannot be the registry itself, or one that collects from it', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((prefix) => new CollectorRegistry({ prefix }));
    const refuses = (registry: CollectorRegistry, given: CollectorRegistry, message: RegExp) =>
      assert.throws(() => registry.register(given), { code: 'METHEUS_INVALID_COLLECTOR', message });
    refuses(a!, a!, /given the registry 'a' in the registry 'a'/);
    a!.register(b!);
    b!.register(c!);
    refuses(b!, a!, /given the registry 'a' in the registry 'b'/);
    refuses(c!, a!, /given the registry 'a' in the registry 'c'/);
    a!.register(c!);
    a!.unregister(b!);
    b!.register(a!);
  });

  it('cannot be the default registry in itself, in any order', () => {
    const before = REGISTRY.registry;
    const refused = { name: 'MetheusError', code: 'METHEUS_INVALID_COLLECTOR' };
    assert.throws(() => REGISTRY.register(REGISTRY), refused);
    assert.throws(() => before.register(REGISTRY), refused);
    assert.throws(() => REGISTRY.register(before), refused);
    assert.throws(() => REGISTRY.setRegistry(REGISTRY as never), refused);
    const other = new CollectorRegistry({ prefix: 'other' });
    other.register(REGISTRY);
    assert.throws(() => REGISTRY.register(other), refused);
    assert.throws(() => REGISTRY.setRegistry(other), refused);
    assert.equal(REGISTRY.registry, before);
    // The old registry may be collected by the new default.
    const next = new CollectorRegistry();
    next.register(before);
    REGISTRY.setRegistry(next);
    REGISTRY.setRegistry(before);
  });
});

it('register throws an error of the class MetheusError', () => {
  assert.throws(() => new CollectorRegistry().register({} as Collector), MetheusError);
});
