/** Removals of ended processes' series, delayed because finding the series may require reading the whole storage. */

/** Maximum number of delayed removals, reached only if the storage is unavailable for a long time. */
const MAX_REMOVALS = 100_000;
/** Milliseconds after which removals are due. A waiting reader has them carried out at once. */
const REMOVAL_MS = 10_000;

export class PendingRemovals<Removal> {
  readonly #removals = new Map<string, Removal>();
  /** Time at which the removals are due, by the monotonic clock. */
  #due = 0;

  get isEmpty(): boolean {
    return this.#removals.size === 0;
  }

  /** Whether there are removals, and they are due. */
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
