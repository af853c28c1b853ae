/** Putting a backend in force, in code or by the environment. */
import { warnOnce } from '../errors.js';
import { activeBackend } from './active.js';
import type { Backend, BackendClass } from './backend.js';

/**
 * Puts a backend in force. What was counted so far moves to it; metrics stay as they are.
 *
 * Arguments win over the environment; the environment wins over the default, which is
 * {@link SingleProcessBackend}. In a worker thread nothing changes: its numbers always go to the main thread,
 * which brings them into the backend that is in force there.
 *
 * Without arguments it is what happens by itself at import: called again, it gives the backend that is there.
 *
 * @param backendClass - left out: from `METHEUS_BACKEND_CLASS`: `single`, or `module#ExportedClass`
 * @param config - left out: from `METHEUS_BACKEND_CONFIG`: the path of a JSON file, or the JSON itself
 * @returns the backend that is now in force
 * @throws `METHEUS_UNKNOWN_BACKEND`, `METHEUS_INVALID_BACKEND`, `METHEUS_BACKEND_CONFIG_UNREADABLE`,
 * `METHEUS_BACKEND_CONFIG_INVALID`, and whatever the backend throws when it opens. The one before stays then.
 */
export function loadBackend<C extends object>(backendClass?: BackendClass<C>, config?: C): Promise<Backend> {
  const active = activeBackend();
  const { METHEUS_BACKEND_CLASS: name, METHEUS_BACKEND_CONFIG: file } = process.env;
  const origin =
    backendClass === undefined && config === undefined ? JSON.stringify([name, file]) : undefined;
  if (origin !== undefined && active.environment?.origin === origin) return active.environment.loaded;
  const loaded = active.ready.then(async () => {
    const { load } = await import('./choose.js');
    return load(backendClass as BackendClass | undefined, config);
  });
  active.environment = origin === undefined ? undefined : { origin, loaded };
  active.ready = loaded.then(
    () => {},
    () => {
      active.environment = undefined;
    },
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
