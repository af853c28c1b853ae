/**
 * Concurrent scrapes share one collection: its work is done once, and its numbers are held in memory once.
 *
 * A scrape joins a collection that began at most {@link JOINABLE_MS} before the scrape arrived and that is running or
 * still being sent. If the last collection is older but still running, the scrape waits for the next one, which begins
 * when the running one has ended. A scrape that arrives when all others have ended begins a collection, and so sees all
 * that was counted before. So does every direct call of `registry.collect()`.
 *
 * Every wait has a limit. The next collection begins at the latest {@link MAX_RUN_MS} after the running one, a scrape
 * fails after {@link MAX_WAIT_MS}, and a scrape whose client has disconnected is dropped at once.
 */
import { MetheusError } from '../errors.js';
import type { OnCollectorError } from '../model/collector.js';
import type { FamilySnapshot } from '../model/family.js';
import type { Collectable } from '../registry/encode.js';

/**
 * Milliseconds for which a collection can be joined: much less than the time between two scrapes, but longer than most
 * collections.
 */
export const JOINABLE_MS = 1000;

/**
 * Milliseconds after which the next collection begins even if the running one has not ended. Equal to the default
 * timeout of Prometheus.
 */
export const MAX_RUN_MS = 10_000;

/** Maximum milliseconds that a scrape waits for its families. Longer than the usual time limits of collectors. */
export const MAX_WAIT_MS = 60_000;

type Families = readonly FamilySnapshot[];
/** Collects with a maximum number of seconds for each collector. */
type Collect = (timeout: number) => Promise<Families>;
type Outcome = { readonly families: Families } | { readonly error: unknown };

/** One scrape's use of a collection. */
export class JoinedCollection {
  readonly families: Promise<Families>;
  readonly #collection: Collection;
  #resolve!: (families: Families) => void;
  #reject!: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(collection: Collection, signal?: AbortSignal) {
    this.#collection = collection;
    this.#signal = signal;
    this.families = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Prevents an unhandled rejection if the scrape is abandoned before it reads the families.
    this.families.catch(() => {});
  }

  /** Starts the time limit, and abandons the wait when the client disconnects. */
  wait(): void {
    this.#timer = setTimeout(() => {
      const given = `a collection that has not ended after ${MAX_WAIT_MS / 1000} s`;
      this.settle({ error: new MetheusError('METHEUS_COLLECTOR_FAILED', { given, expected: 'families' }) });
    }, MAX_WAIT_MS).unref();
    this.#signal?.addEventListener('abort', this.#abandon);
    if (this.#signal?.aborted) this.#abandon();
  }

  settle(outcome: Outcome): void {
    this.#stopWaiting();
    if ('families' in outcome) this.#resolve(outcome.families);
    else this.#reject(outcome.error);
  }

  /** Ends the use of the collection. */
  release(): void {
    this.#stopWaiting();
    this.#collection.release(this);
  }

  readonly #abandon = (): void => {
    this.settle({ error: this.#signal?.reason });
    this.release();
  };

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abandon);
  }
}

/** One collection, and the scrapes that use it. */
class Collection {
  /** Time at which it began; `Infinity` while it waits for another collection to end. */
  begun = Number.POSITIVE_INFINITY;
  readonly scrapes = new Set<JoinedCollection>();
  readonly #collections: SharedCollections;
  #outcome: Outcome | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(collections: SharedCollections) {
    this.#collections = collections;
  }

  get isRunning(): boolean {
    return this.#outcome === undefined;
  }

  begin(collect: Collect, timeout: number): void {
    this.begun = performance.now();
    // Turns an error that a custom registry throws into a rejection.
    new Promise<Families>((resolve) => resolve(collect(timeout))).then(
      (families) => this.#end({ families }),
      (error: unknown) => this.#end({ error }),
    );
  }

  join(signal: AbortSignal | undefined): JoinedCollection {
    const scrape = new JoinedCollection(this, signal);
    this.scrapes.add(scrape);
    if (this.#outcome === undefined) scrape.wait();
    else scrape.settle(this.#outcome);
    return scrape;
  }

  release(scrape: JoinedCollection): void {
    this.scrapes.delete(scrape);
    if (this.scrapes.size === 0 && !this.isRunning) this.#drop();
  }

  #end(outcome: Outcome): void {
    this.#outcome = outcome;
    for (const scrape of this.scrapes) scrape.settle(outcome);
    // After this time no scrape may join, so the collection is dropped even if a slow scrape has not released it.
    if (this.scrapes.size > 0) this.#timer = setTimeout(() => this.#drop(), JOINABLE_MS).unref();
    else this.#drop();
    this.#collections.reportEnd(this);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#collections.drop(this);
  }
}

/** Collections of one registry. */
class SharedCollections {
  readonly #collect: Collect;
  /** The collection that began last; undefined when no scrape can join it or wait for its end any more. */
  #current: Collection | undefined;
  /** The collection for scrapes that arrived too late for the running one. */
  #next: Collection | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Time limit of collectors, of the scrape that arrived last. */
  #timeout = Number.POSITIVE_INFINITY;

  constructor(collect: Collect) {
    this.#collect = collect;
  }

  /**
   * Joins a collection, or begins one. The caller releases it when its scrape has ended.
   *
   * @param signal - aborted when the client has disconnected
   * @param timeout - maximum seconds of each collector, if this scrape begins the collection
   */
  join(signal?: AbortSignal, timeout = Number.POSITIVE_INFINITY): JoinedCollection {
    this.#timeout = timeout;
    return this.#joinable().join(signal);
  }

  /**
   * Begins the next collection if scrapes wait for it.
   *
   * @param ended - a collection that has ended or has run for {@link MAX_RUN_MS}
   */
  reportEnd(ended: Collection): void {
    const isLast = this.#current === ended || this.#current === undefined;
    if (isLast && this.#next !== undefined && this.#next.scrapes.size > 0) this.#begin();
  }

  drop(collection: Collection): void {
    if (this.#current === collection) this.#current = undefined;
  }

  #joinable(): Collection {
    const current = this.#current;
    if (current === undefined) return this.#begin();
    const age = performance.now() - current.begun;
    if (age < JOINABLE_MS) return current;
    if (!current.isRunning || age >= MAX_RUN_MS) return this.#begin();
    if (this.#next === undefined) {
      this.#next = new Collection(this);
      this.#timer = setTimeout(() => this.reportEnd(current), MAX_RUN_MS - age).unref();
    }
    return this.#next;
  }

  /** Begins the next collection, even if no scrape waits for it. */
  #begin(): Collection {
    const collection = this.#next ?? new Collection(this);
    clearTimeout(this.#timer);
    this.#next = undefined;
    this.#current = collection;
    collection.begin(this.#collect, this.#timeout);
    return collection;
  }
}

type Known = WeakMap<Collectable, SharedCollections>;
const shared: Readonly<Record<OnCollectorError | 'default', Known>> = {
  default: new WeakMap(),
  partial: new WeakMap(),
  fail: new WeakMap(),
};

/** Returns the collections of a registry. Handlers and servers with the same `onError` share them. */
export function sharedCollections(registry: Collectable, onError?: OnCollectorError): SharedCollections {
  const known = shared[onError ?? 'default'];
  let collections = known.get(registry);
  if (collections === undefined) {
    const options = onError === undefined ? {} : { onError };
    collections = new SharedCollections((timeout) => registry.collect({ ...options, timeout }));
    known.set(registry, collections);
  }
  return collections;
}
