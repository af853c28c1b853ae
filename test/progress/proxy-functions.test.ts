/** `metricFunc` and `bucketFunc`: their arguments, their results, and the handling of invalid ones. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter } from 'metheus';
import { type BarSnapshot, type BucketFunc, type MetricFunc, TqdmPromProxy } from 'metheus/progress';
import { requireTool } from '../support/tools.js';
import { promtoolCheck } from '../support/validators.js';
import { bucketOf, COUNTED, listenForWarnings, samples, scrape, serve } from './served-proxy.js';

const PROPERTIES = [
  'completed',
  'total',
  'running_completed',
  'running_expected',
  'active',
  'finished',
  'incomplete',
  'failed',
  'rate',
  'eta',
  'updated',
] as const;

describe('metricFunc', () => {
  it('names the metric of each property of a bucket, and is called once', async (t) => {
    const asked: string[][] = [];
    const proxy = await serve(t, {
      properties: PROPERTIES,
      metricFunc(...given) {
        asked.push(given);
        return given.join('_');
      },
    });
    assert.equal(await scrape(proxy), '');
    const bar = proxy.tqdm(null, { ...COUNTED, desc: 'load', unit: 'B', total: 10 });
    bar.update(4);
    const expected = PROPERTIES.map((property) => ['load', property, 'B']);
    await scrape(proxy);
    assert.deepEqual(asked, expected);

    proxy.tqdm(null, { ...COUNTED, desc: 'load', unit: 'B', total: 5 }).close();
    proxy.tqdm(null, { ...COUNTED, desc: 'save' }).fail();
    const served = samples(await scrape(proxy));
    await scrape(proxy);
    assert.deepEqual(asked, [...expected, ...PROPERTIES.map((property) => ['save', property, 'it'])]);
    const { load_updated_B, save_updated_it, load_rate_B, load_eta_B, ...numbers } = served;
    assert.ok(load_updated_B! > 1.7e9 && save_updated_it! > 1.7e9);
    assert.ok(load_rate_B! >= 0 && load_eta_B !== 0);
    assert.deepEqual(numbers, {
      load_completed_B: 4,
      load_total_B: 15,
      load_running_completed_B: 4,
      load_running_expected_B: 10,
      load_active_B: 1,
      load_finished_B: 0,
      load_incomplete_B: 1,
      load_failed_B: 0,
      save_completed_it: 0,
      save_total_it: 0,
      save_active_it: 0,
      save_finished_it: 0,
      save_incomplete_it: 0,
      save_failed_it: 1,
      save_rate_it: 0,
      save_eta_it: 0,
    });
  });

  it('merges buckets to which it gives the same name', async (t) => {
    const warnings = listenForWarnings(t);
    const proxy = await serve(t, { metricFunc: (_name, property) => `job_${property}` });
    proxy.tqdm(null, { ...COUNTED, desc: 'one', total: 5 }).update(1);
    proxy.tqdm(null, { ...COUNTED, desc: 'two', total: 7 }).update(2);
    const served = samples(await scrape(proxy));
    assert.equal(served.job_completed, 3);
    assert.equal(served.job_total, 12);
    assert.equal(served.job_active, 2);
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
  });

  it('yields families without labels, whose types follow their names', async (t) => {
    const suffixes: Record<string, string> = { completed: '_total', active: '_total' };
    const proxy = await serve(t, {
      properties: PROPERTIES,
      metricFunc: (_name, property) => `p_${property}${suffixes[property] ?? ''}`,
    });
    proxy.tqdm(null, COUNTED).update();
    const types = [...(await scrape(proxy)).matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, ...pair]) =>
      pair.join(' '),
    );
    assert.deepEqual(types, [
      'p_completed_total counter',
      'p_total untyped',
      'p_running_completed gauge',
      'p_running_expected gauge',
      'p_active_total untyped',
      'p_finished gauge',
      'p_incomplete gauge',
      'p_failed gauge',
      'p_rate gauge',
      'p_eta gauge',
      'p_updated gauge',
    ]);
  });

  it('yields no lint when names of buckets are not valid metric names', {
    skip: requireTool('promtool'),
  }, async (t) => {
    const warnings = listenForWarnings(t);
    const proxy = await serve(t, { metricFunc: (name, property, scale) => `${name}_${property}_${scale}` });
    for (const desc of ['My first bar', 'rocket 🚀 bar', '2nd bar']) {
      using bar = proxy.tqdm(null, { ...COUNTED, desc, total: 10 });
      bar.update(3);
    }
    const text = await scrape(proxy);
    assert.deepEqual(await promtoolCheck(text), { exitCode: 0, output: '' });
    const served = samples(text);
    assert.equal(served.My_first_bar_completed_it, 3);
    assert.equal(served.rocket____bar_completed_it, 3);
    assert.equal(served._2nd_bar_completed_it, 3);
    // Each warning states the name that is published.
    assert.equal(warnings.length, 3);
    assert.match(warnings[0]!, /'My first bar'.*My_first_bar_completed_it/);
  });

  const nonsense: Record<string, [func: MetricFunc, what: RegExp]> = {
    throws: [fail, /threw for 'completed': not today/],
    'throws no error': [
      () => {
        throw 'text';
      },
      /threw for 'completed': 'text'/,
    ],
    'returns an empty string': [() => '', /gave '' for 'completed', which is not a metric name/],
    'returns a number': [() => 42 as never, /gave 42 for 'completed', which is not a metric name/],
    'returns nothing': [() => undefined as never, /gave undefined for 'completed'/],
    'returns a promise': [
      async () => 'name' as never,
      /for 'completed', which is not a metric name/,
    ] as never,
    'returns an invalid name': [(_, property) => `a b ${property}`, /gave 'a b completed'.*'a_b_completed'/],
    'returns one name for two properties': [() => 'one_name', /gave 'one_name' for 'total'.*'completed'/],
  };

  for (const [name, [metricFunc, what]] of Object.entries(nonsense)) {
    it(`${name}: warns once for the bucket, and publishes everything else`, async (t) => {
      const warnings = listenForWarnings(t);
      const registry = new CollectorRegistry();
      createCounter('mine_total', 'Mine.', { registry }).inc(3);
      const proxy = await serve(t, {
        registry,
        metricFunc: (...given) => (given[0] === 'bad' ? metricFunc(...given) : given.join('_')),
      });
      const bad = proxy.tqdm(null, { ...COUNTED, desc: 'bad' });
      const good = proxy.tqdm(null, { ...COUNTED, desc: 'good' });
      for (let round = 1; round <= 3; round++) {
        assert.equal(bad.update(), false);
        good.update();
        const served = samples(await scrape(proxy));
        assert.equal(served.mine_total, 3);
        assert.equal(served.good_completed_it, round);
        assert.equal(served.good_active_it, 1);
        if (name === 'returns an invalid name') assert.equal(served.a_b_completed, round);
        if (name === 'returns one name for two properties') assert.equal(served.one_name, round);
      }
      assert.equal(bad.n, 3);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /^metricFunc, for the bucket 'bad', /);
      assert.match(warnings[0]!, what);
    });
  }

  it('is called again by another proxy, which warns for itself', async (t) => {
    const warnings = listenForWarnings(t);
    for (let i = 0; i < 2; i++) {
      const proxy = await serve(t, { metricFunc: fail });
      proxy.tqdm(null, { ...COUNTED, desc: 'bad' }).update();
      await scrape(proxy);
    }
    assert.equal(warnings.length, 2);
  });

  it('may return the name of a metric of the registry: the metric of the bar is left out', async (t) => {
    const warnings = listenForWarnings(t);
    const registry = new CollectorRegistry();
    createCounter('mine_total', 'Mine.', { registry }).inc(3);
    const proxy = await serve(t, {
      registry,
      metricFunc: (_, property) => (property === 'completed' ? 'mine_total' : `bars_${property}`),
    });
    proxy.tqdm(null, { ...COUNTED, desc: 'taken' }).update();
    for (let round = 0; round < 2; round++) {
      const served = samples(await scrape(proxy));
      assert.equal(served.mine_total, 3);
      assert.equal(served.bars_active, 1);
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /'mine_total'/);
  });
});

describe('properties', () => {
  it('are completed, total, active and finished for a metricFunc', async (t) => {
    const asked: string[] = [];
    const proxy = await serve(t, {
      metricFunc(bucket, property) {
        asked.push(property);
        return `${bucket}_${property}`;
      },
    });
    proxy.tqdm({ ...COUNTED, desc: 'job', total: 5 }).update(2);
    const served = samples(await scrape(proxy));
    assert.deepEqual(asked, ['completed', 'total', 'active', 'finished']);
    assert.deepEqual(served, { job_completed: 2, job_total: 5, job_active: 1, job_finished: 0 });
  });

  it('are those of the option, in the fixed order', async (t) => {
    const metricFunc: MetricFunc = (bucket, property) => `${bucket}_${property}`;
    const named = await serve(t, { metricFunc, properties: ['failed', 'completed'] });
    named.tqdm({ ...COUNTED, desc: 'job' }).fail();
    assert.deepEqual(samples(await scrape(named)), { job_completed: 0, job_failed: 1 });
    const fixed = await serve(t, { properties: ['completed'] });
    fixed.tqdm({ ...COUNTED, desc: 'job' }).update(3);
    assert.deepEqual(samples(await scrape(fixed)), {
      'progress_completed_total{bucket="job",unit="it"}': 3,
    });
    const none = await serve(t, { properties: [] });
    none.tqdm({ ...COUNTED, desc: 'job' }).update(3);
    assert.equal(await scrape(none), '');
  });
});

describe("names: 'python'", () => {
  it('are those of the Python package', async (t) => {
    const warnings = listenForWarnings(t);
    const proxy = await serve(t, { names: 'python' });
    const bar = proxy.tqdm({ ...COUNTED, desc: 'My first bar', total: 100 });
    bar.update(50);
    proxy.tqdm({ ...COUNTED, desc: 'My first bar', total: 7, unit: 'kB/s' }).close();
    // In Python: `<bucket>_active_count`, `<bucket>_finished_count` and `<bucket>_<property>_<unit>`, where every
    // character but letters, digits and underscores becomes an underscore.
    assert.deepEqual(samples(await scrape(proxy)), {
      My_first_bar_completed_it: 50,
      My_first_bar_total_it: 100,
      My_first_bar_rate_it: 0,
      My_first_bar_completed_kB_s: 0,
      My_first_bar_total_kB_s: 7,
      My_first_bar_rate_kB_s: 0,
      My_first_bar_active_count: 1,
      My_first_bar_finished_count: 1,
    });
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
  });

  it('have the same form for other properties', async (t) => {
    const proxy = await serve(t, { names: 'python', properties: ['failed', 'eta'] });
    proxy.tqdm({ ...COUNTED, desc: 'a:b' }).fail();
    assert.deepEqual(samples(await scrape(proxy)), { a_b_failed_count: 1, a_b_eta_it: 0 });
  });

  it('pass promtool without warnings', { skip: requireTool('promtool') }, async (t) => {
    const proxy = await serve(t, { names: 'python' });
    for (const desc of ['My first bar', '2nd bar', 'rocket 🚀'])
      proxy.tqdm({ ...COUNTED, desc, total: 1 }).update();
    assert.deepEqual(await promtoolCheck(await scrape(proxy)), { exitCode: 0, output: '' });
  });
});

describe('bucketFunc', () => {
  it('is called when a bar starts, and returns its bucket', async (t) => {
    const told: BarSnapshot[] = [];
    const proxy = await serve(t, {
      bucketFunc(bar) {
        told.push(bar);
        return bar.unit === 'B' ? 'bytes' : '';
      },
    });
    proxy.tqdm(null, { ...COUNTED, desc: 'a', unit: 'B', total: 10, initial: 2 }).update();
    proxy.tqdm(null, { ...COUNTED, desc: 'b', unit: 'B', total: Number.POSITIVE_INFINITY }).update();
    for (const _ of proxy.tqdm([1, 2], { ...COUNTED, desc: 'c' }));
    assert.deepEqual(
      told.map(({ desc, unit, total, initial }) => ({ desc, unit, total, initial })),
      [
        { desc: 'a', unit: 'B', total: 10, initial: 2 },
        { desc: 'b', unit: 'B', total: null, initial: 0 },
        { desc: 'c', unit: 'it', total: 2, initial: 0 },
      ],
    );
    assert.equal(new Set(told.map(({ id }) => id)).size, 3);
    const text = await scrape(proxy);
    assert.equal(bucketOf(text, 'bytes')['completed_total B'], 4);
    assert.equal(bucketOf(text, 'bytes').active_bars, 2);
    assert.equal(bucketOf(text, 'default')['completed_total it'], 2);
  });

  const nonsense: Record<string, [func: BucketFunc, what: RegExp]> = {
    throws: [fail, /threw: not today/],
    'returns a number': [() => 42 as never, /gave 42, which is not a string/],
    'returns nothing': [() => undefined as never, /gave undefined, which is not a string/],
  };

  for (const [name, [bucketFunc, what]] of Object.entries(nonsense)) {
    it(`${name}: warns once for the bucket, and the bar is counted under its description`, async (t) => {
      const warnings = listenForWarnings(t);
      const proxy = await serve(t, { bucketFunc });
      for (let round = 0; round < 3; round++) {
        using bar = proxy.tqdm(null, { ...COUNTED, desc: 'described' });
        bar.update(2);
        using other = proxy.tqdm(null, COUNTED);
        other.update();
      }
      const text = await scrape(proxy);
      assert.equal(bucketOf(text, 'described')['completed_total it'], 6);
      assert.equal(bucketOf(text, 'default')['completed_total it'], 3);
      assert.equal(warnings.length, 2);
      for (const warning of warnings) assert.match(warning, what);
      assert.match(warnings[0]!, /^bucketFunc .* in the bucket 'described'\.$/);
      assert.match(warnings[1]!, /^bucketFunc .* in the bucket 'default'\.$/);
    });
  }
});

function fail(): never {
  throw new Error('not today');
}

describe('the constructor of a proxy throws', () => {
  it('for an invalid function, registry or option', () => {
    const made = (options: object) => () => new TqdmPromProxy(options);
    assert.throws(made({ metricFunc: 'name' }), { code: 'METHEUS_INVALID_CALLBACK', message: /metricFunc/ });
    assert.throws(made({ bucketFunc: null }), { code: 'METHEUS_INVALID_CALLBACK', message: /bucketFunc/ });
    for (const registry of [5, null, {}]) {
      assert.throws(made({ registry }), { code: 'METHEUS_INVALID_OPTIONS', message: /registry/ });
    }
    for (const properties of ['completed', ['done'], [1], null]) {
      assert.throws(made({ properties }), { code: 'METHEUS_INVALID_OPTIONS', message: /properties/ });
    }
    for (const names of ['ruby', null, true]) {
      assert.throws(made({ names }), { code: 'METHEUS_INVALID_OPTIONS', message: /names.*'python'/ });
    }
    assert.throws(made({ names: 'python', metricFunc: () => 'x' }), { code: 'METHEUS_INVALID_OPTIONS' });
    assert.throws(made({ port: 3000 }), { code: 'METHEUS_INVALID_OPTIONS', message: /'port'.*httpPort/ });
  });
});
