/** `tqdm`: a progress bar for whatever is given. */

import './sources/always.js';
import { Bar } from './bar/bar.js';
import type { BarOptions } from './bar/bar-options.js';
import { type BarEnvironment, createEnvironment } from './bar/environment.js';
import { externalWriteMode, type WriteOptions, writeAbove } from './screen/above.js';
import { LiveBars } from './screen/live-bars.js';
import type { OutputFile } from './screen/terminal.js';
import { countedResponse } from './sources/counted-response.js';
import { AsyncIterableBar, IterableBar } from './sources/iterable-bar.js';
import { createPromiseBars, type PromiseBars } from './sources/promises.js';
import { Range } from './sources/range.js';
import { IteratorSource, isAsyncIterable, isIterable, isIterator, notIterable } from './sources/source.js';

export type { WriteOptions } from './screen/above.js';

export interface Tqdm extends PromiseBars {
  /** A bar over `source`; its length or size is the total. A number counts from 0 up to it. */
  <T>(source: Iterable<T>, options?: BarOptions): IterableBar<T>;
  <T>(source: AsyncIterable<T>, options?: BarOptions): AsyncIterableBar<T>;
  <T>(source: Iterator<T>, options?: BarOptions): IterableBar<T>;
  <T>(source: AsyncIterator<T>, options?: BarOptions): AsyncIterableBar<T>;
  (source: number, options?: BarOptions): IterableBar<number>;
  /** A bar that is moved by `update`. */
  (source?: null, options?: BarOptions): Bar;
  /** Prints above the bars. */
  write(text: string, options?: WriteOptions): void;
  /**
   * Takes the bars off the screen while `work` writes there by itself, to `file` (default `process.stdout`). They
   * come back when it is done, that is, when its promise settles. Gives what it gives.
   */
  externalWriteMode<T>(work: () => T, file?: OutputFile): T;
  /** The same until the result is disposed of: `using _ = tqdm.externalWriteMode()`. */
  externalWriteMode(file?: OutputFile): Disposable;
  /**
   * Prints above the bars what the program writes to stdout and stderr, `console.log` too, until the result is
   * disposed of. Bars on a terminal do so by themselves while they are open, unless they have `redirect: false`.
   */
  redirect(): Disposable;
  /** Seconds between two looks for bars that fell silent (default 10); 0: none. */
  monitorInterval: number;
  /**
   * A `fetch` response whose body moves a bar while it is read. Its total is the `content-length`, unless the body
   * travelled encoded (`content-encoding`). Counts bytes: `unit: 'B'`, `unitScale: true`, `unitDivisor: 1024`.
   */
  response(response: Response, options?: BarOptions): Response;
}

export interface Trange {
  /** A bar over the numbers from `start` (default 0) to before `stop`, by `step` (default 1). */
  (stop: number, options?: BarOptions): IterableBar<number>;
  (start: number, stop: number, options?: BarOptions): IterableBar<number>;
  (start: number, stop: number, step: number, options?: BarOptions): IterableBar<number>;
}

/** What a `tqdm` may have of its own; the rest is as the process has it. */
export type TqdmEnvironment = Partial<Pick<BarEnvironment, 'clock' | 'stdout' | 'stderr' | 'env'>>;

/**
 * Makes a `tqdm` of its own environment: another clock, another terminal, another place to count into.
 *
 * The function throws `METHEUS_NOT_ITERABLE` for a source of no use, and what the options' mistakes throw.
 */
export function createTqdm(replaced: Partial<BarEnvironment> = {}): Tqdm {
  const environment = createEnvironment(replaced);

  function open(source?: unknown, options?: BarOptions): Bar {
    if (source === null || source === undefined) return new Bar(options, environment);
    if (typeof source === 'number') return new IterableBar(new Range(0, source, 1), options, environment);
    if (isIterable(source)) return new IterableBar(source, options, environment);
    if (isAsyncIterable(source)) return new AsyncIterableBar(source, options, environment);
    if (isIterator(source)) return new IterableBar(new IteratorSource(source), options, environment);
    throw notIterable(source, 'Give tqdm(null, options) and call update() for anything else');
  }

  const members: Pick<Tqdm, keyof Tqdm> = {
    ...createPromiseBars(environment),
    response: (response, options = {}) => countedResponse(response, options, environment),
    write: (text, options) => writeAbove(environment, text, options),
    externalWriteMode: (...given: [never]) => externalWriteMode(environment, ...given),
    redirect() {
      const holder = {};
      environment.redirection.hold(holder);
      return { [Symbol.dispose]: () => environment.redirection.release(holder) };
    },
    get monitorInterval() {
      return environment.live.monitorInterval;
    },
    set monitorInterval(seconds) {
      environment.live.monitorInterval = seconds;
    },
  };
  // The overloads are wider than any one signature: `open` returns what they promise.
  return Object.defineProperties(open, Object.getOwnPropertyDescriptors(members)) as Tqdm;
}

/**
 * A `tqdm` with a clock, outputs or variables of its own, for tests that compare whole frames for instance. Its bars have
 * rows of their own, unless only the variables differ. With a clock that has no `stride`, each update may draw, as in
 * Python.
 */
export function createOwnTqdm(environment: TqdmEnvironment = {}): Tqdm {
  const { clock, stdout, stderr } = environment;
  const isApart = [clock, stdout, stderr].some((part) => part !== undefined);
  return createTqdm(isApart ? { live: new LiveBars(), ...environment } : environment);
}

/** Makes the `trange` of a `tqdm`. */
export function createTrange(replaced: Partial<BarEnvironment> = {}): Trange {
  const environment = createEnvironment(replaced);
  return (...given: (number | BarOptions | undefined)[]): IterableBar<number> => {
    const numbers = given.filter((argument): argument is number => typeof argument === 'number');
    const options = given.find((argument): argument is BarOptions => typeof argument === 'object');
    const [first = Number.NaN, second, step = 1] = numbers;
    const range = second === undefined ? new Range(0, first, 1) : new Range(first, second, step);
    return new IterableBar(range, options, environment);
  };
}

/** A progress bar on this process's terminal. It is not published: see `TqdmPromProxy`. */
export const tqdm: Tqdm = createTqdm();

/** `tqdm` over a range of numbers. */
export const trange: Trange = createTrange();
