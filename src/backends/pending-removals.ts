/** Removals of series that ended processes left. They wait, since finding these series can mean to read all storage. */

/** Maximum removals that wait. Reached only if the storage is unavailable for a long time. */
const MAX_REMOVALS = 100_000;
/** Time after which they are due, unless a reader waits for them. */
const REMOVAL_MS = 10_000;

export class PendingRemovals<Removal> {
  readonly #removals = new Map<string, Removal>();
  /** Time at which they are due, by the monotonic clock. */
  #due = 0;

  get isEmpty(): boolean {
    return this.#removals.size === 0;
  }

  /** Whether removals have waited long enough. */
  get isDue(): boolean {
    return !this.isEmpty && performance.now() > this.#due;
  }

  /** Adds a removal. One with the same key takes the place of an earlier one. */
  add(key: string, removal: Removal): void {
    if (this.isEmpty) this.#due = performance.now() + REMOVAL_MS;
    if (this.#removals.size < MAX_REMOVALS) this.#removals.set(key, removal);
  }

  list(): Removal[] {
    return [...this.#removals.values()];
  }

  /** Deletes removals that are done. Removals that were added again meanwhile stay. */
  delete(done: readonly Removal[]): void {
    const isDone = new Set(done);
    for (const [key, removal] of this.#removals) if (isDone.has(removal)) this.#removals.delete(key);
  }
}
