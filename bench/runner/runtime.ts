/** Versions of Node for the benchmark. They are npm packages, and are installed into the build folder. */
import { execFileSync } from 'node:child_process';
import { UsageError } from '../options.js';

const SCRIPT = new URL('../../../scripts/runtime.mjs', import.meta.url).href;
const { runtimeOf: executableOf }: { runtimeOf(version: string): string } = await import(SCRIPT);

export interface Runtime {
  readonly executable: string;
  /** A version such as `24.21.0`. */
  readonly node: string;
  readonly v8: string;
}

/** The Node that runs the benchmark itself. */
export const THIS_RUNTIME: Runtime = {
  executable: process.execPath,
  node: process.versions.node,
  v8: process.versions.v8,
};

/**
 * Returns the newest release of a version such as `24`, or exactly `24.21.0`. Does not install the running
 * version.
 *
 * @throws UsageError when there is no such version
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
  try {
    return executableOf(version);
  } catch (error) {
    const reason = String((error as { stderr?: unknown }).stderr ?? error).trim();
    throw new UsageError(`--node ${version}: the installation failed: ${reason.split('\n')[0]}`);
  }
}
