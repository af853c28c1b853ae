/**
 * Room for the buckets of many series, side by side: a view of an array that is there costs a fraction of an array
 * of its own, of which a scrape would leave tens of thousands to the garbage collector.
 */
import type { PowerBuckets } from '../family.js';

const LEAST = 32;
const MOST = 16384;

const NONE: PowerBuckets = { index: new Int32Array(0), counts: new Float64Array(0) };

export class BucketSpace {
  #index = NONE.index;
  #counts = NONE.counts;
  #from = 0;
  #end = 0;

  /** One bucket more of those that {@link take} gives next. */
  push(index: number, count: number): void {
    if (this.#end === this.#index.length) this.#grow();
    this.#index[this.#end] = index;
    this.#counts[this.#end] = count;
    this.#end += 1;
  }

  /** What was pushed since the last time. */
  take(): PowerBuckets {
    const [from, end] = [this.#from, this.#end];
    this.#from = end;
    if (from === end) return NONE;
    return { index: this.#index.subarray(from, end), counts: this.#counts.subarray(from, end) };
  }

  /** New arrays, where what is not taken yet goes along. */
  #grow(): void {
    const [from, end] = [this.#from, this.#end];
    const size = Math.max(2 * (end - from), Math.min(2 * this.#index.length, MOST), LEAST);
    const [index, counts] = [new Int32Array(size), new Float64Array(size)];
    index.set(this.#index.subarray(from, end));
    counts.set(this.#counts.subarray(from, end));
    [this.#index, this.#counts, this.#from, this.#end] = [index, counts, 0, end - from];
  }
}
