/** Gauges: inc, dec, set, and invalid values. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createGauge, Gauge, generateMetrics } from 'metheus';
import { said, startWorker } from '../support/workers.js';

const gauge = (name = 'queue_jobs') => createGauge(name, 'Jobs.', { registry: null });

describe('createGauge', () => {
  it('creates a gauge that is exposed with 0 from its creation', async () => {
    const registry = new CollectorRegistry();
    const jobs = createGauge('queue_jobs', 'Jobs.', { registry });
    const head = '# HELP queue_jobs Jobs.\n# TYPE queue_jobs gauge\n';
    assert.equal(await generateMetrics(registry), `${head}queue_jobs 0\n`);
    jobs.inc(3);
    jobs.dec();
    assert.equal(await generateMetrics(registry), `${head}queue_jobs 2\n`);
    jobs.set(-1.5);
    assert.equal(await generateMetrics(registry), `${head}queue_jobs -1.5\n`);
    assert.equal(jobs.get(), -1.5);
  });

  it('is the same as new Gauge', () => {
    const registry = new CollectorRegistry();
    const made = new Gauge('queue_jobs', 'Jobs.', { registry, multiprocessMode: 'max' });
    assert.equal(createGauge('queue_jobs', 'Jobs.', { registry, multiprocessMode: 'max' }), made);
    assert.ok(made instanceof Gauge);
    assert.equal(made.descriptor.merge, 'max');
  });

  it('keeps and exposes every float64', async () => {
    const registry = new CollectorRegistry();
    const jobs = createGauge('queue_jobs', 'Jobs.', { registry });
    for (const [value, text] of [
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, '+Inf'],
      [Number.NEGATIVE_INFINITY, '-Inf'],
      [-0, '-0'],
      [5e-324, '5e-324'],
      [1e308, '1e+308'],
      [2 ** 53, '9007199254740992'],
    ] as const) {
      jobs.set(value);
      assert.ok(Object.is(jobs.get(), value));
      assert.match(
        await generateMetrics(registry),
        new RegExp(`^queue_jobs ${text.replace('+', '\\+')}$`, 'm'),
      );
    }
  });
});

describe('set', () => {
  /** Returns whether the gauge counts as untouched, incremented or set. */
  const stateOf = (jobs: ReturnType<typeof gauge>) => {
    const { page, offset } = jobs as unknown as { page: Float64Array; offset: number };
    const at = page[offset + 1]!;
    return at > 1 ? 'set' : ['untouched', 'incremented'][at];
  };

  it('to the present value only makes the gauge appear, in the mode shared', () => {
    const jobs = gauge();
    assert.equal(stateOf(jobs), 'untouched');
    jobs.set(0);
    assert.equal(stateOf(jobs), 'incremented');
    jobs.inc(2);
    jobs.set(2);
    assert.equal(stateOf(jobs), 'incremented');
    jobs.set(3);
    assert.equal(stateOf(jobs), 'set');
    jobs.set(3);
    assert.equal(stateOf(jobs), 'set');
    const lost = gauge();
    lost.set(Number.NaN);
    assert.equal(stateOf(lost), 'set');
  });

  it('counts in every other mode', () => {
    for (const multiprocessMode of ['mostrecent', 'livemostrecent', 'max', 'all'] as const) {
      const jobs = createGauge('queue_jobs', 'Jobs.', { registry: null, multiprocessMode });
      jobs.set(0);
      assert.equal(stateOf(jobs), 'set', multiprocessMode);
    }
  });

  it('to 0 at the start lets the increments of all threads add up', async () => {
    const main = createGauge('started_jobs', 'Jobs.');
    main.set(0);
    const workers = [1, 2].map((count) =>
      startWorker(({ createGauge }, { say, data, port }) => {
        const jobs = createGauge('started_jobs', 'Jobs.');
        jobs.set(0);
        jobs.inc(data);
        port.on('message', () => {}); // stays alive
        say();
      }, count),
    );
    await Promise.all(workers.map(said));
    main.inc(10);
    assert.match(await generateMetrics(), /^started_jobs 13$/m);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });
});

describe('inc, dec and set', () => {
  it('add 1 for undefined, and accept negative numbers', () => {
    const jobs = gauge();
    jobs.inc();
    jobs.inc(undefined);
    jobs.dec(undefined);
    jobs.inc(-5);
    jobs.dec(-2);
    assert.equal(jobs.get(), -2);
  });

  for (const by of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    '3',
    null,
    true,
    1n,
    {},
  ]) {
    const bigint = typeof by === 'bigint' ? `${by}n` : String(by);
    const shown = typeof by === 'string' ? `'${by}'` : typeof by === 'object' && by ? '{}' : bigint;
    for (const method of ['inc', 'dec'] as const) {
      it(`${method} refuses ${typeof by} ${shown} and counts nothing`, () => {
        const jobs = gauge();
        jobs.set(7);
        assert.throws(() => jobs[method](by as number), {
          name: 'MetheusError',
          code: 'METHEUS_INVALID_INCREMENT',
          message: `Invalid increment: given ${shown} to gauge 'queue_jobs', expected a finite number.`,
        });
        assert.equal(jobs.get(), 7);
      });
    }
  }

  for (const value of ['x', '3', null, undefined, true, 1n, new Date(0)]) {
    it(`set refuses ${typeof value} ${value} and changes nothing`, () => {
      const jobs = gauge();
      jobs.set(7);
      assert.throws(() => jobs.set(value as never), { code: 'METHEUS_INVALID_VALUE' });
      assert.equal(jobs.get(), 7);
    });
  }

  it('set names the value in the error', () => {
    assert.throws(() => gauge().set('x' as never), {
      message: "Invalid value: given 'x' to gauge 'queue_jobs', expected a number.",
    });
  });

  it('need every label', () => {
    const open = createGauge('g', 'G.', { registry: null, requiredLabels: ['a', 'b'] });
    const partial = open.labels({ b: 1 }) as unknown as ReturnType<typeof gauge>;
    const uses: (() => unknown)[] = [
      () => partial.inc(),
      () => partial.dec(),
      () => partial.set(1),
      () => partial.setToCurrentTime(),
      () => partial.get(),
      () => partial.startTimer(),
      () => partial.time(() => {}),
      () => partial.trackInProgress(() => {}),
    ];
    for (const use of uses) {
      assert.throws(use, { name: 'UnobservableMetricError', missing: ['a'] }, String(use));
    }
  });
});

describe('setToCurrentTime', () => {
  it('sets Unix time in seconds', (t) => {
    t.mock.method(Date, 'now', () => 1_700_000_000_250);
    const jobs = gauge();
    jobs.setToCurrentTime();
    assert.equal(jobs.get(), 1_700_000_000.25);
  });
});
