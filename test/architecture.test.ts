/** The structure that `docs/architecture.md` describes: ranks of rooms, no import circles, sizes of files, doors, codes. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { transformSync } from 'esbuild';
import { ERROR_CODES } from '#metheus/errors.js';
import {
  circlesOf,
  ENTRY_POINTS,
  graphOf,
  importsOf,
  importsUpwards,
  pathOf,
  type Room,
  readFiles,
  roomsBelow,
  withoutComments,
} from './support/source-tree.js';

const MAX_LINES = 300;
/** A file with fewer lines has to have more than one importer. */
const MIN_LINES = 40;
const SMALL_FILES = [
  // Checks untrusted text of records, apart from the code that reads bytes.
  'backends/file/record-content.ts',
];

const sources = readFiles('src');
const graph = graphOf(sources);
const rooms = roomsBelow('## Rooms');
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, unknown>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies: Record<string, string>;
  files: string[];
};
/** The source files of the subpaths. */
const doors = ENTRY_POINTS.map(({ source }) => source);

/** Asserts that each file has a room, each room a file, and that no import leads to an equal or higher rank. */
function assertRanks(files: readonly string[], rooms: readonly Room[], imports = graph): void {
  const homeless = files.filter((file) => pathOf(file, rooms) === undefined);
  assert.deepEqual(homeless, [], 'files without a room');
  const inhabited = new Set(files.map((file) => pathOf(file, rooms)));
  const empty = rooms.flatMap(({ paths }) => paths).filter((path) => !inhabited.has(path));
  assert.deepEqual(empty, [], 'rooms without a file');
  assert.deepEqual(importsUpwards(imports, rooms), []);
}

describe('rooms of src', () => {
  it('contain every file, and import only lower ranks', () => {
    assertRanks([...sources.keys()], rooms);
    assert.ok(sources.size > 30);
  });

  for (const room of ['progress', 'backends']) {
    it(`contain every file of ${room}, and import only lower ranks there`, () => {
      const files = [...sources.keys()].filter((file) => file.startsWith(`${room}/`));
      assertRanks(files, roomsBelow(`### Rooms of \`${room}\``));
    });
  }

  it('import files that exist', () => {
    const missing = [...sources].flatMap(([file, code]) =>
      importsOf(file, code)
        .filter((path) => path.endsWith('.js') && !sources.has(path.replace(/\.js$/, '.ts')))
        .map((path) => `${file} → ${path}`),
    );
    assert.deepEqual(missing, []);
  });

  it('have no import circles, types included', () => assert.deepEqual(circlesOf(graph), []));
});

describe('rooms of bench', () => {
  const files = readFiles('bench');

  it('contain every file, and import only lower ranks', () =>
    assertRanks([...files.keys()], roomsBelow('### Rooms of `bench`'), graphOf(files)));

  it('have no import circles, types included', () => assert.deepEqual(circlesOf(graphOf(files)), []));
});

describe('rooms of test', () => {
  const files = readFiles('test');
  const imports = graphOf(files);
  const roomOfTest = (file: string) => (file.includes('/') ? file.split('/')[0]! : '');

  it('import support, and no other room', () => {
    const wrong = [...imports].flatMap(([file, imported]) => {
      const own = roomOfTest(file);
      if (own === '') return [];
      return imported
        .filter((path) => roomOfTest(path) !== own && (own === 'support' || roomOfTest(path) !== 'support'))
        .map((path) => `${file} → ${path}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('have no import circles, types included', () => assert.deepEqual(circlesOf(imports), []));

  it('import files of src that exist, whatever an earlier build has left behind', () => {
    const missing = [...files].flatMap(([file, code]) =>
      importsOf(file, code)
        .filter((path) => path.startsWith('#metheus/'))
        .filter((path) => !sources.has(path.slice('#metheus/'.length).replace(/\.js$/, '.ts')))
        .map((path) => `${file} → ${path}`),
    );
    assert.deepEqual(missing, []);
  });

  it('are named after rooms of src, but for those of no single room', () => {
    const known = new Set(rooms.flatMap(({ paths }) => paths).map((path) => path.replace(/\/$/, '')));
    const others = ['examples', 'guards', 'scripts', 'support', 'types', 'ways'];
    const unknown = [...files.keys()].map(roomOfTest).filter((room) => room !== '' && !known.has(room));
    assert.deepEqual(
      [...new Set(unknown)].filter((room) => !others.includes(room)),
      [],
    );
  });
});

describe('every file', () => {
  const linesOf = (code: string) => code.trimEnd().split('\n').length;

  it(`has at most ${MAX_LINES} lines`, () => {
    const long = [...sources].map(([file, code]) => `${file}: ${linesOf(code)}`);
    assert.deepEqual(
      long.filter((entry) => Number(entry.split(': ')[1]) > MAX_LINES),
      [],
    );
  });

  it(`has more than one importer, a subpath, or at least ${MIN_LINES} lines`, () => {
    const small = [...sources].filter(
      ([file, code]) => linesOf(code) < MIN_LINES && !doors.includes(file) && !SMALL_FILES.includes(file),
    );
    const importersOf = (file: string) => [...graph].filter(([, imported]) => imported.includes(file));
    const wrong = small.filter(([file]) => importersOf(file).length < 2);
    assert.deepEqual(
      wrong.map(([file, code]) => `${file}: ${linesOf(code)}`),
      [],
    );
  });

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
    // CommonJS differs from ES modules in this respect only.
    for (const [file, code] of sources)
      transformSync(code, { loader: 'ts', format: 'cjs', sourcefile: file });
    assert.throws(() =>
      transformSync('await 1; export {};', { loader: 'ts', format: 'cjs', logLevel: 'silent' }),
    );
  });
});

describe("import 'metheus'", () => {
  const built = readFiles('build/src', '.js');
  const reached = new Set<string>();
  const others = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const path of importsOf(file, built.get(file)!, false)) {
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
  const { exports, files } = manifest;

  it('names files that exist, with their declarations', () => {
    const named = JSON.stringify(manifest).match(/\.\/dist\/[^"*]+(?=")/g) ?? [];
    assert.ok(named.length > 40);
    assert.deepEqual(
      named.filter((file) => !existsSync(file)),
      [],
    );
    const subpaths = ENTRY_POINTS.map(({ name }) => name.replace('metheus', '.'));
    assert.deepEqual(Object.keys(exports).sort(), [...subpaths, './package.json'].sort());
    assert.ok(files.includes('dist'));
  });

  it('has a subpath for each door', () => {
    const indexes = [...sources.keys()].filter((file) => posix.basename(file) === 'index.ts');
    assert.deepEqual(
      indexes.filter((file) => !doors.includes(file)),
      [],
    );
  });

  it('names every package that is imported', () => {
    const { dependencies, devDependencies, peerDependencies, optionalDependencies } = manifest;
    // A development dependency is bundled.
    const known = { ...dependencies, ...devDependencies, ...peerDependencies, ...optionalDependencies };
    const imported = [...sources].flatMap(([file, code]) => importsOf(file, code));
    const packages = imported.filter((name) => !name.endsWith('.js') && !name.startsWith('node:'));
    assert.deepEqual(
      packages.filter((name) => !(packageOf(name) in known)),
      [],
    );
  });
});

/** Returns the package of an import specifier, which may be one of its subpaths. */
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

  it('are documented, each once, and no others are', () => {
    assert.deepEqual(documented.map(({ code }) => code).sort(), [...ERROR_CODES].sort());
    for (const { code, meaning, todo } of documented) {
      assert.ok(meaning.trim().length > 10 && todo.trim().length > 10, code);
    }
  });

  it('are each thrown in src', () => {
    const all = [...sources.values()].join('\n');
    assert.deepEqual(
      ERROR_CODES.filter((code) => !all.includes(`'${code}'`)),
      [],
    );
  });
});
