/** Registries for scrapes: large ones, failing ones, and ones that report their progress. */
import { createHash } from 'node:crypto';
import { CollectorRegistry, createCounter, createFamily, type FamilySnapshot } from 'metheus';

/** The part of a registry that a handler uses. */
interface Collectable {
  collect(): Promise<readonly FamilySnapshot[]>;
}

export function smallRegistry(): CollectorRegistry {
  const registry = new CollectorRegistry();
  const counter = createCounter('jobs_total', 'Jobs done.', { requiredLabels: ['kind'], registry });
  counter.labels({ kind: 'mail' }).inc(3);
  return registry;
}

/** A registry of several chunks. */
export function largeRegistry(): CollectorRegistry {
  const registry = new CollectorRegistry();
  const counter = createCounter('items_total', 'Items.', { requiredLabels: ['id'], registry });
  for (let id = 0; id < 20_000; id++) counter.labels({ id }).inc(id);
  return registry;
}

/** Text that gzip hardly compresses, so that it fills the buffers of sockets. */
const INCOMPRESSIBLE = createHash('shake256', { outputLength: 48_750 }).digest('base64');

/** Families of about 64 KiB each, which report how far they were read. */
export class Watched implements Collectable {
  taken = 0;
  /** Resolves when the reader has stopped. */
  readonly ended: Promise<void>;
  readonly #count: number;
  readonly #failAt: number;
  readonly #family: FamilySnapshot;
  #end = (): void => {};

  constructor({ families = 1000, failAt = Number.POSITIVE_INFINITY } = {}) {
    this.#count = families;
    this.#failAt = failAt;
    const series = [{ labels: { text: INCOMPRESSIBLE }, value: 1 }];
    this.#family = createFamily('large', 'Large.', { labelNames: ['text'], series });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async collect(): Promise<readonly FamilySnapshot[]> {
    // Encoders iterate once and in order, so an iterable is enough.
    return this.#families() as Iterable<FamilySnapshot> as FamilySnapshot[];
  }

  *#families(): Generator<FamilySnapshot> {
    try {
      for (; this.taken < this.#count; this.taken++) {
        if (this.taken === this.#failAt) throw new Error('a broken family');
        yield this.#family;
      }
    } finally {
      this.#end();
    }
  }
}

/** A registry whose collection ends on a call. */
export class Slow implements Collectable {
  /** Resolves when a collection has begun. */
  readonly asked: Promise<void>;
  finish: (error?: Error) => void = () => {};
  readonly #answer: Promise<FamilySnapshot[]>;
  #ask = (): void => {};

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#ask = resolve;
    });
    this.#answer = new Promise((resolve, reject) => {
      const families = [createFamily('slow', 'Slow.', { series: [{ value: 1 }] })];
      this.finish = (error) => (error === undefined ? resolve(families) : reject(error));
    });
  }

  collect(): Promise<readonly FamilySnapshot[]> {
    this.#ask();
    return this.#answer;
  }
}
