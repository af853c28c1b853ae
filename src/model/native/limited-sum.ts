/**
 * Native buckets of several resolutions, or too many of them: the slow way, by maps, which keeps the limit by the
 * rules of Prometheus' Go client. The zero bucket takes the bucket next to it, as long as it may become so wide;
 * else two buckets each become one.
 */
import type { NativeBuckets, PowerBuckets } from '../family.js';
import type { BucketSpace } from './bucket-space.js';
import { BLOCK_SIZE, type CountedBlock } from './parts.js';
import { COARSEST_SCHEMA, coarser, upperBound } from './powers.js';

/** How many buckets there may be, the zero bucket aside, and how wide that may become before they do. */
export interface NativeLimit {
  /** 0: no limit. */
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

/** What was counted at one resolution, and at what distance from zero at least: see {@link Part.floor}. */
interface Group extends Signs {
  readonly schema: number;
  readonly floor: number;
}

export class LimitedSum {
  readonly #groups = new Map<string, Group>();
  threshold = 0;
  zeroCount = 0;
  #schema: number;
  #joined: Signs | undefined;

  /** @param schema - that of the result where nothing is counted */
  constructor(positive: readonly CountedBlock[], negative: readonly CountedBlock[], schema: number) {
    for (const block of positive) addBlock(this.#groupOf(block).positive, block);
    for (const block of negative) addBlock(this.#groupOf(block).negative, block);
    const schemas = Array.from(this.#groups.values(), (group) => group.schema);
    this.#schema = schemas.length === 0 ? schema : Math.min(...schemas);
  }

  /**
   * Widens the zero bucket. A bucket that is not wholly inside may count values that are: then it widens it
   * further, to its end, where others may be inside that were not.
   */
  widen(threshold: number): void {
    this.#joined = undefined;
    let widest = threshold;
    do {
      this.threshold = widest;
      for (const { schema, floor, positive, negative } of this.#groups.values()) {
        for (const counts of [positive, negative]) {
          for (const [index, count] of counts) {
            const upper = upperBound(schema, index);
            // Bounds of subnormal numbers may be the same.
            const isOutside = Math.max(upperBound(schema, index - 1), floor) >= this.threshold;
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

  #groupOf({ part: { schema, floor } }: CountedBlock): Group {
    const key = `${schema}>${floor}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { schema, floor, positive: new Map(), negative: new Map() };
      this.#groups.set(key, group);
    }
    return group;
  }

  /** All groups at the resolution of the result. */
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

function addBlock(counts: Counts, { part, values, at }: CountedBlock): void {
  for (let cell = 0; cell < BLOCK_SIZE; cell++) {
    const count = values[at + cell]!;
    if (count !== 0) add(counts, part.place * BLOCK_SIZE + cell, count);
  }
}

function add(counts: Counts, index: number, count: number): void {
  counts.set(index, (counts.get(index) ?? 0) + count);
}

function inOrder(counts: Counts, space: BucketSpace): PowerBuckets {
  for (const index of Int32Array.from(counts.keys()).sort()) space.push(index, counts.get(index)!);
  return space.take();
}
