/** Versions of Node to run the bench with. Others come as npm packages, and are installed into the build folder. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './options.js';

const FOLDER = fileURLToPath(new URL('../bench-runtimes/', import.meta.url));

export interface Runtime {
  readonly executable: string;
  /** Such as `24.21.0`. */
  readonly node: string;
  readonly v8: string;
}

/** The one that runs the bench itself. */
export const THIS_RUNTIME: Runtime = {
  executable: process.execPath,
  node: process.versions.node,
  v8: process.versions.v8,
};

/**
 * The newest of a version such as `24`, or just `24.21.0`. The one that runs already is not installed again.
 *
 * @throws UsageError when there is none
 */
export function runtimeOf(version: string): Runtime {
  if (`${THIS_RUNTIME.node}.`.startsWith(`${version}.`)) return THIS_RUNTIME;
  const executable = installed(version);
  const { node, v8 } = JSON.parse(
    execFileSync(executable, ['-p', 'JSON.stringify(process.versions)'], { encoding: 'utf8' }),
  );
  return { executable, node, v8 };
}

function installed(version: string): string {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const prefix = join(FOLDER, version);
  const executable = join(prefix, 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node');
  if (existsSync(executable)) return executable;
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', prefix];
  try {
    execFileSync('npm', [...args, `${name}@${version}`], { stdio: 'pipe' });
  } catch (error) {
    const reason = String((error as { stderr?: unknown }).stderr ?? error).trim();
    throw new UsageError(`--node ${version}: ${name} cannot be installed: ${reason.split('\n')[0]}`);
  }
  return executable;
}
