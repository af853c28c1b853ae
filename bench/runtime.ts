/** Other versions of Node to run the bench with. They come as npm packages, and are installed into the build folder. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../bench-runtimes/', import.meta.url));

/** The executable of a version, such as `24` or `24.21.0`. */
function runtimeOf(version: string): string {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const prefix = join(FOLDER, version);
  const executable = join(prefix, 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node');
  if (!existsSync(executable)) {
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', prefix];
    execFileSync('npm', [...args, `${name}@${version}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return executable;
}

/** Runs the same command with another version. Returns its exit code. */
export function runWith(version: string, args: readonly string[]): number {
  const { status } = spawnSync(runtimeOf(version), [process.argv[1]!, ...args], { stdio: 'inherit' });
  return status ?? 1;
}
