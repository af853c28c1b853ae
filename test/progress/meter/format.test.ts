/** The formatting of numbers, widths and lines, beyond the vectors. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { MeterOptions } from '#metheus/progress/meter/arguments.js';
import { displayLength, displayTrim } from '#metheus/progress/meter/display-width.js';
import { Ema } from '#metheus/progress/meter/ema.js';
import { formatLine, formatMeter } from '#metheus/progress/meter/meter.js';
import { formatNumber, formatText } from '#metheus/progress/meter/number-format.js';
import { formatInterval, formatNum, formatSizeof } from '#metheus/progress/meter/quantity.js';

// The same cases in every run.
fc.configureGlobal({ seed: 20_241_121 });

const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0));

describe('formatNumber', () => {
  // Results of Python 3.11 for format(value, specification).
  const cases: [number, string, string][] = [
    [2.5, '.0f', '2'],
    [3.5, '.0f', '4'],
    [0.125, '.2f', '0.12'],
    [2.675, '.2f', '2.67'],
    [-0.5, '.0f', '-0'],
    [1e23, 'e', '1.000000e+23'],
    [25, '.0e', '2e+01'],
    [9.5, '.0e', '1e+01'],
    [12345, '.4g', '1.234e+04'],
    [5e-324, '.3e', '4.941e-324'],
    [9999995, 'g', '1e+07'],
    [999999.5, 'g', '1e+06'],
    [0.0001, 'g', '0.0001'],
    [0.00001, 'g', '1e-05'],
    [12.5, '3.0%', '1250%'],
    [1234567.891, ',.2f', '1,234,567.89'],
    [-1234, ',', '-1,234'],
    [42, '+d', '+42'],
    [-42, '*^9', '***-42***'],
    [-42, '06d', '-00042'],
    [3, '', '3'],
    [6.25, '.2', '6.2'],
    [Number.POSITIVE_INFINITY, '8.2f', '     inf'],
    [Number.NaN, 'g', 'nan'],
  ];
  for (const [value, specification, expected] of cases) {
    it(`formats ${value} by '${specification}' as ${expected}`, () => {
      assert.equal(formatNumber(value, specification), expected);
    });
  }

  it('throws for specifications that are not supported', () => {
    for (const specification of ['x', 'G', '#g', '_', 's', '>>>', '.200f', '1000']) {
      assert.throws(() => formatNumber(5, specification), { code: 'METHEUS_INVALID_BAR_FORMAT' });
    }
  });

  it('equals toFixed except for ties', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e15, max: 1e15, noNaN: true }),
        fc.integer({ min: 0, max: 12 }),
        (value, decimals) => {
          const text = formatNumber(value, `.${decimals}f`);
          const tie = Math.abs(Math.abs(value) * 2 * 10 ** decimals) % 2 === 1;
          if (!tie) assert.equal(Math.abs(Number(text)), Math.abs(Number(value.toFixed(decimals))));
        },
      ),
    );
  });

  it('writes numbers that read back the same', () => {
    fc.assert(fc.property(finite, (value) => assert.equal(Number(formatNumber(value, '')), value)));
    fc.assert(fc.property(finite, (value) => assert.equal(Number(formatNumber(value, '.16e')), value)));
  });
});

describe('formatText', () => {
  it('counts its width in code points', () => {
    assert.equal(formatText('🚀', '>3'), '  🚀');
    assert.equal(formatText('abcdef', '.2'), 'ab');
  });
});

describe('quantities', () => {
  it('have at most four characters and a sign', () => {
    fc.assert(
      fc.property(fc.double({ min: -9.98e26, max: 9.98e26, noNaN: true }), (value) => {
        assert.match(formatSizeof(value), /^-?(\d\.\d\d|\d\d\.\d|\d{3})([kMGTPEZ]?)$|^-?\d+\.\dY$/);
      }),
    );
  });

  it('are never longer by formatNum than the number itself', () => {
    fc.assert(fc.property(finite, (value) => assert.ok(formatNum(value).length <= String(value).length)));
  });

  it('are intervals with any number of hours', () => {
    assert.equal(formatInterval(1e15), '277777777777:46:40');
    assert.equal(formatInterval(Number.POSITIVE_INFINITY), '?');
  });
});

const RESET = '\u001b[0m';

describe('the width of text', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '漢', '🚀', '\u001b[31m', '\u001b[0m', '\u001b', '[', '1', 'm', ' '),
  });

  it('fits after trimming, and is a beginning except for a final reset', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 12 }), (given, length) => {
        const trimmed = displayTrim(given, length);
        assert.ok(displayLength(trimmed) <= length);
        assert.ok(given.startsWith(trimmed) || given.startsWith(trimmed.slice(0, -RESET.length)));
      }),
    );
  });

  it('of a line is the one asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 200 }),
        fc.integer({ min: 0, max: 100 }),
        fc.boolean(),
        (ncols, n, ascii) => {
          const line = formatMeter({ n, total: 100, elapsed: 5, ncols, ascii, prefix: '処理' });
          assert.equal(displayLength(line), ncols);
        },
      ),
    );
  });
});

describe('formatMeter', () => {
  const base = { n: 5, total: 10, elapsed: 5 };

  it('shows unknown numbers as a question mark', () => {
    assert.equal(
      formatMeter({ n: 0, elapsed: 0, barFormat: '{rate:6.2f}|{rate:.1f}|{rate}' }),
      '     ?|?|None',
    );
  });

  it('counts the end from `now`', () => {
    const now = new Date(2024, 1, 28, 23, 59, 57, 500);
    const eta = (barFormat: string) => formatMeter({ ...base, now, barFormat });
    assert.equal(eta('{eta:%a %d %b %Y %I:%M:%S %p}'), 'Thu 29 Feb 2024 12:00:02 AM');
    assert.equal(eta('{eta}'), '2024-02-29 00:00:02');
    assert.equal(eta('{eta:%F %T %y%%}'), '2024-02-29 00:00:02 24%');
    // A negative rate has its end in the past. Years have four digits there too.
    assert.equal(formatMeter({ ...base, now, rate: -1e-10, barFormat: '{eta:%Y %F}' }), '0439 0439-09-22');
    const never = formatMeter({ n: 1, total: 1e300, elapsed: 1, now, barFormat: '{eta:%Y}' });
    assert.equal(never, '9999');
    assert.throws(() => eta('{eta:%q}'), { code: 'METHEUS_INVALID_BAR_FORMAT', message: /'%q'/ });
  });

  it('computes only the fields that a format names', () => {
    const data = {
      ...base,
      get unit(): string {
        throw new Error('the unit is computed');
      },
    };
    assert.equal(formatLine({ ...base, barFormat: '{n_fmt}' }), '5');
    assert.equal(
      formatLine(Object.assign(data, { barFormat: '{n_fmt}/{total_fmt} {elapsed}' })),
      '5/10 00:05',
    );
    assert.throws(() => formatLine(Object.assign(data, { barFormat: '{rate_fmt}' })), /the unit is computed/);
  });

  it('accepts `null` for every option, as Python accepts None', () => {
    const nothing = {
      prefix: null,
      unit: null,
      unitScale: null,
      unitDivisor: null,
      initial: null,
      postfix: null,
    };
    const more = {
      ncols: null,
      nrows: null,
      ascii: null,
      rate: null,
      barFormat: null,
      colour: null,
      now: null,
    };
    assert.equal(formatMeter({ ...base, ...nothing, ...more }), formatMeter(base));
    assert.equal(formatMeter({ ...base, ncols: Number.POSITIVE_INFINITY }), formatMeter(base));
  });

  it('throws for an option of the wrong type, which it names', () => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ n: '5' }, /given n = '5', expected a number\./],
      [{ elapsed: undefined }, /given elapsed = undefined, expected a number/],
      [{ prefix: 5 }, /given prefix = 5, expected text/],
      [{ ascii: 5 }, /given ascii = 5, expected true or false or text/],
      [{ colour: ['red'] }, /given colour = \['red'\], expected text/],
      [{ now: new Date(Number.NaN) }, /given now = null, expected a valid Date/],
    ];
    for (const [given, message] of wrong) {
      const options = { ...base, ...given } as unknown as MeterOptions;
      assert.throws(() => formatMeter(options), { code: 'METHEUS_INVALID_BAR_OPTION', message });
    }
    assert.throws(
      () => formatMeter(undefined as unknown as MeterOptions),
      /given undefined as options of formatMeter/,
    );
  });

  it('shows data after the meter on one line', () => {
    const postfix: unknown[] = ['loss', new Map([['a', 1.5]]), { b: 'long text '.repeat(10) }];
    const shown = (value: unknown) => formatMeter({ ...base, postfix: value, barFormat: '{postfix}' });
    assert.equal(shown(postfix), `[ 'loss', Map(1) { 'a' => 1.5 }, { b: '${'long text '.repeat(10)}' } ]`);
    assert.equal(shown(true), 'true');
    assert.equal(shown(12_345_678_901_234_567_890n), '12345678901234567890');
    assert.equal(shown(new Date(0)), String(new Date(0)));
    assert.equal(shown(new URL('http://a/')), 'http://a/');
    assert.equal(shown({ toString: () => 'itself' }), 'itself');
  });

  it('draws bars of any number of characters', () => {
    assert.equal(formatMeter({ ...base, ascii: '#', barFormat: '{bar:4}' }), '####');
    assert.equal(formatMeter({ ...base, ascii: '.#', barFormat: '{bar:4}' }), '##..');
    assert.equal(formatMeter({ ...base, colour: 'plaid', barFormat: '{bar:4b}' }), '    ');
  });
});

describe('functions of one argument', () => {
  it('throw for a value of the wrong type', () => {
    const no = undefined as never;
    const calls = [
      () => formatSizeof(no),
      () => formatInterval(no),
      () => formatNum('5' as never),
      () => displayLength(no),
      () => displayTrim('text', no),
      () => displayTrim(5 as never, 5),
      () => new Ema('0.3' as never),
    ];
    for (const call of calls) assert.throws(call, { code: 'METHEUS_INVALID_BAR_OPTION' });
  });

  it('accept bigints and NaN', () => {
    assert.equal(formatSizeof(123_456n, 'B'), '123kB');
    assert.equal(formatInterval(36_000_000_000_001n), '10000000000:00:01');
    assert.equal(formatNum(-12_345_678_901n), '-1.23e+10');
    assert.equal(formatNum(1_234_567n), '1234567');
    assert.equal(formatNum(Number.NaN), 'nan');
    assert.equal(formatSizeof(Number.NaN), 'nanY');
    assert.equal(formatInterval(Number.NaN), '?');
    assert.equal(displayTrim('text', -1), '');
  });

  it('average to 0 with a smoothing of 0', () => {
    const ema = new Ema(0);
    assert.deepEqual([ema.next(5), ema.next(), ema.next(null)], [0, 0, 0]);
  });
});
