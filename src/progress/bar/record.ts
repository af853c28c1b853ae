/**
 * The record of a bar: cells of its own in a page of the loaded backend. A bar counts directly into them, so a scrape
 * always contains the newest numbers.
 */

/** Work done by all bars that ever used this record. Only grows. */
export const COMPLETED = 0;
/** Work expected by all bars that ever used this record: the sum of their totals. */
export const EXPECTED = 1;
/** Bars started with this record. */
export const STARTED = 2;
/** Bars of this record that were closed at their end. */
export const FINISHED = 3;
/** Bars of this record that were closed by an error. */
export const FAILED = 4;
/** Smoothed units per second of the open bar; 0 when not known. */
export const RATE = 5;
/** Remaining seconds of the open bar; 0 when not known. */
export const ETA = 6;
/** Unix time in seconds of the newest update that read the clock. */
export const UPDATED = 7;
/** Cells of one record. */
export const RECORD_CELLS = 8;

/**
 * A record, held by one bar from its start to its close.
 *
 * `page` and `offset` change when a backend is loaded late: read both at each update.
 */
export interface BarRecord {
  page: Float64Array;
  offset: number;
  /** Returns the record. It keeps its numbers and goes to the next bar of the same bucket and unit. */
  release(): void;
}

/** Returns a record for a bar that starts. */
export type OpenRecord = (bucket: string, unit: string) => BarRecord;

/** Returns a record in private memory, for a bar that is not published. */
export function privateRecord(): BarRecord {
  return { page: new Float64Array(RECORD_CELLS), offset: 0, release() {} };
}
