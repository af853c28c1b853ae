/**
 * What a bar counts into: a row of cells of its own, in a page of whatever backend is loaded.
 * The bar writes these cells and nothing else, so the newest number is always the one a scrape sees.
 */

/** Work done by every bar that ever used this row. Only grows. */
export const COMPLETED = 0;
/** Work expected by every bar that ever used this row: the sum of their totals. */
export const EXPECTED = 1;
/** Bars started in this row. */
export const STARTED = 2;
/** Bars of this row that were closed after they reached their end. */
export const FINISHED = 3;
/** Bars of this row that were closed by an error. */
export const FAILED = 4;
/** The running bar's smoothed rate in units per second; 0 when it is not known. */
export const RATE = 5;
/** The running bar's remaining seconds; 0 when they are not known. */
export const ETA = 6;
/** Unix time in seconds of the newest update that looked at the clock. */
export const UPDATED = 7;
/** Cells of one row. */
export const RECORD_CELLS = 8;

/**
 * One row, held by one bar from its start to its close.
 *
 * `page` and `offset` change when a backend is loaded late: read both at each update.
 */
export interface BarRecord {
  page: Float64Array;
  offset: number;
  /** Gives the row back. It keeps its numbers and is handed to the next bar of the same bucket and unit. */
  release(): void;
}

/** Finds a free row for a bar that starts. */
export type OpenRecord = (bucket: string, unit: string) => BarRecord;

/** A row in private memory that nobody reads: for bars that are not published. */
export function privateRecord(): BarRecord {
  return { page: new Float64Array(RECORD_CELLS), offset: 0, release() {} };
}
