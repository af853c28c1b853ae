/** Costs of a client before it counts anything: time to load, and size on the disk. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Case, expectEqual, type Subject } from '../case.js';
import { PEERS_FOLDER } from '../peers.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Measures a process that does nothing else. */
function starting(folder: string, program: string): Subject {
  const start = () => {
    const begin = performance.now();
    const { status } = spawnSync(process.execPath, ['-e', program], { cwd: folder });
    expectEqual(`exit code of ${program}`, status ?? Number.NaN, 0);
    return performance.now() - begin;
  };
  return { check: () => void start(), run: start };
}

interface Manifest {
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function bytesBelow(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  const names = readdirSync(path).filter((name) => name !== 'node_modules' && name !== '.tsbuildinfo');
  return names.reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}

/** Returns the folders of a package and of everything that it depends on, each once. */
function installed(modules: string, name: string, found = new Set<string>()): Set<string> {
  const folder = join(modules, name);
  if (found.has(folder) || !existsSync(folder)) return found;
  found.add(folder);
  for (const dependency of Object.keys(manifestOf(folder).dependencies ?? {})) {
    installed(modules, dependency, found);
  }
  return found;
}

function weighing(weigh: () => number): Subject {
  const run = () => weigh() / 1000;
  return {
    check() {
      if (!(run() > 1)) throw new Error('the package is missing');
    },
    run,
  };
}

/** Returns the size of the published files; the folder of the repository contains more. */
function ourBytes(): number {
  const { files = [], dependencies = {} } = manifestOf(ROOT);
  const own = files.filter((file) => !file.startsWith('!')).map((file) => join(ROOT, file));
  const others = Object.keys(dependencies).flatMap((name) => [
    ...installed(join(ROOT, 'node_modules'), name),
  ]);
  return [...own, ...others].reduce((sum, path) => sum + bytesBelow(path), 0);
}

function theirBytes(name: string): number {
  return [...installed(join(PEERS_FOLDER, 'node_modules'), name)].reduce(
    (sum, path) => sum + bytesBelow(path),
    0,
  );
}

export const CASES: readonly Case[] = [
  {
    group: 'metrics',
    name: 'start of a process that loads the client',
    unit: 'ms',
    // Each run is a process.
    slow: true,
    ours: () => starting(ROOT, "import('metheus')"),
    theirs: (_client, _size, peer) => starting(PEERS_FOLDER, `require('${peer}')`),
    limit: () => starting(ROOT, '0'),
  },
  {
    group: 'metrics',
    name: 'size on the disk, with dependencies',
    unit: 'kB',
    slow: true,
    ours: () => weighing(ourBytes),
    theirs: (_client, _size, peer) => weighing(() => theirBytes(peer)),
  },
];
