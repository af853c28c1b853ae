/** Clocks: a coarse clock for the hot path of metrics, and the clock of bars. */

/**
 * Milliseconds for which the coarse time stays the same. Two threads that set a gauge within this time may record equal
 * times.
 */
const RESOLUTION_MS = 50;

/** Coarse Unix time in seconds; 0 when the clock has to be read again. See docs/v8.md: boxed doubles. */
const now = new Float64Array(new ArrayBuffer(8));

/**
 * Returns coarse Unix time in seconds, mostly at the cost of one comparison. The clock is read only when the time is
 * needed and the last reading has expired, so an idle program has no timer. The time stands still while the event loop
 * is blocked.
 */
export function coarseNow(): number {
  // The time is loaded from the array even after a reading of the clock. See docs/v8.md: boxed doubles.
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
  /** Returns the seconds since an arbitrary fixed moment; never goes back. */
  now(): number;
  /** Returns Unix time in seconds. */
  unix(): number;
  /**
   * Number of iterations of a fast loop for each reading of the clock, since a reading costs more than an iteration.
   *
   * @defaultValue 1: a reading in every iteration in which a frame may be due
   */
  readonly stride?: number;
}

export const systemClock: Clock = {
  now: () => performance.now() / 1000,
  unix: () => Date.now() / 1000,
  stride: 128,
};
