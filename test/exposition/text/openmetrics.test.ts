/** OpenMetrics 1.0.0, byte for byte. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  createSummary,
  type FamilySnapshot,
  generateMetrics,
  OPENMETRICS_CONTENT_TYPE,
} from 'metheus';
import { collectable, snapshot } from '../../support/snapshots.js';

const lines = (...all: readonly string[]): string => `${[...all, '# EOF'].join('\n')}\n`;
const written = (...families: FamilySnapshot[]) =>
  generateMetrics(collectable(...families), { format: 'openmetrics' });
const withCreated = (...families: FamilySnapshot[]) =>
  generateMetrics(collectable(...families), { format: 'openmetrics', created: true });

describe('OpenMetrics', () => {
  it('has the content type of 1.0.0', () => {
    assert.equal(OPENMETRICS_CONTENT_TYPE, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  });

  it('ends with EOF, also without families', async () => {
    assert.equal(await generateMetrics(new CollectorRegistry(), { format: 'openmetrics' }), '# EOF\n');
  });

  it('writes type, unit and help of metrics', async () => {
    const registry = new CollectorRegistry({ prefix: 'app' });
    createCounter('sent_bytes_total', 'All "sent" \\ bytes.\nOnce.', { unit: 'bytes', registry }).inc(7);
    createGauge('level', '', { requiredLabels: ['of'], registry })
      .labels({ of: 'a "b" \\ c\n' })
      .set(-0);
    const time = createHistogram('wait_seconds', 'W.', { buckets: [0.5, 1, 1e6], unit: 'seconds', registry });
    time.observe(0.75);
    createSummary('size', 'S.', { registry }).observe(3);
    assert.equal(
      await generateMetrics(registry, { format: 'openmetrics' }),
      lines(
        '# TYPE app_sent_bytes counter',
        '# UNIT app_sent_bytes bytes',
        '# HELP app_sent_bytes All \\"sent\\" \\\\ bytes.\\nOnce.',
        'app_sent_bytes_total 7',
        '# TYPE app_level gauge',
        '# HELP app_level ',
        'app_level{of="a \\"b\\" \\\\ c\\n"} -0',
        '# TYPE app_wait_seconds histogram',
        '# UNIT app_wait_seconds seconds',
        '# HELP app_wait_seconds W.',
        'app_wait_seconds_bucket{le="0.5"} 0',
        'app_wait_seconds_bucket{le="1.0"} 1',
        'app_wait_seconds_bucket{le="1e+06"} 1',
        'app_wait_seconds_bucket{le="+Inf"} 1',
        'app_wait_seconds_sum 0.75',
        'app_wait_seconds_count 1',
        '# TYPE app_size summary',
        '# HELP app_size S.',
        'app_size_sum 3',
        'app_size_count 1',
      ),
    );
  });

  it('writes infos, statesets and gauge histograms', async () => {
    const families = [
      snapshot('build_info', {
        type: 'info',
        unit: 'info',
        labelNames: ['version'],
        rows: [{ labels: { version: '1' }, cells: [1] }],
      }),
      snapshot('target', { type: 'info', labelNames: ['a'], rows: [{ labels: { a: 'b' }, cells: [1] }] }),
      snapshot('state', {
        type: 'stateset',
        labelNames: ['job', 'state'],
        rows: [
          { labels: { job: 'a', state: 'up' }, cells: [1] },
          { labels: { job: 'a', state: 'down' }, cells: [0] },
        ],
      }),
      snapshot('age', { type: 'gaugehistogram', bounds: [1], rows: [{ cells: [2, 1, 4.5] }] }),
      snapshot('odd', { type: 'unknown', rows: [{ cells: [Number.NaN] }] }),
    ];
    assert.equal(
      await written(...families),
      lines(
        ...['# TYPE build info', '# HELP build h', 'build_info{version="1"} 1'],
        ...['# TYPE target info', '# HELP target h', 'target_info{a="b"} 1'],
        ...['# TYPE state stateset', '# HELP state h'],
        ...['state{job="a",state="up"} 1', 'state{job="a",state="down"} 0'],
        ...['# TYPE age gaugehistogram', '# HELP age h'],
        ...['age_bucket{le="1.0"} 2', 'age_bucket{le="+Inf"} 3', 'age_gsum 4.5', 'age_gcount 3'],
        ...['# TYPE odd unknown', '# HELP odd h', 'odd NaN'],
      ),
    );
    const text = await generateMetrics(collectable(...families));
    assert.equal(
      `${text}# EOF\n`,
      lines(
        ...['# HELP build_info h', '# TYPE build_info gauge', 'build_info{version="1"} 1'],
        ...['# HELP target_info h', '# TYPE target_info gauge', 'target_info{a="b"} 1'],
        ...['# HELP state h', '# TYPE state gauge'],
        ...['state{job="a",state="up"} 1', 'state{job="a",state="down"} 0'],
        ...['# HELP age h', '# TYPE age histogram'],
        ...['age_bucket{le="1"} 2', 'age_bucket{le="+Inf"} 3', 'age_sum 4.5', 'age_count 3'],
        ...['# HELP odd h', '# TYPE odd untyped', 'odd NaN'],
      ),
    );
  });

  it('names the label of a stateset like the family, with any prefix', async () => {
    const registry = new CollectorRegistry({ prefix: 'app' });
    const made = { type: 'stateset', labelNames: ['state'], rows: [{ labels: { state: 'on' }, cells: [1] }] };
    registry.register({ collect: () => [snapshot('state', made as Parameters<typeof snapshot>[1])] });
    assert.equal(
      await generateMetrics(registry, { format: 'openmetrics' }),
      lines('# TYPE app_state stateset', '# HELP app_state h', 'app_state{app_state="on"} 1'),
    );
  });

  it('does not expose hidden families', async () => {
    assert.equal(await written(snapshot('p', { type: 'parts' as never, rows: [{ cells: [1] }] })), '# EOF\n');
  });

  it('omits a unit that the name does not end with', async () => {
    assert.equal(
      await written(snapshot('wait', { type: 'gauge', unit: 'seconds', rows: [] })),
      lines('# TYPE wait gauge', '# HELP wait h'),
    );
  });

  it('writes creation times with the option, where they are known', async () => {
    const counter = snapshot('c_total', {
      type: 'counter',
      labelNames: ['a'],
      rows: [
        { labels: { a: '1' }, cells: [5], created: 1_700_000_000.25 },
        { labels: { a: '2' }, cells: [6] },
      ],
    });
    const histogram = snapshot('h', {
      type: 'histogram',
      bounds: [1],
      rows: [{ cells: [1, 0, 1], created: 5 }],
    });
    const summary = snapshot('s', { type: 'summary', rows: [{ cells: [1, 2], created: 6.5 }] });
    const gauge = snapshot('g', { type: 'gauge', rows: [{ cells: [1], created: 7 }] });
    const unknown = snapshot('jobs', { type: 'counter', rows: [{ cells: [1], created: 8 }] });
    const all = [counter, histogram, summary, gauge, unknown];
    assert.equal(
      await withCreated(...all),
      lines(
        ...['# TYPE c counter', '# HELP c h'],
        ...['c_total{a="1"} 5', 'c_created{a="1"} 1700000000.25', 'c_total{a="2"} 6'],
        ...['# TYPE h histogram', '# HELP h h', 'h_bucket{le="1.0"} 1', 'h_bucket{le="+Inf"} 1'],
        ...['h_sum 1', 'h_count 1', 'h_created 5'],
        ...['# TYPE s summary', '# HELP s h', 's_sum 1', 's_count 2', 's_created 6.5'],
        ...['# TYPE g gauge', '# HELP g h', 'g 1', '# TYPE jobs unknown', '# HELP jobs h', 'jobs 1'],
      ),
    );
    assert.doesNotMatch(await written(...all), /_created/);
    assert.doesNotMatch(await generateMetrics(collectable(...all), { created: true }), /_created/);
  });

  it('writes timestamps, in seconds here and in milliseconds in text', async () => {
    const rows = [1_700_000_000.123, -1.5, Number.NaN, 0, Number.POSITIVE_INFINITY].map((timestamp, n) => ({
      labels: { n: String(n) },
      cells: [n],
      timestamp,
    }));
    const gauge = snapshot('g', { type: 'gauge', labelNames: ['n'], rows });
    const values = (text: string) => text.split('\n').filter((line) => line.startsWith('g{'));
    assert.deepEqual(values(await written(gauge)), [
      ...['g{n="0"} 0 1700000000.123', 'g{n="1"} 1 -1.5', 'g{n="2"} 2', 'g{n="3"} 3 0', 'g{n="4"} 4'],
    ]);
    assert.deepEqual(values(await generateMetrics(collectable(gauge))), [
      ...['g{n="0"} 0 1700000000123', 'g{n="1"} 1 -1500', 'g{n="2"} 2', 'g{n="3"} 3 0', 'g{n="4"} 4'],
    ]);
  });

  it('writes exemplars of counters and buckets, up to 128 characters, and none in text', async () => {
    const exemplar = { labels: { trace_id: 'a "b" \\\n' }, value: 0.5, timestamp: 1_700_000_000.5 };
    const counter = snapshot('c_total', {
      type: 'counter',
      labelNames: ['a'],
      rows: [
        { labels: { a: '1' }, cells: [5], exemplars: { 0: exemplar } },
        { labels: { a: '2' }, cells: [6], exemplars: { 0: { labels: {}, value: 2 } } },
        { labels: { a: '3' }, cells: [7], exemplars: { 0: { labels: { t: '😀'.repeat(127) }, value: 3 } } },
        { labels: { a: '4' }, cells: [8], exemplars: { 0: { labels: { t: 'x'.repeat(128) }, value: 4 } } },
      ],
    });
    const histogram = snapshot('h', {
      type: 'histogram',
      bounds: [1],
      rows: [
        {
          cells: [1, 2, 9],
          exemplars: { 1: { labels: { t: 'x' }, value: 4 }, 2: { labels: { t: 'y' }, value: 5 } },
        },
      ],
    });
    const gauge = snapshot('g', { type: 'gauge', rows: [{ cells: [1], exemplars: { 0: exemplar } }] });
    assert.equal(
      await written(counter, histogram, gauge),
      lines(
        ...['# TYPE c counter', '# HELP c h'],
        'c_total{a="1"} 5 # {trace_id="a \\"b\\" \\\\\\n"} 0.5 1700000000.5',
        'c_total{a="2"} 6 # {} 2',
        `c_total{a="3"} 7 # {t="${'😀'.repeat(127)}"} 3`,
        'c_total{a="4"} 8',
        ...['# TYPE h histogram', '# HELP h h', 'h_bucket{le="1.0"} 1'],
        ...['h_bucket{le="+Inf"} 3 # {t="x"} 4', 'h_sum 9', 'h_count 3'],
        ...['# TYPE g gauge', '# HELP g h', 'g 1'],
      ),
    );
    assert.doesNotMatch(await generateMetrics(collectable(counter, histogram)), / # /);
  });

  it('writes the quantiles of summaries, in text too', async () => {
    const summary = snapshot('s', {
      type: 'summary',
      labelNames: ['a'],
      bounds: [0.5, 0.99, 1],
      rows: [
        { labels: { a: '1' }, cells: [10, 4], quantiles: [2, 3.5, Number.NaN] },
        { labels: { a: '2' }, cells: [1, 1], quantiles: [-1, 0, 1] },
      ],
    });
    const rest = (row: string) => [`s{a="${row}",quantile="0.5"}`, `s{a="${row}",quantile="0.99"}`];
    assert.equal(
      await written(summary),
      lines(
        ...['# TYPE s summary', '# HELP s h'],
        ...[`${rest('1')[0]} 2`, `${rest('1')[1]} 3.5`, 's{a="1",quantile="1.0"} NaN'],
        ...['s_sum{a="1"} 10', 's_count{a="1"} 4'],
        // A quantile below zero is none.
        ...[`${rest('2')[1]} 0`, 's{a="2",quantile="1.0"} 1', 's_sum{a="2"} 1', 's_count{a="2"} 1'],
      ),
    );
    const text = await generateMetrics(collectable(summary));
    assert.match(text, /^s\{a="1",quantile="1"\} NaN$/m);
    assert.match(text, /^s\{a="2",quantile="0\.5"\} -1$/m);
  });

  it('omits sum and count of a histogram whose sum may shrink', async () => {
    const signed = snapshot('t', { type: 'histogram', bounds: [-1, 1], rows: [{ cells: [1, 2, 3, 5] }] });
    const below = snapshot('u', {
      type: 'histogram',
      bounds: [1],
      labelNames: ['a'],
      rows: [Number.NaN, -1, 0].map((sum) => ({ labels: { a: String(sum) }, cells: [1, 0, sum] })),
    });
    const summary = snapshot('s', { type: 'summary', rows: [{ cells: [-5, 2] }] });
    const gauge = snapshot('v', { type: 'gaugehistogram', bounds: [-1], rows: [{ cells: [1, 0, -4] }] });
    assert.equal(
      await written(signed, below, summary, gauge),
      lines(
        ...['# TYPE t histogram', '# HELP t h'],
        ...['t_bucket{le="-1.0"} 1', 't_bucket{le="1.0"} 3', 't_bucket{le="+Inf"} 6'],
        ...['# TYPE u histogram', '# HELP u h'],
        ...['u_bucket{a="NaN",le="1.0"} 1', 'u_bucket{a="NaN",le="+Inf"} 1'],
        ...['u_bucket{a="-1",le="1.0"} 1', 'u_bucket{a="-1",le="+Inf"} 1'],
        ...[
          'u_bucket{a="0",le="1.0"} 1',
          'u_bucket{a="0",le="+Inf"} 1',
          'u_sum{a="0"} 0',
          'u_count{a="0"} 1',
        ],
        ...['# TYPE s summary', '# HELP s h', 's_count 2'],
        ...['# TYPE v gaugehistogram', '# HELP v h', 'v_bucket{le="-1.0"} 1', 'v_bucket{le="+Inf"} 1'],
        ...['v_gsum -4', 'v_gcount 1'],
      ),
    );
  });

  it('omits a counter that is NaN or below zero', async () => {
    const numbers = [Number.NaN, -1, 0, Number.POSITIVE_INFINITY];
    const rows = numbers.map((value) => ({ labels: { a: String(value) }, cells: [value] }));
    assert.equal(
      await written(snapshot('c_total', { type: 'counter', labelNames: ['a'], rows })),
      lines('# TYPE c counter', '# HELP c h', 'c_total{a="0"} 0', 'c_total{a="Infinity"} +Inf'),
    );
  });

  it('exposes a counter as unknown where its name does not allow a counter', async () => {
    const counter = (name: string) => snapshot(name, { type: 'counter', rows: [{ cells: [1] }] });
    const gauge = (name: string) => snapshot(name, { type: 'gauge', rows: [{ cells: [2] }] });
    const unknown = (name: string) => [`# TYPE ${name} unknown`, `# HELP ${name} h`, `${name} 1`];
    const other = (name: string) => [`# TYPE ${name} gauge`, `# HELP ${name} h`, `${name} 2`];
    // Without the ending; with a gauge that is called as it would be, whichever comes first; or as its times.
    assert.equal(await written(counter('jobs')), lines(...unknown('jobs')));
    assert.equal(
      await written(counter('foo_total'), gauge('foo')),
      lines(...unknown('foo_total'), ...other('foo')),
    );
    assert.equal(
      await written(gauge('foo'), counter('foo_total')),
      lines(...other('foo'), ...unknown('foo_total')),
    );
    assert.equal(
      await withCreated(gauge('foo_created'), counter('foo_total')),
      lines(...other('foo_created'), ...unknown('foo_total')),
    );
    // Without created times, no sample of the counter has such a name.
    const total = ['# TYPE foo counter', '# HELP foo h', 'foo_total 1'];
    assert.equal(
      await written(gauge('foo_created'), counter('foo_total')),
      lines(...other('foo_created'), ...total),
    );
    assert.equal(await written(counter('_total')), lines(...unknown('_total')));
  });

  it('keeps series with exemplars whole near the border of a chunk', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({
      labels: { i: String(i) },
      cells: [i],
      exemplars: { 0: { labels: { t: 'x'.repeat(i % 120) }, value: i } },
    }));
    const expected = rows.map(
      ({ labels, cells, exemplars }) =>
        `c_total{i="${labels.i}"} ${cells[0]} # {t="${exemplars[0].labels.t}"} ${cells[0]}`,
    );
    assert.equal(
      await written(snapshot('c_total', { type: 'counter', labelNames: ['i'], rows })),
      lines('# TYPE c counter', '# HELP c h', ...expected),
    );
  });
});
