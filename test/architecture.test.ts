/** What DESIGN says about the house: ranks of rooms, no circles, doors that exist, codes that are documented. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { transformSync } from 'esbuild';
import { ERROR_CODES } from '#metheus/errors.js';

/** A file imports only from rooms of lower ranks, or from its own. */
const RANKS: Readonly<Record<string, number>> = {
  errors: 0,
  system: 0,
  model: 1,
  backends: 2,
  exposition: 2,
  metrics: 3,
  registry: 3,
  exporter: 4,
  progress: 5,
  push: 5,
  instrumentation: 6,
  compat: 6,
  cli: 7,
  index: 8,
};

/** The files below a folder, by their path from there, with what they say. */
function read(folder: string, ending: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith(ending) && !name.endsWith(`.d${ending}`));
  return new Map(names.sort().map((name) => [name, readFileSync(posix.join(folder, name), 'utf8')]));
}

const STATIC = /^(?:import|export)\s(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;

/** Without comments: an example in one may import what it likes. */
const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

/** What a file imports, types too. Files of ours by their path, others by their name. */
function importsOf(file: string, code: string, patterns: readonly RegExp[]): string[] {
  const bare = withoutComments(code);
  return patterns
    .flatMap((pattern) => [...bare.matchAll(pattern)].map(([, specifier]) => specifier!))
    .map((specifier) => (specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier));
}

const sources = read('src', '.ts');
/** Each file and the files of ours that it imports. */
const graph = new Map(
  [...sources].map(([file, code]) => {
    const all = importsOf(file, code, [STATIC, DYNAMIC]).map((path) => path.replace(/\.js$/, '.ts'));
    return [file, all.filter((path) => path.endsWith('.ts'))];
  }),
);

const roomOf = (file: string) => file.split('/')[0]!.replace(/\.ts$/, '');

describe('rooms', () => {
  it('are known, every file in one', () => {
    const unknown = [...sources.keys()].filter((file) => RANKS[roomOf(file)] === undefined);
    assert.deepEqual(unknown, []);
    assert.ok(sources.size > 30);
  });

  it('import what is there', () => {
    const missing = [...graph].flatMap(([file, imported]) =>
      imported.filter((path) => !sources.has(path)).map((path) => `${file} → ${path}`),
    );
    assert.deepEqual(missing, []);
  });

  it('import only lower ranks or themselves; rooms of one rank never meet', () => {
    const wrong = [...graph].flatMap(([file, imported]) => {
      const room = roomOf(file);
      const above = (path: string) => roomOf(path) !== room && RANKS[roomOf(path)]! >= RANKS[room]!;
      return imported.filter(above).map((path) => `${file} → ${path}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('have no import circles, those of types included', () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const imported of graph.get(file) ?? []) visit(imported, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    assert.deepEqual(circles, []);
  });
});

describe('every file', () => {
  it('has no default export', () => {
    const wrong = [...sources].filter(([, code]) =>
      /\bexport\s+default\b|\bas\s+default\b/.test(withoutComments(code)),
    );
    assert.deepEqual(
      wrong.map(([file]) => file),
      [],
    );
  });

  it('has no await at its top level, so that require() works', () => {
    // The only thing that a module may have and this format may not.
    for (const [file, code] of sources)
      transformSync(code, { loader: 'ts', format: 'cjs', sourcefile: file });
    assert.throws(() =>
      transformSync('await 1; export {};', { loader: 'ts', format: 'cjs', logLevel: 'silent' }),
    );
  });
});

describe("import 'metheus'", () => {
  const built = read('dist', '.js');
  const reached = new Set<string>();
  const others = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const path of importsOf(file, built.get(file)!, [STATIC])) {
      if (built.has(path)) visit(path);
      else others.add(path);
    }
  };
  visit('index.js');

  it('reaches nothing but Node itself', () => {
    assert.deepEqual(
      [...others].filter((name) => !name.startsWith('node:')),
      [],
    );
    assert.ok(reached.size > 20);
  });

  it('reaches only the rooms that every program needs', () => {
    const rooms = new Set([...reached].map((file) => file.split('/').slice(0, -1).join('/')));
    assert.deepEqual([...rooms].sort(), [
      '',
      'backends',
      'backends/threads',
      'exposition',
      'metrics',
      'metrics/native',
      'model',
      'model/native',
      'registry',
      'system',
    ]);
  });
});

describe('package.json', () => {
  const { exports, imports, dependencies, files, types } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  ) as {
    exports: Record<string, string>;
    imports: Record<string, string>;
    dependencies?: Record<string, string>;
    files: string[];
    types?: string;
  };

  it('names files that exist, with their declarations', () => {
    for (const [subpath, file] of Object.entries(exports)) {
      assert.ok(existsSync(file), `${subpath}: ${file}`);
      if (file.endsWith('.js')) assert.ok(existsSync(file.replace(/\.js$/, '.d.ts')), `${subpath}: no .d.ts`);
    }
    if (types !== undefined) assert.ok(existsSync(types));
    assert.deepEqual(imports, { '#metheus/*': './dist/*' });
    assert.ok(files.includes('dist'));
  });

  it('has a subpath for each door', () => {
    const doors = [...sources.keys()].filter((file) => posix.basename(file) === 'index.ts');
    const named = Object.values(exports).map((file) => file.replace('./dist/', '').replace(/\.js$/, '.ts'));
    assert.deepEqual(
      doors.filter((door) => !named.includes(door)),
      [],
    );
  });

  it('names every package that is imported', () => {
    const { peerDependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    ) as Record<string, Record<string, string>>;
    const known = { ...dependencies, ...peerDependencies, ...optionalDependencies };
    const imported = [...sources].flatMap(([file, code]) => importsOf(file, code, [STATIC, DYNAMIC]));
    const packages = imported.filter((name) => !name.endsWith('.js') && !name.startsWith('node:'));
    assert.deepEqual(
      packages.filter((name) => !(packageOf(name) in known)),
      [],
    );
  });
});

/** The package that an import comes from, whichever of its subpaths that is. */
function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

describe('error codes', () => {
  const rows = readFileSync('docs/reference/errors.md', 'utf8').matchAll(
    /^\| `(METHEUS_\w+)` \| (.+) \| (.+) \|$/gm,
  );
  const documented = [...rows].map(([, code, meaning, todo]) => ({
    code: code!,
    meaning: meaning!,
    todo: todo!,
  }));

  it('are all documented, each once, and no others are', () => {
    assert.deepEqual(documented.map(({ code }) => code).sort(), [...ERROR_CODES].sort());
    for (const { code, meaning, todo } of documented) {
      assert.ok(meaning.trim().length > 10 && todo.trim().length > 10, code);
    }
  });

  it('are each thrown somewhere', () => {
    const all = [...sources.values()].join('\n');
    assert.deepEqual(
      ERROR_CODES.filter((code) => !all.includes(`'${code}'`)),
      [],
    );
  });
});
