/** Names of the keys: see `docs/reference/redis-keys.md`. */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Sorted set: producers, by their last sign of life. */
  get producers(): string {
    return `${this.#prefix}:producers`;
  }

  /** Hash: family descriptors, as JSON, by id. */
  get families(): string {
    return `${this.#prefix}:families`;
  }

  /** Hash of a family's numbers. The braces make it one slot of a cluster, and spread families over all. */
  numbers(familyId: string): string {
    return `${this.#prefix}:{${familyId}}`;
  }
}
