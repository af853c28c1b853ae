/**
 * Moving house: another backend comes into force, and every number moves to it within one synchronous step, so
 * that no call can come between.
 */
import type { FamilyDescriptor } from '../model/family.js';
import { addExitStep } from '../system/exit-steps.js';
import type { ActiveBackend } from './active.js';
import type { Backend, BackendHost, Cells, Move } from './backend.js';
import { SingleProcessBackend } from './memory.js';
import { accumulate } from './merge.js';
import type { ThreadBridge } from './threads/bridge.js';

/** How old the numbers of worker threads may be in a backend that others read. */
const SYNC_MS = 100;

/** Adds the numbers of cells to others of the same family. */
export function moveCells(family: FamilyDescriptor, from: Cells, to: Cells): void {
  accumulate(family, to.page, to.offset, from.page, from.offset, true);
}

/** The one in the main thread who may put backends in force. */
export class Mover {
  readonly #active: ActiveBackend;
  readonly #threads: ThreadBridge;

  /** @param threads - those of `active`: loaded before, since moving cannot wait */
  constructor(active: ActiveBackend, threads: ThreadBridge) {
    this.#active = active;
    this.#threads = threads;
  }

  /** Puts another backend in force, moves every number to it, and returns the one before. */
  replace(backend: Backend): Backend {
    const before = this.#active.backend;
    this.#threads.sync();
    this.#active.backend = backend;
    this.#migrate(before);
    if (!(backend instanceof SingleProcessBackend)) this.#keepThreadsCurrent();
    return before;
  }

  /** What `backend` may ask of its users, once it is in force. */
  hostOf(backend: Backend): BackendHost {
    return { migrate: (which) => backend === this.#active.backend && this.#migrate(backend, which) };
  }

  /** Others read what is in the backend without asking this process, so threads' numbers are brought there in time. */
  #keepThreadsCurrent(): void {
    if (this.#active.timer !== undefined) return;
    this.#active.timer = setInterval(() => this.#threads.sync(), SYNC_MS).unref();
    addExitStep('worker numbers', () => this.#threads.sync());
  }

  /** Moves everything from `before`, which may be the same backend, to the one in force. */
  #migrate(before: Backend, which?: (cells: Cells) => boolean): void {
    const { backend, owners } = this.#active;
    const move: Move = (request, from) => {
      if (which?.(from) === false) return from;
      const created = before.createdOf?.(request.family, from);
      const cells = backend.reserve(created === undefined ? request : { ...request, created });
      moveCells(request.family, from, cells);
      // Numbers that stayed behind in a place that others read would count twice.
      before.release(request.family, from, 'moved');
      return cells;
    };
    for (const reference of owners) reference.deref()?.migrate(move);
    this.#threads.migrate(backend, move);
  }
}
