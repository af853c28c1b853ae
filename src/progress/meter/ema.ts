import { checkArgument } from './arguments.js';

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
    checkArgument('smoothing', smoothing, ['number']);
    this.#alpha = smoothing;
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
