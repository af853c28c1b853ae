/**
 * Native buckets of all resolutions, brought together.
 *
 * The result depends on nothing but what was counted: all readers of the same numbers give the same, and more
 * values never make it finer.
 *
 * @see https://prometheus.io/docs/specs/native_histograms/#merging-histograms
 */
import type { FamilyDescriptor, NativeBuckets, PowerBuckets } from '../family.js';
import { BucketSpace } from './bucket-space.js';
import { LimitedSum, type NativeLimit } from './limited-sum.js';
import { BLOCK_SIZE, type CountedBlock, type Part } from './parts.js';
import { COARSEST_SCHEMA } from './powers.js';

export class NativeSum {
  readonly #positive: CountedBlock[] = [];
  readonly #negative: CountedBlock[] = [];
  /** The resolution of all blocks; NaN where they are not of one. */
  #schema: number | undefined;
  /** Least threshold of all zero buckets, and the greatest of those in use. */
  #least = Number.POSITIVE_INFINITY;
  #threshold = 0;
  #zeroCount = 0;
  /** The finest schema that anybody uses who has counted nothing yet. */
  #finest = COARSEST_SCHEMA;

  /** Adds a part: `BLOCK_SIZE` numbers that begin at `at`, and are read by {@link result}. */
  add(part: Part, values: Float64Array, at: number): void {
    const { schema, kind, place } = part;
    if (kind === 'z') this.#addZero(schema, place, values[at]!, values[at + 1]!);
    else if (isCounting(values, at)) {
      (kind === 'p' ? this.#positive : this.#negative).push({ part, values, at });
      this.#schema = this.#schema === undefined || this.#schema === schema ? schema : Number.NaN;
    }
  }

  /**
   * @param limit - what holds for the result
   * @param space - where its buckets are put; left out: in arrays of their own
   */
  result({ maxBuckets, maxZeroThreshold }: NativeLimit, space = new BucketSpace()): NativeBuckets {
    const schema = this.#schema ?? this.#finest;
    if (this.#threshold <= this.#least && !Number.isNaN(schema)) {
      const positive = asTheyAre(this.#positive, space);
      const negative = asTheyAre(this.#negative, space);
      if (maxBuckets === 0 || positive.index.length + negative.index.length <= maxBuckets) {
        const zeroThreshold = Number.isFinite(this.#least) ? this.#least : this.#threshold;
        return counted({ schema, zeroThreshold, zeroCount: this.#zeroCount, positive, negative });
      }
    }
    const sum = new LimitedSum(this.#positive, this.#negative, this.#finest);
    sum.zeroCount = this.#zeroCount;
    if (this.#threshold > this.#least) sum.widen(this.#threshold);
    else if (Number.isFinite(this.#least)) sum.threshold = this.#least;
    sum.limit({ maxBuckets, maxZeroThreshold });
    return counted(sum.result(space));
  }

  /**
   * Who counts nothing says nothing, but for the resolution of a series where nobody does. A zero bucket that was
   * widened is in use from then on, whether or not there was a value for it since.
   */
  #addZero(schema: number, threshold: number, count: number, isWidened: number): void {
    this.#finest = Math.max(this.#finest, schema);
    this.#least = Math.min(this.#least, threshold);
    if (count === 0 && isWidened === 0) return;
    this.#threshold = Math.max(this.#threshold, threshold);
    this.#zeroCount += count;
  }
}

/**
 * Adds the cells of a part, which begin at `at`; where values are forgotten, only if they are not yet.
 *
 * @param now - Unix seconds. Whoever's clock is ahead may be in the next age bucket already.
 */
export function addPart(
  sum: NativeSum,
  { merge, bounds }: FamilyDescriptor,
  part: Part,
  values: Float64Array,
  at: number,
  now: number,
): void {
  if (merge !== 'newest') {
    sum.add(part, values, at);
    return;
  }
  const [slotSeconds, slots] = bounds as readonly [number, number];
  const age = Math.floor(now / slotSeconds) - values[at]!;
  if (age >= -1 && age < slots) sum.add(part, values, at + 1);
}

function isCounting(values: Float64Array, at: number): boolean {
  for (let cell = at; cell < at + BLOCK_SIZE; cell++) if (values[cell] !== 0) return true;
  return false;
}

const scratch = new Float64Array(BLOCK_SIZE);

/** The buckets of blocks of one sign and resolution, of which several may be the same block. */
function asTheyAre(blocks: CountedBlock[], space: BucketSpace): PowerBuckets {
  if (blocks.length > 1) blocks.sort((a, b) => a.part.place - b.part.place);
  for (let i = 0; i < blocks.length; ) {
    const { place } = blocks[i]!.part;
    let { values, at } = blocks[i]!;
    i += 1;
    if (blocks[i]?.part.place === place) {
      scratch.set(values.subarray(at, at + BLOCK_SIZE));
      for (; blocks[i]?.part.place === place; i++) addTo(scratch, blocks[i]!);
      values = scratch;
      at = 0;
    }
    const first = place * BLOCK_SIZE - at;
    for (let cell = at; cell < at + BLOCK_SIZE; cell++) {
      if (values[cell] !== 0) space.push(first + cell, values[cell]!);
    }
  }
  return space.take();
}

function addTo(counts: Float64Array, { values, at }: CountedBlock): void {
  for (let cell = 0; cell < BLOCK_SIZE; cell++) counts[cell]! += values[at + cell]!;
}

function counted(buckets: Omit<NativeBuckets, 'count'>): NativeBuckets {
  const { schema, zeroThreshold, zeroCount, positive, negative } = buckets;
  const count = sumOf(positive) + sumOf(negative) + zeroCount;
  return { schema, zeroThreshold, zeroCount, count, positive, negative };
}

function sumOf({ counts }: PowerBuckets): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  return total;
}
