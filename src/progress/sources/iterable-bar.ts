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

/** A source for `for await`. */
type AsyncSource<T> = AsyncIterable<T> | Iterable<T | PromiseLike<T>>;

/** A bar over a source that can only be iterated with `for await`. */
export class AsyncIterableBar<T, Source extends AsyncSource<T> = AsyncSource<T>>
  extends Bar
  implements AsyncIterable<Awaited<T>>
{
  readonly #source: Source;

  constructor(source: Source, options?: BarOptions, environment: BarEnvironment = processEnvironment) {
    super(options, environment, lengthOf(source));
    this.#source = source;
  }

  /** The source that is looped over. */
  get iterable(): Source {
    return this.#source;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Awaited<T>, void, undefined> {
    return new AsyncLoop<T>(this.#source, this.state, this.endLoop.bind(this)).open();
  }
}

/**
 * A bar over an iterable. A round is counted after the body of the loop ran. The bar closes when the loop ends: after
 * the last item, or by `break`, `return` or an error.
 */
export class IterableBar<T> extends AsyncIterableBar<T, Iterable<T>> implements Iterable<T> {
  [Symbol.iterator](): IterableIterator<T> {
    const { iterable: source, state } = this;
    const endLoop = this.endLoop.bind(this);
    if (isPlainArray(source)) return new ArrayLoop(source, state, endLoop);
    if (source instanceof Range) {
      // The cast: the items of a range are numbers.
      return new RangeLoop(source, state, endLoop) as IterableIterator<unknown> as IterableIterator<T>;
    }
    try {
      return new IteratorLoop(source[Symbol.iterator](), state, endLoop);
    } catch (error) {
      endLoop(FAILED, error);
      throw error;
    }
  }
}

let closedBars: readonly Bar[] | undefined;

/**
 * Creates closed bars that are never freed, so that V8 keeps the optimized code while no other bars exist. See
 * docs/v8.md: constructors kept by one live instance.
 */
export function keepOptimizedCode(): void {
  if (closedBars !== undefined) return;
  const nowhere = { write: () => true };
  const environment = createEnvironment({ stdout: nowhere, stderr: nowhere, env: {}, live: new LiveBars() });
  closedBars = [new Bar({ disable: true }, environment), new IterableBar([], { disable: true }, environment)];
  for (const bar of closedBars) bar.close();
}
