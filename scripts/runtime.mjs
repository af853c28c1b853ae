/**
 * Versions of Node for tests and benchmarks, and other runtimes for tests. They are npm packages, and are installed
 * into the build folder.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../build/runtimes/', import.meta.url));

/** Returns the executable of a version such as `24` or `24.21.0`, and installs it first if necessary. */
export function runtimeOf(version) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const prefix = join(FOLDER, version);
  const executable = join(prefix, 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node');
  if (!existsSync(executable)) install(`${name}@${version}`, prefix);
  return executable;
}

/** The other runtimes, and the oldest compiler that is supported, with their versions. */
const OTHERS = { deno: '2.9.6', bun: '1.4.5', typescript: '5.0.4' };

/** Installs Deno, Bun and the oldest TypeScript. Returns the names of those that cannot be installed. */
export function installOthers() {
  return Object.entries(OTHERS).flatMap(([name, version]) => {
    const prefix = join(FOLDER, name);
    try {
      if (!existsSync(join(prefix, 'node_modules', name))) install(`${name}@${version}`, prefix);
      return [];
    } catch {
      return [name];
    }
  });
}

function install(spec, prefix) {
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', prefix];
  execFileSync('npm', [...args, spec], { stdio: 'pipe' });
}
