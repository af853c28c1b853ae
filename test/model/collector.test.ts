/** Families that a custom collector makes. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, type FamilyOptions, generateMetrics, seriesOf } from 'metheus';
import { createFamily } from 'metheus/collectors';
import { familyKey } from '#metheus/model/family.js';

async function exposed(name: string, help: string, options: FamilyOptions): Promise<string> {
  const registry = new CollectorRegistry();
  registry.register({ collect: () => [createFamily(name, help, options)] });
  return generateMetrics(registry);
}

describe('createFamily', () => {
  it('makes a gauge when no type is named', async () => {
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
      [{ labels: { a: '\\', b: '\n' }, values: Float64Array.of(1, 2), live: true }],
    );
  });

  it('takes +Inf as the last bucket, which a histogram has anyway', async () => {
    const buckets = [1, Number.POSITIVE_INFINITY];
    const given = { type: 'histogram', buckets, series: [{ value: [1, 2, 3] }] } as const;
    const text =
      '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 3\nh_sum 3\nh_count 3\n';
    assert.equal(await exposed('h', 'H.', given), text);
  });

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
  ];
  for (const [what, code, make, message] of refused) {
    it(`refuses ${what}`, () =>
      assert.throws(make, { name: 'MetheusError', code, ...(message === undefined ? {} : { message }) }));
  }
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
