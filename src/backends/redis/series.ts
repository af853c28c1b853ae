/** A series of this process, and its state in Redis. */
import type { Cells, Writer } from '../backend.js';
import type { Position } from './sum-blocks.js';

export interface Series extends Position {
  /** Label values, as JSON. */
  readonly labels: string;
  /**
   * The writer of the series; undefined for the thread of this backend. In a sum, all writers of this process share one
   * series, and this is the first of them.
   */
  readonly writer: Writer | undefined;
  /** The cells of the series, one entry for each writer of this process. */
  sources: Cells[];
  /** The numbers that Redis acknowledged last. */
  readonly sent: Float64Array;
  /**
   * The numbers that this producer had when it was compacted as ended, although it has since returned. Redis keeps them
   * as numbers of an ended producer. Undefined if this producer was not compacted.
   */
  base: Float64Array | undefined;
  /** Whether the series has been in a batch. If so, Redis may have it. */
  offered: boolean;
  /** Whether Redis has acknowledged the series. Until then it is sent even if its numbers are still 0. */
  known: boolean;
  /** Whether the writer was running, according to the last batch that Redis acknowledged. */
  live: boolean;
}

/** Returns a series without cells. @param labels - the label values as JSON */
export const makeSeries = (labels: string, writer: Writer | undefined, cells: number): Series => ({
  labels,
  writer,
  sources: [],
  sent: new Float64Array(cells),
  base: undefined,
  row: -1,
  generation: 0,
  offered: false,
  known: false,
  live: true,
});
