/**
 * The time of a gauge's `set`, at the price of a comparison.
 *
 * The clock is read once, and again after {@link RESOLUTION_MS} have passed *and* somebody asks: an idle
 * program has no timer. While the event loop is blocked the time stands still.
 */

/** Two `set`s of different threads within this time may count as simultaneous. */
const RESOLUTION_MS = 50;

let seconds = 0;
let fresh = false;

/** Unix time in seconds. */
export function coarseNow(): number {
  return fresh ? seconds : read();
}

function read(): number {
  seconds = Date.now() / 1000;
  fresh = true;
  setTimeout(() => {
    fresh = false;
  }, RESOLUTION_MS).unref();
  return seconds;
}
