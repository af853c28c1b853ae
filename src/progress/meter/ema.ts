/** The speed of a bar: averages over its frames. */

import { invalidArgument } from './arguments.js';

/** Exponential moving average without a bias towards zero in its first values. */
export class Ema {
  readonly #alpha: number;
  #last = 0;
  #calls = 0;

  /**
   * @param smoothing - weight of the newest value, from 0 (the average never moves) to 1 (the newest value only)
   * @throws `METHEUS_INVALID_BAR_OPTION` when `smoothing` is not a number
   */
  constructor(smoothing = 0.3) {
    if (typeof smoothing !== 'number') throw invalidArgument('smoothing', smoothing, 'a number');
    this.#alpha = smoothing;
  }

  /** @internal Returns the average as if `value` were added. */
  after(value: number): number {
    const beta = 1 - this.#alpha;
    return (this.#alpha * value + beta * this.#last) / (1 - beta ** (this.#calls + 1) || 1);
  }

  /** Adds `value`, if given, and returns the average so far: 0 before the first value. */
  next(value?: number | null): number {
    const beta = 1 - this.#alpha;
    if (value !== undefined && value !== null) {
      this.#last = this.#alpha * value + beta * this.#last;
      this.#calls += 1;
    }
    // Dividing by the sum of all weights makes them add up to one. With a smoothing of 0 that sum and the result are 0.
    return this.#last / (1 - beta ** this.#calls || 1);
  }
}

/** Settings that limit the time between two frames, in seconds. */
export interface FrameIntervals {
  readonly mininterval: number;
  readonly maxinterval: number;
}

/** The speed of a bar, smoothed in the same way as in tqdm. */
export class Speed {
  readonly #smoothing: number;
  readonly #units: Ema;
  readonly #seconds: Ema;
  readonly #miniters: Ema;
  /** Number of units in the last frame that had new units. */
  lastUnits = 0;

  /** @param smoothing - weight of the newest frame, from 0 to 1; 0 for no smoothing */
  constructor(smoothing: number) {
    this.#smoothing = smoothing;
    this.#units = new Ema(smoothing);
    this.#seconds = new Ema(smoothing);
    this.#miniters = new Ema(smoothing);
  }

  /** Units per second; `null` before it has a value. */
  get rate(): number | null {
    const seconds = this.#seconds.next();
    return seconds ? this.#units.next() / seconds : null;
  }

  /**
   * Returns the rate at a time after the last frame. Without new units, assumes that as many units as in the last frame
   * are done now, so that the rate decreases while a bar does not move.
   *
   * @param units - units since the last frame
   * @param seconds - time since the last frame
   */
  rateAfter(units: number, seconds: number): number | null {
    const { rate } = this;
    if (rate === null || seconds <= 0) return rate;
    const next = this.#units.after(units || this.lastUnits) / this.#seconds.after(seconds);
    return units ? next : Math.min(rate, next);
  }

  /**
   * Returns the units assumed to be done at this rate since the last frame: at most as many as in that frame, since
   * later units are overdue.
   */
  unitsAfter(seconds: number, rate: number): number {
    return Math.max(Math.min(rate * seconds, this.lastUnits), 0);
  }

  /** Adds a frame: the units and seconds since the previous one. */
  add(units: number, seconds: number): void {
    if (units) this.lastUnits = units;
    if (!this.#smoothing || !seconds || !units) return;
    this.#units.next(units);
    this.#seconds.next(seconds);
  }

  /** Adapts `miniters` to the speed of a frame: about the units that are done in `mininterval`. */
  adaptMiniters(units: number, seconds: number, miniters: number, intervals: FrameIntervals): number {
    const { mininterval, maxinterval } = intervals;
    if (maxinterval && seconds >= maxinterval) return (units * (mininterval || maxinterval)) / seconds;
    if (!this.#smoothing) return Math.max(miniters, units);
    return this.#miniters.next(units * (mininterval && seconds ? mininterval / seconds : 1));
  }
}

/** The speed of bars without frames, and of closed bars. */
export const NO_SPEED: Speed = new Speed(0);
