/** A coarse clock for the hot path of metrics. */

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
