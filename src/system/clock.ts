/** Clocks: a coarse clock for the hot path of metrics, and the clock of bars. */

/** Milliseconds during which the coarse time stands still. `set`s of two threads within it may count as simultaneous. */
const RESOLUTION_MS = 50;

/** Coarse Unix time in seconds; 0 when it has to be read again. See docs/v8.md: boxed doubles. */
const now = new Float64Array(new ArrayBuffer(8));

/**
 * Returns Unix time in seconds, for the price of a comparison. The system clock is read again when the resolution has
 * passed and the time is needed, so an idle program has no timer. The time stands still while the event loop is blocked.
 */
export function coarseNow(): number {
  // Both ways load from the array. See docs/v8.md: boxed doubles.
  if (now[0] === 0) readClock();
  return now[0]!;
}

function readClock(): void {
  setTimeout(() => {
    now[0] = 0;
  }, RESOLUTION_MS).unref();
  now[0] = Date.now() / 1000;
}

/** Source of time for bars; injected, so that tests control it. */
export interface Clock {
  /** Seconds since an arbitrary fixed moment; never goes back. */
  now(): number;
  /** Unix time in seconds. */
  unix(): number;
  /**
   * Number of rounds of a fast loop between two readings, since a reading costs more than such a round.
   *
   * @defaultValue 1, a reading in every round in which a frame may be due
   */
  readonly stride?: number;
}

export const systemClock: Clock = {
  now: () => performance.now() / 1000,
  unix: () => Date.now() / 1000,
  stride: 128,
};
