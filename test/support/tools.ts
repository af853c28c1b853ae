/**
 * Programs that tests use besides Node: validators and servers of other projects, so that the tests do not
 * rely on this package to check itself.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Debian's Python, for which the Debian packages are installed. */
export const PYTHON = '/usr/bin/python3';

const DEBIAN_PACKAGES = {
  prometheus: 'prometheus',
  promtool: 'prometheus',
  'prometheus-node-exporter': 'prometheus-node-exporter',
  'prometheus-pushgateway': 'prometheus-pushgateway',
  'python3 with prometheus_client': 'python3-prometheus-client',
  'python3 with tqdm': 'python3-tqdm',
  'redis-server': 'redis-server',
  openssl: 'openssl',
  strace: 'strace',
} as const;

export type Tool = keyof typeof DEBIAN_PACKAGES;

/**
 * Returns the `skip` option of a test: `false` if the tool is installed, otherwise a line that names it. With
 * `CI=true`, where nothing may be skipped, a missing tool is an error.
 */
export function requireTool(tool: Tool): false | string {
  if (isThere(tool)) return false;
  const line = `${tool} is missing: \`npm run setup\` installs it (Debian package ${DEBIAN_PACKAGES[tool]})`;
  if (process.env.CI === 'true') throw new Error(line);
  return line;
}

/** The module that shows whether a Python package is installed. */
const PYTHON_MODULES: Partial<Record<Tool, string>> = {
  'python3 with prometheus_client': 'prometheus_client.parser',
  'python3 with tqdm': 'tqdm',
};

export type Runtime = 'deno' | 'bun' | 'typescript';

/** Returns the executable of another runtime, or of the oldest supported TypeScript, which `npm run setup` installs. */
export function runtimePath(name: Runtime): string {
  const command = name === 'typescript' ? 'tsc' : name;
  return fileURLToPath(new URL(`../../runtimes/${name}/node_modules/.bin/${command}`, import.meta.url));
}

/** Does the same as {@link requireTool} for a runtime. */
export function requireRuntime(name: Runtime): false | string {
  if (spawnSync(runtimePath(name), ['--version']).status === 0) return false;
  const line = `${name} is missing: \`npm run setup\` installs it (npm package ${name})`;
  if (process.env.CI === 'true') throw new Error(line);
  return line;
}

function isThere(tool: Tool): boolean {
  const module = PYTHON_MODULES[tool];
  if (module !== undefined) return spawnSync(PYTHON, ['-c', `import ${module}`]).status === 0;
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
