/** Progress bars to loop over. */

import { Bar } from '../bar/bar.js';
import type { BarOptions } from '../bar/bar-options.js';
import { type BarEnvironment, createEnvironment, processEnvironment } from '../bar/environment.js';
import { FAILED } from '../bar/record.js';
import { LiveBars } from '../screen/live-bars.js';
import { ArrayLoop, AsyncLoop, IteratorLoop, RangeLoop } from './iterator-loop.js';
import { lengthOf, Range } from './source.js';

function isPlainArray<T>(source: Iterable<T>): source is T[] {
  return Array.isArray(source) && source[Symbol.iterator] === Array.prototype[Symbol.iterator];
}

/**
 * A bar over an iterable. It counts a round when the body is done, and closes when the loop ends: at its end, by
 * `break`, `return` or an error.
 */
export class IterableBar<T> extends Bar implements Iterable<T>, AsyncIterable<Awaited<T>> {
  readonly #source: Iterable<T>;

  constructor(source: Iterable<T>, options?: BarOptions, environment: BarEnvironment = processEnvironment) {
    super(options, environment, lengthOf(source));
    this.#source = source;
  }

  /** The source that is looped over. */
  get iterable(): Iterable<T> {
    return this.#source;
  }

  [Symbol.iterator](): IterableIterator<T> {
    const source: Iterable<unknown> = this.#source;
    // The casts: a loop yields the items of its source.
    if (isPlainArray(source)) return new ArrayLoop(source, this.state, this.endLoop) as IterableIterator<T>;
    if (source instanceof Range) {
      return new RangeLoop(
        source,
        this.state,
        this.endLoop,
      ) as IterableIterator<unknown> as IterableIterator<T>;
    }
    try {
      return new IteratorLoop(this.#source[Symbol.iterator](), this.state, this.endLoop);
    } catch (error) {
      this.endLoop(FAILED, error);
      throw error;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Awaited<T>, void, undefined> {
    return new AsyncLoop(this.#source, this.state, this.endLoop).open();
  }
}

/** A bar over a source that can only be iterated with `for await`. */
export class AsyncIterableBar<T> extends Bar implements AsyncIterable<Awaited<T>> {
  readonly #source: AsyncIterable<T> | Iterable<T | PromiseLike<T>>;

  constructor(
    source: AsyncIterable<T> | Iterable<T | PromiseLike<T>>,
    options?: BarOptions,
    environment: BarEnvironment = processEnvironment,
  ) {
    super(options, environment, lengthOf(source));
    this.#source = source;
  }

  /** The source that is looped over. */
  get iterable(): AsyncIterable<T> | Iterable<T | PromiseLike<T>> {
    return this.#source;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Awaited<T>, void, undefined> {
    return new AsyncLoop(this.#source, this.state, this.endLoop).open();
  }
}

const nowhere = { write: () => true };
const closedBars = createEnvironment({ stdout: nowhere, stderr: nowhere, env: {}, live: new LiveBars() });

/** A closed bar of each kind, kept for good. See docs/v8.md: constructors kept by one live instance. */
export const CLOSED_BARS: readonly Bar[] = [
  new Bar({ disable: true }, closedBars),
  new IterableBar([], { disable: true }, closedBars),
];

for (const bar of CLOSED_BARS) bar.close();
