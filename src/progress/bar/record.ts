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
/** Bars of this record that finished. */
export const FINISHED = 3;
/** Bars of this record that were closed by an error. */
export const FAILED = 4;
/** Smoothed units per second of the open bar at the time {@link SAMPLED}; 0 when not known. */
export const RATE = 5;
/** Remaining seconds of the open bar at the time {@link SAMPLED}; {@link UNKNOWN} when not known. */
export const ETA = 6;
/** Unix time in seconds of the newest start, unit or end of a bar that a sample has recorded. */
export const UPDATED = 7;
/** Bars of this record that were closed before they reached their total. */
export const INCOMPLETE = 8;
/** {@link COMPLETED} minus the `n` of the open bar. */
export const BASE = 9;
/** The total of the open bar; {@link UNKNOWN} when not known. */
export const TOTAL = 10;
/** Unix time in seconds of the newest sample of the open bar's speed. */
export const SAMPLED = 11;
/** Units that the open bar did between its last two frames. */
export const STEP = 12;
/** Cells of one record. */
export const RECORD_CELLS = 13;

/** Value of a cell whose number is unknown. */
export const UNKNOWN = -1;

/** The state in which a bar was closed. */
export type Outcome = typeof FINISHED | typeof FAILED | typeof INCOMPLETE;

/** Names of the outcomes. */
export const STATES = { [FINISHED]: 'finished', [FAILED]: 'failed', [INCOMPLETE]: 'incomplete' } as const;

/** Returns the total, or `null` if it is infinite, which means unknown. */
export function knownTotal(total: number | null): number | null {
  return Number.isFinite(total) ? total : null;
}

/**
 * A record, held by one bar from its start to its close.
 *
 * A backend that is loaded after the bar has started changes `page` and `offset`, so both are read at each update.
 */
export interface BarRecord {
  page: Float64Array;
  offset: number;
  /** Name of the proxy that publishes the record, if there is one. */
  readonly proxy?: string;
  /** Gives the record back. Its numbers stay, and the next bar of the same bucket and unit adds to them. */
  release(): void;
}

/** Opens a record for a new bar. */
export type OpenRecord = (bucket: string, unit: string) => BarRecord;

/** Records in one page of private memory. */
const RECORDS_PER_PAGE = 32;
let page = new Float64Array(0);
let used = 0;

const keep = (): void => {};

/** Returns a record in private memory, for a bar that is not published. */
export function privateRecord(): BarRecord {
  if (used === page.length) {
    page = new Float64Array(RECORDS_PER_PAGE * RECORD_CELLS);
    used = 0;
  }
  const offset = used;
  used += RECORD_CELLS;
  return { page, offset, release: keep };
}

/** A loop over the bar, which keeps its own count between two frames. */
export interface RunningLoop {
  /** Number of the threshold at which the loop reads the clock. */
  readonly threshold: number;
  /** Units that the loop has counted, but that `n` does not contain yet. */
  readonly pending: number;
  record: BarRecord;
  /** Adds the pending units to `n`. */
  settle(): void;
}
