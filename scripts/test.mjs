/**
 * Runs the compiled tests with the runner of Node: `node scripts/test.mjs [--node VERSION] [part of a path]…`.
 *
 * The files are listed here, since Node 20 does not support patterns. Compiled files without a source are
 * left out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runtimeOf } from './runtime.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: given, positionals: wanted } = parseArgs({
  options: { node: { type: 'string' } },
  allowPositionals: true,
});

// Programs of tests in other folders use the published files, which have to be as new as the compiled ones.
const madeAt = (file) => statSync(join(root, 'build', file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (madeAt('package.json') < madeAt('src/index.js')) await import('./bundle.mjs');

const built = join(root, 'build', 'test');
const files = (existsSync(built) ? readdirSync(built, { recursive: true }) : [])
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => existsSync(join(root, 'test', file.replace(/\.js$/, '.ts'))))
  .filter((file) => wanted.every((part) => file.includes(part)))
  .map((file) => join('build', 'test', file))
  .sort();

if (files.length === 0) {
  console.error('test: no test file was found in build/test; `npm test` builds them');
  process.exit(1);
}

// At least two at a time, since many tests wait for other processes. Each file runs in its own process.
const concurrency = Math.max(2, availableParallelism() - 1);
const options = ['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`];
const node = given.node === undefined ? process.execPath : runtimeOf(given.node);
// Child processes that run `node` get the same version.
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
const { status } = spawnSync(node, [...options, ...files], { cwd: root, env, stdio: 'inherit' });
process.exit(status ?? 1);
