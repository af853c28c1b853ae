/**
 * Scrapes that come at the same time share one collection: its work is done once, and its numbers are held in
 * memory once, however many ask.
 *
 * A scrape never shows numbers that are older than its arrival by more than {@link JOINED_MS}: it joins a
 * collection that runs since then, or else the next one. Whoever calls `registry.collect()` himself shares with
 * nobody, and sees all that was counted before.
 */
import type { FamilySnapshot } from '../model/family.js';
import type { Collectable } from '../registry/generate.js';

/** Much less than lies between two scrapes, so that nobody can tell; longer than almost every collection. */
export const JOINED_MS = 1000;

interface Collection {
  readonly begun: number;
  readonly families: Promise<readonly FamilySnapshot[]>;
}

class SharedCollections implements Collectable {
  readonly #registry: Collectable;
  #running: Collection | undefined;
  /** For scrapes that came too late for the one that runs. */
  #next: Promise<readonly FamilySnapshot[]> | undefined;

  constructor(registry: Collectable) {
    this.#registry = registry;
  }

  collect(): Promise<readonly FamilySnapshot[]> {
    const running = this.#running;
    if (running === undefined) return this.#begin();
    if (performance.now() - running.begun < JOINED_MS) return running.families;
    this.#next ??= running.families.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<readonly FamilySnapshot[]> {
    // A registry of the user's own may throw instead of rejecting.
    const families = new Promise<readonly FamilySnapshot[]>((resolve) => resolve(this.#registry.collect()));
    const running = { begun: performance.now(), families };
    this.#running = running;
    this.#next = undefined;
    const end = () => {
      if (this.#running === running) this.#running = undefined;
    };
    families.then(end, end);
    return families;
  }
}

const shared = new WeakMap<Collectable, Collectable>();

/** The same for all handlers and servers of one registry. */
export function sharedCollections(registry: Collectable): Collectable {
  let collections = shared.get(registry);
  if (collections === undefined) {
    collections = new SharedCollections(registry);
    shared.set(registry, collections);
  }
  return collections;
}
