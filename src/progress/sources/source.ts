/** Sources of loops, and the number of their items. */

import { MetheusError, show } from '../../errors.js';

/**
 * Reports whether `source` is an object or a function. `instanceof Object` would fail in test runners that run each
 * file in its own realm: Node's streams come from another realm, with another `Object`.
 */
function isObject(source: unknown): source is object {
  return (typeof source === 'object' && source !== null) || typeof source === 'function';
}

export function isIterable(source: unknown): source is Iterable<unknown> {
  return typeof source === 'string' || (isObject(source) && Symbol.iterator in source);
}

export function isAsyncIterable(source: unknown): source is AsyncIterable<unknown> {
  return isObject(source) && Symbol.asyncIterator in source;
}

export function isThenable(source: unknown): source is PromiseLike<unknown> {
  return isObject(source) && 'then' in source && typeof source.then === 'function';
}

/** Reports whether `source` has `next()`: a driver's cursor, an iterator written by hand without `Symbol.iterator`. */
export function isIterator(source: unknown): source is Iterator<unknown> | AsyncIterator<unknown> {
  return isObject(source) && 'next' in source && typeof source.next === 'function';
}

/**
 * Reports whether `given` is a plain object, so that `tqdm` takes it for options when it stands alone. Prototypes are
 * not compared, since a plain object of another realm has another `Object.prototype`.
 */
export function isPlainObject(given: unknown): given is object {
  if (typeof given !== 'object' || given === null || isThenable(given)) return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Returns the number of items when the source knows it, by `length` or `size`. */
export function lengthOf(source: object | string): number | undefined {
  // A loop over a string yields code points, not UTF-16 units.
  if (typeof source === 'string') return [...source].length;
  // The length of a function is its number of parameters.
  if ('length' in source && typeof source !== 'function' && isLength(source.length)) return source.length;
  if ('size' in source && isLength(source.size)) return source.size;
  return undefined;
}

function isLength(length: unknown): length is number {
  return typeof length === 'number' && length >= 0;
}

/** Returns the error for a source that cannot be used. */
export function notIterable(
  source: unknown,
  todo: string,
  expected = 'an iterable, an async iterable, an iterator, an integer or null',
): MetheusError {
  const isPromise = isThenable(source);
  return new MetheusError('METHEUS_NOT_ITERABLE', {
    given: isPromise ? 'a promise' : show(source),
    expected,
    todo: isPromise ? 'Await it first' : todo,
  });
}

/** The numbers from `start` up or down to `stop`, exclusive. */
export class Range implements Iterable<number> {
  readonly start: number;
  readonly step: number;
  readonly length: number;

  /** @throws `METHEUS_NOT_ITERABLE` for anything but integers, or a step of 0 */
  constructor(start: number, stop: number, step: number) {
    if (![start, stop, step].every(Number.isSafeInteger) || step === 0) {
      throw new MetheusError('METHEUS_NOT_ITERABLE', {
        given: `the range from ${show(start)} to ${show(stop)} by ${show(step)}`,
        expected: 'integers, and a step other than 0',
      });
    }
    this.start = start;
    this.step = step;
    this.length = Math.max(Math.ceil((stop - start) / step), 0);
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0; i < this.length; i += 1) yield this.start + i * this.step;
  }
}

/**
 * An iterator as an iterable. Only the result of `next()` shows whether the iterator is asynchronous, so both `for` and
 * `for await` are offered. A `for` loop over an async iterator throws. Otherwise it would never end, since a promise is
 * never `done`.
 */
export class IteratorSource implements Iterable<unknown>, AsyncIterable<unknown> {
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>;

  constructor(iterator: Iterator<unknown> | AsyncIterator<unknown>) {
    this.#iterator = iterator;
  }

  [Symbol.iterator](): Iterator<unknown> {
    const iterator = this.#iterator;
    return {
      next() {
        const result = iterator.next();
        if (!isThenable(result)) return result;
        throw notIterable(iterator, 'Loop over an async iterator with for await');
      },
      return: (value) => (iterator.return?.(value) ?? { value, done: true }) as IteratorResult<unknown>,
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    const iterator = this.#iterator;
    return {
      next: async () => iterator.next(),
      return: async (value) => iterator.return?.(value) ?? { value, done: true },
    };
  }
}
