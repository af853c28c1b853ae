/** Names beyond letters, digits and underscores: quoted, or escaped by the rules of Prometheus. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  createSummary,
  type Escaping,
  type FamilySnapshot,
  generateBytes,
  generateMetrics,
} from 'metheus';
import { escapeLabelName, escapeName } from '#metheus/exposition/naming.js';
import { collectable, snapshot } from '../support/snapshots.js';

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;
const SCHEMES: readonly Escaping[] = ['underscores', 'dots', 'values', 'allow-utf-8'];

describe('escaping of names', () => {
  /** As in Go's `model.EscapeName`, except that legacy names are unchanged, as in Go's `model.EscapeMetricFamily`. */
  const vectors: readonly (readonly [name: string, underscores: string, dots: string, values: string])[] = [
    ['no:escaping_required', 'no:escaping_required', 'no:escaping_required', 'no:escaping_required'],
    [
      'mysystem.prod.west.cpu.load',
      'mysystem_prod_west_cpu_load',
      'mysystem_dot_prod_dot_west_dot_cpu_dot_load',
      'U__mysystem_2e_prod_2e_west_2e_cpu_2e_load',
    ],
    [
      'mysystem.prod.west.cpu.load_total',
      'mysystem_prod_west_cpu_load_total',
      'mysystem_dot_prod_dot_west_dot_cpu_dot_load__total',
      'U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total',
    ],
    ['http.status:sum', 'http_status:sum', 'http_dot_status:sum', 'U__http_2e_status:sum'],
    ['花火', '__', '____', 'U___82b1__706b_'],
    ['😀 a', '__a', '____a', 'U___1f600__20_a'],
    ['label with 😱', 'label_with__', 'label__with____', 'U__label_20_with_20__1f631_'],
    ['1st', '_st', '__st', 'U___31_st'],
    ['a-b', 'a_b', 'a__b', 'U__a_2d_b'],
  ];
  for (const [name, ...written] of vectors) {
    it(name, () => {
      assert.deepEqual(
        SCHEMES.map((scheme) => escapeName(name, scheme)),
        [...written, name],
      );
    });
  }

  it('escapes a colon in the name of a label', () => {
    assert.deepEqual(
      SCHEMES.map((scheme) => escapeLabelName('a:b', scheme)),
      ['a_b', 'a__b', 'U__a_3a_b', 'a:b'],
    );
  });

  it('returns a legacy name for every name, and different names by the scheme values', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(name, name, (a, b) => {
        for (const scheme of SCHEMES.slice(0, 3)) {
          assert.match(escapeName(a, scheme), /^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
          assert.match(escapeLabelName(a, scheme), /^[a-zA-Z_][a-zA-Z0-9_]*$/);
        }
        const isPlain = /^\w*$/.test(a) || /^\w*$/.test(b);
        if (a !== b && !isPlain) assert.notEqual(escapeLabelName(a, 'values'), escapeLabelName(b, 'values'));
      }),
      { seed: 31, numRuns: 2000 },
    );
  });
});

describe('UTF-8 names', () => {
  it('are rejected without the option, which the error names', () => {
    const registry = new CollectorRegistry();
    const todo = /, or any well-formed text where utf8Names is true\.$/;
    assert.throws(() => createCounter('a.b', 'h', { registry }), {
      code: 'METHEUS_INVALID_METRIC_NAME',
      message: todo,
    });
    assert.throws(() => createCounter('a', 'h', { requiredLabels: ['a.b'], registry }), {
      code: 'METHEUS_INVALID_LABEL_NAME',
      message: todo,
    });
    assert.throws(() => createFamily('a.b', 'h', { series: [] }), { message: todo });
    assert.throws(() => new CollectorRegistry({ prefix: 'a.b' }), { message: todo });
  });

  it('are rejected with the option where they are not valid UTF-8', () => {
    const registry = new CollectorRegistry();
    const options = { utf8Names: true, registry };
    const code = 'METHEUS_INVALID_METRIC_NAME';
    assert.throws(() => createCounter('', 'h', options), { code });
    assert.throws(() => createCounter('a\ud800', 'h', options), { code });
    assert.throws(() => createCounter('a', 'h', { ...options, requiredLabels: [''] }), {
      code: 'METHEUS_INVALID_LABEL_NAME',
    });
    assert.throws(() => createCounter('a', 'h', { ...options, requiredLabels: ['__a.b'] }), {
      code: 'METHEUS_RESERVED_LABEL_NAME',
    });
  });

  const registry = new CollectorRegistry({ prefix: 'my.app', utf8Names: true });
  const utf8Names = true;
  const requests = createCounter('http.requests_total', 'Served.', {
    requiredLabels: ['http.route', 'code'],
    utf8Names,
    registry,
  });
  requests.labels({ 'http.route': '/a "b"\n', code: 200 }).inc(3);
  createHistogram('wait', 'W.', { buckets: [1], registry }).observe(1);
  createSummary('s', 'S.', { requiredLabels: ['q"\\\n='], utf8Names, registry })
    .labels({ 'q"\\\n=': 'x' })
    .observe(2);
  createGauge('plain', 'P.', { requiredLabels: ['a'], registry })
    .labels({ a: 'b' })
    .set(1);

  it('are quoted with allow-utf-8', async () => {
    assert.equal(
      await generateMetrics(registry, { escaping: 'allow-utf-8' }),
      lines(
        '# HELP "my.app_http.requests_total" Served.',
        '# TYPE "my.app_http.requests_total" counter',
        '{"my.app_http.requests_total","http.route"="/a \\"b\\"\\n",code="200"} 3',
        '# HELP "my.app_wait" W.',
        '# TYPE "my.app_wait" histogram',
        '{"my.app_wait_bucket",le="1"} 1',
        '{"my.app_wait_bucket",le="+Inf"} 1',
        '{"my.app_wait_sum"} 1',
        '{"my.app_wait_count"} 1',
        '# HELP "my.app_s" S.',
        '# TYPE "my.app_s" summary',
        '{"my.app_s_sum","q\\"\\\\\\n="="x"} 2',
        '{"my.app_s_count","q\\"\\\\\\n="="x"} 1',
        '# HELP "my.app_plain" P.',
        '# TYPE "my.app_plain" gauge',
        '{"my.app_plain",a="b"} 1',
      ),
    );
  });

  it('are quoted in OpenMetrics as well', async () => {
    const text = await generateMetrics(registry, { format: 'openmetrics', escaping: 'allow-utf-8' });
    assert.deepEqual(text.split('\n').slice(0, 6), [
      '# TYPE "my.app_http.requests" counter',
      '# HELP "my.app_http.requests" Served.',
      '{"my.app_http.requests_total","http.route"="/a \\"b\\"\\n",code="200"} 3',
      '# TYPE "my.app_wait" histogram',
      '# HELP "my.app_wait" W.',
      '{"my.app_wait_bucket",le="1.0"} 1',
    ]);
  });

  it('are escaped with underscores by default', async () => {
    const text = await generateMetrics(registry);
    assert.equal(text, await generateMetrics(registry, { escaping: 'underscores' }));
    assert.deepEqual(
      text.split('\n').filter((line) => /^my_app_(http|s)/.test(line)),
      [
        'my_app_http_requests_total{http_route="/a \\"b\\"\\n",code="200"} 3',
        'my_app_s_sum{q____="x"} 2',
        'my_app_s_count{q____="x"} 1',
      ],
    );
  });

  it('are escaped by the given scheme', async () => {
    const series = async (escaping: Escaping, format: 'text' | 'openmetrics') =>
      (await generateMetrics(registry, { escaping, format }))
        .split('\n')
        .find((line) => line.endsWith('} 3'));
    const dots = 'my_dot_app__http_dot_requests__total{http_dot_route="/a \\"b\\"\\n",code="200"} 3';
    const values = 'U__my_2e_app__http_2e_requests__total{U__http_2e_route="/a \\"b\\"\\n",code="200"} 3';
    for (const format of ['text', 'openmetrics'] as const) {
      assert.equal(await series('dots', format), dots);
      assert.equal(await series('values', format), values);
    }
  });

  it('do not become the name of another metric', async (t) => {
    const warning = t.mock.method(process, 'emitWarning', () => {});
    const gauge = (name: string) => createFamily(name, 'h', { utf8Names, series: [{ value: 1 }] });
    const families = ['a.b', 'a-b', 'a_b', 'U__a_2d_b'].map(gauge);
    const text = await generateMetrics(collectable(...families));
    assert.deepEqual(
      text.split('\n').filter((line) => /^\w/.test(line)),
      ['U__a_2e_b 1', 'U__a_2d_b_ 1', 'a_b 1', 'U__a_2d_b 1'],
    );
    assert.equal(warning.mock.callCount(), 2);
    const plain = await generateMetrics(collectable(...families), { escaping: 'allow-utf-8' });
    assert.equal(plain.match(/^[\w{].* 1$/gm)?.join(), '{"a.b"} 1,{"a-b"} 1,a_b 1,U__a_2d_b 1');
  });

  it('do not become the name of another label', async () => {
    const labelNames = ['a.b', 'a-b', 'a_b', '..name..'];
    const labels = { 'a.b': 1, 'a-b': 2, a_b: 3, '..name..': 4 };
    const family = createFamily('g', 'h', { utf8Names, labelNames, series: [{ labels, value: 1 }] });
    const text = await generateMetrics(collectable(family));
    assert.match(text, /^g\{U__a_2e_b="1",U__a_2d_b="2",a_b="3",U___2e__2e_name_2e__2e_="4"\} 1$/m);
    const quoted = await generateMetrics(collectable(family), { escaping: 'allow-utf-8' });
    assert.match(quoted, /^g\{"a\.b"="1","a-b"="2",a_b="3","\.\.name\.\."="4"\} 1$/m);
  });

  it('are escaped in exemplars too', async () => {
    const exemplars = { 0: { labels: { 'trace.id': 'x' }, value: 1 } };
    const counter = snapshot('c_total', { type: 'counter', rows: [{ cells: [1], exemplars }] });
    const text = (escaping: Escaping) =>
      generateMetrics(collectable(counter), { format: 'openmetrics', escaping });
    assert.match(await text('allow-utf-8'), /^c_total 1 # \{"trace\.id"="x"\} 1$/m);
    assert.match(await text('underscores'), /^c_total 1 # \{trace_id="x"\} 1$/m);
  });

  it('are written for many series, each with its own labels', async () => {
    const gauge = createGauge('many', 'h', {
      requiredLabels: ['a.b'],
      utf8Names,
      registry: new CollectorRegistry(),
    });
    const values = Array.from({ length: 5000 }, (_, i) => '漢'.repeat(i % 60) + i);
    const series = values.map((value) => ({ labels: { 'a.b': value }, value: 1 }));
    for (const value of values) gauge.labels({ 'a.b': value }).set(1);
    const text = await generateMetrics(
      collectable(createFamily('many', 'h', { utf8Names, labelNames: ['a.b'], series })),
    );
    const rows = text.split('\n').slice(2, -1);
    assert.deepEqual(
      rows,
      values.map((value) => `many{a_b="${value}"} 1`),
    );
  });

  it('give way when a family with the same escaped name appears, and return when it goes', async (t) => {
    t.mock.method(process, 'emitWarning', () => {});
    const gauge = (name: string) => createFamily(name, 'h', { utf8Names, series: [{ value: 1 }] });
    const [escaped, plain] = [gauge('x.y'), gauge('x_y')];
    const samples = async (...families: FamilySnapshot[]) =>
      (await generateMetrics(collectable(...families))).match(/^\w.*$/gm)?.join();
    assert.equal(await samples(escaped), 'x_y 1');
    assert.equal(await samples(escaped, plain), 'U__x_2e_y 1,x_y 1');
    assert.equal(await samples(escaped, gauge('z')), 'x_y 1,z 1');
    assert.equal(await samples(escaped), 'x_y 1');
  });

  it('are rejected with an unknown scheme in every format', async () => {
    for (const format of ['text', 'openmetrics', 'protobuf'] as const)
      await assert.rejects(generateBytes(registry, { escaping: 'none' as Escaping, format }), {
        code: 'METHEUS_INVALID_OPTIONS',
        message:
          "Invalid options: given escaping: 'none', expected one of underscores, dots, values, allow-utf-8.",
      });
  });
});
