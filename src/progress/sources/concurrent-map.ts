/** Calls of a function for each item, with a bar: several at a time with `tqdm.map`, one by one with `tqdm.each`. */

import { MetheusError, show } from '../../errors.js';
import { checkOptionNames } from '../../model/options.js';
import { Bar } from '../bar/bar.js';
import { BAR_OPTIONS, type BarOptions } from '../bar/bar-options.js';
import type { BarEnvironment } from '../bar/environment.js';
import { invalidArgument } from '../meter/arguments.js';
import { MapRows } from '../screen/task-rows.js';
import {
  IteratorSource,
  isAsyncIterable,
  isIterable,
  isIterator,
  isThenable,
  lengthOf,
  notIterable,
  Range,
} from './source.js';

/** Options of `tqdm.map`: those of its bar, and two more. */
export interface MapOptions extends BarOptions {
  /** Maximum number of calls that run at the same time: a whole number from 1. @defaultValue `Infinity` */
  readonly concurrency?: number | undefined;
  /** Stops the work: no further call starts, and the result rejects at once with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Sources of items for `tqdm.map`. */
export type MapSource<T> = Iterable<T> | AsyncIterable<T> | Iterator<T> | AsyncIterator<T>;
type Work<T, R> = (item: Awaited<T>, index: number) => R | PromiseLike<R>;

/**
 * Marks rejections as handled, so that Node does not end the process. A function that awaits the
 * promises, such as `Promise.all`, still reports the first one.
 */
export function markHandled<T extends Iterable<unknown>>(promises: T): T {
  for (const promise of promises) if (promise instanceof Promise) promise.catch(() => {});
  return promises;
}

/** Returns the sync iterator if there is one, since its items need not be awaited. */
function iteratorOf<T>(items: MapSource<T>): Iterator<T> | AsyncIterator<T> {
  if (isIterable(items)) return (items as Iterable<T>)[Symbol.iterator]();
  if (isAsyncIterable(items)) return (items as AsyncIterable<T>)[Symbol.asyncIterator]();
  return items;
}

/** @throws `METHEUS_NOT_ITERABLE` */
function sourceOf<T>(items: MapSource<T> | number, name: string): MapSource<T> {
  // The cast is safe: where `tqdm.map` takes a number, its type says that the items are numbers.
  if (typeof items === 'number') return new Range(0, items, 1) as Iterable<unknown> as Iterable<T>;
  if (isIterable(items) || isAsyncIterable(items) || isIterator(items)) return items;
  const expected = 'an iterable, an async iterable, an iterator or an integer';
  throw notIterable(items, `Give ${name} something to loop over`, expected);
}

/** @throws `METHEUS_INVALID_CALLBACK` */
function checkWork(work: unknown, name: string): void {
  if (typeof work === 'function') return;
  throw new MetheusError('METHEUS_INVALID_CALLBACK', {
    given: `${show(work)} to ${name}`,
    expected: 'a function of an item',
  });
}

function checkConcurrency(concurrency: number): void {
  if (concurrency === Number.POSITIVE_INFINITY || (Number.isSafeInteger(concurrency) && concurrency > 0))
    return;
  throw invalidArgument('concurrency', concurrency, 'a whole number from 1, or Infinity');
}

function checkSignal(signal: unknown): void {
  if (signal === undefined || signal === null) return;
  if (typeof signal === 'object' && 'aborted' in signal && 'addEventListener' in signal) return;
  throw invalidArgument('signal', signal, 'an AbortSignal');
}

interface MapRun<T, R> {
  readonly bar: Bar;
  readonly rows: MapRows;
  readonly iterator: Iterator<T> | AsyncIterator<T>;
  readonly work: Work<T, R>;
  readonly concurrency: number;
  readonly resolve: (results: R[]) => void;
  readonly reject: (error: unknown) => void;
}

/** One run of `tqdm.map`. Items are pulled one by one, each when a call may start. */
class ConcurrentMap<T, R> {
  readonly #run: MapRun<T, R>;
  readonly #results: R[] = [];
  #started = 0;
  #running = 0;
  #isPulling = false;
  #isExhausted = false;
  #isOver = false;

  constructor(run: MapRun<T, R>) {
    this.#run = run;
  }

  /** Starts calls until the maximum number of them is running. */
  pull(): void {
    if (this.#isPulling) return;
    this.#isPulling = true;
    try {
      while (!this.#isOver && !this.#isExhausted && this.#running < this.#run.concurrency) {
        const step = this.#run.iterator.next();
        if ('then' in step) {
          void this.#pullLater(step);
          return;
        }
        this.#startWith(step);
      }
    } catch (error) {
      this.#failSource(error);
    }
    this.#isPulling = false;
    if (this.#isExhausted && this.#running === 0) this.#finish();
  }

  /** Rejects at once, as `Promise.all` does; running calls go on, and their results are ignored. */
  stop(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#run.rows.close();
    this.#run.bar.fail(error);
    this.#run.reject(error);
    if (!this.#isExhausted) void this.#closeIterator();
  }

  async #pullLater(step: PromiseLike<IteratorResult<T>>): Promise<void> {
    try {
      this.#startWith(await step);
    } catch (error) {
      this.#failSource(error);
    }
    this.#isPulling = false;
    this.pull();
  }

  #startWith({ done, value }: IteratorResult<T>): void {
    if (done === true) this.#isExhausted = true;
    else if (!this.#isOver) void this.#start(value);
  }

  /** Stops after an error of the iterator. It is not closed, since an iterator that has thrown is at its end. */
  #failSource(error: unknown): void {
    this.#isExhausted = true;
    this.stop(error);
  }

  async #start(value: T): Promise<void> {
    const index = this.#started;
    this.#started += 1;
    this.#running += 1;
    const { bar, rows, work } = this.#run;
    const taskRows = rows.enter();
    try {
      const item = await value;
      this.#results[index] = await taskRows.run(() => work(item, index));
      bar.update(1);
    } catch (error) {
      this.stop(error);
    }
    rows.leave(taskRows);
    this.#running -= 1;
    this.pull();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#run.rows.close();
    this.#run.bar.close();
    this.#run.resolve(this.#results);
  }

  async #closeIterator(): Promise<void> {
    try {
      await this.#run.iterator.return?.();
    } catch {
      // Only the error that stopped the work is reported, not one of `return`.
    }
  }
}

/** Implements `tqdm.map`. */
export async function concurrentMap<T, R>(
  given: MapSource<T> | number,
  work: Work<T, R>,
  options: MapOptions,
  environment: BarEnvironment,
): Promise<R[]> {
  // A promise may be rejected long before its turn, when it is not yet awaited.
  if (Array.isArray(given) || given instanceof Set) markHandled(given);
  const known = ['concurrency', 'signal', ...BAR_OPTIONS];
  checkOptionNames('tqdm.map', options, known, { code: 'METHEUS_INVALID_BAR_OPTION' });
  const { concurrency = Number.POSITIVE_INFINITY, signal, ...barOptions } = options;
  checkConcurrency(concurrency);
  checkSignal(signal);
  const items = sourceOf(given, 'tqdm.map');
  checkWork(work, 'tqdm.map');
  signal?.throwIfAborted();
  const bar = new Bar(barOptions, environment, lengthOf(items));
  let abort: (() => void) | undefined;
  try {
    const iterator = iteratorOf(items);
    const rows = new MapRows(environment.live, () => (bar.disable ? -1 : bar.position));
    return await new Promise<R[]>((resolve, reject) => {
      const map = new ConcurrentMap({ bar, rows, iterator, work, concurrency, resolve, reject });
      abort = () => map.stop(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      map.pull();
    });
  } catch (error) {
    bar.fail(error);
    throw error;
  } finally {
    if (abort !== undefined) signal?.removeEventListener('abort', abort);
  }
}

/** Implements `tqdm.each`. */
export async function forEach<T>(
  given: MapSource<T> | number,
  work: Work<T, unknown>,
  options: BarOptions,
  environment: BarEnvironment,
): Promise<void> {
  const items = sourceOf(given, 'tqdm.each');
  checkWork(work, 'tqdm.each');
  const bar = new Bar(options, environment, lengthOf(items));
  let index = 0;
  const run = (value: unknown) => {
    const result: unknown = work(value as Awaited<T>, index);
    index += 1;
    return result;
  };
  try {
    if (isIterable(items)) {
      for (const item of items) {
        const result = run(isThenable(item) ? await item : item);
        if (isThenable(result)) await result;
        bar.update(1);
      }
    } else {
      for await (const item of isAsyncIterable(items) ? items : new IteratorSource(items)) {
        await run(item);
        bar.update(1);
      }
    }
    bar.done();
  } catch (error) {
    bar.fail(error);
    throw error;
  }
}
