/** The room that a bar has to draw in. */

import type { OutputFile } from '../screen/terminal.js';
import type { ResolvedBarOptions } from './bar-options.js';
import type { BarEnvironment } from './environment.js';

/** Columns and rows; `null` where they are not known. */
export interface ScreenSize {
  readonly ncols: number | null;
  readonly nrows: number | null;
}

/**
 * The size of the screen behind `file`: what it says itself, else `COLUMNS` and `LINES`, of which both must be set
 * and one is kept free, as tqdm does.
 */
export function screenSize(file: OutputFile, env: Readonly<Record<string, string | undefined>>): ScreenSize {
  if (typeof file.columns === 'number' && typeof file.rows === 'number') {
    // The last column of a Windows console breaks the line.
    const spare = process.platform === 'win32' ? 1 : 0;
    return { ncols: file.columns - spare, nrows: file.rows - spare };
  }
  const columns = Number.parseInt(env.COLUMNS ?? '', 10);
  const lines = Number.parseInt(env.LINES ?? '', 10);
  if (Number.isNaN(columns) || Number.isNaN(lines)) return { ncols: null, nrows: null };
  return { ncols: columns - 1, nrows: lines - 1 };
}

/**
 * The size one bar draws for: what the user said, else that of the screen. Only standard streams are asked, once,
 * unless the bar follows its screen.
 */
export class Screen {
  readonly #file: OutputFile;
  readonly #environment: BarEnvironment;
  readonly #given: ScreenSize;
  readonly #follows: boolean;
  #size: ScreenSize;

  /** @param follows - does the screen tell when its size changes? */
  constructor(file: OutputFile, options: ResolvedBarOptions, environment: BarEnvironment, follows: boolean) {
    const { ncols, nrows, dynamicNcols } = options;
    this.#file = file;
    this.#environment = environment;
    // tqdm's `dynamic_ncols` goes before what is given.
    this.#given = dynamicNcols ? { ncols: null, nrows: null } : { ncols, nrows };
    const standard = file === environment.stderr || file === environment.stdout;
    this.#follows = dynamicNcols || (follows && standard);
    this.#size = standard ? this.#ask() : this.#given;
  }

  get size(): ScreenSize {
    if (this.#follows) this.#size = this.#ask();
    return this.#size;
  }

  #ask(): ScreenSize {
    const { ncols, nrows } = this.#given;
    if (ncols !== null && nrows !== null) return this.#given;
    const screen = screenSize(this.#file, this.#environment.env);
    return { ncols: ncols ?? screen.ncols, nrows: nrows ?? screen.nrows };
  }
}
