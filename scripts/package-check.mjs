/**
 * Checks the package as it is published: its contents, its size, and that every subpath loads.
 *
 * Needs a build. Prints the numbers and all problems, with exit code 1 if there are any.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** Limit of `import * from 'metheus'`, minified and gzipped, in bytes. */
const MAX_BYTES = 23_800;
/** Limit of the installed package without its documentation, in bytes. It has no dependencies. */
const MAX_INSTALLED_BYTES = 1_000_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const problems = [];

/** The subpaths in package.json that are modules. */
const modules = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([subpath]) => manifest.name + subpath.slice(1));

await lint();
checkContents();
await checkSize();
checkImports();
checkRequire();

for (const problem of problems) console.error(`package-check: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;

async function lint() {
  const { messages, pkg } = await publint({ pkgDir: root, strict: true });
  for (const message of messages) problems.push(`publint: ${formatMessage(message, pkg)}`);
}

function checkContents() {
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) {
    problems.push(`npm pack failed: ${stderr}`);
    return;
  }
  const [{ files, size, unpackedSize }] = JSON.parse(stdout);
  const paths = new Set(files.map(({ path }) => path));
  console.log(`package: ${paths.size} files, ${kB(size)} packed, ${kB(unpackedSize)} unpacked`);

  const isDocument = (path) => /^(docs|examples)\/|\.md$/.test(path);
  for (const path of paths)
    if (!isDocument(path) && !/^(dist\/.*|package\.json|LICENSE)$/.test(path))
      problems.push(`${path} should not be packed`);
  const installed = files.reduce((sum, { path, size }) => sum + (isDocument(path) ? 0 : size), 0);
  console.log(`installed: ${kB(installed)} without documentation, of at most ${kB(MAX_INSTALLED_BYTES)}`);
  if (installed > MAX_INSTALLED_BYTES)
    problems.push(`the package has ${installed} bytes, of at most ${MAX_INSTALLED_BYTES}`);
  if (manifest.dependencies !== undefined) problems.push('a dependency is installed too: bundle it');
  checkLinks(paths);
  const named = JSON.stringify([manifest.main, manifest.types, manifest.exports]).matchAll(
    /"\.\/(dist[^"]+)"/g,
  );
  const wanted = ['README.md', 'LICENSE', 'CHANGELOG.md', ...[...named].map(([, file]) => file)];
  for (const path of wanted) if (!paths.has(path)) problems.push(`${path} is not packed`);
}

/** Checks that every relative link of a packed page leads to a packed file or folder. */
function checkLinks(paths) {
  const folders = new Set();
  for (const path of paths)
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder);
  for (const page of [...paths].filter((path) => path.endsWith('.md'))) {
    const markdown = readFileSync(join(root, page), 'utf8').replaceAll(/^```.*?^```$/gms, '');
    for (const [, target] of markdown.matchAll(/\]\(([^)\s#:]+)(?:#[^)]*)?\)/g)) {
      const path = join(dirname(page), target).replace(/\/$/, '');
      if (!paths.has(path) && !folders.has(path))
        problems.push(`${page} links to ${target}, which is not packed`);
    }
  }
}

/** Checks the size of `import 'metheus'`, without modules that are imported on demand. */
async function checkSize() {
  const lazy = {
    name: 'lazy',
    setup({ onResolve }) {
      onResolve({ filter: /./ }, ({ kind, path }) =>
        kind === 'dynamic-import' ? { path, external: true } : undefined,
      );
    },
  };
  const { outputFiles, metafile } = await build({
    stdin: { contents: "export * from './dist/esm/index.js';", resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    plugins: [lazy],
    write: false,
    metafile: true,
  });
  const [{ contents }] = outputFiles;
  const zipped = gzipSync(contents, { level: 9 }).length;
  console.log(`size: ${kB(contents.length)} minified, ${kB(zipped)} gzipped, of at most ${kB(MAX_BYTES)}`);
  if (zipped >= MAX_BYTES)
    problems.push(`import '${manifest.name}' is ${zipped} bytes, of at most ${MAX_BYTES}`);
  for (const { path, kind } of Object.values(metafile.outputs).flatMap(({ imports }) => imports)) {
    if (kind === 'dynamic-import' || path.startsWith('node:')) continue;
    problems.push(`import '${manifest.name}' needs '${path}'`);
  }
}

/** Imports each subpath in its own process, so that none depends on another. */
function checkImports() {
  for (const name of modules) {
    const program = `const all = await import('${name}'); if (Object.keys(all).length === 0) throw new Error('empty')`;
    run(['--input-type=module', '-e', program], `import('${name}')`);
  }
  console.log(`imports: ${modules.join(', ')}`);
}

function checkRequire() {
  for (const name of modules)
    run(['--input-type=commonjs', '-e', `require('${name}')`], `require('${name}')`);
}

function run(args, what) {
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) problems.push(`${what} fails:\n${stderr}`);
}

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
