/**
 * Shares: what this producer has added to the sums of one family. They are stored in Redis beside the sums, and only
 * this producer reads them, when it joins a hash. With them it completes its numbers in any earlier state of the hash.
 *
 * Shares are stored in chunks, which are strings of little-endian doubles. A chunk consists of entries: the id of a
 * series, which only this producer knows, and the cells of the series. A later entry of a series replaces the earlier
 * ones. A batch that changes a few series of a chunk appends entries to it. It replaces the chunk when the entries
 * would become many more than the series.
 */
import { endianness } from 'node:os';
import { CELL_BYTES } from '../backend.js';
import type { Argument } from './config.js';

/** Place of a series in the shares. */
export interface Placed {
  /** Label values, as JSON. */
  readonly labels: string;
  /** Greater than 0 and different for every series of this producer; 0 for a series without a place. */
  id: number;
  chunk: Chunk | undefined;
  /** The numbers that Redis acknowledged last. */
  readonly sent: Float64Array;
  /** Whether Redis has acknowledged the series. */
  known: boolean;
}

export interface Chunk {
  readonly number: number;
  readonly series: Set<Placed>;
  /** Number of entries in Redis. */
  entries: number;
}

/** Maximum doubles of a chunk after it was replaced. */
const MAX_DOUBLES = 2048;
/** Maximum entries of a chunk for each of its series. */
const MAX_RATIO = 1.5;
/** Maximum removed series that are remembered, the latest ones. */
const MAX_REMOVED = 10_000;

export class Shares {
  readonly #cells: number;
  readonly #capacity: number;
  readonly #chunks: Chunk[] = [];
  /** Chunks that have room for another series. */
  readonly #roomy = new Set<Chunk>();
  /** Number of entries of each chunk once the batch that was encoded last is applied. */
  readonly #encoded = new Map<Chunk, number>();
  /** Removed series by id, since an earlier state of Redis has them. */
  readonly #removed = new Map<number, { readonly labels: string; readonly chunk: Chunk }>();
  #ids = 0;

  constructor(cells: number) {
    this.#cells = cells;
    this.#capacity = Math.max(1, Math.floor(MAX_DOUBLES / (cells + 1)));
  }

  /** Gives a series a place, unless it has one. */
  place(series: Placed): Chunk {
    if (series.chunk !== undefined) return series.chunk;
    let [chunk] = this.#roomy;
    if (chunk === undefined) {
      chunk = { number: this.#chunks.length, series: new Set(), entries: 0 };
      this.#chunks.push(chunk);
      this.#roomy.add(chunk);
    }
    chunk.series.add(series);
    if (chunk.series.size === this.#capacity) this.#roomy.delete(chunk);
    this.#ids += 1;
    series.id = this.#ids;
    series.chunk = chunk;
    return chunk;
  }

  /** Frees the place of a series whose numbers Redis does not have any more. */
  remove(series: Placed): void {
    const { id, labels, chunk } = series;
    if (chunk === undefined) return;
    chunk.series.delete(series);
    this.#roomy.add(chunk);
    series.chunk = undefined;
    this.#removed.set(id, { labels, chunk });
    if (this.#removed.size > MAX_REMOVED) this.#removed.delete(this.#removed.keys().next().value!);
  }

  /**
   * Returns a removed series at its earlier place, since Redis has its numbers again. Returns undefined if no series of
   * this id was removed.
   *
   * @param make - makes the series
   */
  restore<S extends Placed>(id: number, make: (labels: string, chunk: Chunk) => S): S | undefined {
    const removed = this.#removed.get(id);
    if (removed === undefined) return undefined;
    this.#removed.delete(id);
    const series = make(removed.labels, removed.chunk);
    removed.chunk.series.add(series);
    return series;
  }

  /**
   * Returns, for each chunk that a batch changes, its number, `append` or `replace`, and entries.
   *
   * @param series - the changed series, each with a place
   * @param values - the cells of each series once the batch is applied
   */
  encode(series: readonly Placed[], values: Float64Array): Argument[] {
    const changes = new Map<Chunk, number[]>();
    for (const [i, { chunk }] of series.entries()) {
      const indexes = changes.get(chunk!);
      if (indexes === undefined) changes.set(chunk!, [i]);
      else indexes.push(i);
    }
    this.#encoded.clear();
    const encoded: Argument[] = [];
    for (const [chunk, indexes] of changes) {
      const isAppended = chunk.entries + indexes.length <= MAX_RATIO * chunk.series.size;
      const others = isAppended ? [] : this.#othersOf(chunk, series, indexes);
      const size = this.#cells + 1;
      const entries = new Float64Array((others.length + indexes.length) * size);
      let at = 0;
      for (const { id, sent } of others) {
        entries[at] = id;
        entries.set(sent, at + 1);
        at += size;
      }
      for (const i of indexes) {
        entries[at] = series[i]!.id;
        for (let cell = 1; cell < size; cell++) entries[at + cell] = values[i * this.#cells + cell - 1]!;
        at += size;
      }
      this.#encoded.set(chunk, others.length + indexes.length + (isAppended ? chunk.entries : 0));
      encoded.push(chunk.number, isAppended ? 'append' : 'replace', encodeDoubles(entries));
    }
    return encoded;
  }

  /** Records that the batch that was encoded last was applied. */
  markSent(): void {
    for (const [chunk, entries] of this.#encoded) chunk.entries = entries;
    this.#encoded.clear();
  }

  /**
   * Takes over the chunks of a hash that this producer has joined. Returns the cells of each series in them, by its id.
   */
  adopt(chunks: readonly Buffer[]): Map<number, Float64Array> {
    const found = new Map<number, Float64Array>();
    const size = this.#cells + 1;
    for (const [number, bytes] of chunks.entries()) {
      const doubles = decodeDoubles(bytes);
      for (let at = 0; at + size <= doubles.length; at += size) {
        found.set(doubles[at]!, doubles.subarray(at + 1, at + size));
      }
      // Only another program can have written part of an entry. The next batch replaces the chunk.
      const isWhole = doubles.length % size === 0;
      const chunk = this.#chunks[number];
      if (chunk !== undefined) chunk.entries = isWhole ? doubles.length / size : Number.POSITIVE_INFINITY;
    }
    for (const chunk of this.#chunks.slice(chunks.length)) chunk.entries = 0;
    this.#encoded.clear();
    return found;
  }

  /** Returns the series of a chunk that Redis has and that a batch does not change. */
  #othersOf(chunk: Chunk, series: readonly Placed[], indexes: readonly number[]): Placed[] {
    if (indexes.length === chunk.series.size) return [];
    const changed = new Set(indexes.map((i) => series[i]));
    return [...chunk.series].filter((one) => one.known && !changed.has(one));
  }
}

/** Encodes doubles as they are stored in Redis: little-endian. */
export function encodeDoubles(doubles: Float64Array): Buffer {
  const bytes = Buffer.from(doubles.buffer);
  return endianness() === 'BE' ? bytes.swap64() : bytes;
}

/** Reverses {@link encodeDoubles}. Ignores bytes after the last whole double. */
function decodeDoubles(bytes: Buffer): Float64Array {
  const doubles = new Float64Array(Math.floor(bytes.length / CELL_BYTES));
  const copy = Buffer.from(doubles.buffer);
  bytes.copy(copy);
  if (endianness() === 'BE') copy.swap64();
  return doubles;
}
