import { checkArgument } from './arguments.js';

/** Exponential moving average that is not pulled towards zero by its first values. */
export class Ema {
  readonly #alpha: number;
  #last = 0;
  #calls = 0;

  /**
   * @param smoothing - weight of the newest value, from 0 (the average never moves) to 1 (the newest value only)
   * @throws MetheusError `METHEUS_INVALID_BAR_OPTION` for what is no number
   */
  constructor(smoothing = 0.3) {
    checkArgument('smoothing', smoothing, ['number']);
    this.#alpha = smoothing;
  }

  /** Takes in `value`, when one is given, and returns the average so far: 0 before the first value. */
  next(value?: number | null): number {
    const beta = 1 - this.#alpha;
    if (value !== undefined && value !== null) {
      this.#last = this.#alpha * value + beta * this.#last;
      this.#calls += 1;
    }
    // Dividing by the weights given out so far makes them add up to one. A smoothing of 0 gives none.
    return this.#last / (1 - beta ** this.#calls || 1);
  }
}
