/** What can be looped over, and how many items it will give. */

import { MetheusError, show } from '../../errors.js';

export function isIterable(source: unknown): source is Iterable<unknown> {
  return typeof source === 'string' || (source instanceof Object && Symbol.iterator in source);
}

export function isAsyncIterable(source: unknown): source is AsyncIterable<unknown> {
  return source instanceof Object && Symbol.asyncIterator in source;
}

/** Something with `next()` that forgot to be iterable: a cursor of a driver, an iterator written by hand. */
export function isIterator(source: unknown): source is Iterator<unknown> | AsyncIterator<unknown> {
  return source instanceof Object && 'next' in source && typeof source.next === 'function';
}

/** How many items there will be, when the source knows: `length`, `size`. */
export function lengthOf(source: object | string): number | null {
  // A string iterates by code points.
  if (typeof source === 'string') return [...source].length;
  if ('length' in source && typeof source.length === 'number') return source.length;
  if ('size' in source && typeof source.size === 'number') return source.size;
  return null;
}

/** The error about a source of no use. */
export function notIterable(source: unknown, todo: string): MetheusError {
  return new MetheusError('METHEUS_NOT_ITERABLE', {
    given: show(source),
    expected: 'an iterable, an async iterable, an iterator, an integer or null',
    todo,
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
        if (!(result instanceof Promise)) return result;
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
