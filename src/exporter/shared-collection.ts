/**
 * Scrapes at the same time share one collection: its work is done once, and its numbers are held in memory once,
 * however many ask.
 *
 * A scrape never shows numbers that are older than its arrival by more than {@link JOINED_MS}: it joins a collection
 * that began since then and is running or still being sent, or else the next one. Whoever calls `registry.collect()`
 * himself shares with nobody, and sees all that was counted before; so does who comes when all others have been served.
 */
import type { FamilySnapshot } from '../model/family.js';
import type { Collectable } from '../registry/generate.js';

/** Much less than lies between two scrapes, so that nobody can tell; longer than almost every collection. */
export const JOINED_MS = 1000;

interface Collection {
  readonly begun: number;
  readonly families: Promise<readonly FamilySnapshot[]>;
  isRunning: boolean;
  /** How many are being sent what it has collected. */
  scrapes: number;
}

class SharedCollections implements Collectable {
  readonly #registry: Collectable;
  #current: Collection | undefined;
  /** For scrapes that came too late for the one that runs. */
  #next: Promise<Collection> | undefined;

  constructor(registry: Collectable) {
    this.#registry = registry;
  }

  async collect(): Promise<readonly FamilySnapshot[]> {
    return (await this.#join()).families;
  }

  /** The same for a scrape that is made of it: others may join until it has ended. */
  async *scrape<T>(make: (shared: Collectable) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    let joined: Collection | undefined;
    const collect = async () => {
      joined = await this.#join();
      joined.scrapes += 1;
      return joined.families;
    };
    try {
      yield* make({ collect });
    } finally {
      if (joined !== undefined) {
        joined.scrapes -= 1;
        this.#drop(joined);
      }
    }
  }

  #join(): Collection | Promise<Collection> {
    const current = this.#current;
    if (current === undefined) return this.#begin();
    if (performance.now() - current.begun < JOINED_MS) return current;
    if (!current.isRunning) return this.#begin();
    const begin = () => this.#begin();
    this.#next ??= current.families.then(begin, begin);
    return this.#next;
  }

  #begin(): Collection {
    // A registry of the user's own may throw instead of rejecting.
    const families = new Promise<readonly FamilySnapshot[]>((resolve) => resolve(this.#registry.collect()));
    const begun: Collection = { begun: performance.now(), families, isRunning: true, scrapes: 0 };
    this.#current = begun;
    this.#next = undefined;
    const end = () => {
      begun.isRunning = false;
      this.#drop(begun);
      // One that is sent for long is in memory no longer than others may join, as far as it depends on us.
      if (this.#current === begun) setTimeout(() => this.#drop(begun, true), JOINED_MS).unref();
    };
    families.then(end, end);
    return begun;
  }

  /** @param isOld - whether nobody may join, though it is still being sent */
  #drop(collection: Collection, isOld = collection.scrapes === 0): void {
    if (isOld && !collection.isRunning && this.#current === collection) this.#current = undefined;
  }
}

const shared = new WeakMap<Collectable, SharedCollections>();

/** The same for all handlers and servers of one registry. */
export function sharedCollections(registry: Collectable): SharedCollections {
  let collections = shared.get(registry);
  if (collections === undefined) {
    collections = new SharedCollections(registry);
    shared.set(registry, collections);
  }
  return collections;
}
