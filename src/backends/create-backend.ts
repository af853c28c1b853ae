/** Choosing the class and the configuration of a backend, by code or by environment variables. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MetheusError, show } from '../errors.js';
import type { Backend, BackendClass } from './backend.js';
import { SingleProcessBackend } from './memory.js';

/** The names that `METHEUS_BACKEND_CLASS` accepts, with functions that import their classes. */
const BUILT_IN: Readonly<Record<string, () => Promise<BackendClass>>> = {
  single: async () => SingleProcessBackend,
  file: async () => (await import('./file/index.js')).MultiProcessFileBackend as BackendClass,
  redis: async () => (await import('./redis/index.js')).MultiProcessRedisBackend as BackendClass,
};

const METHODS = ['reserve', 'release', 'snapshot', 'flush', 'close'] as const;

/**
 * Creates a backend that is not open yet.
 *
 * @param given - by default the class that the environment names
 * @param givenConfig - by default the configuration of the environment
 * @throws the errors of `loadBackend`
 */
export async function createBackend(
  given: BackendClass | undefined,
  givenConfig: object | undefined,
): Promise<Backend> {
  const Class = given ?? (await classFromEnvironment());
  const config = givenConfig ?? configFromEnvironment();
  // Functions without a prototype, such as arrow functions, are not constructors.
  if (typeof Class !== 'function' || Class.prototype === undefined) {
    throw new MetheusError('METHEUS_INVALID_BACKEND', { given: show(Class), expected: 'a backend class' });
  }
  const backend = config === undefined ? new Class() : new Class(config as Record<string, unknown>);
  const absent = METHODS.filter((method) => typeof backend[method] !== 'function');
  if (absent.length > 0) {
    throw new MetheusError('METHEUS_INVALID_BACKEND', {
      given: `class '${Class.name}' without ${absent.map((method) => `${method}()`).join(', ')}`,
      expected: 'a class that implements Backend',
    });
  }
  return backend;
}

async function classFromEnvironment(): Promise<BackendClass> {
  const name = process.env.METHEUS_BACKEND_CLASS ?? 'single';
  if (Object.hasOwn(BUILT_IN, name)) return BUILT_IN[name]!();
  const hash = name.lastIndexOf('#');
  if (hash > 0) return importClass(name.slice(0, hash), name.slice(hash + 1));
  throw unknownBackend(name);
}

/**
 * Resolves a module as `require` does in the program's working directory. A package without a `require` export is
 * resolved as an `import` of this module is.
 */
function resolveModule(specifier: string): string {
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'noop.js')).resolve(specifier)).href;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return specifier;
    throw error;
  }
}

async function importClass(specifier: string, exported: string): Promise<BackendClass> {
  let module: Record<string, unknown>;
  try {
    module = await import(resolveModule(specifier));
  } catch (cause) {
    throw unknownBackend(`${specifier}#${exported}`, cause);
  }
  if (typeof module[exported] !== 'function') throw unknownBackend(`${specifier}#${exported}`);
  return module[exported] as BackendClass;
}

function unknownBackend(name: string, cause?: unknown): MetheusError {
  const names = Object.keys(BUILT_IN).map((known) => `'${known}'`);
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new MetheusError('METHEUS_UNKNOWN_BACKEND', {
    given: `METHEUS_BACKEND_CLASS=${show(name)}${why}`,
    expected: `${names.join(', ')} or 'module#ExportedClass'`,
    cause,
  });
}

function configFromEnvironment(): object | undefined {
  const given = process.env.METHEUS_BACKEND_CONFIG;
  if (given === undefined) return undefined;
  const isInline = given.trimStart().startsWith('{');
  const text = isInline ? given : readConfig(given);
  let cause: unknown;
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config;
  } catch (error) {
    cause = error;
  }
  // The error never contains the text of the configuration, which may include a password.
  throw new MetheusError('METHEUS_BACKEND_CONFIG_INVALID', {
    given: isInline ? 'JSON in METHEUS_BACKEND_CONFIG that does not parse' : `the file ${show(given)}`,
    expected: 'one JSON object',
    cause,
  });
}

function readConfig(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new MetheusError('METHEUS_BACKEND_CONFIG_UNREADABLE', {
      given: `METHEUS_BACKEND_CONFIG=${show(path)} (${(cause as Error).message})`,
      expected: 'the path of a JSON file, or a JSON object itself',
      cause,
    });
  }
}
