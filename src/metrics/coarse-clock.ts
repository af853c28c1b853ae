/**
 * The time of a gauge's `set`, at the price of a comparison.
 *
 * The clock is read once, and again after {@link RESOLUTION_MS} have passed *and* somebody asks: an idle
 * program has no timer. While the event loop is blocked the time stands still.
 */

/** Two `set`s of different threads within this time may count as simultaneous. */
const RESOLUTION_MS = 50;

/**
 * The time; 0 when it has to be read. A typed array, because a number in a variable would be boxed; over a buffer of its
 * own, because V8 knows the address of that and has to load the one of a short array, which it may move.
 */
const now = new Float64Array(new ArrayBuffer(8));

/** Unix time in seconds. Read from the array on every way: a number that a call gives back would be boxed. */
export function coarseNow(): number {
  if (now[0] === 0) read();
  return now[0]!;
}

function read(): void {
  setTimeout(() => {
    now[0] = 0;
  }, RESOLUTION_MS).unref();
  now[0] = Date.now() / 1000;
}
