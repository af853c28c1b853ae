/** Invalid definitions: they are refused, and nothing is registered. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter, createGauge, createHistogram, generateMetrics } from 'metheus';

const MODES = [
  'shared',
  'all',
  'liveall',
  'min',
  'livemin',
  'max',
  'livemax',
  'sum',
  'livesum',
  'mostrecent',
  'livemostrecent',
] as const;

type Bad = Record<string, unknown>;

describe('createCounter refuses', () => {
  const cases: [string, unknown, unknown, Bad, string, string][] = [
    [
      'an invalid name',
      'a-b',
      'A.',
      {},
      'METHEUS_INVALID_METRIC_NAME',
      "Invalid metric name: given 'a-b', expected a name that matches ^[a-zA-Z_:][a-zA-Z0-9_:]*$, or any well-formed text where utf8Names is true.",
    ],
    [
      'no name',
      undefined,
      'A.',
      {},
      'METHEUS_INVALID_METRIC_NAME',
      'Invalid metric name: given undefined, expected a name that matches ^[a-zA-Z_:][a-zA-Z0-9_:]*$, or any well-formed text where utf8Names is true.',
    ],
    [
      'no help',
      'a',
      undefined,
      {},
      'METHEUS_INVALID_HELP',
      "Invalid help: given undefined for metric 'a', expected a string that says what the metric counts.",
    ],
    [
      'options in place of the help',
      'a',
      { requiredLabels: ['x'] },
      {},
      'METHEUS_INVALID_HELP',
      'Invalid help: given {"requiredLabels":["x"]} for metric \'a\', ' +
        'expected a string that says what the metric counts.',
    ],
    [
      'a label name that is none',
      'a',
      'A.',
      { requiredLabels: ['a-b'] },
      'METHEUS_INVALID_LABEL_NAME',
      "Invalid label name: given 'a-b' on metric 'a', expected a name that matches ^[a-zA-Z_][a-zA-Z0-9_]*$, or any well-formed text where utf8Names is true.",
    ],
    ...['__x', 'le', 'quantile'].map((name): [string, string, string, Bad, string, string] => [
      `the reserved label ${name}`,
      'a',
      'A.',
      { requiredLabels: [name] },
      'METHEUS_RESERVED_LABEL_NAME',
      `Reserved label name: given '${name}' on metric 'a', ` +
        "expected a name that does not start with '__' and is neither 'le' nor 'quantile'.",
    ]),
    [
      'a label twice',
      'a',
      'A.',
      { requiredLabels: ['x', 'x'] },
      'METHEUS_DUPLICATE_LABEL_NAME',
      "Duplicate label name: given 'x' on metric 'a', expected each label name once.",
    ],
    [
      'label names that are no array',
      'a',
      'A.',
      { requiredLabels: 'x' },
      'METHEUS_INVALID_OPTIONS',
      "Invalid options: given requiredLabels: 'x' for metric 'a', expected an array of names.",
    ],
    [
      'a default for a label that it does not have',
      'a',
      'A.',
      { requiredLabels: ['x'], defaultLabels: { y: 1 } },
      'METHEUS_UNKNOWN_LABEL',
      "Unknown label: given label 'y' on metric 'a', expected only 'x'.",
    ],
    [
      'defaults without labels',
      'a',
      'A.',
      { defaultLabels: { y: 1 } },
      'METHEUS_LABELS_NOT_ALLOWED',
      "Labels not allowed: given label 'y' on metric 'a', expected no labels. " +
        'Name them in requiredLabels when the metric is created.',
    ],
    [
      'a default that is no label value',
      'a',
      'A.',
      { requiredLabels: ['x'], defaultLabels: { x: null } },
      'METHEUS_INVALID_LABEL_VALUE',
      "Invalid label value: given null for label 'x' of metric 'a', expected a string, number or boolean.",
    ],
    [
      'defaults that are no object',
      'a',
      'A.',
      { requiredLabels: ['x'], defaultLabels: null },
      'METHEUS_INVALID_OPTIONS',
      "Invalid options: given defaultLabels: null for metric 'a', expected an object with label values.",
    ],
    [
      'options that are no object',
      'a',
      'A.',
      null as never,
      'METHEUS_INVALID_OPTIONS',
      "Invalid options: given null as options of counter 'a', expected an object with the options " +
        'requiredLabels, defaultLabels, registry, utf8Names, strict, unit, maxSeries, exemplars.',
    ],
    [
      'an object in place of the name, as other clients take it',
      { name: 'a', help: 'A.', labelNames: ['x'] },
      undefined,
      {},
      'METHEUS_INVALID_METRIC_NAME',
      'Invalid metric name: given {"name":"a","help":"A.","labelNames":["x"]}, ' +
        "expected the name, the help text and the options as three arguments. Write ('a', 'A.', { … }).",
    ],
    ...[0, -1, 0.5, Number.NaN, '10', null].map(
      (maxSeries): [string, string, string, Bad, string, string] => [
        `maxSeries: ${typeof maxSeries} ${maxSeries}`,
        'a',
        'A.',
        { requiredLabels: ['x'], maxSeries },
        'METHEUS_INVALID_OPTIONS',
        `Invalid options: given maxSeries: ${typeof maxSeries === 'string' ? `'${maxSeries}'` : maxSeries} ` +
          "for metric 'a', expected a number of at least 1.",
      ],
    ),
    [
      'a unit that the name does not end with',
      'a',
      'A.',
      { unit: 'seconds' },
      'METHEUS_INVALID_OPTIONS',
      "Invalid options: given unit: 'seconds' for metric 'a', " +
        "expected a unit that the name ends with, as in 'a_seconds'.",
    ],
    [
      'a unit that is only part of a word of the name',
      'milliseconds_total',
      'A.',
      { unit: 'seconds' },
      'METHEUS_INVALID_OPTIONS',
      "Invalid options: given unit: 'seconds' for metric 'milliseconds_total', " +
        "expected a unit that the name ends with, as in 'milliseconds_total_seconds'.",
    ],
    [
      'a unit that is no string',
      'a',
      'A.',
      { unit: 3 },
      'METHEUS_INVALID_OPTIONS',
      "Invalid options: given unit: 3 for metric 'a', expected a string.",
    ],
  ];
  for (const [what, name, help, options, code, message] of cases) {
    it(what, async () => {
      const registry = new CollectorRegistry();
      const given = options === null ? null : { ...options, registry };
      const create = createCounter as unknown as (...args: unknown[]) => void;
      assert.throws(() => create(name, help, given), { name: 'MetheusError', code, message });
      assert.equal(await generateMetrics(registry), '');
    });
  }

  it('a list in place of the options', () => {
    assert.throws(() => createCounter('a', 'A.', ['method'] as never), {
      code: 'METHEUS_INVALID_OPTIONS',
      message: /^Invalid options: given \['method'\] as options of counter 'a', expected an object/,
    });
  });

  it('a registry that is not one', () => {
    assert.throws(() => createCounter('a', 'A.', { registry: {} as never }), {
      code: 'METHEUS_INVALID_OPTIONS',
      message: "Invalid options: given registry: {} for metric 'a', expected a registry, or null.",
    });
  });
});

describe('a counter whose name does not end with _total', () => {
  it('causes one warning, which names the fix', (t) => {
    const warning = t.mock.method(process, 'emitWarning', () => {});
    for (const name of ['jobs_done', 'jobs_done', 'jobs_total'])
      createCounter(name, 'J.', { registry: new CollectorRegistry() });
    createGauge('jobs_done', 'J.', { registry: new CollectorRegistry() });
    assert.deepEqual(
      warning.mock.calls.map(({ arguments: [message] }) => message),
      ["Counter 'jobs_done' has no type and no exemplars in OpenMetrics. Name it 'jobs_done_total'."],
    );
  });
});

describe('units', () => {
  it('must be the end of the name before _total', () => {
    const options = { registry: null, unit: 'seconds' };
    assert.equal(createCounter('a_seconds_total', 'A.', options).descriptor.unit, 'seconds');
    assert.equal(createCounter('a_seconds', 'A.', options).descriptor.unit, 'seconds');
    assert.equal(createCounter('a', 'A.', { registry: null, unit: '' }).descriptor.unit, '');
  });
});

describe('multiprocessMode', () => {
  for (const mode of MODES) {
    it(`may be ${mode}`, () => {
      const gauge = createGauge('g', 'G.', { registry: null, multiprocessMode: mode });
      assert.equal(gauge.descriptor.merge, mode);
    });
  }

  it('is shared by default', () => {
    assert.equal(createGauge('g', 'G.', { registry: null }).descriptor.merge, 'shared');
  });

  for (const mode of ['average', 'add', 'each', '', null, 3]) {
    it(`cannot be ${JSON.stringify(mode)}`, () => {
      const shown = typeof mode === 'string' ? `'${mode}'` : mode;
      assert.throws(() => createGauge('g', 'G.', { registry: null, multiprocessMode: mode as never }), {
        code: 'METHEUS_INVALID_OPTIONS',
        message:
          `Invalid options: given multiprocessMode: ${shown} for metric 'g', ` +
          `expected one of ${MODES.join(', ')}.`,
      });
    });
  }

  for (const mode of ['all', 'liveall'] as const) {
    it(`${mode} reserves the label pid`, () => {
      assert.throws(
        () => createGauge('g', 'G.', { registry: null, requiredLabels: ['pid'], multiprocessMode: mode }),
        {
          code: 'METHEUS_RESERVED_LABEL_NAME',
          message:
            "Reserved label name: given 'pid' on metric 'g', " +
            `expected another name, since multiprocessMode '${mode}' adds this label.`,
        },
      );
    });
  }

  it('other modes allow the label pid', () => {
    createGauge('g', 'G.', { registry: null, requiredLabels: ['pid'], multiprocessMode: 'sum' });
    createHistogram('h', 'H.', { registry: null, requiredLabels: ['pid'] });
  });
});
