/** Python's number formatting, and the parts of a line, beyond what the vectors hold. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { displayLength, displayTrim } from '#metheus/progress/meter/display-width.js';
import { Ema } from '#metheus/progress/meter/ema.js';
import { Float, formatNumber, formatText } from '#metheus/progress/meter/format-spec.js';
import { formatMeter, type MeterOptions } from '#metheus/progress/meter/meter.js';
import { formatInterval, formatNum, formatSizeof } from '#metheus/progress/meter/quantity.js';
import { Pace } from '#metheus/progress/pace.js';

// The same cases in every run.
fc.configureGlobal({ seed: 20_241_121 });

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('formatNumber', () => {
  // What Python 3.11 gives for format(value, specification).
  const cases: [number | Float, string, string][] = [
    [2.5, '.0f', '2'],
    [3.5, '.0f', '4'],
    [0.125, '.2f', '0.12'],
    [2.675, '.2f', '2.67'],
    [-0.5, '.0f', '-0'],
    [1e23, '.0f', '99999999999999991611392'],
    [1e23, 'e', '1.000000e+23'],
    [5e-324, '.3e', '4.941e-324'],
    [9999995, 'g', '1e+07'],
    [999999.5, 'g', '1e+06'],
    [0.0001, 'g', '0.0001'],
    [0.00001, 'g', '1e-05'],
    [12.5, '3.0%', '1250%'],
    [1234567.891, ',.2f', '1,234,567.89'],
    [156.875, '=08,.3f', '0,156.875'],
    [42, '+d', '+42'],
    [-42, '*^9', '***-42***'],
    [-42, '06d', '-00042'],
    [255, '#>6x', '####ff'],
    [3, '', '3'],
    [new Float(3), '', '3.0'],
    [new Float(1e16), '', '1e+16'],
    [new Float(0.00001), '', '1e-05'],
    [new Float(5), '.3', '5.0'],
    [6.25, '.0', '6e+00'],
    [Number.POSITIVE_INFINITY, '8.2f', '     inf'],
    [Number.NaN, 'G', 'NAN'],
  ];
  for (const [value, specification, expected] of cases) {
    const shown = value instanceof Float ? `${value.value} as a float` : value;
    it(`${shown} by '${specification}' is ${expected}`, () => {
      assert.equal(formatNumber(value, specification), expected);
    });
  }

  it('is toFixed but for ties, and reads back within half a unit of the last digit', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e15, max: 1e15, noNaN: true }),
        fc.integer({ min: 0, max: 12 }),
        (value, decimals) => {
          const text = formatNumber(new Float(value), `.${decimals}f`);
          const tie = Math.abs(Math.abs(value) * 2 * 10 ** decimals) % 2 === 1;
          if (!tie) assert.equal(Math.abs(Number(text)), Math.abs(Number(value.toFixed(decimals))));
        },
      ),
    );
  });

  it('writes floats that read back the same', () => {
    fc.assert(
      fc.property(finite, (value) => assert.equal(Number(formatNumber(new Float(value), '')), value)),
    );
    fc.assert(
      fc.property(finite, (value) => assert.equal(Number(formatNumber(new Float(value), '.16e')), value)),
    );
  });

  it('pads text in code points', () => {
    assert.equal(formatText('🚀', '>3'), '  🚀');
    assert.equal(formatText('abcdef', '.2'), 'ab');
  });
});

describe('quantities', () => {
  it('keep four characters and a sign at most', () => {
    fc.assert(
      fc.property(fc.double({ min: -9.98e26, max: 9.98e26, noNaN: true }), (value) => {
        assert.match(formatSizeof(value), /^-?(\d\.\d\d|\d\d\.\d|\d{3})([kMGTPEZ]?)$|^-?\d+\.\dY$/);
      }),
    );
  });

  it('formatNum is never longer than the number', () => {
    fc.assert(
      fc.property(finite, (value) => assert.ok(formatNum(value).length <= formatNumber(value, '').length)),
    );
  });

  it('intervals grow in hours', () => {
    assert.equal(formatInterval(1e18), '277777777777777:46:40');
    assert.equal(formatInterval(Number.POSITIVE_INFINITY), '?');
  });
});

const RESET = '\u001b[0m';

describe('width', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '漢', '🚀', '\u001b[31m', '\u001b[0m', '\u001b', '[', '1', 'm', ' '),
  });

  it('a trimmed text fits, and is a beginning but for a final reset', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 12 }), (given, length) => {
        const trimmed = displayTrim(given, length);
        assert.ok(displayLength(trimmed) <= length);
        assert.ok(given.startsWith(trimmed) || given.startsWith(trimmed.slice(0, -RESET.length)));
      }),
    );
  });

  it('a line is as wide as it was asked to be', () => {
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

  it('shows what is not known as a question mark', () => {
    assert.equal(
      formatMeter({ n: 0, elapsed: 0, barFormat: '{rate:6.2f}|{rate:.1f}|{rate}' }),
      '     ?|?|None',
    );
  });

  it('counts the end from now', () => {
    const now = new Date(2024, 1, 28, 23, 59, 57, 500);
    const eta = (barFormat: string) => formatMeter({ ...base, now, barFormat });
    assert.equal(eta('{eta:%a %d %b %Y %I:%M:%S %p, day %j}'), 'Thu 29 Feb 2024 12:00:02 AM, day 060');
    assert.equal(eta('{eta}'), '2024-02-29 00:00:02.500000');
    assert.equal(eta('{eta:%F %T %y%%%q}'), '2024-02-29 00:00:02 24%%q');
    const never = formatMeter({ n: 1, total: 1e300, elapsed: 1, now, barFormat: '{eta:%Y}' });
    assert.equal(never, '9999');
  });

  it('takes `null` for what is not given, as Python takes None', () => {
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

  it('names what is neither a number nor a text', () => {
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
    assert.throws(() => formatMeter(undefined as unknown as MeterOptions), /given options = undefined/);
  });

  it('shows data after the meter as Python does, and itself only once', () => {
    const postfix: unknown[] = ['loss', new Map([['a', 1.5]]), Object.create(null)];
    postfix.push(postfix);
    const shown = (value: unknown) => formatMeter({ ...base, postfix: value, barFormat: '{postfix}' });
    assert.equal(shown(postfix), "['loss', {'a': 1.5}, {}, [...]]");
    assert.equal(shown(true), 'true');
    assert.equal(shown(new URL('http://a/')), 'http://a/');
    assert.equal(shown({ toString: () => 'itself' }), 'itself');
  });

  it('takes characters of any number of steps', () => {
    assert.equal(formatMeter({ ...base, ascii: '#', barFormat: '{bar:4}' }), '####');
    assert.equal(formatMeter({ ...base, ascii: '.#', barFormat: '{bar:4}' }), '##..');
    assert.equal(formatMeter({ ...base, colour: 'plaid', barFormat: '{bar:4b}' }), '    ');
  });
});

describe('functions of one argument', () => {
  it('throw for what is neither a number nor a text, from JavaScript', () => {
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

  it('take bigints, and numbers that are none', () => {
    assert.equal(formatSizeof(123_456n, 'B'), '123kB');
    assert.equal(formatInterval(36_000_000_000_000_000_000_001n), '10000000000000000000:00:01');
    assert.equal(formatNum(-12_345_678_901n), '-1.23e+10');
    assert.equal(formatNum(1_234_567n), '1234567');
    assert.equal(formatNum(Number.NaN), 'nan');
    assert.equal(formatSizeof(Number.NaN), 'nanY');
    assert.equal(formatInterval(Number.NaN), '?');
    assert.equal(displayTrim('text', -1), '');
  });

  it('average nothing with a smoothing of 0', () => {
    const ema = new Ema(0);
    assert.deepEqual([ema.next(5), ema.next(), ema.next(null)], [0, 0, 0]);
  });
});

describe('Pace', () => {
  const clock = { now: () => 0, unix: () => 0, stride: 16 };

  it('trusts a loop that was fast for a while, and no longer than it is', () => {
    const pace = new Pace(clock);
    let now = 0;
    let looks = 0;
    while (pace.next(now) === 1) {
      now += 1e-7;
      looks += 1;
    }
    assert.equal(looks, 64);
    assert.equal(pace.next(now + 16e-7), 16);
    assert.equal(pace.next(now + 1), 1);
  });

  it('looks every time when the clock does not say how far to stride', () => {
    const pace = new Pace({ now: () => 0, unix: () => 0 });
    for (let i = 0; i < 200; i += 1) assert.equal(pace.next(0), 1);
  });
});
