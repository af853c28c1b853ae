/**
 * Concurrent scrapes share one collection: its work is done once, and its numbers are held in memory once.
 *
 * A scrape joins a collection that began at most {@link JOINABLE_MS} before the scrape arrived and that is running or
 * still being sent. If the last collection is older but still running, the scrape waits for the next one, which begins
 * when the running one has ended. A scrape that arrives when all others have ended begins a collection, and so sees all
 * that was counted before. So does every direct call of `registry.collect()`.
 */
import type { OnCollectorError } from '../model/collector.js';
import type { FamilySnapshot } from '../model/family.js';
import type { Collectable } from '../registry/generate.js';

/**
 * Milliseconds for which a collection can be joined: much less than the time between two scrapes, but longer than most
 * collections.
 */
export const JOINABLE_MS = 1000;

/** One collection, and the scrapes that use it. */
export interface JoinedCollection {
  readonly families: Promise<readonly FamilySnapshot[]>;
  /** Ends the use of the collection by one scrape. */
  release(): void;
}

type Collect = () => Promise<readonly FamilySnapshot[]>;

class Collection implements JoinedCollection {
  readonly families: Promise<readonly FamilySnapshot[]>;
  /** Time at which it began; `Infinity` while it waits for another collection to end. */
  begun = Number.POSITIVE_INFINITY;
  isRunning = true;
  scrapes = 0;
  readonly #collections: SharedCollections;
  #timer: NodeJS.Timeout | undefined;

  /** @param previous - the collection after which this one begins; left out: it begins now */
  constructor(collections: SharedCollections, collect: Collect, previous?: Collection) {
    this.#collections = collections;
    const begin = () => {
      this.begun = performance.now();
      collections.current = this;
      return collect();
    };
    this.families =
      previous === undefined
        ? // If a custom registry throws, this promise rejects.
          new Promise((resolve) => resolve(begin()))
        : previous.families.then(begin, begin);
    const end = () => this.#end();
    this.families.then(end, end);
  }

  release(): void {
    this.scrapes -= 1;
    if (this.scrapes === 0 && !this.isRunning) this.#drop();
  }

  #end(): void {
    this.isRunning = false;
    if (this.scrapes === 0) this.#drop();
    // After this time no scrape may join, so the collection is dropped even if a slow scrape has not released it.
    else this.#timer = setTimeout(() => this.#drop(), JOINABLE_MS).unref();
  }

  #drop(): void {
    clearTimeout(this.#timer);
    if (this.#collections.current === this) this.#collections.current = undefined;
  }
}

/** Collections of one registry. */
class SharedCollections {
  /** The collection that scrapes may join. */
  current: Collection | undefined;
  readonly #collect: Collect;
  /** The collection for scrapes that arrive too late for the running one. */
  #next: Collection | undefined;

  constructor(collect: Collect) {
    this.#collect = collect;
  }

  /** Joins a collection, or begins one. The caller releases it when its scrape has ended. */
  join(): JoinedCollection {
    const collection = this.#joinable();
    collection.scrapes += 1;
    return collection;
  }

  #joinable(): Collection {
    const { current } = this;
    if (current !== undefined) {
      if (performance.now() - current.begun < JOINABLE_MS) return current;
      if (current.isRunning) {
        if (this.#next?.begun !== Number.POSITIVE_INFINITY)
          this.#next = new Collection(this, this.#collect, current);
        return this.#next!;
      }
    }
    return new Collection(this, this.#collect);
  }
}

type Known = WeakMap<Collectable, SharedCollections>;
const shared: Readonly<Record<OnCollectorError | 'default', Known>> = {
  default: new WeakMap(),
  partial: new WeakMap(),
  fail: new WeakMap(),
};

/** Returns the collections of a registry, which all handlers and servers with the same `onError` share. */
export function sharedCollections(registry: Collectable, onError?: OnCollectorError): SharedCollections {
  const known = shared[onError ?? 'default'];
  let collections = known.get(registry);
  if (collections === undefined) {
    const options = onError === undefined ? {} : { onError };
    collections = new SharedCollections(() => registry.collect(options));
    known.set(registry, collections);
  }
  return collections;
}
