/** The sums of many series, for scrapes. */
import type { NativeBuckets, PowerBuckets } from '../family.js';
import { BLOCK_SIZE, type CountedBlock } from './blocks.js';
import { type NativeLimit, NativeSum, nativeBuckets } from './sum.js';

const MIN_SPACE = 32;
const MAX_SPACE = 16384;

const NO_BUCKETS: PowerBuckets = { index: new Int32Array(0), counts: new Float64Array(0) };

/**
 * Memory for the buckets of many series, side by side. See docs/v8.md: views instead of arrays.
 */
export class BucketSpace {
  #index = NO_BUCKETS.index;
  #counts = NO_BUCKETS.counts;
  #from = 0;
  #end = 0;

  /** Appends a bucket to those that the next {@link buckets} returns. */
  push(index: number, count: number): void {
    if (this.#end === this.#index.length) this.#grow();
    this.#index[this.#end] = index;
    this.#counts[this.#end] = count;
    this.#end += 1;
  }

  /** Returns the buckets pushed since the last call. */
  buckets(): PowerBuckets {
    const [from, end] = [this.#from, this.#end];
    this.#from = end;
    if (from === end) return NO_BUCKETS;
    return { index: this.#index.subarray(from, end), counts: this.#counts.subarray(from, end) };
  }

  /** Replaces the arrays by larger ones. Copies only the buckets that were not returned yet. */
  #grow(): void {
    const [from, end] = [this.#from, this.#end];
    const size = Math.max(2 * (end - from), Math.min(2 * this.#index.length, MAX_SPACE), MIN_SPACE);
    const [index, counts] = [new Int32Array(size), new Float64Array(size)];
    index.set(this.#index.subarray(from, end));
    counts.set(this.#counts.subarray(from, end));
    [this.#index, this.#counts, this.#from, this.#end] = [index, counts, 0, end - from];
  }
}

/**
 * A sum without maps, for the usual case: all blocks have one schema, the limit is not exceeded and no zero bucket was
 * widened. Leaves other cases to {@link NativeSum}.
 */
export class SnapshotSum extends NativeSum {
  readonly #space: BucketSpace;

  /** @param space - memory for the buckets of the result */
  constructor(space: BucketSpace) {
    super();
    this.#space = space;
  }

  override result(limit: NativeLimit): NativeBuckets {
    const { blocks } = this;
    const schema = blocks[0]?.address.schema ?? this.finest;
    if (this.widest <= this.narrowest && blocks.every(({ address }) => address.schema === schema)) {
      blocks.sort((a, b) => a.address.sign - b.address.sign || a.address.index - b.address.index);
      const firstPositive = blocks.findIndex(({ address }) => address.sign > 0);
      const end = firstPositive < 0 ? blocks.length : firstPositive;
      const negative = this.#join(0, end);
      const positive = this.#join(end, blocks.length);
      if (limit.maxBuckets === 0 || positive.index.length + negative.index.length <= limit.maxBuckets) {
        return nativeBuckets(schema, this.threshold, this.zeroCount, positive, negative);
      }
    }
    return super.result(limit);
  }

  /** Returns the buckets of the sorted blocks from `from` to `end`. Several blocks may count the same buckets. */
  #join(from: number, end: number): PowerBuckets {
    const { blocks } = this;
    for (let i = from; i < end; ) {
      const { index } = blocks[i]!.address;
      let { values, at } = blocks[i]!;
      i += 1;
      if (i < end && blocks[i]!.address.index === index) {
        scratch.set(values.subarray(at, at + BLOCK_SIZE));
        for (; i < end && blocks[i]!.address.index === index; i++) addTo(scratch, blocks[i]!);
        values = scratch;
        at = 0;
      }
      const first = index * BLOCK_SIZE - at;
      for (let cell = at; cell < at + BLOCK_SIZE; cell++) {
        if (values[cell] !== 0) this.#space.push(first + cell, values[cell]!);
      }
    }
    return this.#space.buckets();
  }
}

const scratch = new Float64Array(BLOCK_SIZE);

function addTo(counts: Float64Array, { values, at }: CountedBlock): void {
  for (let cell = 0; cell < BLOCK_SIZE; cell++) counts[cell]! += values[at + cell]!;
}
