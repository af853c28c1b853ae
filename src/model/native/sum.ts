/**
 * The sum of native buckets of any resolutions.
 *
 * The result depends on the counts alone: every reader of the same numbers computes the same buckets, and more values
 * never make them finer.
 *
 * @see https://prometheus.io/docs/specs/native_histograms/#merging-histograms
 */
import type { FamilyDescriptor, NativeBuckets, PowerBuckets } from '../family.js';
import { BLOCK_SIZE, type BlockAddress, type CountedBlock } from './blocks.js';
import { BucketSpace } from './buckets.js';
import { LimitedSum, type NativeLimit } from './limited-sum.js';
import { COARSEST_SCHEMA } from './powers.js';

export class NativeSum {
  readonly #positive: CountedBlock[] = [];
  readonly #negative: CountedBlock[] = [];
  /** The schema of all blocks; NaN when they have several. */
  #schema: number | undefined;
  /** The smallest threshold of any zero bucket. */
  #minThreshold = Number.POSITIVE_INFINITY;
  /** The greatest threshold of those zero buckets that have counted or were widened. */
  #threshold = 0;
  #zeroCount = 0;
  /** The finest schema of any zero bucket: every writer of a series has one, also before it counts. */
  #finest = COARSEST_SCHEMA;

  /** Adds a block: `BLOCK_SIZE` numbers that begin at `at`. {@link result} reads them. */
  add(address: BlockAddress, values: Float64Array, at: number): void {
    const { schema, sign, bound } = address;
    if (sign === 0) this.#addZeroBucket(schema, bound, values[at]!, values[at + 1]!);
    else if (isCounting(values, at)) {
      (sign > 0 ? this.#positive : this.#negative).push({ address, values, at });
      this.#schema = this.#schema === undefined || this.#schema === schema ? schema : Number.NaN;
    }
  }

  /** @param space - memory for the buckets of the result */
  result({ maxBuckets, maxZeroThreshold }: NativeLimit, space = new BucketSpace()): NativeBuckets {
    const schema = this.#schema ?? this.#finest;
    if (this.#threshold <= this.#minThreshold && !Number.isNaN(schema)) {
      const positive = unchanged(this.#positive, space);
      const negative = unchanged(this.#negative, space);
      if (maxBuckets === 0 || positive.index.length + negative.index.length <= maxBuckets) {
        const zeroThreshold = Number.isFinite(this.#minThreshold) ? this.#minThreshold : this.#threshold;
        return withCount({ schema, zeroThreshold, zeroCount: this.#zeroCount, positive, negative });
      }
    }
    const sum = new LimitedSum(this.#positive, this.#negative, this.#finest);
    sum.zeroCount = this.#zeroCount;
    if (this.#threshold > this.#minThreshold) sum.widen(this.#threshold);
    else if (Number.isFinite(this.#minThreshold)) sum.threshold = this.#minThreshold;
    sum.limit({ maxBuckets, maxZeroThreshold });
    return withCount(sum.result(space));
  }

  /**
   * Zero buckets without a count only set the schema of an otherwise empty series. A zero bucket that was widened
   * takes part from then on, whether or not it has counted since.
   */
  #addZeroBucket(schema: number, threshold: number, count: number, isWidened: number): void {
    this.#finest = Math.max(this.#finest, schema);
    this.#minThreshold = Math.min(this.#minThreshold, threshold);
    if (count === 0 && isWidened === 0) return;
    this.#threshold = Math.max(this.#threshold, threshold);
    this.#zeroCount += count;
  }
}

/**
 * Adds the cells of a block that begin at `at`. In a family with age buckets, blocks that are too old are left out.
 *
 * @param now - Unix seconds. A writer whose clock is ahead may be in the next age bucket already
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

function isCounting(values: Float64Array, at: number): boolean {
  for (let cell = at; cell < at + BLOCK_SIZE; cell++) if (values[cell] !== 0) return true;
  return false;
}

const scratch = new Float64Array(BLOCK_SIZE);

/** Returns the buckets of blocks of one sign and schema. Several blocks may count the same buckets. */
function unchanged(blocks: CountedBlock[], space: BucketSpace): PowerBuckets {
  if (blocks.length > 1) blocks.sort((a, b) => a.address.index - b.address.index);
  for (let i = 0; i < blocks.length; ) {
    const { index } = blocks[i]!.address;
    let { values, at } = blocks[i]!;
    i += 1;
    if (blocks[i]?.address.index === index) {
      scratch.set(values.subarray(at, at + BLOCK_SIZE));
      for (; blocks[i]?.address.index === index; i++) addTo(scratch, blocks[i]!);
      values = scratch;
      at = 0;
    }
    const first = index * BLOCK_SIZE - at;
    for (let cell = at; cell < at + BLOCK_SIZE; cell++) {
      if (values[cell] !== 0) space.push(first + cell, values[cell]!);
    }
  }
  return space.buckets();
}

function addTo(counts: Float64Array, { values, at }: CountedBlock): void {
  for (let cell = 0; cell < BLOCK_SIZE; cell++) counts[cell]! += values[at + cell]!;
}

function withCount(buckets: Omit<NativeBuckets, 'count'>): NativeBuckets {
  const { schema, zeroThreshold, zeroCount, positive, negative } = buckets;
  const count = sumOf(positive) + sumOf(negative) + zeroCount;
  return { schema, zeroThreshold, zeroCount, count, positive, negative };
}

function sumOf({ counts }: PowerBuckets): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  return total;
}
