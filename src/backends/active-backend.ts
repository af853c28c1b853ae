/**
 * The backend in force: one per thread, shared by every copy of this package that is loaded.
 *
 * When another backend comes into force, all owners of cells migrate to it in one synchronous step. No observation can
 * happen in between, so none is lost.
 */
import { isMainThread } from 'node:worker_threads';
import { warnOnce } from '../errors.js';
import { PRIVATE_SCOPE } from '../model/collector.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { addExitStep } from '../system/exit-steps.js';
import type {
  Backend,
  BackendChoice,
  BackendClass,
  BackendConfig,
  CellRequest,
  Cells,
  LabelPattern,
  Move,
  SnapshotRequest,
} from './backend.js';
import { SingleProcessBackend } from './memory.js';
import { ThreadBackend, WorkerThreads } from './threads/backend.js';
import type { ThreadSeries } from './threads/bridge.js';

/** Milliseconds between two copies of the worker threads' numbers into a backend that other processes read. */
const SYNC_MS = 100;

/** Minimum number of cell owners at which the list is cleared of garbage-collected owners. */
const MIN_OWNERS = 1024;

/** An object whose cells can move to another backend. */
export interface CellOwner {
  /** Calls `move` with each series' cells, and counts in the cells that `move` returns from then on. Synchronous. */
  migrate(move: Move): void;
}

export class ActiveBackend {
  #owners: WeakRef<CellOwner>[] = [];
  /** Number of owners at which the list is next cleared of garbage-collected owners. */
  #maxOwners = MIN_OWNERS;
  /** The pages of all worker threads. Undefined in a worker thread, since only the main thread reads them. */
  readonly #threads = isMainThread ? new WorkerThreads(() => this.#backend) : undefined;
  #backend: Backend = isMainThread ? new SingleProcessBackend() : new ThreadBackend();
  /** Backend of the families that are private to this thread. Loading another backend does not replace it. */
  readonly #private = new SingleProcessBackend();
  /** Settles when no backend is being loaded. Never rejects. */
  ready: Promise<void> = Promise.resolve();
  /** The backend that environment variables chose, and those variables as text; undefined if code chose the backend. */
  #environment: { readonly variables: string; readonly loaded: Promise<Backend> } | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  /** Number of backends that are being loaded. */
  #loading = 0;

  get backend(): Backend {
    return this.#backend;
  }

  /** See {@link Backend.storage}; undefined while another backend is being loaded. */
  get storage(): string | undefined {
    const backend = this.#backend;
    if (this.#loading > 0) return undefined;
    return backend.storage ?? `${backend.constructor.name} ${JSON.stringify(backend.config)}`;
  }

  /** Adds an owner of cells, without keeping it alive. */
  add(owner: CellOwner): void {
    this.#owners.push(new WeakRef(owner));
    if (this.#owners.length < this.#maxOwners) return;
    this.#owners = this.#owners.filter((reference) => reference.deref() !== undefined);
    this.#maxOwners = Math.max(MIN_OWNERS, 2 * this.#owners.length);
  }

  /** Returns the backend that has the numbers of a family. */
  of({ scope }: FamilyDescriptor): Backend {
    return isPrivateScope(scope) ? this.#private : this.#backend;
  }

  /** Returns a function that moves series of a family to the backend and the scope of another family. */
  movingTo(before: FamilyDescriptor, after: FamilyDescriptor): Move {
    const why = isPrivateScope(after.scope) ? 'removed' : 'moved';
    return (request, old) => moveSeries(this.of(before), before, old, this.of(after), request, why);
  }

  /** Deletes the series of ended threads and processes that match the pattern. */
  removeEnded(family: FamilyDescriptor, labels: LabelPattern): void {
    if (isPrivateScope(family.scope) || family.merge.startsWith('live')) return;
    if (this.#threads === undefined) this.#backend.removeEnded?.(family, labels);
    else this.#threads.removeEnded(family, labels);
  }

  /** See {@link Backend.snapshot}. Worker threads are included. */
  async snapshot({ families, scopes, own: isOwn = false }: SnapshotRequest): Promise<FamilySnapshot[]> {
    await this.#sync();
    const shared = scopes.filter((scope) => !isPrivateScope(scope));
    const own = families.filter(({ scope }) => isPrivateScope(scope));
    if (own.length === 0) return this.#backend.snapshot({ families, scopes: shared, own: isOwn });
    const others = families.filter(({ scope }) => !isPrivateScope(scope));
    const isAlone = others.length === 0 && shared.length === 0;
    const [ofThread, ofAll] = await Promise.all([
      this.#private.snapshot({ families: own, scopes: [] }),
      isAlone ? [] : this.#backend.snapshot({ families: others, scopes: shared, own: isOwn }),
    ]);
    const [fromThread, fromAll] = [ofThread.values(), ofAll.values()];
    const requested = families.map(
      ({ scope }) => (isPrivateScope(scope) ? fromThread : fromAll).next().value!,
    );
    return [...requested, ...fromAll];
  }

  /** Returns the series of worker threads in a family, at once, for a reader that cannot wait for a snapshot. */
  threadSeries(family: FamilyDescriptor): Iterable<ThreadSeries> {
    const bridge = this.#threads?.bridge;
    bridge?.sync();
    return bridge?.seriesOf(family) ?? [];
  }

  /** Resolves when other processes can read what was counted before the call. */
  async flush(): Promise<void> {
    await this.#sync();
    await this.#backend.flush();
  }

  /** See {@link loadBackend}. */
  load(given: BackendClass<never> | BackendChoice | undefined, config: object | undefined): Promise<Backend> {
    const { METHEUS_BACKEND_CLASS, METHEUS_BACKEND_CONFIG } = process.env;
    const isFromEnvironment = given === undefined && config === undefined;
    const variables = JSON.stringify([METHEUS_BACKEND_CLASS, METHEUS_BACKEND_CONFIG]);
    if (isFromEnvironment && this.#environment?.variables === variables) return this.#environment.loaded;
    this.#loading += 1;
    const loaded = this.ready
      .then(() => this.#load(given, config))
      .finally(() => {
        this.#loading -= 1;
      });
    this.#environment = isFromEnvironment ? { variables, loaded } : undefined;
    this.ready = loaded.then(
      () => {},
      () => {
        this.#environment = undefined;
      },
    );
    return loaded;
  }

  async #load(
    given: BackendClass<never> | BackendChoice | undefined,
    config: object | undefined,
  ): Promise<Backend> {
    if (this.#threads === undefined) return this.#backend;
    // Imported only now, since most programs never load another backend.
    const { createBackend } = await import('./create-backend.js');
    const bridge = await this.#threads.loadBridge();
    const backend = await createBackend(given, config);
    const migrate = (from: Backend, which?: (cells: Cells) => boolean) => {
      const move: Move = (request, old) => {
        if (which?.(old) === false) return old;
        return moveSeries(from, request.family, old, backend, request, 'moved');
      };
      for (const owner of this.#owners) owner.deref()?.migrate(move);
      bridge.migrate(backend, move);
    };
    const isInForce = () => this.#backend === backend;
    await backend.open?.({ migrate: (which) => isInForce() && migrate(backend, which) });
    const before = this.#backend;
    bridge.sync();
    this.#backend = backend;
    migrate(before);
    if (!(backend instanceof SingleProcessBackend)) this.#keepThreadsCurrent(() => bridge.sync());
    await before.close().catch((error) => {
      warnOnce('close', `The previous backend was not closed. ${(error as Error)?.message}`);
    });
    return backend;
  }

  /** Copies the numbers of worker threads by a timer, since other processes read the backend at any time. */
  #keepThreadsCurrent(sync: () => void): void {
    if (this.#syncTimer !== undefined) return;
    this.#syncTimer = setInterval(sync, SYNC_MS).unref();
    addExitStep('worker numbers', sync);
  }

  async #sync(): Promise<void> {
    const bridge = this.#threads?.bridge ?? (await this.#threads?.bridgeOfPages());
    await this.ready;
    bridge?.sync();
  }
}

/** Reports whether families of this scope are private to their thread. */
const isPrivateScope = (scope: string) => scope.startsWith(PRIVATE_SCOPE);

/** Moves a series to new cells and deletes the old ones, since other processes would count both copies. */
function moveSeries(
  from: Backend,
  family: FamilyDescriptor,
  old: Cells,
  to: Backend,
  request: CellRequest,
  why: 'removed' | 'moved',
): Cells {
  const created = from.createdOf?.(family, old);
  const cells = to.reserve(created === undefined ? request : { ...request, created });
  cells.page.set(old.page.subarray(old.offset, old.offset + family.cells), cells.offset);
  from.exemplarsOf?.(family, old)?.forEach((exemplar, cell) => {
    if (exemplar !== undefined) to.putExemplar?.(request.family, cells, cell, exemplar);
  });
  from.release(family, old, why);
  return cells;
}

const KEY = Symbol.for('metheus.active-backend.v4');
const global = globalThis as { [KEY]?: ActiveBackend };

/** Returns the backend in force in this thread. */
export function activeBackend(): ActiveBackend {
  global[KEY] ??= new ActiveBackend();
  return global[KEY];
}

/**
 * Puts a backend in force. All numbers move to it; metrics stay as they are.
 *
 * Arguments win over the environment, and the environment wins over the default, {@link SingleProcessBackend}. In a
 * worker thread nothing changes: its numbers always go to the backend in force in the main thread.
 *
 * Without arguments, it loads the backend that the environment names, as importing the package does. If that backend is
 * in force already, it is returned.
 *
 * @param backend - the class, by default from `METHEUS_BACKEND_CLASS`: `single`, `file`, `redis`, the name of a class
 * of this package, or `module#ExportedClass`. Or an object with class and configuration
 * @param config - by default from `METHEUS_BACKEND_CONFIG`: the path of a JSON file, or the JSON itself
 * @returns the backend that is now in force
 * @throws `METHEUS_UNKNOWN_BACKEND`, `METHEUS_INVALID_BACKEND`, `METHEUS_BACKEND_CONFIG_UNREADABLE`,
 * `METHEUS_BACKEND_CONFIG_INVALID`, `METHEUS_INVALID_OPTIONS`, and the errors of the backend's `open`. After an error,
 * the previous backend stays in force.
 */
export function loadBackend<Class extends BackendClass<never>>(
  backend?: Class | BackendChoice<Class>,
  config?: BackendConfig<Class>,
): Promise<Backend> {
  return activeBackend().load(backend as BackendClass<never> | BackendChoice | undefined, config);
}

/** Loads the backend that the environment names, if any. A failure becomes a warning, and the program goes on. */
export function loadBackendFromEnvironment(): void {
  if (process.env.METHEUS_BACKEND_CLASS === undefined) return;
  loadBackend().catch((error: Error) => {
    warnOnce('environment', `The backend of the environment was not loaded. ${error.message}`);
  });
}
