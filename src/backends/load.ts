/** Choosing a backend: in code, or by two environment variables. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { MetheusError, show, warnOnce } from '../errors.js';
import { activeBackend } from './active.js';
import type { Backend, BackendClass } from './backend.js';
import { SingleProcessBackend } from './memory.js';

/** Names that `METHEUS_BACKEND_CLASS` knows, and how their classes are found. */
const BUILT_IN: Readonly<Record<string, () => Promise<BackendClass>>> = {
  single: async () => SingleProcessBackend,
  file: async () => (await import('./file/index.js')).MultiProcessFileBackend as BackendClass,
};

const METHODS = ['reserve', 'release', 'snapshot', 'flush', 'close'] as const;

/**
 * Puts a backend in force. What was counted so far moves to it; metrics stay as they are.
 *
 * Arguments win over the environment; the environment wins over the default, which is
 * {@link SingleProcessBackend}. In a worker thread nothing changes: its numbers always go to the main thread,
 * which brings them into the backend that is in force there.
 *
 * Without arguments it is what happens by itself at import: called again it gives the same backend, or fails with
 * the same error.
 *
 * @param backendClass - left out: from `METHEUS_BACKEND_CLASS`: `single`, or `module#ExportedClass`
 * @param config - left out: from `METHEUS_BACKEND_CONFIG`: the path of a JSON file, or the JSON itself
 * @returns the backend that is now in force
 * @throws `METHEUS_UNKNOWN_BACKEND`, `METHEUS_INVALID_BACKEND`, `METHEUS_BACKEND_CONFIG_UNREADABLE`,
 * `METHEUS_BACKEND_CONFIG_INVALID`, and whatever the backend throws when it opens. The one before stays then.
 */
export function loadBackend<C extends object>(backendClass?: BackendClass<C>, config?: C): Promise<Backend> {
  const active = activeBackend();
  const isEnvironment = backendClass === undefined && config === undefined;
  if (isEnvironment && active.fromEnvironment !== undefined) return active.fromEnvironment;
  const loaded = active.ready.then(() => load(backendClass as BackendClass | undefined, config));
  active.fromEnvironment = isEnvironment ? loaded : undefined;
  active.ready = loaded.then(
    () => {},
    () => {},
  );
  return loaded;
}

/** Loads what the environment names, if it names anything. Trouble becomes a warning: the program goes on. */
export function loadFromEnvironment(): void {
  if (process.env.METHEUS_BACKEND_CLASS === undefined) return;
  loadBackend().catch((error: Error) => {
    warnOnce('environment', `The backend of the environment was not loaded. ${error.message}`);
  });
}

async function load(given: BackendClass | undefined, givenConfig: object | undefined): Promise<Backend> {
  const active = activeBackend();
  const Class = given ?? (await classFromEnvironment());
  const config = (givenConfig ?? configFromEnvironment()) as Record<string, unknown> | undefined;
  if (!isMainThread) return active.backend;
  const backend = instantiate(Class, config);
  await backend.open?.(active.hostOf(backend));
  await active.replace(backend).close();
  return backend;
}

function instantiate(Class: BackendClass, config: Record<string, unknown> | undefined): Backend {
  const named = `'${(Class as { name?: string }).name ?? show(Class)}'`;
  if (typeof Class !== 'function') {
    throw new MetheusError('METHEUS_INVALID_BACKEND', { given: show(Class), expected: 'a backend class' });
  }
  const backend = config === undefined ? new Class() : new Class(config);
  const absent = METHODS.filter((method) => typeof backend[method] !== 'function');
  if (absent.length > 0) {
    throw new MetheusError('METHEUS_INVALID_BACKEND', {
      given: `class ${named} without ${absent.map((method) => `${method}()`).join(', ')}`,
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

/** Modules are looked up as if the program's working directory imported them. */
async function importClass(specifier: string, exported: string): Promise<BackendClass> {
  let module: Record<string, unknown>;
  try {
    const found = createRequire(join(process.cwd(), 'noop.js')).resolve(specifier);
    module = await import(pathToFileURL(found).href);
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
  const inline = given.trimStart().startsWith('{');
  const text = inline ? given : readConfig(given);
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config;
  } catch (cause) {
    throw invalidConfig(given, inline, cause);
  }
  throw invalidConfig(given, inline);
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

/** The text itself is never shown: it may hold a password. */
function invalidConfig(given: string, inline: boolean, cause?: unknown): MetheusError {
  return new MetheusError('METHEUS_BACKEND_CONFIG_INVALID', {
    given: inline ? 'JSON in METHEUS_BACKEND_CONFIG that does not parse' : `the file ${show(given)}`,
    expected: 'one JSON object',
    cause,
  });
}
