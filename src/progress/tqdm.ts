/** `tqdm`: a progress bar over a source, or one that moves by calls of `update`. */

import { checkOptionNames } from '../model/options.js';
import { Bar } from './bar/bar.js';
import type { BarOptions } from './bar/bar-options.js';
import { type BarEnvironment, createEnvironment } from './bar/environment.js';
import { threadEnvironment } from './remote/connect.js';
import { LiveBars } from './screen/live-bars.js';
import { externalWriteMode, printAbove, type WriteOptions } from './screen/print.js';
import type { OutputFile } from './screen/terminal.js';
import { countedResponse } from './sources/counted-response.js';
import { AsyncIterableBar, IterableBar, keepOptimizedCode } from './sources/iterable-bar.js';
import { createPromiseBars, type PromiseBars } from './sources/promises.js';
import {
  IteratorSource,
  isAsyncIterable,
  isIterable,
  isIterator,
  isPlainObject,
  notIterable,
  Range,
} from './sources/source.js';

export type { WriteOptions } from './screen/print.js';

/** A source of a loop; `null` for a bar that `update` advances. */
export type BarSource =
  | Iterable<unknown>
  | AsyncIterable<unknown>
  | Iterator<unknown>
  | AsyncIterator<unknown>
  | number
  | null
  | undefined;

/** The type of the bar over a source: a plain `Bar` if the source, such as `null` or options, is not iterable. */
export type BarOf<Source> = unknown extends Source
  ? // biome-ignore lint/suspicious/noExplicitAny: the source is of type `any`, and so are its items
    IterableBar<any>
  : Source extends number
    ? IterableBar<number>
    : Source extends Iterable<infer T>
      ? IterableBar<T>
      : Source extends AsyncIterable<infer T>
        ? AsyncIterableBar<T>
        : Source extends Iterator<infer T>
          ? IterableBar<T>
          : Source extends AsyncIterator<infer T>
            ? AsyncIterableBar<T>
            : Bar;

declare const NAME: unique symbol;

/** The type of an unknown option. No value has this type, so the compiler reports an error that shows the name. */
export interface NotABarOption<Name> {
  readonly [NAME]: Name;
}

/** The constraint on options passed as the only argument. */
export type OptionsOf<Options> = {
  readonly [Name in keyof Options]: Name extends keyof BarOptions ? BarOptions[Name] : NotABarOption<Name>;
};

export interface Tqdm extends PromiseBars {
  /**
   * Returns a bar over `source`, whose length or size is the total. A number stands for the range from 0 up to that
   * number, exclusive. Without a source, or with options as the only argument, the bar is advanced by `update`.
   */
  <Source extends BarSource | OptionsOf<Source> = null>(source?: Source): BarOf<Source>;
  <Source extends BarSource>(source: Source, options: BarOptions | undefined): BarOf<Source>;
  /** Prints above the bars. */
  write(text: string, options?: WriteOptions): void;
  /**
   * Takes the bars off the screen while `work` writes to `file` (default `process.stdout`). They are drawn
   * again when it returns or its promise settles. Returns its result.
   */
  externalWriteMode<T>(work: () => T, file?: OutputFile): T;
  /** Takes the bars off the screen until the result is disposed of: `using _ = tqdm.externalWriteMode()`. */
  externalWriteMode(file?: OutputFile): Disposable;
  /**
   * Prints above the bars what the program writes to stdout and stderr, also by `console.log`, until the result is
   * disposed of. Bars on a terminal do so while they are open, unless they have `redirect: false`.
   */
  redirect(): Disposable;
  /** Seconds between two checks for open bars that have not been drawn for some time; 0 for none. @defaultValue 10 */
  monitorInterval: number;
  /**
   * Returns a `fetch` response whose body moves a bar while it is read. The total is the `content-length`, unless the
   * body is encoded (`content-encoding`). Defaults: `unit: 'B'`, `unitScale: true`, `unitDivisor: 1024`.
   */
  response(response: Response, options?: BarOptions): Response;
}

/** The arguments of {@link Trange}. */
export type RangeArguments =
  | [stop: number, options?: BarOptions]
  | [start: number, stop: number, options?: BarOptions]
  | [start: number, stop: number, step: number, options?: BarOptions];

export interface Trange {
  /** A bar over the numbers from `start` (default 0) up or down to `stop`, exclusive, by `step` (default 1). */
  (...range: RangeArguments): IterableBar<number>;
}

/** Replaced properties of the environment of a `tqdm`; the others are those of the process. */
export type TqdmEnvironment = Partial<Pick<BarEnvironment, 'clock' | 'stdout' | 'stderr' | 'env'>>;

/**
 * Creates a `tqdm` with an environment of its own: another clock, another terminal, other records.
 *
 * The function throws `METHEUS_NOT_ITERABLE` for a source that cannot be iterated, and the errors of the options.
 */
export function createTqdm(replaced: Partial<BarEnvironment> = {}): Tqdm {
  const environment = createEnvironment(replaced, threadEnvironment);

  function open(source?: unknown, options?: BarOptions): Bar {
    keepOptimizedCode();
    if (source === null || source === undefined) return new Bar(options, environment);
    if (typeof source === 'number') return new IterableBar(new Range(0, source, 1), options, environment);
    if (isIterable(source)) return new IterableBar(source, options, environment);
    if (isAsyncIterable(source)) return new AsyncIterableBar(source, options, environment);
    if (isIterator(source)) return new IterableBar(new IteratorSource(source), options, environment);
    if (options === undefined && isPlainObject(source)) return new Bar(source, environment);
    throw notIterable(source, 'Give tqdm(options) and call update() for anything else');
  }

  const members: Pick<Tqdm, keyof Tqdm> = {
    ...createPromiseBars(environment),
    response: (response, options = {}) => countedResponse(response, options, environment),
    write: (text, options) => printAbove(environment, text, options),
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
  // No single signature covers the overloads, which `open` satisfies.
  return Object.defineProperties(open, Object.getOwnPropertyDescriptors(members)) as Tqdm;
}

/**
 * Creates a `tqdm` with its own clock, outputs or variables, for instance for tests that compare frames. Its bars do
 * not share rows with other bars, unless only the variables differ. With a clock of your own, frames are drawn at the
 * same updates as in Python.
 */
export function createOwnTqdm(environment: TqdmEnvironment = {}): Tqdm {
  checkOptionNames('createTqdm', environment, ['clock', 'stdout', 'stderr', 'env']);
  const { clock, stdout, stderr } = environment;
  const isApart = [clock, stdout, stderr].some((part) => part !== undefined);
  return createTqdm(isApart ? { live: new LiveBars(), ...environment } : environment);
}

/** Creates the `trange` of a `tqdm`. */
export function createTrange(replaced: Partial<BarEnvironment> = {}): Trange {
  const environment = createEnvironment(replaced, threadEnvironment);
  return (...given: (number | BarOptions | undefined)[]): IterableBar<number> => {
    const numbers = given.filter((argument): argument is number => typeof argument === 'number');
    const options = given.find((argument): argument is BarOptions => typeof argument === 'object');
    const [first = Number.NaN, second, step = 1] = numbers;
    const range = second === undefined ? new Range(0, first, 1) : new Range(first, second, step);
    return new IterableBar(range, options, environment);
  };
}

/** Progress bars on this process's terminal. They are not published: see `TqdmPromProxy`. */
export const tqdm: Tqdm = createTqdm();

/** `tqdm` over a range of numbers. */
export const trange: Trange = createTrange();
