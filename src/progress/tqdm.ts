/** `tqdm`: a progress bar for whatever is given. */

import { Bar } from './bar.js';
import type { BarOptions } from './bar-options.js';
import { countedResponse } from './counted-response.js';
import { type BarEnvironment, createEnvironment } from './environment.js';
import { AsyncIterableBar, IterableBar } from './iterable-bar.js';
import { createPromiseBars, type PromiseBars } from './promises.js';
import { Range } from './range.js';
import { IteratorSource, isAsyncIterable, isIterable, isIterator, notIterable } from './source.js';
import { type OutputFile, Terminal } from './terminal.js';

export interface WriteOptions {
  /** Where to print. Default: `process.stdout`. */
  readonly file?: OutputFile | undefined;
  /** Written after the text (default: a line feed). */
  readonly end?: string | undefined;
  /** Has no effect: nothing else runs while a bar draws. tqdm has it. */
  readonly nolock?: boolean | undefined;
}

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

  function write(text: string, { file = environment.stdout, end = '\n' }: WriteOptions = {}): void {
    // What goes to stdout is seen beside what goes to stderr.
    const standard = (other: OutputFile) => other === environment.stdout || other === environment.stderr;
    environment.live.aside(
      ({ terminal }) => terminal.file === file || (standard(terminal.file) && standard(file)),
      () => Terminal.of(file).write(text + end),
    );
  }

  // The overloads are wider than any one signature: `open` returns what they promise.
  const response = (given: Response, options: BarOptions = {}) =>
    countedResponse(given, options, environment);
  return Object.assign(open, { write, response }, createPromiseBars(environment)) as Tqdm;
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
