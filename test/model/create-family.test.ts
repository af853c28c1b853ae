/** Families of custom collectors. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CollectorRegistry,
  createFamily,
  type FamilyOptions,
  generateMetrics,
  MetheusError,
  seriesOf,
} from 'metheus';
import { familyKey } from '#metheus/model/family.js';

async function exposed(name: string, help: string, options: FamilyOptions): Promise<string> {
  const registry = new CollectorRegistry();
  registry.register({ collect: () => [createFamily(name, help, options)] });
  return generateMetrics(registry);
}

describe('createFamily', () => {
  it('makes a gauge by default', async () => {
    assert.equal(
      await exposed('queue_jobs', 'Jobs.', {
        labelNames: ['queue'],
        series: [
          { labels: { queue: 'a"b' }, value: 3 },
          { labels: { queue: 7 }, value: Number.NaN },
        ],
      }),
      '# HELP queue_jobs Jobs.\n# TYPE queue_jobs gauge\n' +
        'queue_jobs{queue="a\\"b"} 3\nqueue_jobs{queue="7"} NaN\n',
    );
  });

  it('makes the other types', async () => {
    const total = { type: 'counter', series: [{ value: 2 }] } as const;
    assert.equal(
      await exposed('c_total', 'C.', total),
      '# HELP c_total C.\n# TYPE c_total counter\nc_total 2\n',
    );
    const untyped = { type: 'unknown', series: [{ value: 1.5 }] } as const;
    assert.equal(await exposed('u', 'U.', untyped), '# HELP u U.\n# TYPE u untyped\nu 1.5\n');
    const summary = { type: 'summary', series: [{ value: [12.5, 3] }] } as const;
    assert.equal(await exposed('s', 'S.', summary), '# HELP s S.\n# TYPE s summary\ns_sum 12.5\ns_count 3\n');
    const histogram = { type: 'histogram', buckets: [1, 2], series: [{ value: [1, 2, 3, 14] }] } as const;
    assert.equal(
      await exposed('h', 'H.', histogram),
      '# HELP h H.\n# TYPE h histogram\n' +
        'h_bucket{le="1"} 1\nh_bucket{le="2"} 3\nh_bucket{le="+Inf"} 6\nh_sum 14\nh_count 6\n',
    );
  });

  it('may be empty', async () => {
    assert.equal(await exposed('g', 'G.', { series: [] }), '# HELP g G.\n# TYPE g gauge\n');
  });

  it('is read by seriesOf', () => {
    const family = createFamily('s', 'S.', {
      type: 'summary',
      labelNames: ['a', 'b'],
      series: [{ labels: { b: '\n', a: '\\' }, value: [1, 2] }],
    });
    assert.deepEqual(
      [...seriesOf(family)],
      [{ row: 0, labels: { a: '\\', b: '\n' }, values: Float64Array.of(1, 2), live: true }],
    );
  });

  it('accepts +Inf as the last bucket', async () => {
    const buckets = [1, Number.POSITIVE_INFINITY];
    const given = { type: 'histogram', buckets, series: [{ value: [1, 2, 3] }] } as const;
    const text =
      '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 3\nh_sum 3\nh_count 3\n';
    assert.equal(await exposed('h', 'H.', given), text);
  });

  it('fills every column of a snapshot', () => {
    const exemplar = { labels: { trace_id: 'a' }, value: 1, timestamp: 1.5 };
    const counter = createFamily('c_total', 'C.', {
      type: 'counter',
      labelNames: ['a'],
      series: [
        { labels: { a: 1 }, value: 2, timestamp: 1000.25, created: 900, exemplar },
        { labels: { a: 2 }, value: 3 },
      ],
    });
    assert.deepEqual(counter.timestamps, Float64Array.of(1000.25, Number.NaN));
    assert.deepEqual(counter.created, Float64Array.of(900, 0));
    assert.deepEqual(counter.exemplars, new Map([[0, exemplar]]));

    const exemplars = [undefined, exemplar, { labels: { n: '2' }, value: 9 }];
    for (const type of ['histogram', 'gaugehistogram'] as const) {
      const histogram = createFamily('h', 'H.', {
        type,
        buckets: [1, 2],
        series: [{ value: [1, 2, 3, 9], exemplars }],
      });
      assert.deepEqual(
        histogram.exemplars,
        new Map([
          [1, exemplars[1]],
          [2, exemplars[2]],
        ]),
      );
      assert.equal(histogram.family.cells, 4);
    }

    const summary = createFamily('s', 'S.', {
      type: 'summary',
      quantiles: [0.5, 0.99],
      labelNames: ['a'],
      series: [
        { labels: { a: 1 }, value: [9, 3], quantiles: [2, 4] },
        { labels: { a: 2 }, value: [0, 0] },
      ],
    });
    assert.deepEqual(summary.family.bounds, [0.5, 0.99]);
    assert.deepEqual(summary.quantiles, Float64Array.of(2, 4, Number.NaN, Number.NaN));

    const none = { index: new Int32Array(0), counts: new Float64Array(0) };
    const native = { schema: 3, zeroThreshold: 0, zeroCount: 1, count: 1, positive: none, negative: none };
    const buckets = createFamily('n', 'N.', { type: 'histogram', series: [{ value: [1, 0], native }] });
    assert.deepEqual(buckets.native, [native]);
    assert.deepEqual(buckets.family.bounds, []);

    const state = createFamily('door', 'D.', {
      type: 'stateset',
      labelNames: ['floor', 'door'],
      series: [
        { labels: { floor: 1, door: 'open' }, value: 1 },
        { labels: { floor: 1, door: 'shut' }, value: 0 },
      ],
    });
    assert.deepEqual(
      [...seriesOf(state)].map(({ values }) => values[0]),
      [1, 0],
    );
    const info = { type: 'info', labelNames: ['v'], series: [{ labels: { v: 1 }, value: 1 }] } as const;
    assert.deepEqual([...seriesOf(createFamily('build', 'B.', info))][0]!.labels, { v: '1' });
  });

  it('makes a histogram with +Inf alone, for empty buckets or without series', () => {
    const { family } = createFamily('h', 'H.', { type: 'histogram', series: [] });
    assert.deepEqual([family.bounds, family.cells], [[], 2]);
    const series = [{ value: [1, 5] }];
    assert.deepEqual(createFamily('h', 'H.', { type: 'histogram', buckets: [], series }).family.bounds, []);
  });

  it('treats the quantile -0 as 0', () => {
    const { family } = createFamily('s', 'S.', { type: 'summary', quantiles: [-0, 1], series: [] });
    assert.deepEqual(family.bounds, [0, 1]);
  });

  it('leaves out columns that no series has', () => {
    const { family, rows, values, ...rest } = createFamily('g', 'G.', { series: [{ value: 1 }] });
    assert.deepEqual(rest, {});
  });

  /** Returns a function that creates a family of one series. */
  const one = (options: object, series: object) => () =>
    createFamily('a', '', { ...options, series: [{ value: 1, ...series }] } as FamilyOptions);
  const x = { labels: { n: '1' }, value: 1 };
  const counter = { type: 'counter' };
  const histogram = { type: 'histogram', buckets: [1] };
  /** Returns a series whose native buckets are valid except for the given properties. */
  const native = (wrong: object) => {
    const none = { index: new Int32Array(0), counts: new Float64Array(0) };
    const right = { schema: 3, zeroThreshold: 0, zeroCount: 1, count: 1, positive: none, negative: none };
    return { value: [1, 0, 0], native: { ...right, ...wrong } };
  };

  const refused: [string, string, () => unknown, string?][] = [
    ['a bad name', 'METHEUS_INVALID_METRIC_NAME', () => createFamily('a-b', '', { series: [] })],
    ['no help', 'METHEUS_INVALID_HELP', () => createFamily('a', undefined as never, { series: [] })],
    [
      'a reserved label',
      'METHEUS_RESERVED_LABEL_NAME',
      () => createFamily('a', '', { labelNames: ['le'], series: [] }),
    ],
    [
      'a missing label',
      'METHEUS_INVALID_LABEL_VALUE',
      () => createFamily('a', '', { labelNames: ['x'], series: [{ value: 1 }] }),
    ],
    [
      'a label that it does not have',
      'METHEUS_UNKNOWN_LABEL',
      () => createFamily('a', '', { labelNames: ['x'], series: [{ labels: { x: 1, y: 1 }, value: 1 }] }),
    ],
    [
      'labels where there are none',
      'METHEUS_LABELS_NOT_ALLOWED',
      () => createFamily('a', '', { series: [{ labels: { y: 1 }, value: 1 }] }),
    ],
    [
      'a value that is no number',
      'METHEUS_INVALID_VALUE',
      () => createFamily('a', '', { series: [{ value: '3' as never }] }),
      "Invalid value: given '3' for a gauge 'a', expected a number.",
    ],
    [
      'buckets that are not ascending',
      'METHEUS_INVALID_BUCKETS',
      () => createFamily('a', '', { type: 'histogram', buckets: [2, 1], series: [] }),
    ],
    [
      'too few numbers',
      'METHEUS_INVALID_VALUE',
      () => createFamily('a', '', { type: 'histogram', buckets: [1, 2], series: [{ value: [1, 2, 3] }] }),
      "Invalid value: given [1, 2, 3] for a histogram 'a', expected 4 numbers.",
    ],
    [
      'one label set twice',
      'METHEUS_DUPLICATE_SERIES',
      () =>
        createFamily('a', '', {
          labelNames: ['x'],
          series: [
            { labels: { x: '1' }, value: 1 },
            { labels: { x: 1 }, value: 2 },
          ],
        }),
      'Duplicate series: given {x="1"} of \'a\' twice, expected each label set once.',
    ],
    ['an info that is not 1', 'METHEUS_INVALID_VALUE', one({ type: 'info' }, { value: 2 })],
    [
      'a state that is neither 0 nor 1',
      'METHEUS_INVALID_VALUE',
      one({ type: 'stateset', labelNames: ['a'] }, { labels: { a: 's' }, value: 0.5 }),
      "Invalid value: given 0.5 for a stateset 'a', expected 0 or 1.",
    ],
    ['a stateset without its label', 'METHEUS_INVALID_OPTIONS', one({ type: 'stateset' }, {})],
    ['a unit of an info', 'METHEUS_INVALID_OPTIONS', one({ type: 'info', unit: 'a' }, {})],
    ['quantiles over 1', 'METHEUS_INVALID_OPTIONS', one({ type: 'summary', quantiles: [2] }, {})],
    ['quantiles not in order', 'METHEUS_INVALID_OPTIONS', one({ type: 'summary', quantiles: [1, 0.5] }, {})],
    [
      'too few values at quantiles',
      'METHEUS_INVALID_VALUE',
      one({ type: 'summary', quantiles: [0.5] }, { value: [1, 1], quantiles: [] }),
    ],
    ['values at quantiles of a gauge', 'METHEUS_INVALID_VALUE', one({}, { quantiles: [] })],
    ['a timestamp that is no number', 'METHEUS_INVALID_VALUE', one({}, { timestamp: '1' })],
    ['a created time of a gauge', 'METHEUS_INVALID_VALUE', one({}, { created: 1 })],
    ['an exemplar of a gauge', 'METHEUS_INVALID_VALUE', one({}, { exemplar: x })],
    [
      'a second exemplar of a counter',
      'METHEUS_INVALID_VALUE',
      one({ type: 'counter' }, { exemplars: [x, x] }),
    ],
    [
      'an exemplar that is too long',
      'METHEUS_INVALID_EXEMPLAR',
      one({ type: 'counter' }, { exemplar: { ...x, labels: { n: 'x'.repeat(128) } } }),
    ],
    ['an unknown type', 'METHEUS_INVALID_OPTIONS', one({ type: 'parts' }, {})],
    ['a unit that is no text', 'METHEUS_INVALID_OPTIONS', one({ unit: 5 as never }, {})],
    ['a quantile twice', 'METHEUS_INVALID_OPTIONS', one({ type: 'summary', quantiles: [0.5, 0.5] }, {})],
    [
      'a quantile that is text',
      'METHEUS_INVALID_OPTIONS',
      one({ type: 'summary', quantiles: ['0.5'] as never }, {}),
    ],
    ['a bucket below zero', 'METHEUS_INVALID_VALUE', one(histogram, { value: [-1, 1, 1] })],
    ['a bucket that is not a number', 'METHEUS_INVALID_VALUE', one(histogram, { value: [Number.NaN, 1, 1] })],
    ['a count below zero', 'METHEUS_INVALID_VALUE', one({ type: 'summary' }, { value: [1, -1] })],
    ['milliseconds as a created time', 'METHEUS_INVALID_VALUE', one(counter, { created: 1e13 })],
    ['an endless created time', 'METHEUS_INVALID_VALUE', one(counter, { created: Number.POSITIVE_INFINITY })],
    ['an endless timestamp', 'METHEUS_INVALID_VALUE', one(counter, { timestamp: 1e300 })],
    ['an exemplar that is none', 'METHEUS_INVALID_VALUE', one(counter, { exemplar: null })],
    [
      'an exemplar of no time',
      'METHEUS_INVALID_VALUE',
      one(counter, { exemplar: { ...x, timestamp: Number.NaN } }),
    ],
    ['native buckets that are none', 'METHEUS_INVALID_VALUE', one(histogram, native({ count: undefined }))],
    ['a schema that there is not', 'METHEUS_INVALID_VALUE', one(histogram, native({ schema: 9 }))],
    ['a zero bucket without end', 'METHEUS_INVALID_VALUE', one(histogram, native({ zeroThreshold: 1 / 0 }))],
    [
      'native buckets out of order',
      'METHEUS_INVALID_VALUE',
      one(histogram, native({ positive: { index: Int32Array.of(2, 1), counts: Float64Array.of(1, 1) } })),
    ],
    [
      'native buckets without their counts',
      'METHEUS_INVALID_VALUE',
      one(histogram, native({ negative: { index: Int32Array.of(2, 3), counts: Float64Array.of(1) } })),
    ],
    ['native buckets of no histogram', 'METHEUS_INVALID_VALUE', one({}, { native: {} })],
    ['a histogram without any buckets', 'METHEUS_INVALID_BUCKETS', one({ type: 'histogram' }, {})],
  ];
  for (const [what, code, make, message] of refused) {
    it(`refuses ${what}`, () =>
      assert.throws(make, { name: 'MetheusError', code, ...(message === undefined ? {} : { message }) }));
  }

  /** Values of every type. A field rejects all of them but those that it allows. */
  const wrong = [null, true, 5, 10n, 'text', Symbol('s'), () => 1, {}, [{}], new Map(), Promise.resolve(1)];
  const fields: readonly (readonly [
    field: string,
    make: (given: unknown) => unknown,
    allowed?: unknown[],
  ])[] = [
    ['the options', (given) => createFamily('pool', 'P.', given as never)],
    ['series', (given) => createFamily('pool', 'P.', { series: given as never }), [new Map()]],
    ['a series', (given) => createFamily('pool', 'P.', { series: [given as never] })],
    ['type', (given) => pool({ type: given })],
    ['unit', (given) => pool({ unit: given }), ['text']],
    ['labelNames', (given) => pool({ labelNames: given })],
    ['buckets', (given) => pool({ type: 'histogram', buckets: given })],
    ['quantiles', (given) => pool({ type: 'summary', quantiles: given })],
    ['labels', (given) => pool({}, { labels: given }), [{}, new Map(), Promise.resolve(1)]],
    ['a label', (given) => pool({ labelNames: ['a'] }, { labels: { a: given } }), [true, 5, 'text']],
    ['value', (given) => pool({}, { value: given }), [5]],
    ['a value', (given) => pool({ type: 'summary' }, { value: [1, given] }), [5]],
    ['timestamp', (given) => pool({}, { timestamp: given }), [5]],
    ['created', (given) => pool({ type: 'counter' }, { created: given }), [5]],
    ['exemplar', (given) => pool({ type: 'counter' }, { exemplar: given })],
    ['exemplars', (given) => pool({ type: 'counter' }, { exemplars: given })],
    ['values at quantiles', (given) => pool({ type: 'summary' }, { value: [1, 1], quantiles: given })],
    ['native', (given) => pool({ type: 'histogram' }, { value: [1, 1], native: given })],
    [
      'native buckets',
      (given) =>
        pool({ type: 'histogram' }, { value: [1, 1], native: { ...native({}).native, positive: given } }),
    ],
  ];
  function pool(options: object, series: object = {}): unknown {
    return createFamily('pool', 'P.', { series: [{ value: 1, ...series }], ...options } as FamilyOptions);
  }
  for (const [field, make, allowed = []] of fields) {
    it(`names the family when ${field} has a wrong type`, () => {
      for (const given of wrong) {
        const isAllowed = allowed.some((one) => typeof one === typeof given && String(one) === String(given));
        if (isAllowed) continue;
        const isExpected = (error: unknown) => {
          assert.ok(error instanceof MetheusError, `${field}: ${String(given)}: ${error}`);
          assert.match(error.message, /'pool'/);
          return true;
        };
        assert.throws(() => make(given), isExpected, `${field}: ${String(given)}`);
      }
    });
  }

  it('refuses unknown properties of a series, and undefined where a value is needed', () => {
    assert.throws(() => pool({}, { vaule: 1 }), {
      code: 'METHEUS_INVALID_OPTIONS',
      message: /the unknown option 'vaule' of a series of 'pool'.*Write value\.$/,
    });
    assert.throws(() => pool({}, { value: undefined }), {
      code: 'METHEUS_INVALID_VALUE',
      message: "Invalid value: given undefined for a gauge 'pool', expected a number.",
    });
    assert.throws(() => createFamily('pool', 'P.', {} as never), {
      code: 'METHEUS_INVALID_OPTIONS',
      message:
        "Invalid options: given series: undefined for metric 'pool', " +
        'expected an array of series, or another iterable.',
    });
    assert.throws(() => pool({ labelNames: ['constructor'] }), {
      code: 'METHEUS_INVALID_LABEL_VALUE',
      message: /^Invalid label value: given undefined for label 'constructor' of metric 'pool'/,
    });
  });

  it('takes the numbers of typed arrays', () => {
    const { values } = createFamily('h', 'H.', {
      type: 'histogram',
      buckets: [1],
      series: [{ value: Float64Array.of(1, 2, 3) as never }],
    });
    assert.deepEqual(values, Float64Array.of(1, 2, 3));
  });
});

describe('familyKey', () => {
  const { family } = createFamily('a', 'help', { labelNames: ['x'], series: [] });

  it('does not change with the help text', () => {
    assert.equal(familyKey({ ...family, help: 'other' }), familyKey(family));
  });

  for (const other of [
    { scope: 'registry-1' },
    { name: 'b' },
    { type: 'counter' },
    { unit: 'seconds' },
    { labelNames: ['y'] },
    { cells: 3 },
    { merge: 'max' },
    { bounds: [1] },
  ] as const) {
    it(`changes with ${Object.keys(other)[0]}`, () =>
      assert.notEqual(familyKey({ ...family, ...other }), familyKey(family)));
  }
});
