/**
 * The sum of native buckets of any resolutions, under a limit.
 *
 * The result depends on the counts alone: every reader of the same numbers computes the same buckets, and more values
 * never make them finer. It works on maps, which is slow: scrapes use `SnapshotSum`.
 *
 * @see https://prometheus.io/docs/specs/native_histograms/#merging-histograms
 */
import type { FamilyDescriptor, NativeBuckets, PowerBuckets } from '../family.js';
import { BLOCK_SIZE, type BlockAddress, type CountedBlock } from './blocks.js';
import { COARSEST_SCHEMA, coarser, upperBound } from './powers.js';

/**
 * The maximum number of buckets besides the zero bucket. If there are more, the zero bucket is widened, at most to
 * `maxZeroThreshold`. If that is not enough, adjacent buckets are merged.
 */
export interface NativeLimit {
  /** 0 means no limit. */
  readonly maxBuckets: number;
  readonly maxZeroThreshold: number;
}

export const NO_LIMIT: NativeLimit = { maxBuckets: 0, maxZeroThreshold: 0 };

export class NativeSum {
  protected readonly blocks: CountedBlock[] = [];
  /** The threshold of the narrowest zero bucket. */
  protected narrowest = Number.POSITIVE_INFINITY;
  /** The threshold of the widest zero bucket that has counted a value or was widened. */
  protected widest = 0;
  protected zeroCount = 0;
  /** The finest schema of all zero buckets. Known even before the first value, since every writer has a zero bucket. */
  protected finest = COARSEST_SCHEMA;

  /** Adds a block: `BLOCK_SIZE` numbers that begin at `at`. They are read only by {@link result}. */
  add(address: BlockAddress, values: Float64Array, at: number): void {
    const { schema, sign, bound } = address;
    if (sign !== 0) {
      if (isCounting(values, at)) this.blocks.push({ address, values, at });
      return;
    }
    const count = values[at]!;
    const isWidened = values[at + 1] !== 0;
    this.finest = Math.max(this.finest, schema);
    this.narrowest = Math.min(this.narrowest, bound);
    // A zero bucket that has counted nothing does not widen the sum, unless its writer has widened it to this
    // threshold.
    if (count === 0 && !isWidened) return;
    this.widest = Math.max(this.widest, bound);
    this.zeroCount += count;
  }

  /**
   * Returns the sum within a limit. Keeps the limit as Prometheus' Go client does: widens the zero bucket by the bucket
   * next to it as long as `maxZeroThreshold` allows this; otherwise merges every two adjacent buckets.
   */
  result({ maxBuckets, maxZeroThreshold }: NativeLimit): NativeBuckets {
    const groups = new CountGroups(this.blocks, this.threshold, this.zeroCount);
    if (this.widest > this.narrowest) groups.widen(this.widest);
    const schemas = this.blocks.map(({ address }) => address.schema);
    let schema = schemas.length === 0 ? this.finest : Math.min(...schemas);
    for (;;) {
      const positive = groups.countsOf(1, schema);
      const negative = groups.countsOf(-1, schema);
      const isWithin = maxBuckets === 0 || positive.size + negative.size <= maxBuckets;
      const nearest = isWithin ? 0 : upperBound(schema, Math.min(...positive.keys(), ...negative.keys()));
      if (nearest > groups.threshold && nearest <= maxZeroThreshold) groups.widen(nearest);
      else if (isWithin || schema === COARSEST_SCHEMA) {
        const { threshold, zeroCount } = groups;
        return nativeBuckets(schema, threshold, zeroCount, inOrder(positive), inOrder(negative));
      } else schema -= 1;
    }
  }

  /** The zero threshold before the zero bucket is widened. */
  protected get threshold(): number {
    return Number.isFinite(this.narrowest) ? this.narrowest : 0;
  }
}

/**
 * Adds the cells of a block that begin at `at`. In a family with age buckets, blocks that are too old are left out.
 *
 * @param now - Unix seconds. Blocks of the next age bucket count too, since the clock of their writer may be ahead
 */
export function addBlock(
  sum: NativeSum,
  { merge, bounds }: FamilyDescriptor,
  address: BlockAddress,
  values: Float64Array,
  at: number,
  now: number,
): void {
  if (merge !== 'newest') {
    sum.add(address, values, at);
    return;
  }
  const [ageSeconds, ageBuckets] = bounds as readonly [number, number];
  const age = Math.floor(now / ageSeconds) - values[at]!;
  if (age >= -1 && age < ageBuckets) sum.add(address, values, at + 1);
}

/** Returns native buckets with the count of all observations. */
export function nativeBuckets(
  schema: number,
  zeroThreshold: number,
  zeroCount: number,
  positive: PowerBuckets,
  negative: PowerBuckets,
): NativeBuckets {
  const count = sumOf(positive) + sumOf(negative) + zeroCount;
  return { schema, zeroThreshold, zeroCount, count, positive, negative };
}

/** Counts by bucket index. */
type Counts = Map<number, number>;

/** Blocks of one schema, sign and bound: see {@link BlockAddress}. */
interface Group {
  readonly address: BlockAddress;
  readonly counts: Counts;
}

/** The counts of blocks, and a zero bucket that can be widened. */
class CountGroups {
  threshold: number;
  zeroCount: number;
  readonly #groups = new Map<string, Group>();

  constructor(blocks: readonly CountedBlock[], threshold: number, zeroCount: number) {
    this.threshold = threshold;
    this.zeroCount = zeroCount;
    for (const { address, values, at } of blocks) {
      const key = `${address.schema},${address.sign},${address.bound}`;
      const group = this.#groups.get(key) ?? { address, counts: new Map() };
      this.#groups.set(key, group);
      for (let cell = 0; cell < BLOCK_SIZE; cell++) {
        if (values[at + cell] !== 0) add(group.counts, address.index * BLOCK_SIZE + cell, values[at + cell]!);
      }
    }
  }

  /**
   * Widens the zero bucket to a threshold, and moves the counts of the buckets inside it to the zero bucket. If a
   * bucket contains the threshold, the zero bucket is widened further, to the upper bound of that bucket. This is
   * repeated until no bucket contains the threshold.
   */
  widen(threshold: number): void {
    let widest = threshold;
    do {
      this.threshold = widest;
      for (const { address, counts } of this.#groups.values()) {
        const { schema, bound } = address;
        for (const [index, count] of counts) {
          const upper = upperBound(schema, index);
          // Both bounds are compared, since they may be equal for buckets of subnormal numbers.
          const isOutside = Math.max(upperBound(schema, index - 1), bound) >= this.threshold;
          if (isOutside && upper > this.threshold) continue;
          counts.delete(index);
          this.zeroCount += count;
          widest = Math.max(widest, upper);
        }
      }
    } while (widest > this.threshold);
  }

  /** Returns the counts of one sign, converted to a schema that is at least as coarse as that of every block. */
  countsOf(sign: 1 | -1, schema: number): Counts {
    const joined: Counts = new Map();
    for (const { address, counts } of this.#groups.values()) {
      if (address.sign !== sign) continue;
      for (const [index, count] of counts) add(joined, coarser(index, address.schema - schema), count);
    }
    return joined;
  }
}

function add(counts: Counts, index: number, count: number): void {
  counts.set(index, (counts.get(index) ?? 0) + count);
}

function inOrder(counts: Counts): PowerBuckets {
  const index = Int32Array.from(counts.keys()).sort();
  return { index, counts: Float64Array.from(index, (bucket) => counts.get(bucket)!) };
}

function isCounting(values: Float64Array, at: number): boolean {
  for (let cell = at; cell < at + BLOCK_SIZE; cell++) if (values[cell] !== 0) return true;
  return false;
}

function sumOf({ counts }: PowerBuckets): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  return total;
}
