/** Parsing: accepted and rejected texts, and the round trip of our own output. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Collectable, CollectorRegistry, createFamily, generateMetrics } from 'metheus';
import { parseMetrics, type TextFormat } from 'metheus/parse';
import { type FamilySnapshot, seriesOf } from '#metheus/model/family.js';
import { build, registryPlan } from '../../support/random-registry.js';
import { familyPlans, snapshotsOf } from '../../support/random-snapshots.js';
import { collectable } from '../../support/snapshots.js';

/** A family as comparable data. */
function viewOf(snapshot: FamilySnapshot): object {
  const { family, created, timestamps, exemplars, quantiles } = snapshot;
  const { name, type, help, unit, bounds } = family;
  const series = [...seriesOf(snapshot)].map(({ labels, values }) => [labels, [...values]]);
  const columns = { created, timestamps, quantiles };
  const given = Object.entries(columns).flatMap(([column, numbers]) =>
    numbers === undefined ? [] : [[column, [...numbers]]],
  );
  return {
    ...{ name, type, help, unit, bounds: [...bounds], series },
    ...Object.fromEntries(given),
    ...(exemplars === undefined ? {} : { exemplars: Object.fromEntries(exemplars) }),
  };
}

const read = (text: string, format?: TextFormat) =>
  parseMetrics(text, format === undefined ? {} : { format }).map(viewOf);

const NOTHING = { help: '', unit: '', bounds: [] };

describe('parseMetrics of text 0.0.4', () => {
  it('reads every type, help, escapes and timestamps', () => {
    const text = `# HELP requests_total Served "well" \\\\ on\\ntwo lines.
# TYPE requests_total counter
requests_total{path="a\\\\b\\"c\\nd",code="200"} 3 1700000000500
requests_total{path="é",code="500",} +Inf -1
# a comment
# TYPE level gauge
level NaN

  untyped_one {  a = "b" }	-1.5e-3
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.5"} 1
wait_seconds_bucket{le="1e+06"} 3
wait_seconds_bucket{le="+Inf"} 7
wait_seconds_sum 12.5
wait_seconds_count 7
# TYPE size summary
size{quantile="0.5"} 4
size{quantile="0.99"} NaN
size_sum 10
size_count 2
`;
    assert.deepEqual(read(text), [
      {
        name: 'requests_total',
        type: 'counter',
        help: 'Served "well" \\ on\ntwo lines.',
        unit: '',
        bounds: [],
        series: [
          [{ path: 'a\\b"c\nd', code: '200' }, [3]],
          [{ path: 'é', code: '500' }, [Number.POSITIVE_INFINITY]],
        ],
        timestamps: [1700000000.5, -0.001],
      },
      { ...NOTHING, name: 'level', type: 'gauge', series: [[{}, [Number.NaN, 1]]] },
      { ...NOTHING, name: 'untyped_one', type: 'unknown', series: [[{ a: 'b' }, [-0.0015]]] },
      {
        ...NOTHING,
        name: 'wait_seconds',
        type: 'histogram',
        bounds: [0.5, 1e6],
        series: [[{}, [1, 2, 4, 12.5]]],
      },
      {
        ...NOTHING,
        name: 'size',
        type: 'summary',
        bounds: [0.5, 0.99],
        series: [[{}, [10, 2]]],
        quantiles: [4, Number.NaN],
      },
    ]);
  });

  it('accepts what Prometheus accepts: names in quotes, scattered lines of a family, an empty text', () => {
    assert.deepEqual(read('{"http.requests","a.b"="c"} 1\n'), [
      { ...NOTHING, name: 'http.requests', type: 'unknown', series: [[{ 'a.b': 'c' }, [1]]] },
    ]);
    assert.deepEqual(read('a{i="1"} 1\nb 2\na{i="2"} 3\n')[0], {
      ...NOTHING,
      name: 'a',
      type: 'unknown',
      series: [
        [{ i: '1' }, [1]],
        [{ i: '2' }, [3]],
      ],
    });
    assert.deepEqual(read(''), []);
  });

  it('takes a missing last bucket from the count, and reads a missing sum as NaN', () => {
    const text = '# TYPE h histogram\nh_bucket{le="1"} 1\nh_count 3\n# TYPE s summary\ns{quantile="1"} 2\n';
    const [histogram, summary] = parseMetrics(text);
    assert.deepEqual([...histogram!.values], [1, 2, Number.NaN]);
    assert.deepEqual([...summary!.values], [Number.NaN, 0]);
  });

  it('keeps the buckets of each series, which are written again as they were', async () => {
    const text = `# HELP h \n# TYPE h histogram
h_bucket{i="1",le="1"} 1
h_bucket{i="1",le="5"} 4
h_bucket{i="1",le="+Inf"} 6
h_sum{i="1"} 20
h_count{i="1"} 6
h_bucket{i="2",le="2"} 3
h_bucket{i="2",le="+Inf"} 3
h_sum{i="2"} 4
h_count{i="2"} 3
h_bucket{i="3",le="+Inf"} 7
h_sum{i="3"} 8
h_count{i="3"} 7
`;
    const families = parseMetrics(text);
    assert.deepEqual(families[0]!.family.bounds, [1, 2, 5]);
    assert.deepEqual(
      [...families[0]!.values],
      [
        ...[1, Number.NaN, 3, 2, 20],
        ...[Number.NaN, 3, Number.NaN, 0, 4],
        ...[Number.NaN, Number.NaN, Number.NaN, 7, 8],
      ],
    );
    assert.equal(await generateMetrics(collectable(...families)), text);
    const timed = families.map((family) => ({ ...family, timestamps: Float64Array.of(1, 2, 3) }));
    assert.equal(await generateMetrics(collectable(...timed)), text.replace(/(i="(\d)".*)/g, '$1 $2000'));
  });

  it('takes the first sample of those with the same labels, as Prometheus does', () => {
    assert.deepEqual([...parseMetrics('a 1\na 2\n')[0]!.values], [1]);
    assert.deepEqual([...parseMetrics('a{x="1",y="2"} 1\na{y="2",x="1"} 2\n')[0]!.values], [1]);
    assert.deepEqual([...parseMetrics('a 1\na 2\n# EOF\n')[0]!.values], [1]);
    const summary = '# TYPE s summary\ns{quantile="1"} 1\ns{quantile="1"} 2\ns_sum 3\ns_sum 4\n';
    const [family] = parseMetrics(summary);
    assert.deepEqual([[...family!.quantiles!], family!.values[0]], [[1], 3]);
  });

  it('takes samples with different timestamps as points of one series', () => {
    const [family] = parseMetrics('a 1 1000\na 2 2000\na 3 2000\n');
    assert.deepEqual([...family!.values], [1, 2]);
    assert.deepEqual([...family!.timestamps!], [1, 2]);
  });

  it('does not take more memory than the text deserves', () => {
    const buckets = Array.from(
      { length: 6000 },
      (_, i) => `h_bucket{i="${i}",le="${i}"} 1\nh_bucket{i="${i}",le="+Inf"} 1\n`,
    );
    const quantiles = Array.from({ length: 6000 }, (_, i) => `s{i="${i}",quantile="0.${i}1"} 1\n`);
    const expected = /expected series with the same (buckets|quantiles)/;
    assert.throws(() => parseMetrics(`# TYPE h histogram\n${buckets.join('')}`), expected);
    assert.throws(() => parseMetrics(`# TYPE s summary\n${quantiles.join('')}`), expected);
  });

  it('parses a value of nothing but escapes, also in parts', () => {
    for (const [escaped, value] of [
      ['\\\\', '\\'],
      ['\\n', '\n'],
      ['x\\"', 'x"'],
      ['\\x', '\\x'],
    ] as const) {
      for (const count of [65_535, 65_536, 500_000]) {
        const [family] = parseMetrics(`a{b="${'y'.repeat(count % 3)}${escaped.repeat(count)}"} 1\n`);
        const [series] = seriesOf(family!);
        assert.ok(series!.labels.b === 'y'.repeat(count % 3) + value.repeat(count), `${escaped} ${count}`);
      }
    }
  });

  it('takes the format from the content type, and else from the last line', () => {
    const text = '# TYPE a_total counter\na_total 1\n# EOF\n';
    const nameOf = (contentType?: string | null) => parseMetrics(text, { contentType })[0]!.family.name;
    assert.equal(nameOf('text/plain; version=0.0.4; charset=utf-8'), 'a_total');
    assert.equal(nameOf('TEXT/PLAIN'), 'a_total');
    for (const other of ['application/openmetrics-text; version=1.0.0', 'text/plainer', null, undefined]) {
      assert.throws(() => nameOf(other), /expected a sample|'a_total'/);
    }
    assert.equal(
      parseMetrics('a 1\n# EOF\n', { contentType: 'text/plain', format: 'openmetrics' }).length,
      1,
    );
  });

  const refused: [text: string, message: string][] = [
    ['a 1', "given 'a 1' on line 1, expected a line feed at the end"],
    ['a 1\na{b="c" 2\n', "given '2' on line 2, expected ','"],
    ['a{b=c} 1\n', "given 'c} 1' on line 1, expected a value in quotes"],
    ['a{b="c",b="d"} 1\n', "given '} 1' on line 1, expected the label 'b' once"],
    ['a{1b="c"} 1\n', `given '1b="c"} 1' on line 1, expected the name of a label`],
    ['{b="c"} 1\n', `given ' 1' on line 1, expected the name of a metric, first in the braces`],
    ['1a 1\n', "given '1a 1' on line 1, expected the name of a metric"],
    ['a\n', 'given the end on line 1, expected a space'],
    ['a 1_0\n', "given '1_0' on line 1, expected a number"],
    ['a 0x1\n', "given '0x1' on line 1, expected a number"],
    ['a 1\r\n', "given '1\r' on line 1, expected a number"],
    ['a 1 1.5\n', "given '1.5' on line 1, expected a timestamp in whole milliseconds"],
    ['a 1 2 3\n', "given '3' on line 1, expected nothing more on the line"],
    ['a 1\n# TYPE a gauge\n', "given '# TYPE a gauge' on line 2, expected TYPE before the samples"],
    ['# TYPE a gauge\n# TYPE a gauge\n', "given '# TYPE a gauge' on line 2, expected one TYPE of 'a'"],
    ['# HELP a x\n# HELP a x\n', "given '# HELP a x' on line 2, expected one HELP of 'a'"],
    [
      '# TYPE a info\n',
      "given '# TYPE a info' on line 1, expected a type: counter, gauge, histogram, summary, untyped",
    ],
    ['# TYPE a histogram\na 1\n', "given 'a 1' on line 2, expected a sample a_bucket, a_sum or a_count"],
    [
      '# TYPE a histogram\na_bucket{le="x"} 1\n',
      `given 'a_bucket{le="x"} 1' on line 2, expected a label le that is a number`,
    ],
    [
      '# TYPE a histogram\na_bucket{le="1"} 1\n',
      "given 'a' on line 1, expected a bucket +Inf in each series of a histogram",
    ],
    [
      '# TYPE a summary\na{quantile="2"} 1\n',
      `given 'a{quantile="2"} 1' on line 2, expected a quantile from 0 to 1`,
    ],
    ['a 1 # {} 1\n', "given '#' on line 1, expected a timestamp in whole milliseconds"],
    [
      'a 1 9223372036854775808\n',
      "given '9223372036854775808' on line 1, expected a timestamp in whole milliseconds",
    ],
    ['{""} 1\n', `given '} 1' on line 1, expected the name of a label`],
    ['{"a",""="b"} 1\n', `given '="b"} 1' on line 1, expected the name of a label`],
    ['# TYPE "" gauge\n', "given ' gauge' on line 1, expected the name of a metric after TYPE"],
    ['a{__name__="b"} 1\n', `given '} 1' on line 1, expected the name of the metric before its labels`],
  ];
  for (const [text, message] of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assertRefused(text, 'text', message);
    });
  }

  it('parses long lines in linear time', () => {
    const long = 1e6;
    for (const text of [
      `a ${'1'.repeat(long)}x`,
      `a ${'1'.repeat(long)}.${'1'.repeat(long)}x`,
      `a{b="${'x'.repeat(long)}`,
      `a{b="${'\\'.repeat(long)}`,
      `a${' '.repeat(long)}x`,
      `# TYPE a${' '.repeat(long)}x`,
      `{${'a="",'.repeat(2)}${' '.repeat(long)}"`,
    ]) {
      assert.throws(() => parseMetrics(`${text}\n`), { code: 'METHEUS_INVALID_EXPOSITION' });
    }
    const value = 'x'.repeat(20 * long);
    const [family] = parseMetrics(`a{b="${value}"} 1\n`);
    assert.equal(family!.rows.lengths[0], value.length + 'b=""'.length);
    const bounds = Array.from({ length: 20_000 }, (_, i) => `h_bucket{le="${i}.0"} ${i}\n`);
    const text = `# TYPE h histogram\n${bounds.join('')}h_bucket{le="+Inf"} 20000\n# EOF\n`;
    assert.equal(parseMetrics(text)[0]!.family.bounds.length, 20_000);
  });

  it('rejects mutated texts with the line and what was expected', () => {
    const texts = [
      '# HELP a x\\n\n# TYPE a counter\na_total{b="c",d="e"} 1 # {x="y"} 1 1\na_created 1\n# EOF\n',
      '# TYPE a histogram\na_bucket{le="1.0"} 1 5\na_bucket{le="+Inf"} 2 5\na_sum 1 5\na_count 2 5\n# EOF\n',
      '# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 1 1700000000000\ns_count 1\n',
      '# TYPE "a.b" gauge\n{"a.b","x.y"="z\\"\\n"} NaN\n{"a.b",} -Inf -1\n',
    ];
    const pieces = [
      ...'"\\\n{},=# \t\r\0\u2028',
      'é😀',
      '1e5',
      '_total',
      '_bucket',
      'le="',
      'NaN',
      '# EOF\n',
    ];
    const change = fc.record({ at: fc.nat(), drop: fc.nat(6), piece: fc.constantFrom('', ...pieces) });
    const changes = fc.array(change, { minLength: 1, maxLength: 6 });
    const format = fc.constantFrom(undefined, 'text' as const, 'openmetrics' as const);
    fc.assert(
      fc.property(fc.constantFrom(...texts), changes, format, (text, all, as) => {
        let changed = text;
        for (const { at, drop, piece } of all) {
          const from = at % (changed.length + 1);
          changed = changed.slice(0, from) + piece + changed.slice(from + drop);
        }
        try {
          read(changed, as);
        } catch (error) {
          const { code, message } = error as { code?: unknown; message: string };
          assert.equal(code, 'METHEUS_INVALID_EXPOSITION', String(error));
          assert.match(message, /given .* on line \d+, expected /s);
        }
      }),
      { seed: 2041, numRuns: 20_000 },
    );
  });

  it('rejects a value that is not a string', () => {
    for (const given of [undefined, Buffer.from('a 1\n'), 5]) {
      assert.throws(() => parseMetrics(given as never), { code: 'METHEUS_INVALID_EXPOSITION' });
    }
  });

  it('rejects another format', () => {
    const options = { format: 'protobuf' } as unknown as { format: 'text' };
    assert.throws(() => parseMetrics('', options), { code: 'METHEUS_UNKNOWN_FORMAT' });
  });
});

/** Asserts that the text is rejected with this message. */
function assertRefused(text: string, format: TextFormat, message: string): void {
  assert.throws(() => parseMetrics(text, { format }), {
    code: 'METHEUS_INVALID_EXPOSITION',
    message: `Invalid exposition: ${message}.`,
  });
}

describe('parseMetrics of OpenMetrics', () => {
  it('reads every type, units, creation times, exemplars and timestamps', () => {
    const text = `# TYPE wait_seconds counter
# UNIT wait_seconds seconds
# HELP wait_seconds Said \\"so\\".
wait_seconds_total{a="b"} 3.0 1.5 # {trace_id="x",span="é"} 0.5 1700000000.25
wait_seconds_created{a="b"} 1700000000.5 1.5
# TYPE build info
build_info{version="1"} 1
# TYPE state stateset
state{state="on",host="h"} 1
state{state="off",host="h"} 0
# TYPE h histogram
h_bucket{le="1.0"} 1 # {} 0.5
h_bucket{le="+Inf"} 3
h_count 3
h_sum 4.5
h_created 5
# TYPE g gaugehistogram
g_bucket{le="1.0"} 1
g_bucket{le="+Inf"} 2
g_gcount 2
g_gsum -1
# TYPE u unknown
u 1
no_type 2
# EOF
`;
    assert.deepEqual(read(text), [
      {
        name: 'wait_seconds_total',
        type: 'counter',
        help: 'Said "so".',
        unit: 'seconds',
        bounds: [],
        series: [[{ a: 'b' }, [3]]],
        created: [1700000000.5],
        timestamps: [1.5],
        exemplars: { 0: { labels: { trace_id: 'x', span: 'é' }, value: 0.5, timestamp: 1700000000.25 } },
      },
      { ...NOTHING, name: 'build', type: 'info', series: [[{ version: '1' }, [1, 1]]] },
      {
        ...NOTHING,
        name: 'state',
        type: 'stateset',
        series: [
          [{ host: 'h', state: 'on' }, [1, 1]],
          [{ host: 'h', state: 'off' }, [0, 1]],
        ],
      },
      {
        ...NOTHING,
        name: 'h',
        type: 'histogram',
        bounds: [1],
        series: [[{}, [1, 2, 4.5]]],
        created: [5],
        exemplars: { 0: { labels: {}, value: 0.5 } },
      },
      { ...NOTHING, name: 'g', type: 'gaugehistogram', bounds: [1], series: [[{}, [1, 1, -1]]] },
      { ...NOTHING, name: 'u', type: 'unknown', series: [[{}, [1]]] },
      { ...NOTHING, name: 'no_type', type: 'unknown', series: [[{}, [2]]] },
    ]);
  });

  it('is recognized by its last line, and accepts several points of one series', () => {
    const [family] = parseMetrics('# TYPE a gauge\na 1 1\na 2 2\n# EOF');
    assert.deepEqual([...family!.values], [1, 1, 2, 1]);
    assert.deepEqual([...family!.timestamps!], [1, 2]);
  });

  const refused: [text: string, message: string][] = [
    ['a 1\n', "given 'a 1' on line 1, expected '# EOF' as the last line"],
    ['# EOF\n\n', "given the end on line 2, expected '# EOF' as the last line"],
    ['a  1\n# EOF\n', "given ' 1' on line 1, expected a number"],
    ['a 1\n# EOF\nb 1\n# EOF\n', "given '# EOF' on line 2, expected it on the last line only"],
    [
      '# TYPE a counter\na_total 1\na_created NaN\n# EOF\n',
      "given 'a_created NaN' on line 3, expected a time in seconds",
    ],
    ['a{b="c",} 1\n# EOF\n', "given '} 1' on line 1, expected the name of a label"],
    ['\n# EOF\n', 'given the end on line 1, expected the name of a metric'],
    ['# x\n# EOF\n', "given '# x' on line 1, expected '# TYPE', '# HELP', '# UNIT' or '# EOF'"],
    [
      '# TYPE a counter\na_total -1\n# EOF\n',
      "given 'a_total -1' on line 2, expected a number of at least 0",
    ],
    ['# TYPE a info\na_info 2\n# EOF\n', "given 'a_info 2' on line 2, expected an info, which is always 1"],
    ['# TYPE a stateset\na 1\n# EOF\n', "given 'a 1' on line 2, expected a label a with the state"],
    ['# TYPE a gauge\na 1 # {} 1\n# EOF\n', "given 'a 1 # {} 1' on line 2, expected no exemplar here"],
    ['# UNIT a s\n# EOF\n', "given '# UNIT a s' on line 1, expected a name that ends with '_s'"],
    [
      `# TYPE a counter\na_total 1 # {x="${'y'.repeat(128)}"} 1\n# EOF\n`,
      "given ' 1' on line 2, expected an exemplar of at most 128 characters",
    ],
    [
      'a 1\nb 1\na{c="d"} 1\n# EOF\n',
      `given 'a{c="d"} 1' on line 3, expected all lines of 'a' side by side, and each name in one family`,
    ],
    [
      '# TYPE a histogram\na_bucket{le="1.0"} 2\na_bucket{le="+Inf"} 1\n# EOF\n',
      "given 'a' on line 1, expected buckets of which each has at least the count of the one before",
    ],
  ];
  for (const [text, message] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 70))}`, () => {
      assertRefused(text, 'openmetrics', message);
    });
  }
});

describe('our own output', () => {
  const options = (format: TextFormat) => ({ format, escaping: 'allow-utf-8', created: true }) as const;

  for (const format of ['text', 'openmetrics'] as const) {
    const readBack = async (registry: Collectable) => {
      const written = await generateMetrics(registry, options(format));
      const families = parseMetrics(written, { format });
      const again = await generateMetrics(collectable(...families), options(format));
      // Quantiles and sums that OpenMetrics cannot write are left out there, and not a number when read back.
      const known = (text: string) => text.split('\n').filter((line) => !line.includes(' NaN'));
      assert.deepEqual(known(again), known(written));
      if (format === 'text') assert.equal(again, written);
    };

    it(`is read back to the same in ${format}, registry by registry`, async () => {
      const property = fc.asyncProperty(registryPlan, (plan) => readBack(build(plan)));
      await fc.assert(property, { seed: 6, numRuns: 100 });
    });

    it(`is read back to the same in ${format}, with all that families carry`, async () => {
      const property = fc.asyncProperty(familyPlans, (plans) => readBack(collectable(...snapshotsOf(plans))));
      await fc.assert(property, { seed: 6, numRuns: 100 });
    });
  }

  it('has the same families, series and numbers in text', async () => {
    await fc.assert(
      fc.asyncProperty(registryPlan, async (plan) => {
        const registry = build(plan);
        const families = parseMetrics(await generateMetrics(registry), { format: 'text' });
        const views = (all: readonly FamilySnapshot[]) =>
          all.map(({ family, ...rest }) => {
            // A gauge's second cell says when it was set, which no text tells.
            const cells = family.type === 'gauge' ? 1 : family.cells;
            const series = [...seriesOf({ family, ...rest })];
            const { name, type, help, bounds } = family;
            return {
              ...{ name, type, help: help.toWellFormed(), bounds: series.length > 0 ? bounds : [] },
              series: series.map(({ labels, values }) => [labels, [...values.subarray(0, cells)]]),
            };
          });
        assert.deepEqual(views(families), views(await registry.collect()));
      }),
      { seed: 7, numRuns: 150 },
    );
  });

  it('is collected again by a registry', async () => {
    const registry = new CollectorRegistry({ prefix: 'other' });
    registry.register({ collect: () => parseMetrics('# TYPE jobs_total counter\njobs_total{q="a"} 3\n') });
    registry.register({ collect: () => [createFamily('b', 'B.', { series: [{ value: 1 }] })] });
    assert.equal(
      await generateMetrics(registry),
      '# HELP other_jobs_total \n# TYPE other_jobs_total counter\nother_jobs_total{q="a"} 3\n' +
        '# HELP other_b B.\n# TYPE other_b gauge\nother_b 1\n',
    );
  });
});
