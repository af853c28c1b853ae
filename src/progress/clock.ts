/** Where bars get the time from. */
export interface Clock {
  /** Seconds since any fixed moment; never goes back. */
  now(): number;
  /** Unix time in seconds. */
  unix(): number;
  /**
   * How many rounds of a fast loop may pass between two looks at the clock (default 1: every round in which a frame
   * may be due). Reading the system clock costs more than a round of a fast loop does.
   */
  readonly stride?: number;
}

export const systemClock: Clock = {
  now: () => performance.now() / 1000,
  unix: () => Date.now() / 1000,
  stride: 128,
};

/** Rounds faster than this, in seconds, are fast. */
const FAST_ROUND = 10e-6;
/** Fast rounds in a row before the pace is believed. */
const BELIEVED_AFTER = 64;

/**
 * Tells how many rounds to wait before the clock is read again: 1 until a loop has proved fast, then the clock's
 * stride, and 1 again as soon as a round is slow. So a frame is late by a few microseconds at most, or by `stride`
 * rounds in a loop that turns slow at once.
 */
export class Pace {
  readonly #stride: number;
  #streak = 0;
  #lastLook = Number.NEGATIVE_INFINITY;
  #waited = 1;

  constructor(clock: Clock) {
    this.#stride = clock.stride ?? 1;
  }

  /** Rounds until the next look, after a look at `now`. */
  next(now: number): number {
    if (this.#stride === 1) return 1;
    const fast = now - this.#lastLook < FAST_ROUND * this.#waited;
    this.#lastLook = now;
    this.#streak = fast ? this.#streak + 1 : 0;
    this.#waited = this.#streak < BELIEVED_AFTER ? 1 : this.#stride;
    return this.#waited;
  }
}
