/** Options, descriptions, postfixes, errors and variables of a bar. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BarOptions } from '#metheus/progress/bar/bar-options.js';
import { FakeFile, fakeTqdm } from '../fakes.js';

describe('a bar', () => {
  it('draws when enough time has passed, and returns whether it drew', () => {
    const { tqdm, clock, stderr } = fakeTqdm();
    const bar = tqdm(null, { total: 4, unit: 'B', unitScale: true, desc: 'load' });
    assert.equal(stderr.take(), '\rload:   0%|          | 0.00/4.00 [00:00<?, ?B/s]');
    clock.tick(0.0625);
    assert.equal(bar.update(1), false);
    clock.tick(0.0625);
    assert.equal(bar.update(), true);
    assert.equal(stderr.take(), '\rload:  50%|█████     | 2.00/4.00 [00:00<00:00, 16.0B/s]');
    assert.equal(bar.n, 2);
    assert.equal(bar.rate, 16);
    assert.equal(bar.elapsed, 0.125);
    assert.equal(bar.desc, 'load');
    assert.equal(String(bar), 'load:  50%|█████     | 2.00/4.00 [00:00<00:00, 16.0B/s]');
    assert.equal(bar.disable, false);
    bar.close();
    assert.equal(bar.disable, true);
  });

  it('can be reset to an unknown total', () => {
    const { tqdm, clock } = fakeTqdm();
    const bar = tqdm(null, { total: 4, mininterval: 0 });
    bar.update(3);
    bar.reset(Number.POSITIVE_INFINITY);
    assert.equal(bar.total, null);
    clock.tick(1);
    bar.update(2);
    assert.equal(String(bar), '2it [00:01,  2.00it/s]');
    bar.close();
    bar.reset(7);
    assert.deepEqual([bar.n, bar.total], [0, 7]);
  });

  it('has a rate once time has passed', () => {
    const { tqdm, clock } = fakeTqdm();
    const bar = tqdm(null, { mininterval: 10, initial: 4 });
    assert.equal(bar.rate, null);
    bar.update(6);
    clock.tick(2);
    assert.equal(bar.rate, 3);
  });

  it('shows postfixes in the order given, and sorts the first postfix', () => {
    const { tqdm } = fakeTqdm();
    const bar = tqdm(null, { postfix: { z: 'last', a: 0.25, total: 12_345_678 }, file: new FakeFile() });
    assert.equal(bar.postfix, 'a=0.25, total=1.23e+7, z=last');
    bar.setPostfix({ z: 1, a: ' x ', ok: true });
    assert.equal(bar.postfix, 'z=1, a=x, ok=true');
    bar.setPostfix(new Map([['k', 1 / 3]]));
    assert.equal(bar.postfix, 'k=0.333');
    bar.setPostfix(
      [
        ['k', 1],
        ['l', 2],
        ['k', 3],
      ],
      false,
    );
    assert.equal(bar.postfix, 'k=3, l=2');
    bar.setPostfix();
    assert.equal(bar.postfix, '');
    bar.setPostfixStr(5 as unknown as string);
    assert.ok(String(bar).endsWith(', 5]'));
    bar.setPostfixStr('text');
    assert.ok(String(bar).endsWith(', text]'));
  });

  it('formats fields from the data of its postfix', () => {
    const { tqdm } = fakeTqdm();
    const postfix = ['loss', { value: 0.5 }];
    const bar = tqdm(null, { barFormat: '{postfix[0]}={postfix[1][value]:.3f} {postfix[2]:>4d}', postfix });
    assert.equal(String(bar), 'loss=0.500    ?');
  });

  it('changes its description', () => {
    const { tqdm, stderr } = fakeTqdm();
    const bar = tqdm(null, { total: 1, ncols: 0 });
    stderr.take();
    bar.setDescription('a');
    assert.equal(stderr.take(), '\ra:   0% 0/1 [00:00<?, ?it/s]');
    bar.setDescriptionStr('b');
    assert.equal(stderr.take(), '\rb:   0% 0/1 [00:00<?, ?it/s]');
    bar.setDescription(null, false);
    assert.equal(stderr.take(), '');
    assert.equal(bar.desc, '');
  });
});

describe('a bar throws for', () => {
  const { tqdm } = fakeTqdm();
  const code = 'METHEUS_INVALID_BAR_OPTION';

  it('an unknown option, with a hint for the Python spelling', () => {
    assert.throws(() => tqdm(1, { unit_scale: true } as BarOptions), { code, message: /Write unitScale/ });
    assert.throws(() => tqdm(1, { colr: 'red' } as BarOptions), {
      code,
      message: /expected one of desc, total/,
    });
  });

  it('a number that is NaN or not a number', () => {
    assert.throws(() => tqdm(1, { total: Number.NaN }), { code });
    assert.throws(() => tqdm(1, { ncols: '80' as unknown as number }), { code });
  });

  it('an option that is not text, a file without write, options that are not an object', () => {
    for (const option of ['desc', 'unit', 'barFormat', 'colour']) {
      assert.throws(() => tqdm(1, { [option]: 5 } as BarOptions), { code, message: /expected text/ });
    }
    for (const file of [{}, 'log.txt']) {
      assert.throws(() => tqdm(1, { file } as BarOptions), { code, message: /write\(text\)/ });
    }
    for (const options of ['Files', null, 5] as BarOptions[]) assert.throws(() => tqdm(1, options), { code });
  });

  it('a postfix without keys', () => {
    for (const values of ['text', null, 5] as never[]) {
      assert.throws(() => tqdm(1).setPostfix(values), {
        code: 'METHEUS_INVALID_VALUE',
        message: /setPostfixStr/,
      });
    }
  });

  it('an invalid bar format', () => {
    const formats = ['{l_bar', 'a}b', '{nope}', '{bar:x9}', '{n:s}', '{n:>>>}', '{}'];
    for (const barFormat of formats) {
      assert.throws(() => tqdm(1, { barFormat }), { code: 'METHEUS_INVALID_BAR_FORMAT' }, barFormat);
    }
  });

  it('an option, and leaves no bar behind', () => {
    const { tqdm, live, records } = fakeTqdm();
    assert.throws(() => tqdm(1, { barFormat: '{' }));
    assert.equal(live.freeRow(), 0);
    assert.equal(records.length, 0);
  });
});

describe('bar.fail', () => {
  const lastLine = (error: unknown, options: BarOptions = {}) => {
    const { tqdm, stderr } = fakeTqdm();
    const bar = tqdm(null, { total: 4, ncols: 40, ...options });
    bar.update(1);
    stderr.take();
    bar.fail(error);
    return stderr.take();
  };

  it('shows the name of the error after the meter, within the columns of the line', () => {
    const line = '\r 25%|#5    | 1/4 [00:00<?, ?it/s] TypeError\n';
    assert.equal(lastLine(new TypeError('no'), { ascii: true, ncols: 43 }), line);
    const custom = { barFormat: '{n}/{total}', postfix: [1] };
    assert.match(lastLine(new RangeError('no'), custom), /^\r1\/4 RangeError *\n$/);
    assert.match(lastLine(AbortSignal.abort().reason), /\] AbortError *\n$/);
  });

  it('shows nothing for what is not an error, and keeps control characters off the screen', () => {
    for (const error of [undefined, null, 'text', 42, { name: 'X' }]) {
      assert.match(lastLine(error), /\]\n$/);
    }
    const odd = Object.assign(new Error('no'), { name: `\u001b[2J${'n'.repeat(200)}` });
    assert.match(lastLine(odd, { ncols: 0 }), /\] \[2Jn{77}\n$/);
  });

  it('is called with the error of the source that is looped over', async () => {
    const { tqdm, stderr } = fakeTqdm();
    const failing = function* () {
      yield 1;
      throw new SyntaxError('no');
    };
    assert.throws(() => [...tqdm(failing())], { message: 'no' });
    assert.match(stderr.take(), /SyntaxError\n$/);
    await assert.rejects(async () => {
      for await (const _ of tqdm(failing()));
    });
    assert.match(stderr.take(), /SyntaxError\n$/);
  });
});

describe('TQDM_* variables', () => {
  it('set defaults that options override', () => {
    const env = {
      TQDM_DESC: 'env',
      TQDM_NCOLS: '0',
      TQDM_MININTERVAL: '2.5',
      TQDM_UNIT_SCALE: 'yes',
      TQDM_TOTAL: 'many',
      TQDM_FILE: 'nowhere',
      TQDM_UNKNOWN: '1',
    };
    const { tqdm, stderr } = fakeTqdm({ env });
    tqdm(null, { total: 1 });
    assert.equal(stderr.take(), '\renv:   0% 0.00/1.00 [00:00<?, ?it/s]');
    tqdm(null, { total: 1, desc: null, unitScale: false, position: 0 });
    assert.equal(stderr.take(), '\r  0% 0/1 [00:00<?, ?it/s]');
  });

  it('are read as Python reads numbers', () => {
    const dict = (name: string, text: string) => fakeTqdm({ env: { [name]: text } }).tqdm().formatDict;
    assert.equal(dict('TQDM_TOTAL', ' 1_000.5e1 ').total, 10_005);
    assert.equal(dict('TQDM_TOTAL', '0x10').total, null);
    assert.equal(dict('TQDM_TOTAL', 'inf').total, null);
    assert.equal(dict('TQDM_NCOLS', '+60').ncols, 60);
    assert.equal(dict('TQDM_NCOLS', '60.0').ncols, null);
    assert.equal(dict('TQDM_NCOLS', '').ncols, null);
    assert.equal(dict('TQDM_unit_divisor', '1024').unitDivisor, 1024);
    assert.equal(dict('TQDM_UNITDIVISOR', '1024').unitDivisor, 1000);
    assert.equal(dict('TQDM_CONSTRUCTOR', '1').n, 0);
    assert.equal(dict('TQDM_POSTFIX', 'a=1').postfix, 'a=1');
  });

  it('switch flags on by any text but 0, false, no and off', () => {
    const disable = (text: string) => fakeTqdm({ env: { TQDM_DISABLE: text } }).tqdm().disable;
    for (const text of ['1', 'true', 'yes', 'on', 'x']) assert.equal(disable(text), true, text);
    for (const text of ['', '0', 'false', 'False', 'NO', 'off']) assert.equal(disable(text), false, text);
  });
});
