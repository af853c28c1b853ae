/** Checks docs/reference/tqdm-parity.md: rows marked same exist, and no public name of Python's tqdm is missing. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as progress from 'metheus/progress';
import { resolveOptions } from '#metheus/progress/bar/bar-options.js';
import { ROOT } from '../support/snippets.js';
import { PYTHON, requireTool } from '../support/tools.js';
import { fakeTqdm } from './fakes.js';

interface Line {
  readonly python: string;
  readonly here: string;
  readonly how: string;
}

const page = readFileSync(join(ROOT, 'docs/reference/tqdm-parity.md'), 'utf8');
const code = (cell: string) => /`([^`]+)`/.exec(cell)?.[1] ?? '';

/** Returns the rows of the table below a heading. */
function linesOf(heading: string): Line[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  assert.ok(section !== undefined, `the page has a section ${heading}`);
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (tqdm|---) \|/.test(line))
    .map((line) => {
      const [, python = '', here = '', how = ''] = line.split('|').map((cell) => cell.trim());
      return { python: code(python), here: code(here), how };
    });
}

const same = (heading: string) => linesOf(heading).filter(({ how }) => how.startsWith('same'));
const camelCase = (name: string) => name.replace(/(?<=.)_(.)/g, (_, letter: string) => letter.toUpperCase());

const SECTIONS = [
  'Constructor',
  'Methods',
  'Attributes',
  'Class methods and functions',
  'Environment',
  'Modules',
  'Formats',
  'Numbers',
];

describe('the parity table', () => {
  for (const section of SECTIONS) {
    it(`marks each row of ${section} as same, different or none`, () => {
      const lines = linesOf(section);
      assert.ok(lines.length > 2);
      for (const { python, how } of lines) assert.match(how, /^(same|different|none)\b/, python);
    });
  }

  it('uses the camelCase form of each name that is the same', () => {
    for (const section of ['Constructor', 'Attributes']) {
      for (const { python, here } of same(section)) assert.equal(here, camelCase(python));
    }
    for (const { python, here } of same('Methods')) {
      if (!python.startsWith('__')) assert.equal(here, camelCase(python));
    }
  });

  it('lists options that the constructor takes', () => {
    const { tqdm } = fakeTqdm();
    const { settings, ...others } = resolveOptions({});
    const defaults = { ...settings, ...others };
    for (const { here } of same('Constructor')) {
      assert.ok(Object.hasOwn(defaults, here), here);
      const value = defaults[here as keyof typeof defaults];
      using bar = tqdm(null, { [here]: value });
      assert.equal(bar.n, 0);
    }
    assert.throws(() => tqdm(null, { [camelCase('no_such_option')]: 1 }), {
      code: 'METHEUS_INVALID_BAR_OPTION',
    });
  });

  it('lists methods and attributes that a bar has', () => {
    const { tqdm } = fakeTqdm();
    using bar = tqdm([1]);
    for (const { here } of [...same('Methods'), ...same('Attributes')]) {
      const [, symbol] = /^Symbol\.(\w+)$/.exec(here) ?? [];
      const name = symbol === undefined ? here : (Symbol[symbol as keyof typeof Symbol] as symbol);
      assert.ok(name in bar, here);
    }
    for (const { here, how } of same('Attributes')) {
      const value: unknown = Reflect.get(bar, here);
      if (how.includes('read only')) assert.equal(Reflect.set(bar, here, value), false, here);
      else assert.equal(Reflect.set(bar, here, value), true, here);
    }
  });

  it('lists functions that are exported', () => {
    for (const { here } of same('Class methods and functions')) assert.ok(here in progress, here);
  });

  const row = (pattern: RegExp) => page.split('\n').find((line) => pattern.test(line)) ?? '';
  const line = (barFormat: string) => progress.formatMeter({ n: 5, total: 10, elapsed: 1, barFormat });
  const invalid = { code: 'METHEUS_INVALID_BAR_FORMAT' };

  it('lists the types of format specifications', () => {
    const accepted = [...row(/\{percentage:05\.1f\}/).matchAll(/`([a-z%])`/g)].map(([, type]) => type!);
    const rejected = [...row(/^\| the types/).matchAll(/`(\S)`/g)].map(([, type]) => type!);
    assert.ok(accepted.length > 5 && rejected.length > 5);
    for (const type of accepted) assert.ok(line(`{${type === 's' ? 'desc' : 'n'}:${type}}`) !== undefined);
    for (const type of rejected) assert.throws(() => line(`{n:${type}}`), invalid, type);
  });

  it('lists the directives of {eta}', () => {
    const listed = new Set(/`(%Y [^`]+)`/.exec(row(/^\| `\{eta:/))?.[1]?.split(' '));
    assert.ok(listed.size > 10);
    for (const letter of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ%') {
      if (listed.has(`%${letter}`)) assert.notEqual(line(`{eta:%${letter}}`), '');
      else assert.throws(() => line(`{eta:%${letter}}`), invalid, letter);
    }
  });
});

const PUBLIC_NAMES = `
import inspect, json, tqdm
from tqdm import tqdm as t
bar = t([1], file=open('/dev/null', 'w'))
names = lambda given: sorted(name for name in given if not name.startswith('_'))
print(json.dumps({
  'Constructor': [p for p in inspect.signature(t.__init__).parameters if p != 'self'],
  'Attributes': names(vars(bar)),
  'members': names(dir(t)),
}))
`;

const skip = requireTool('python3 with tqdm');

it('the parity table has every public name of the installed tqdm', { skip }, () => {
  const { stdout, stderr } = spawnSync(PYTHON, ['-c', PUBLIC_NAMES], { encoding: 'utf8' });
  assert.equal(stderr, '');
  const found = JSON.parse(stdout) as Record<string, string[]>;
  const named = (...sections: string[]) => new Set(sections.flatMap(linesOf).map((line) => line.python));
  const absent = (names: readonly string[], table: ReadonlySet<string>) =>
    names.filter((name) => !table.has(name));
  assert.deepEqual(absent(found.Constructor!, named('Constructor')), []);
  assert.deepEqual(absent(found.Attributes!, named('Attributes')), []);
  assert.deepEqual(absent(found.members!, named('Methods', 'Class methods and functions')), []);
});
