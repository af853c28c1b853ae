/** The API page: it has every export of every subpath with its signature, and nothing else. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { ENTRY_POINTS } from './support/source-tree.js';

/** Declarations by exported name, as their texts: a value and a type may share a name. */
type Exports = Map<string, string[]>;

const DECLARATION = /^(export )?(?:declare )?(?:abstract )?(?:const|function|class|interface|type) (\w+)/;

/** Returns the top-level statements of a declaration file, without comments. */
function statementsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*\*[\s\S]*?\*\/\s*/g, '');
  return text.split(/\n(?=export |declare |import |interface |type )/);
}

/** Returns the declarations of a name that a file declares or imports, exported or not. */
function declarationsOf(file: string, name: string): string[] {
  const statements = statementsOf(file);
  const own = statements.filter((statement) => DECLARATION.exec(statement)?.[2] === name);
  if (own.length > 0) return own;
  for (const statement of statements) {
    const [, names = '', from = ''] =
      /^(?:import|export) (?:type )?\{([^}]*)\} from '(\.[^']+)'/.exec(statement) ?? [];
    for (const item of names.split(',')) {
      const [original, alias = original] = item
        .trim()
        .replace(/^type /, '')
        .split(' as ');
      if (alias === name) return declarationsOf(fileOf(file, from), original!);
    }
  }
  return [];
}

const fileOf = (importer: string, specifier: string) =>
  posix.join(posix.dirname(importer), specifier).replace(/\.js$/, '.d.ts');

function exportsOf(file: string): Exports {
  const found: Exports = new Map();
  for (const statement of statementsOf(file)) {
    const declared = DECLARATION.exec(statement);
    if (declared?.[1] !== undefined) found.set(declared[2]!, declarationsOf(file, declared[2]!));
    const [, names = ''] = /^export (?:type )?\{([^}]*)\}/.exec(statement) ?? [];
    for (const item of names.split(',')) {
      const exported = item
        .trim()
        .replace(/^type /, '')
        .split(' as ')
        .at(-1)!;
      if (exported !== '') found.set(exported, declarationsOf(file, exported));
    }
  }
  return found;
}

/** Returns the entries of the page by subpath and name. */
function entriesOf(page: string): Map<string, Map<string, string>> {
  const sections = page.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const title = section.slice(0, section.indexOf('\n'));
      const bullets = section.split(/^(?=- `)|^(?=#)|\n\n(?! )/m).filter((part) => part.startsWith('- `'));
      const entries = new Map<string, string>();
      for (const bullet of bullets) {
        const name = /^- `(\w+)/.exec(bullet)![1]!;
        assert.ok(!entries.has(name), `${title}: ${name} stands on the page twice`);
        entries.set(name, bullet);
      }
      return [title, entries];
    }),
  );
}

const MEMBER = /^ {4}(?:static |readonly |get |set |abstract )*(?:\[(Symbol\.\w+)\]|(\w+))\??(?=[(:<;])/gm;

/** Returns the public members of a class, an interface or an object type. */
function membersOf(declaration: string): string[] {
  const names = [...declaration.matchAll(MEMBER)].map(([, symbol, name]) => symbol ?? name!);
  return [...new Set(names)].filter((name) => name !== 'constructor');
}

/** Returns the names of a function's parameters, with `?` behind the optional ones. */
function parametersOf(declaration: string): string[] {
  const [, list = ''] =
    /^(?:export )?(?:declare )?function \w+(?:<[\s\S]*?>)?\(([\s\S]*)\): /.exec(declaration) ?? [];
  const names: string[] = [];
  let depth = 0;
  for (const [i, char] of [...list].entries()) {
    if ('({[<'.includes(char)) depth += 1;
    else if (')}]'.includes(char) || (char === '>' && list[i - 1] !== '=')) depth -= 1;
    const [, name] =
      depth === 0 || (depth === 1 && char === '{') ? (/^(\w+\??):/.exec(list.slice(i)) ?? []) : [];
    if (name !== undefined && (i === 0 || /[\s,]/.test(list[i - 1]!))) names.push(name);
  }
  return names;
}

const page = readFileSync('docs/reference/api.md', 'utf8');
const entries = entriesOf(page);
const entryPoints = ENTRY_POINTS.map(({ name, source }) => ({
  name,
  exported: exportsOf(posix.join('build/src', source.replace(/\.ts$/, '.d.ts'))),
}));

/** Members by the name of their declaration, of all files: an exported type may inherit from one that is not exported. */
const memberLists = new Map<string, string[]>();
for (const file of readdirSync('build/src', { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.d.ts')) continue;
  for (const statement of statementsOf(posix.join('build/src', file))) {
    const [, , name] = DECLARATION.exec(statement) ?? [];
    if (name !== undefined)
      memberLists.set(name, [...(memberLists.get(name) ?? []), ...membersOf(statement)]);
  }
}
const allMembers = new Set([...memberLists.values()].flat());

/** Returns the members that a declaration inherits: those need not stand on the page again. */
function inheritedBy(declaration: string): string[] {
  const [heritage] = declaration.split('{');
  const [, names = ''] = /(?:extends|implements) ([\s\S]*)/.exec(heritage!) ?? [];
  return [...names.matchAll(/\w+/g)].flatMap(([name]) => memberLists.get(name) ?? []);
}

const has = (text: string, word: string) =>
  new RegExp(`(?<![\\w$])${word.replace(/[.$?]/g, '\\$&')}(?![\\w$])`).test(text);

describe('docs/reference/api.md', () => {
  it('has a section for each subpath', () => {
    assert.deepEqual([...entries.keys()].sort(), entryPoints.map(({ name }) => name).sort());
  });

  for (const { name, exported } of entryPoints) {
    const section = entries.get(name) ?? new Map<string, string>();

    it(`has every export of ${name}, and no other`, async () => {
      assert.deepEqual([...section.keys()].sort(), [...exported.keys()].sort());
      const values = Object.keys((await import(name)) as object);
      assert.deepEqual(
        values.filter((value) => !exported.has(value)),
        [],
      );
    });

    it(`has the members, parameters and words of every export of ${name}`, () => {
      const missing: string[] = [];
      for (const [symbol, declarations] of exported) {
        assert.ok(declarations.length > 0, `${symbol} has no declaration`);
        const entry = section.get(symbol) ?? '';
        for (const declaration of declarations) {
          const words = /^(?:export )?(?:declare )?type \w+ =\s[^{(]*;/.test(declaration)
            ? [...declaration.matchAll(/'([^']+)'/g)].map(([, word]) => word!)
            : [];
          const inherited = inheritedBy(declaration);
          const members = membersOf(declaration).filter((member) => !inherited.includes(member));
          for (const word of [...members, ...parametersOf(declaration), ...words])
            if (!has(entry, word)) missing.push(`${symbol}: ${word}`);
        }
      }
      assert.deepEqual(missing, []);
    });

    it(`names no member that no declaration has, for ${name}`, () => {
      const nested = [...section.values()].flatMap((entry) => [...entry.matchAll(/^ {2}- `\[?([\w.]+)/gm)]);
      const members = nested.map(([, member]) => member!);
      assert.deepEqual(
        members.filter((member) => !allMembers.has(member)),
        [],
      );
    });
  }
});
