/**
 * The iterators of synchronous bars.
 *
 * `next` is written for the optimizer: one class for each kind of source, a fresh result object that never escapes,
 * one add into the record, one comparison. Everything else happens in {@link Loop}.
 */

import type { BarState, Outcome } from './bar-state.js';
import { Loop } from './loop.js';
import type { Range } from './range.js';
import { FAILED, FINISHED } from './record.js';

type End = (outcome: Outcome) => void;

const NOTHING: readonly never[] = [];

/** Over an array, which may grow meanwhile. */
export class ArrayLoop<T> extends Loop implements IterableIterator<T> {
  #items: readonly T[];

  constructor(items: readonly T[], state: BarState, end: End) {
    super(state, end);
    this.#items = items;
  }

  next(): IteratorResult<T, undefined> {
    const { given } = this;
    if (given !== 0) this.count(given);
    if (given < this.#items.length) {
      this.given = given + 1;
      return { value: this.#items[given] as T, done: false };
    }
    return this.#leave(given);
  }

  return(): IteratorResult<T, undefined> {
    return this.#leave(this.completeRounds);
  }

  [Symbol.iterator](): this {
    return this;
  }

  #leave(rounds: number): IteratorResult<T, undefined> {
    this.#items = NOTHING;
    this.given = 0;
    this.stop(rounds, FINISHED);
    return { value: undefined, done: true };
  }
}

/** Over numbers. */
export class RangeLoop extends Loop implements IterableIterator<number> {
  readonly #range: Range;
  #length: number;

  constructor(range: Range, state: BarState, end: End) {
    super(state, end);
    this.#range = range;
    this.#length = range.length;
  }

  next(): IteratorResult<number, undefined> {
    const { given } = this;
    if (given !== 0) this.count(given);
    if (given < this.#length) {
      this.given = given + 1;
      return { value: this.#range.start + given * this.#range.step, done: false };
    }
    return this.#leave(given);
  }

  return(): IteratorResult<number, undefined> {
    return this.#leave(this.completeRounds);
  }

  [Symbol.iterator](): this {
    return this;
  }

  #leave(rounds: number): IteratorResult<number, undefined> {
    this.#length = 0;
    this.given = 0;
    this.stop(rounds, FINISHED);
    return { value: undefined, done: true };
  }
}

/** Over anything else that can be iterated. Its results are passed on as they are. */
export class IteratorLoop<T> extends Loop implements IterableIterator<T> {
  readonly #source: Iterator<T>;

  constructor(source: Iterator<T>, state: BarState, end: End) {
    super(state, end);
    this.#source = source;
  }

  next(): IteratorResult<T, undefined> {
    const { given } = this;
    if (given !== 0) this.count(given);
    let result: IteratorResult<T, undefined>;
    try {
      result = this.#source.next();
    } catch (error) {
      this.#leave(given, FAILED);
      throw error;
    }
    if (result.done === true) this.#leave(given, FINISHED);
    else this.given = given + 1;
    return result;
  }

  return(): IteratorResult<T, undefined> {
    try {
      this.#source.return?.();
    } finally {
      this.#leave(this.completeRounds, FINISHED);
    }
    return { value: undefined, done: true };
  }

  [Symbol.iterator](): this {
    return this;
  }

  #leave(rounds: number, outcome: Outcome): void {
    this.given = 0;
    this.stop(rounds, outcome);
  }
}

/** Over an asynchronous source. An error of the source fails the bar; leaving the loop early finishes it. */
export class AsyncLoop<T> extends Loop {
  readonly #source: AsyncIterable<T> | Iterable<T>;

  constructor(source: AsyncIterable<T> | Iterable<T>, state: BarState, end: End) {
    super(state, end);
    this.#source = source;
  }

  async *run(): AsyncGenerator<Awaited<T>, void, undefined> {
    let outcome: Outcome = FINISHED;
    let rounds = 0;
    try {
      for await (const item of this.#source) {
        this.given = rounds + 1;
        yield item;
        rounds += 1;
        this.count(rounds);
      }
    } catch (error) {
      outcome = FAILED;
      throw error;
    } finally {
      this.stop(rounds, outcome);
    }
  }
}
