/**
 * The sum of native buckets that have several resolutions or are too many. It works on maps, which is slow, and keeps
 * the limit as Prometheus' Go client does: the zero bucket takes in the bucket next to it while it may become as wide;
 * otherwise every two adjacent buckets become one.
 */
import type { NativeBuckets, PowerBuckets } from '../family.js';
import { BLOCK_SIZE, type CountedBlock } from './blocks.js';
import type { BucketSpace } from './buckets.js';
import { COARSEST_SCHEMA, coarser, upperBound } from './powers.js';

/** The maximum number of buckets besides the zero bucket, and the maximum width up to which that is widened first. */
export interface NativeLimit {
  /** 0 means no limit. */
  readonly maxBuckets: number;
  readonly maxZeroThreshold: number;
}

export const NO_LIMIT: NativeLimit = { maxBuckets: 0, maxZeroThreshold: 0 };

/** Counts by index. */
type Counts = Map<number, number>;

interface Signs {
  readonly positive: Counts;
  readonly negative: Counts;
}

/** Counts of one schema and one distance from zero that all values exceed: see `BlockAddress.bound`. */
interface Group extends Signs {
  readonly schema: number;
  readonly bound: number;
}

export class LimitedSum {
  readonly #groups = new Map<string, Group>();
  threshold = 0;
  zeroCount = 0;
  #schema: number;
  #joined: Signs | undefined;

  /** @param schema - the schema of the result if nothing is counted */
  constructor(positive: readonly CountedBlock[], negative: readonly CountedBlock[], schema: number) {
    for (const block of positive) addBlock(this.#groupOf(block).positive, block);
    for (const block of negative) addBlock(this.#groupOf(block).negative, block);
    const schemas = Array.from(this.#groups.values(), (group) => group.schema);
    this.#schema = schemas.length === 0 ? schema : Math.min(...schemas);
  }

  /**
   * Widens the zero bucket. A bucket that lies only partly inside may have counted values inside, so the zero bucket
   * is widened further to its end, which may bring in more buckets.
   */
  widen(threshold: number): void {
    this.#joined = undefined;
    let widest = threshold;
    do {
      this.threshold = widest;
      for (const { schema, bound, positive, negative } of this.#groups.values()) {
        for (const counts of [positive, negative]) {
          for (const [index, count] of counts) {
            const upper = upperBound(schema, index);
            // Adjacent bounds may be equal among subnormal numbers.
            const isOutside = Math.max(upperBound(schema, index - 1), bound) >= this.threshold;
            if (isOutside && upper > this.threshold) continue;
            counts.delete(index);
            this.zeroCount += count;
            widest = Math.max(widest, upper);
          }
        }
      }
    } while (widest > this.threshold);
  }

  limit({ maxBuckets, maxZeroThreshold }: NativeLimit): void {
    for (;;) {
      const { positive, negative } = this.#join();
      if (maxBuckets === 0 || positive.size + negative.size <= maxBuckets) return;
      const widest = upperBound(this.#schema, Math.min(...positive.keys(), ...negative.keys()));
      if (widest > this.threshold && widest <= maxZeroThreshold) this.widen(widest);
      else if (this.#schema === COARSEST_SCHEMA) return;
      else {
        this.#schema -= 1;
        this.#joined = undefined;
      }
    }
  }

  result(space: BucketSpace): Omit<NativeBuckets, 'count'> {
    const { positive, negative } = this.#join();
    return {
      schema: this.#schema,
      zeroThreshold: this.threshold,
      zeroCount: this.zeroCount,
      positive: inOrder(positive, space),
      negative: inOrder(negative, space),
    };
  }

  #groupOf({ address: { schema, bound } }: CountedBlock): Group {
    const key = `${schema}>${bound}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { schema, bound, positive: new Map(), negative: new Map() };
      this.#groups.set(key, group);
    }
    return group;
  }

  /** Returns the counts of all groups at the schema of the result. */
  #join(): Signs {
    if (this.#joined !== undefined) return this.#joined;
    const joined: Signs = { positive: new Map(), negative: new Map() };
    for (const { schema, positive, negative } of this.#groups.values()) {
      const steps = schema - this.#schema;
      for (const [index, count] of positive) add(joined.positive, coarser(index, steps), count);
      for (const [index, count] of negative) add(joined.negative, coarser(index, steps), count);
    }
    this.#joined = joined;
    return joined;
  }
}

function addBlock(counts: Counts, { address, values, at }: CountedBlock): void {
  for (let cell = 0; cell < BLOCK_SIZE; cell++) {
    const count = values[at + cell]!;
    if (count !== 0) add(counts, address.index * BLOCK_SIZE + cell, count);
  }
}

function add(counts: Counts, index: number, count: number): void {
  counts.set(index, (counts.get(index) ?? 0) + count);
}

function inOrder(counts: Counts, space: BucketSpace): PowerBuckets {
  for (const index of Int32Array.from(counts.keys()).sort()) space.push(index, counts.get(index)!);
  return space.buckets();
}
