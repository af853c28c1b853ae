/** The catalogue of error codes, and the form of messages. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { ERROR_CODES, MetheusError, show, UnobservableMetricError, warnOnce } from '#metheus/errors.js';

describe('MetheusError', () => {
  it('names the mistake, the given and the expected value, and the remedy', () => {
    const error = new MetheusError('METHEUS_INVALID_VALUE', {
      given: "'x'",
      expected: 'a number',
      todo: 'Convert it first',
    });
    assert.equal(error.message, "Invalid value: given 'x', expected a number. Convert it first.");
    assert.equal(error.code, 'METHEUS_INVALID_VALUE');
    assert.equal(error.name, 'MetheusError');
    assert.ok(error instanceof Error);
    assert.equal('cause' in error, false);
  });

  it('omits the remedy where there is none, and keeps the cause', () => {
    const cause = new Error('why');
    const error = new MetheusError('METHEUS_INVALID_VALUE', { given: '1', expected: '2', cause });
    assert.equal(error.message, 'Invalid value: given 1, expected 2.');
    assert.equal(error.cause, cause);
  });

  it('has a different headline for each code', () => {
    const headlines = ERROR_CODES.map((code) => new MetheusError(code, { given: '', expected: '' }).message);
    assert.equal(new Set(headlines).size, ERROR_CODES.length);
    for (const code of ERROR_CODES) assert.match(code, /^METHEUS_[A-Z]+(_[A-Z]+)*$/);
  });
});

describe('UnobservableMetricError', () => {
  it('names the missing labels and shows the call that adds them', () => {
    const error = new UnobservableMetricError('http_requests_total', ['method', 'route']);
    assert.ok(error instanceof MetheusError);
    assert.equal(error.name, 'UnobservableMetricError');
    assert.equal(error.code, 'METHEUS_MISSING_LABELS');
    assert.deepEqual(error.missing, ['method', 'route']);
    assert.equal(
      error.message,
      "Missing labels: given metric 'http_requests_total' without 'method', 'route', " +
        'expected a value for every required label. Call .labels({ method: …, route: … }) first.',
    );
  });
});

describe('show', () => {
  class Named {
    readonly a = 1;
  }
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const cases: [unknown, string][] = [
    ['3', "'3'"],
    ['', "''"],
    ['x'.repeat(81), `'${'x'.repeat(80)}…'`],
    [3, '3'],
    [-0, '-0'],
    [Number.NaN, 'NaN'],
    [3n, '3n'],
    [[3n], '[3n]'],
    [Float64Array.of(1, -0), 'Float64Array [1, -0]'],
    [[new Uint8Array(2)], '[Uint8Array [0, 0]]'],
    [new Float64Array(21), `Float64Array [${'0, '.repeat(20)}…]`],
    [Promise.resolve(1), '[object Promise]'],
    [new Map([[1, 2]]), '[object Map]'],
    [new (class Pool {})(), '[object Pool]'],
    [{}, '{}'],
    [Object.create(null), '{}'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
    [function named() {}, 'function named'],
    [() => {}, 'function (anonymous)'],
    [[1, 'a', [null]], "[1, 'a', [null]]"],
    [Array.from({ length: 21 }, (_, i) => i), `[${Array.from({ length: 20 }, (_, i) => i).join(', ')}, …]`],
    [{ a: 1 }, '{"a":1}'],
    [new Named(), '{"a":1}'],
    [{ long: 'x'.repeat(100) }, `{"long":"${'x'.repeat(71)}…`],
    [circular, '[object Object]'],
    [{ big: 1n }, '[object Object]'],
  ];
  for (const [value, text] of cases) {
    it(text.slice(0, 40), () => assert.equal(show(value), text));
  }
});

describe('warnOnce', () => {
  it('warns once for each key, with a code to filter by', async () => {
    const warnings: { message: string; name: string; code?: string }[] = [];
    const collect = (warning: Error) => warnings.push(warning);
    process.on('warning', collect);
    const first = once(process, 'warning');
    warnOnce('test:a', 'first');
    warnOnce('test:a', 'again');
    warnOnce('test:b', 'second');
    await first;
    await new Promise(setImmediate);
    process.off('warning', collect);
    assert.deepEqual(
      warnings.map(({ message, name, code }) => ({ message, name, code })),
      [
        { message: 'first', name: 'MetheusWarning', code: 'METHEUS_WARNING' },
        { message: 'second', name: 'MetheusWarning', code: 'METHEUS_WARNING' },
      ],
    );
  });
});
