/** What can be looped over, and how many items it will give. */

import { MetheusError, show } from '../../errors.js';

/** Not by `instanceof`: test runners give each file a world of its own, in which Node's streams are no `Object`. */
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

/** Something with `next()` that forgot to be iterable: a cursor of a driver, an iterator written by hand. */
export function isIterator(source: unknown): source is Iterator<unknown> | AsyncIterator<unknown> {
  return isObject(source) && 'next' in source && typeof source.next === 'function';
}

/** How many items there will be, when the source knows: `length`, `size`. */
export function lengthOf(source: object | string): number | null {
  // A string iterates by code points.
  if (typeof source === 'string') return [...source].length;
  // A function's length is that of its parameters.
  if ('length' in source && typeof source !== 'function' && isLength(source.length)) return source.length;
  if ('size' in source && isLength(source.size)) return source.size;
  return null;
}

function isLength(length: unknown): length is number {
  return typeof length === 'number' && length >= 0;
}

/** The error about a source of no use. */
export function notIterable(
  source: unknown,
  todo: string,
  expected = 'an iterable, an async iterable, an iterator, an integer or null',
): MetheusError {
  const promise = isThenable(source);
  return new MetheusError('METHEUS_NOT_ITERABLE', {
    given: promise ? 'a promise' : show(source),
    expected,
    todo: promise ? 'Await it first' : todo,
  });
}

/**
 * An iterator as an iterable. Whether it is an asynchronous one shows only in what `next()` gives, so both loops are
 * offered; the wrong one is told so instead of going on for ever.
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
