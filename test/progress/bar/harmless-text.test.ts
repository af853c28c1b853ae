/** Descriptions, units, postfixes and messages that would act on a terminal, in every kind of output. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BarOptions } from '#metheus/progress/bar/bar-options.js';
import { harmlessText } from '#metheus/progress/bar/line.js';
import { fakeTqdm } from '../fakes.js';
import { EmulatedScreen } from '../screen/emulated-file.js';

// A fixed seed generates the same cases in every run.
fc.configureGlobal({ seed: 20_261_128 });

const ESC = '\u001b';
/** Characters that act on a terminal. Tabs are allowed; colours are removed before the match. */
const ACTIVE = /(?!\t)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const COLOURS = new RegExp(`${ESC}\\[[\\d;]*m`, 'g');

const HOSTILE: Readonly<Record<string, string>> = {
  'line feeds': 'a\nb\r\nc\u2028d',
  'a carriage return': 'good\rbad',
  'a cleared screen': `a${ESC}[2J${ESC}[Hb`,
  'a character set': `a${ESC}(0b`,
  'a title': `a${ESC}]0;title\u0007b`,
  'a link': `${ESC}]8;;https://a.example${ESC}\\a${ESC}]8;;${ESC}\\`,
  'the clipboard': `a${ESC}]52;c;YQ==${ESC}\\b`,
  'a string that does not end': `a${ESC}]0;title`,
  'a device control string': `a${ESC}P$q"p${ESC}\\b`,
  'a reset': `a${ESC}cb`,
  'a sequence in a sequence': `a${ESC}${ESC}[2J[2J${ESC}[3${ESC}[2J1mb`,
  'C1 controls': 'a\u009b2Jb\u009d0;x\u009cc\u0085d',
  'a bell and a backspace': 'a\u0007b\bc\u007fd',
  'reversed text': 'invoice\u202egpj.exe\u2066',
  'a tab': 'a\tb',
};

describe('harmless text', () => {
  it('is the same text if that was harmless', () => {
    for (const text of ['', 'plain', 'Größe 漢字 👩‍💻', 'עברית\u200f', `${ESC}[31mred${ESC}[0m`]) {
      assert.equal(harmlessText(text), text);
    }
  });

  it('is one line without sequences', () => {
    assert.equal(harmlessText('a\r\nb\n\nc\td'), 'a b c\td');
    assert.equal(harmlessText(`a${ESC}[2J${ESC}]0;t\u0007${ESC}(0${ESC}Px${ESC}\\b`), 'ab');
    assert.equal(harmlessText('a\u0007\u009b\u202eb'), 'a\ufffd\ufffd\ufffdb');
    assert.equal(harmlessText(`a${ESC}]0;t`), 'a\ufffd]0;t');
  });

  it('keeps colours, and resets them at its end', () => {
    assert.equal(harmlessText(`${ESC}[1;31mred`), `${ESC}[1;31mred${ESC}[0m`);
    assert.equal(harmlessText(`${ESC}[31mred${ESC}[39m!`), `${ESC}[31mred${ESC}[39m!`);
  });

  it('never acts on a terminal, for random text', () => {
    const part = fc.oneof(fc.constantFrom(...Object.values(HOSTILE)), fc.string({ unit: 'binary' }));
    const cut = fc.tuple(fc.array(part), fc.nat(40)).map(([parts, from]) => parts.join('').slice(from));
    fc.assert(
      fc.property(cut, (text) => {
        const harmless = harmlessText(text);
        assert.ok(!ACTIVE.test(harmless.replace(COLOURS, '')));
        assert.equal(harmlessText(harmless), harmless);
      }),
    );
  });
});

describe('hostile text', () => {
  for (const [name, text] of Object.entries(HOSTILE)) {
    it(`does not act on a terminal: ${name}`, async () => {
      const screen = new EmulatedScreen({ columns: 40, rows: 10 });
      const { tqdm } = fakeTqdm({ stdout: screen.stdout, stderr: screen.stderr });
      screen.stdout.write('before\n');
      const options: BarOptions = { barFormat: '{desc}{unit}{postfix}.', leave: true };
      const first = tqdm(null, { desc: text, ...options });
      const second = tqdm(null, { unit: text, postfix: text, ...options });
      first.display(text);
      second.refresh();
      const lines = await screen.lines();
      assert.deepEqual([lines[0], lines.length], ['before', 3]);
      first.close();
      second.close();
      screen.stdout.write('after');
      const { rows, cursor } = await screen.picture();
      assert.deepEqual([rows[0], rows.length, rows[3]], ['before', 4, 'after']);
      assert.deepEqual(cursor, { row: 3, column: 5 });
    });

    it(`does not act in other outputs: ${name}`, () => {
      const { tqdm, stderr } = fakeTqdm();
      const written = (options: BarOptions) => {
        tqdm(null, { desc: text, unit: text, postfix: { [text]: text }, ncols: 60, ...options }).close();
        return stderr.take();
      };
      const line = written({ output: 'lines' });
      assert.ok(line.endsWith('\n') && !ACTIVE.test(line.slice(0, -1)), JSON.stringify(line));
      const json = written({ output: 'json' }).split('\n');
      assert.ok(!ACTIVE.test(json.join('')), JSON.stringify(json));
      assert.deepEqual(JSON.parse(json[0]!).unit, text);
      for (const frame of written({ output: 'terminal' }).trimEnd().split('\r')) {
        assert.ok(!ACTIVE.test(frame), JSON.stringify(frame));
      }
    });
  }
});
