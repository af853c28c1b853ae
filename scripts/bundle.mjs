/**
 * Makes the published package from the compiled sources: `build/src` → `dist`, after `tsc -p tsconfig.build.json`.
 *
 * | folder | content | loaded by |
 * | --- | --- | --- |
 * | `dist/cjs` | CommonJS, and all declarations | Node.js, by `require` and through `dist/*.js` by `import` |
 * | `dist/esm` | ES modules | bundlers, by the condition `module` |
 * | `dist/*.js` | ES modules that export what the CommonJS file exports | Node.js, by `import` |
 *
 * So a program has one copy of the package, whether it imports or requires it. The subpaths are those of `paths` in
 * `tsconfig.base.json`, by which tests and examples load `build/src` instead: a manifest in `build` does the same for
 * the compiled ones.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';
import { dts } from 'rolldown-plugin-dts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readJson = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));
const { name: NAME, version, type, license, peerDependencies } = readJson('package.json');
/** The subpaths, and their compiled files without endings. */
const entries = Object.entries(readJson('tsconfig.base.json').compilerOptions.paths)
  .filter(([specifier]) => specifier.split('/')[0] === NAME)
  .map(([specifier, [file]]) => ({ specifier, path: file.replace(/\.d\.ts$/, '') }));
/** The published files, named after their subpaths, and the compiled files that they are made from. */
const input = (ending) =>
  Object.fromEntries(
    entries.map(({ specifier, path }) => [
      specifier === NAME ? 'index' : specifier.slice(NAME.length + 1),
      join(root, path + ending),
    ]),
  );
/**
 * Files by the modules in them. `core` is all that `import 'metheus'` needs at once. The others are loaded when a program
 * first uses them, which only CommonJS can do where the source has an `import` declaration.
 */
const core = { name: 'core', test: /src\/index\.js$/, priority: 0 };
const groups = [
  ['native', /src\/(metrics|model)\/native\//],
  ['exporter', /src\/(exporter|exposition)\/(?!formats|parse|text|protobuf)/],
  ['publish', /src\/progress\/(publish\/|proxy-server)/],
  ['remote', /src\/progress\/remote\/(?!connect)/],
  // Without the entry point, whose last statement may need the others.
  ['bars', /src\/progress\/(?!publish|proxy-server|remote\/(?!connect)|index)/],
].map(([name, test]) => ({ name, test, priority: 1, includeDependenciesRecursively: false }));
/** Optional packages are loaded at run time. All others are bundled. */
const external = [/^node:/, ...Object.keys(peerDependencies).map((name) => new RegExp(`^${name}(/|$)`))];

/** The published files by their paths in `dist`. */
const files = new Map();

const ENTRY = 'entry:';

/** Makes a file for each subpath that only exports, so that chunks do not import from it. */
const entryFiles = {
  name: 'entry-files',
  resolveId: (id) => (id.startsWith(ENTRY) ? id : undefined),
  load: (id) =>
    id.startsWith(ENTRY)
      ? `export * from ${JSON.stringify(input('.js')[id.slice(ENTRY.length)])};`
      : undefined,
};

/**
 * Makes a CommonJS file load modules of Node.js and other files of the package at their first use, and optional packages by `require`, which also works
 * where `import()` does not, such as in Jest.
 */
const lazyRequires = {
  name: 'lazy-requires',
  renderChunk(code) {
    const names = [];
    const changed = code
      .replaceAll(/^(?:let|const) (\w+) = require\("((?:node:|\.)[^"]+)"\);$/gm, (line, name, id) => {
        if (id.endsWith('/core.cjs')) return line;
        names.push(name);
        return `let loaded_${name};\nconst ${name} = { get it() { return (loaded_${name} ??= require("${id}")); } };`;
      })
      .replaceAll(/\bimport\(("[^"]+")\)/g, 'Promise.resolve().then(() => require($1))')
      .replaceAll(
        /^Object\.defineProperty\(exports, "(\w+)", \{\s+enumerable: true,\s+get: function \(\) \{\s+return (\w+);\s+\}\s+\}\);$/gm,
        'exports.$1 = $2;',
      );
    return names.reduce(
      (text, name) => text.replaceAll(new RegExp(`\\b${name}\\.`, 'g'), `${name}.it.`),
      changed,
    );
  },
};

/** Begins a line with each statement and class member, so that stack traces and printed source lines tell where. */
function breakLines(code) {
  const starts = new Set();
  const visit = (node) => {
    if (Array.isArray(node.body)) for (const { start } of node.body) starts.add(start);
    for (const child of Object.values(node)) if (typeof child === 'object' && child !== null) visit(child);
  };
  visit(parseAst(code));
  const ends = [...starts].sort((a, b) => a - b);
  return ends
    .map((end, i) => code.slice(ends[i - 1] ?? 0, end))
    .concat(code.slice(ends.at(-1)))
    .join('\n');
}

async function bundle({ format, ending, plugins }) {
  const build = await rolldown({
    input: Object.fromEntries(Object.keys(input('.js')).map((name) => [name, ENTRY + name])),
    platform: 'node',
    external,
    preserveEntrySignatures: 'allow-extension',
    plugins: [entryFiles, ...plugins],
  });
  const { output } = await build.generate({
    format,
    entryFileNames: `${format}/[name]${ending}`,
    chunkFileNames: `${format}/chunks/[name]${ending}`,
    codeSplitting: { groups: format === 'cjs' ? [core, ...groups] : [core] },
    minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: true } },
    comments: { legal: false, annotation: true, jsdoc: false },
  });
  for (const { fileName, code } of output) files.set(fileName, format === 'cjs' ? breakLines(code) : code);
  return output;
}

/** Bundles the declarations, once for both formats: a file for `import` re-exports the one for `require`. */
async function bundleTypes() {
  const plugins = [dts({ dtsInput: true, emitDtsOnly: true, tsconfig: false, sourcemap: false })];
  const build = await rolldown({ input: input('.d.ts'), external, plugins });
  const { output } = await build.generate({ chunkFileNames: 'chunks/[name].d.ts' });
  for (const { fileName, code } of output) {
    const text = code.replaceAll(/^\/\/ .*\.d\.ts\n/gm, '').replaceAll(/(from "\.[^"]*)\.js"/g, '$1.cjs"');
    files.set(`cjs/${fileName.replace(/\.d\.ts$/, '.d.cts')}`, text);
  }
}

/** Makes the files for `import`. They also work when they are bundled, if the package is installed beside the bundle. */
function addImports(output) {
  for (const { name, isEntry, exports } of output) {
    if (!isEntry) continue;
    const specifier = name === 'index' ? NAME : `${NAME}/${name}`;
    const up = name.replace(/[^/]*$/, '').replaceAll(/[^/]+\//g, '../') || './';
    files.set(
      `${name}.js`,
      `import { createRequire } from 'node:module';\n` +
        `export const { ${exports.toSorted().join(', ')} } = createRequire(import.meta.url)('${specifier}');\n`,
    );
    files.set(`${name}.d.ts`, `export * from '${up}cjs/${name}.cjs';\n`);
  }
}

/** Writes the files of a folder that have changed, and removes all others. */
function writeFolder(folder, files) {
  for (const path of existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
    : []) {
    const file = join(path.parentPath, path.name);
    if (path.isFile() && !files.has(file.slice(folder.length + 1))) rmSync(file);
  }
  for (const [path, text] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  }
}

/** The license of the one package that is bundled. */
function addLicense(name) {
  const folder = dirname(createRequire(import.meta.url).resolve(name));
  files.set(`${name}.license.txt`, readFileSync(join(folder, 'license'), 'utf8'));
}

const [, common] = await Promise.all([
  bundle({ format: 'esm', ending: '.js', plugins: [] }),
  bundle({ format: 'cjs', ending: '.cjs', plugins: [lazyRequires] }),
  bundleTypes(),
]);
addImports(common);
addLicense('get-east-asian-width');
writeFolder(join(root, 'dist'), files);

const exports = entries.map(({ specifier, path }) => [
  specifier.replace(NAME, '.'),
  `${path.replace('./build/', './')}.js`,
]);
const manifest = {
  name: NAME,
  version,
  type,
  license,
  exports: Object.fromEntries([...exports, ['./package.json', './package.json']]),
  imports: { '#metheus/*': './src/*' },
};
mkdirSync(join(root, 'build'), { recursive: true });
writeFileSync(join(root, 'build', 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
