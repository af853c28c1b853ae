/** Bars over promises: `tqdm.all`, `allSettled`, `asCompleted` and `map`. */

import { Bar } from '../bar/bar.js';
import type { BarOptions } from '../bar/bar-options.js';
import type { BarEnvironment } from '../bar/environment.js';
import { concurrentMap, forEach, type MapOptions, type MapSource, markHandled } from './concurrent-map.js';
import { AsyncIterableBar } from './iterable-bar.js';
import { isIterable, notIterable } from './source.js';

/** The items of a source. */
export type ItemOf<Source> = Source extends number
  ? number
  : Source extends MapSource<infer T>
    ? Awaited<T>
    : never;

/** The functions of `tqdm` for promises. Options are those of the bar, whose total is the number of promises. */
export interface PromiseBars {
  /** `Promise.all` with a bar that moves with each promise that is fulfilled and fails with the first rejection. */
  all<T extends readonly unknown[] | []>(
    promises: T,
    options?: BarOptions,
  ): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }>;
  all<T>(promises: Iterable<T | PromiseLike<T>>, options?: BarOptions): Promise<Awaited<T>[]>;

  /** `Promise.allSettled` with a bar that moves with each promise that is settled, and never fails. */
  allSettled<T extends readonly unknown[] | []>(
    promises: T,
    options?: BarOptions,
  ): Promise<{ -readonly [P in keyof T]: PromiseSettledResult<Awaited<T[P]>> }>;
  allSettled<T>(
    promises: Iterable<T | PromiseLike<T>>,
    options?: BarOptions,
  ): Promise<PromiseSettledResult<Awaited<T>>[]>;

  /**
   * Returns a bar to loop over with `for await`: it yields values in the order in which the promises are fulfilled. The
   * first rejection is thrown by the loop and fails the bar; later ones are ignored.
   */
  asCompleted<T>(promises: Iterable<T>, options?: BarOptions): AsyncIterableBar<T>;

  /**
   * Calls `work(item, index)` for each item, at most `concurrency` at a time. Resolves with the results in the order of
   * the items. A sync or async iterable is pulled only when a call may start. A number stands for the range from 0 up
   * to that number, exclusive.
   *
   * At the first error no further call starts, the iterator is closed, the bar fails, and the result rejects at once;
   * running calls go on. The same happens when the signal aborts, with its reason. Bars that `work` opens stand below
   * this one, in rows that do not move.
   *
   * @throws `METHEUS_INVALID_BAR_OPTION`, `METHEUS_INVALID_CALLBACK`, `METHEUS_NOT_ITERABLE` as a rejection
   */
  map<Source extends MapSource<unknown> | number, R>(
    items: Source,
    work: (item: ItemOf<Source>, index: number) => R | PromiseLike<R>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]>;

  /**
   * Calls `work(item, index)` for each item in turn, and awaits each result. If `work` or the source throws, the
   * bar fails and the returned promise rejects with the error. A `for` loop cannot detect errors of its body.
   *
   * @throws `METHEUS_INVALID_BAR_OPTION`, `METHEUS_INVALID_CALLBACK`, `METHEUS_NOT_ITERABLE` as a rejection
   */
  each<Source extends MapSource<unknown> | number>(
    items: Source,
    work: (item: ItemOf<Source>, index: number) => unknown,
    options?: BarOptions,
  ): Promise<void>;
}

/** @throws `METHEUS_NOT_ITERABLE` */
function promisesOf<T>(promises: Iterable<T>): T[] {
  if (!isIterable(promises)) throw notIterable(promises, 'Give it an array of promises', 'an iterable');
  return markHandled([...promises]);
}

/** Returns promises in order of completion: the first settles like the given promise that settles first, and so on. */
function inOrderOfCompletion<T>(promises: readonly T[]): Promise<Awaited<T>>[] {
  const waiting: { resolve: (value: Awaited<T>) => void; reject: (error: unknown) => void }[] = [];
  const settled = promises.map(
    () => new Promise<Awaited<T>>((resolve, reject) => waiting.push({ resolve, reject })),
  );
  let first = 0;
  const next = () => waiting[first++]!;
  for (const promise of promises) {
    Promise.resolve(promise).then(
      (value) => next().resolve(value),
      (error) => next().reject(error),
    );
  }
  // If the loop is left early, the remaining promises are never awaited.
  return markHandled(settled);
}

/** Creates the functions of a `tqdm` with this environment. */
export function createPromiseBars(environment: BarEnvironment): PromiseBars {
  async function all(promises: Iterable<unknown>, options?: BarOptions): Promise<unknown[]> {
    const given = promisesOf(promises);
    const bar = new Bar(options, environment, given.length);
    const count = (value: unknown) => {
      bar.update(1);
      return value;
    };
    const counted = given.map((promise) => Promise.resolve(promise).then(count));
    try {
      const values = await Promise.all(counted);
      bar.close();
      return values;
    } catch (error) {
      bar.fail(error);
      throw error;
    }
  }

  async function allSettled(promises: Iterable<unknown>, options?: BarOptions) {
    const given = promisesOf(promises);
    const bar = new Bar(options, environment, given.length);
    const count = () => {
      bar.update(1);
    };
    const counted = given.map((promise) => Promise.resolve(promise).finally(count));
    const results = await Promise.allSettled(counted);
    bar.close();
    return results;
  }

  const functions = {
    all,
    allSettled,
    asCompleted: <T>(promises: Iterable<T>, options?: BarOptions) =>
      new AsyncIterableBar<T>(inOrderOfCompletion(promisesOf(promises)), options, environment),
    map: <T, R>(
      items: MapSource<T> | number,
      work: (item: Awaited<T>, index: number) => R | PromiseLike<R>,
      options: MapOptions = {},
    ) => concurrentMap(items, work, options, environment),
    each: <T>(
      items: MapSource<T> | number,
      work: (item: Awaited<T>, index: number) => unknown,
      options: BarOptions = {},
    ) => forEach(items, work, options, environment),
  };
  // The overloads for tuples exist only for the compiler.
  return functions as PromiseBars;
}
