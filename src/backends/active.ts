/**
 * The backend in force: one for the whole thread, shared by every copy of this package that is loaded.
 *
 * Everything that owns cells is an owner of it. When another backend is loaded, each owner takes new cells
 * there and moves its numbers: see `replace.ts`.
 */
import { isMainThread } from 'node:worker_threads';
import type { FamilySnapshot } from '../model/family.js';
import type { Backend, SnapshotRequest } from './backend.js';
import type { CellOwner } from './cell-owner.js';
import { SingleProcessBackend } from './memory.js';
import { ThreadBackend, WorkerThreads } from './threads/backend.js';

export type { CellOwner } from './cell-owner.js';

export class ActiveBackend {
  readonly owners = new Set<WeakRef<CellOwner>>();
  readonly #worker = isMainThread ? undefined : new ThreadBackend(this.owners);
  /** Replaced by `replace.ts` only, which moves the owners too. */
  backend: Backend = this.#worker ?? new SingleProcessBackend();
  readonly threads = isMainThread ? new WorkerThreads(() => this.backend) : undefined;
  readonly #gone = new FinalizationRegistry<WeakRef<CellOwner>>((owner) => this.owners.delete(owner));
  /** Brings the numbers of worker threads to where others read them. */
  timer: NodeJS.Timeout | undefined;
  /** Settles when no backend is being loaded. Never rejects. */
  ready: Promise<void> = Promise.resolve();
  /** The backend that the environment named, and by which variables; undefined when it was named in code. */
  environment: { readonly origin: string; readonly loaded: Promise<Backend> } | undefined;

  /** Makes sure that an owner is asked to move when the backend changes. Does not keep it alive. */
  add(owner: CellOwner): void {
    const reference = new WeakRef(owner);
    this.owners.add(reference);
    this.#gone.register(owner, reference);
  }

  /** A owner keeps its first exemplar. */
  tellOfExemplars(): void {
    this.#worker?.tellOfExemplars();
  }

  /** Everybody's numbers, those of worker threads included. */
  async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    await this.#sync();
    return this.backend.snapshot(request);
  }

  /** Resolves when what was counted before the call can be read by everybody who reads this backend. */
  async flush(): Promise<void> {
    await this.#sync();
    await this.backend.flush();
  }

  async #sync(): Promise<void> {
    const bridge = await this.threads?.bridge();
    await this.ready;
    bridge?.sync();
  }
}

const KEY = Symbol.for('metheus.active-backend.v2');
const global = globalThis as { [KEY]?: ActiveBackend };

/** The backend in force in this thread. */
export function activeBackend(): ActiveBackend {
  global[KEY] ??= new ActiveBackend();
  return global[KEY];
}
