/** Choosing the class and the configuration of a backend, by code or by environment variables. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MetheusError, show } from '../errors.js';
import { checkOptionNames } from '../model/options.js';
import { requireFrom } from '../system/require-optional.js';
import type { Backend, BackendChoice, BackendClass } from './backend.js';
import { SingleProcessBackend } from './memory.js';

/** A backend of this package. Its module is imported when it is loaded. */
interface BuiltIn {
  readonly module: string;
  readonly className: string;
  readonly load: () => Promise<BackendClass<never>>;
}

/** The built-in backends by their short names. `METHEUS_BACKEND_CLASS` also accepts their classes. */
const BUILT_IN: Readonly<Record<string, BuiltIn>> = {
  single: {
    module: 'metheus',
    className: 'SingleProcessBackend',
    load: async () => SingleProcessBackend,
  },
  file: {
    module: 'metheus/backends/file',
    className: 'MultiProcessFileBackend',
    load: async () => (await import('./file/index.js')).MultiProcessFileBackend,
  },
  redis: {
    module: 'metheus/backends/redis',
    className: 'MultiProcessRedisBackend',
    load: async () => (await import('./redis/index.js')).MultiProcessRedisBackend,
  },
};

const METHODS = ['reserve', 'release', 'snapshot', 'flush', 'close'] as const;

/**
 * Creates a backend that is not open yet.
 *
 * @param given - the class, or the class and the configuration; by default what the environment names
 * @throws the errors of `loadBackend`
 */
export async function createBackend(
  given: BackendClass<never> | BackendChoice | undefined,
  config: object | undefined,
): Promise<Backend> {
  const { backendClass, backendConfig } = choiceOf(given, config);
  const Class = backendClass ?? (await classFromEnvironment());
  // Functions without a prototype, such as arrow functions, are not constructors.
  if (typeof Class !== 'function' || Class.prototype === undefined) {
    throw new MetheusError('METHEUS_INVALID_BACKEND', { given: show(Class), expected: 'a backend class' });
  }
  const settings = backendConfig ?? (Class === SingleProcessBackend ? undefined : configFromEnvironment());
  const backend = new Class(settings as never);
  const absent = METHODS.filter((method) => typeof backend[method] !== 'function');
  if (absent.length > 0) {
    throw new MetheusError('METHEUS_INVALID_BACKEND', {
      given: `class '${Class.name}' without ${absent.map((method) => `${method}()`).join(', ')}`,
      expected: 'a class that implements Backend',
    });
  }
  return backend;
}

/** @throws `METHEUS_INVALID_OPTIONS` */
function choiceOf(
  given: BackendClass<never> | BackendChoice | undefined,
  config: object | undefined,
): BackendChoice {
  if (typeof given !== 'object' || given === null || Object.keys(given).length === 0) {
    return { backendClass: given as BackendClass<never>, backendConfig: config! };
  }
  checkOptionNames('loadBackend', given, ['backendClass', 'backendConfig']);
  if (config === undefined) return given;
  throw new MetheusError('METHEUS_INVALID_OPTIONS', {
    given: 'a second argument after an object with options',
    expected: 'the configuration as backendConfig in that object',
  });
}

async function classFromEnvironment(): Promise<BackendClass<never>> {
  const name = process.env.METHEUS_BACKEND_CLASS ?? 'single';
  for (const [short, { module, className, load }] of Object.entries(BUILT_IN)) {
    if ([short, className, `${module}#${className}`].includes(name)) return load();
  }
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
    return pathToFileURL(requireFrom(join(process.cwd(), 'noop.js')).resolve(specifier)).href;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return specifier;
    throw error;
  }
}

async function importClass(specifier: string, exported: string): Promise<BackendClass> {
  let module: Record<string, unknown>;
  try {
    module = await import(/* webpackIgnore: true */ /* @vite-ignore */ resolveModule(specifier));
  } catch (cause) {
    throw unknownBackend(`${specifier}#${exported}`, cause);
  }
  if (typeof module[exported] !== 'function') throw unknownBackend(`${specifier}#${exported}`);
  return module[exported] as BackendClass;
}

function unknownBackend(name: string, cause?: unknown): MetheusError {
  const names = Object.entries(BUILT_IN).flatMap(([short, { className }]) => [show(short), show(className)]);
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
