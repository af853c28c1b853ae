/** Text format 0.0.4, byte for byte. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  createSummary,
  generateMetrics,
  PROMETHEUS_CONTENT_TYPE,
} from 'metheus';

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;

describe('text format', () => {
  it('has the content type of 0.0.4', () => {
    assert.equal(PROMETHEUS_CONTENT_TYPE, 'text/plain; version=0.0.4; charset=utf-8');
  });

  it('is empty for an empty registry', async () => {
    assert.equal(await generateMetrics(new CollectorRegistry()), '');
  });

  it('writes families in the order of registration, and series in the order of creation', async () => {
    const registry = new CollectorRegistry();
    const z = createCounter('z_total', 'Last letter.', { requiredLabels: ['b', 'a'], registry });
    createGauge('a', 'First letter.', { registry }).set(-1.5);
    z.labels({ a: '1', b: '2' }).inc();
    z.labels({ b: '1', a: '1' }).inc(3);
    assert.equal(
      await generateMetrics(registry),
      lines(
        '# HELP z_total Last letter.',
        '# TYPE z_total counter',
        'z_total{b="2",a="1"} 1',
        'z_total{b="1",a="1"} 3',
        '# HELP a First letter.',
        '# TYPE a gauge',
        'a -1.5',
      ),
    );
  });

  it('writes a histogram: cumulative buckets, le last and ascending, +Inf equal to the count', async () => {
    const registry = new CollectorRegistry();
    const buckets = [-1, 0.00001, 0.5, 1, 1234567];
    const size = createHistogram('size', 'h', { buckets, registry });
    for (const value of [-2, -1, 0, 0.5, 0.75, 1e9]) size.observe(value);
    const time = createHistogram('time', 'h', { buckets: [1], requiredLabels: ['path'], registry });
    time.labels({ path: '/' }).observe(0.25);
    assert.equal(
      await generateMetrics(registry),
      lines(
        '# HELP size h',
        '# TYPE size histogram',
        'size_bucket{le="-1"} 2',
        'size_bucket{le="1e-05"} 3',
        'size_bucket{le="0.5"} 4',
        'size_bucket{le="1"} 5',
        'size_bucket{le="1.234567e+06"} 5',
        'size_bucket{le="+Inf"} 6',
        'size_sum 999999998.25',
        'size_count 6',
        '# HELP time h',
        '# TYPE time histogram',
        'time_bucket{path="/",le="1"} 1',
        'time_bucket{path="/",le="+Inf"} 1',
        'time_sum{path="/"} 0.25',
        'time_count{path="/"} 1',
      ),
    );
  });

  it('writes a summary', async () => {
    const registry = new CollectorRegistry();
    createSummary('bare', 's', { registry });
    const summary = createSummary('labelled', 's', { requiredLabels: ['kind'], registry });
    summary.labels({ kind: 'x' }).observe(2.5);
    summary.labels({ kind: 'x' }).observe(1);
    assert.equal(
      await generateMetrics(registry),
      lines(
        '# HELP bare s',
        '# TYPE bare summary',
        'bare_sum 0',
        'bare_count 0',
        '# HELP labelled s',
        '# TYPE labelled summary',
        'labelled_sum{kind="x"} 3.5',
        'labelled_count{kind="x"} 2',
      ),
    );
  });

  it('writes a family of unknown type as untyped', async () => {
    const registry = new CollectorRegistry();
    const series = [{ labels: { a: 1 }, value: Number.NaN }];
    const family = createFamily('odd', 'o', { type: 'unknown', labelNames: ['a'], series });
    registry.register({ collect: () => [family] });
    assert.equal(
      await generateMetrics(registry),
      lines('# HELP odd o', '# TYPE odd untyped', 'odd{a="1"} NaN'),
    );
  });

  it('writes every kind of number', async () => {
    const registry = new CollectorRegistry();
    const gauge = createGauge('g', '', { requiredLabels: ['n'], registry });
    const numbers = [Number.NaN, 1 / 0, -1 / 0, -0, 1e308, 5e-324, 2 ** 53, 1e21, 1e-7, 2 ** 31, -1];
    numbers.forEach((value, n) => void gauge.labels({ n }).set(value));
    const words = 'NaN +Inf -Inf -0 1e+308 5e-324 9007199254740992 1e+21 1e-7 2147483648 -1'.split(' ');
    assert.equal(
      await generateMetrics(registry),
      lines('# HELP g ', '# TYPE g gauge', ...words.map((word, n) => `g{n="${n}"} ${word}`)),
    );
  });

  it('writes the header of a family without series', async () => {
    const registry = new CollectorRegistry();
    createHistogram('empty', 'Nothing yet.', { requiredLabels: ['a'], registry });
    assert.equal(
      await generateMetrics(registry),
      lines('# HELP empty Nothing yet.', '# TYPE empty histogram'),
    );
  });

  it('escapes help and label values, and nothing else in them', async () => {
    const registry = new CollectorRegistry();
    const wild = 'q " b \\ n \n r \r t \t nul \0 del \x7f sep \u2028 emoji \u{1f600} { } , = # \\n';
    createGauge('g', wild, { requiredLabels: ['v'], registry })
      .labels({ v: wild })
      .set(1);
    const rest = 'r \r t \t nul \0 del \x7f sep \u2028 emoji \u{1f600} { } , = # \\\\n';
    assert.equal(
      await generateMetrics(registry),
      lines(`# HELP g q " b \\\\ n \\n ${rest}`, '# TYPE g gauge', `g{v="q \\" b \\\\ n \\n ${rest}"} 1`),
    );
  });

  it('writes lone surrogates as U+FFFD', async () => {
    const registry = new CollectorRegistry();
    createGauge('g', 'h \ud800', { requiredLabels: ['v'], registry })
      .labels({ v: '\udc00x' })
      .set(1);
    assert.equal(
      await generateMetrics(registry),
      lines('# HELP g h \ufffd', '# TYPE g gauge', 'g{v="\ufffdx"} 1'),
    );
  });

  it('omits removed series, and writes those that took their position', async () => {
    const registry = new CollectorRegistry();
    const gauge = createGauge('g', 'h', { requiredLabels: ['v'], registry });
    for (const v of ['first', 'second', 'third']) gauge.labels({ v }).set(1);
    gauge.remove({ v: 'first' });
    gauge.remove({ v: 'third' });
    const head = ['# HELP g h', '# TYPE g gauge'];
    assert.equal(await generateMetrics(registry), lines(...head, 'g{v="second"} 1'));
    gauge.labels({ v: 'a new one, longer than the old' }).set(2);
    gauge.labels({ v: '' }).set(3);
    const text = await generateMetrics(registry);
    const sorted = text
      .split('\n')
      .filter((line) => line.startsWith('g{'))
      .sort();
    const expected = ['g{v=""} 3', 'g{v="a new one, longer than the old"} 2', 'g{v="second"} 1'];
    assert.deepEqual(sorted, expected);
  });

  it('writes the prefix of the registry before every name', async () => {
    const registry = new CollectorRegistry({ prefix: 'app' });
    createHistogram('h', 'h', { buckets: [1], registry }).observe(2);
    assert.equal(
      await generateMetrics(registry),
      lines(
        '# HELP app_h h',
        '# TYPE app_h histogram',
        'app_h_bucket{le="1"} 0',
        'app_h_bucket{le="+Inf"} 1',
        'app_h_sum 2',
        'app_h_count 1',
      ),
    );
  });
});
