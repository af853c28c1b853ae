/** The pace at which loops read the clock: seldom in fast loops, where a reading takes longer than a round. */

import type { Clock } from '../../system/clock.js';

/** A loop over the bar, which keeps its own count between two frames. */
export interface RunningLoop {
  /** The round in which the loop reads the clock; 0 for the next one. */
  checkAt: number;
  /** Units that the loop has counted and `n` does not contain yet. */
  readonly pending: number;
}

/** Duration in seconds below which a round of a loop is fast. */
const FAST_ROUND = 10e-6;
/** Number of fast rounds in a row after which the loop counts as fast. */
const MIN_FAST_ROUNDS = 64;

/**
 * Decides how many rounds a loop makes between two readings of the clock: 1 until the loop has proved fast, then the
 * clock's stride, and 1 again as soon as rounds are slow. No frame is drawn between two readings. So a frame may be
 * late by `stride` rounds: about a millisecond in a fast loop, longer when the loop suddenly becomes slow.
 */
export class Pace {
  readonly #stride: number;
  #fastRounds = 0;
  #lastReading = Number.NEGATIVE_INFINITY;
  #rounds = 1;

  constructor(clock: Clock) {
    this.#stride = clock.stride ?? 1;
  }

  /** Takes the time just read, and returns the number of rounds until the next reading. */
  next(now: number): number {
    if (this.#stride === 1) return 1;
    const isFast = now - this.#lastReading < FAST_ROUND * this.#rounds;
    this.#lastReading = now;
    this.#fastRounds = isFast ? this.#fastRounds + 1 : 0;
    this.#rounds = this.#fastRounds < MIN_FAST_ROUNDS ? 1 : this.#stride;
    return this.#rounds;
  }
}
