/**
 * The iterators of bars, one class for each kind of source. To be fast, `next` does only three things: one add into the
 * record, one comparison, and one literal for the result. Everything else is in {@link Loop}. See docs/v8.md:
 * allocations that disappear.
 */

import type { BarState } from '../bar/bar-state.js';
import { FAILED, FINISHED, type Outcome } from '../bar/record.js';
import { type EndLoop, Loop } from './loop.js';
import type { Range } from './source.js';

/** A loop that runs when `next` is called. */
abstract class SyncLoop<T> extends Loop implements IterableIterator<T> {
  abstract next(): IteratorResult<T, undefined>;

  return(): IteratorResult<T, undefined> {
    this.leave(this.completeRounds);
    return { value: undefined, done: true };
  }

  [Symbol.iterator](): this {
    return this;
  }

  /**
   * Ends the loop: with an outcome at its end, without one when it is left early. Further calls of `next` count nothing.
   * Subclasses must not move common code into a method that they call through `super`: V8 would then allocate each
   * result of `next`, and a loop over numbers would take twice as long.
   */
  protected abstract leave(rounds: number, outcome?: Outcome): void;
}

const NOTHING: readonly never[] = [];

/** Loops over an array, which may grow during the loop. */
export class ArrayLoop<T> extends SyncLoop<T> {
  #items: readonly T[];

  constructor(items: readonly T[], state: BarState, end: EndLoop) {
    super(state, end);
    this.#items = items;
  }

  override next(): IteratorResult<T, undefined> {
    const { given } = this;
    if (given !== 0) this.count(given);
    let value: T | undefined;
    let done = true;
    if (given < this.#items.length) {
      this.given = given + 1;
      value = this.#items[given];
      done = false;
    } else {
      this.leave(given, FINISHED);
    }
    return { value, done } as IteratorResult<T, undefined>;
  }

  protected override leave(rounds: number, outcome?: Outcome): void {
    this.#items = NOTHING;
    this.given = 0;
    this.stop(rounds, outcome);
  }
}

/** Loops over numbers. */
export class RangeLoop extends SyncLoop<number> {
  readonly #start: number;
  readonly #step: number;
  #length: number;

  constructor(range: Range, state: BarState, end: EndLoop) {
    super(state, end);
    this.#start = range.start;
    this.#step = range.step;
    this.#length = range.length;
  }

  override next(): IteratorResult<number, undefined> {
    const { given } = this;
    if (given !== 0) this.count(given);
    let value: number | undefined;
    let done = true;
    if (given < this.#length) {
      this.given = given + 1;
      value = this.#start + given * this.#step;
      done = false;
    } else {
      this.leave(given, FINISHED);
    }
    return { value, done } as IteratorResult<number, undefined>;
  }

  protected override leave(rounds: number, outcome?: Outcome): void {
    this.#length = 0;
    this.given = 0;
    this.stop(rounds, outcome);
  }
}

/** Loops over any other iterable, whose results are passed on unchanged. */
export class IteratorLoop<T> extends SyncLoop<T> {
  readonly #source: Iterator<T>;

  constructor(source: Iterator<T>, state: BarState, end: EndLoop) {
    super(state, end);
    this.#source = source;
  }

  override next(): IteratorResult<T, undefined> {
    const { given } = this;
    if (given !== 0) this.count(given);
    let result: IteratorResult<T, undefined>;
    try {
      result = this.#source.next();
    } catch (error) {
      this.leave(given, FAILED, error);
      throw error;
    }
    if (result.done === true) this.leave(given, FINISHED);
    else this.given = given + 1;
    return result;
  }

  override return(): IteratorResult<T, undefined> {
    try {
      this.#source.return?.();
    } finally {
      this.leave(this.completeRounds);
    }
    return { value: undefined, done: true };
  }

  protected leave(rounds: number, outcome?: Outcome, error?: unknown): void {
    this.given = 0;
    this.stop(rounds, outcome, error);
  }
}

/** Loops with `for await`. An error of the source fails the bar. Leaving the loop early closes it. */
export class AsyncLoop<T> extends Loop {
  readonly #source: AsyncIterable<T> | Iterable<T | PromiseLike<T>>;
  #isStarted = false;

  constructor(source: AsyncIterable<T> | Iterable<T | PromiseLike<T>>, state: BarState, end: EndLoop) {
    super(state, end);
    this.#source = source;
  }

  /** Returns the loop's iterator. */
  open(): AsyncGenerator<Awaited<T>, void, undefined> {
    const rounds = this.#run();
    const leave = rounds.return.bind(rounds);
    // If the loop is left before its first round, the generator has not started, so its `finally` does not run.
    rounds.return = (value) => {
      if (!this.#isStarted) this.stop(0);
      return leave(value);
    };
    return rounds;
  }

  async *#run(): AsyncGenerator<Awaited<T>, void, undefined> {
    this.#isStarted = true;
    let outcome: Outcome | undefined;
    let reason: unknown;
    let rounds = 0;
    try {
      for await (const item of this.#source) {
        this.given = rounds + 1;
        yield item;
        rounds += 1;
        this.count(rounds);
      }
      outcome = FINISHED;
    } catch (error) {
      outcome = FAILED;
      reason = error;
      throw error;
    } finally {
      this.stop(rounds, outcome, reason);
    }
  }
}
