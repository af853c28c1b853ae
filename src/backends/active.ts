/**
 * The backend in force: one for the whole thread, shared by every copy of this package that is loaded.
 *
 * Everything that owns cells is a tenant of it. When another backend is loaded, each tenant takes new cells
 * there and moves its numbers, within one synchronous step: no call can come between.
 */
import { isMainThread } from 'node:worker_threads';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import type { Backend, BackendHost, Cells, Move, SnapshotRequest } from './backend.js';
import { SingleProcessBackend } from './memory.js';
import { accumulate } from './merge.js';
import { ThreadBackend, ThreadBridge } from './threads.js';

/** Owner of cells, who can move. */
export interface Tenant {
  /** Calls `move` for everything it owns, and counts in the new cells from then on. */
  rehome(move: Move): void;
}

/** Adds the numbers of cells to others of the same family. */
export function moveCells(family: FamilyDescriptor, from: Cells, to: Cells): void {
  accumulate(family, to.page, to.offset, from.page, from.offset, true);
}

/** How old the numbers of worker threads may be in a backend that others read. */
const SYNC_MS = 100;

class ActiveBackend {
  #backend: Backend = isMainThread ? new SingleProcessBackend() : new ThreadBackend();
  readonly #threads = isMainThread ? new ThreadBridge(this.#backend) : undefined;
  readonly #tenants = new Set<WeakRef<Tenant>>();
  readonly #gone = new FinalizationRegistry<WeakRef<Tenant>>((tenant) => this.#tenants.delete(tenant));
  #timer: NodeJS.Timeout | undefined;
  /** Settles when no backend is being loaded. Never rejects. */
  ready: Promise<void> = Promise.resolve();
  /** The backend that the environment named, and by which variables; undefined when it was named in code. */
  environment: { readonly origin: string; readonly loaded: Promise<Backend> } | undefined;

  get backend(): Backend {
    return this.#backend;
  }

  /** Makes sure that a tenant is asked to move when the backend changes. Does not keep it alive. */
  add(tenant: Tenant): void {
    const reference = new WeakRef(tenant);
    this.#tenants.add(reference);
    this.#gone.register(tenant, reference);
  }

  /** Puts another backend in force, moves every number to it, and returns the one before. */
  replace(backend: Backend): Backend {
    const before = this.#backend;
    this.#threads?.sync();
    this.#backend = backend;
    this.#rehome(before);
    if (!(backend instanceof SingleProcessBackend)) this.#keepThreadsCurrent();
    return before;
  }

  /** What `backend` may ask of its users, once it is in force. */
  hostOf(backend: Backend): BackendHost {
    return { rehome: (which) => backend === this.#backend && this.#rehome(backend, which) };
  }

  /** Others read what is in the backend without asking this process, so threads' numbers are brought there in time. */
  #keepThreadsCurrent(): void {
    const threads = this.#threads;
    if (threads === undefined || this.#timer !== undefined) return;
    this.#timer = setInterval(() => threads.sync(), SYNC_MS).unref();
    process.on('exit', () => threads.sync());
  }

  /** Moves everything from `before`, which may be the same backend, to the one in force. */
  #rehome(before: Backend, which?: (cells: Cells) => boolean): void {
    const move: Move = (request, from) => {
      if (which?.(from) === false) return from;
      const cells = this.#backend.reserve(request);
      moveCells(request.family, from, cells);
      // Numbers that stayed behind in a place that others read would count twice.
      before.release(request.family, from, 'moved');
      return cells;
    };
    for (const reference of this.#tenants) reference.deref()?.rehome(move);
    this.#threads?.rehome(this.#backend, move);
  }

  /** Everybody's numbers, those of worker threads included. */
  async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    await this.ready;
    this.#threads?.sync();
    return this.#backend.snapshot(request);
  }

  /** Resolves when what was counted before the call can be read by everybody who reads this backend. */
  async flush(): Promise<void> {
    await this.ready;
    this.#threads?.sync();
    await this.#backend.flush();
  }
}

const KEY = Symbol.for('metheus.active-backend.v1');
const global = globalThis as { [KEY]?: ActiveBackend };

/** The backend in force in this thread. */
export function activeBackend(): ActiveBackend {
  global[KEY] ??= new ActiveBackend();
  return global[KEY];
}
