/** The contract between a bar and whatever shows it. */

/** Where a bar stands: its row below the first bar's, and how many rows the screen has. */
export interface Place {
  readonly row: number;
  readonly rows: number;
}

/** What the last row of the screen shows when there are bars that found no room. */
export const MORE_HIDDEN = ' ... (more hidden) ...';

/** Shows one bar. */
export interface Renderer {
  /**
   * Shows a line. Its text is asked for only when it will be shown.
   *
   * @returns false when the row is off the screen
   */
  draw(place: Place, line: () => string): boolean;
  /** Takes the line away for a moment, so that something else can be written there. */
  clear(place: Place): void;
  /** Shows the last line and leaves it there. */
  finish(place: Place, line: () => string): void;
  /** Takes the line away for good. */
  erase(place: Place): void;
}

/** A bar's numbers at one moment, for those who do not show its line. */
export interface Report {
  readonly state: 'running' | 'finished' | 'failed';
  /** The description, without the colon that the line adds. */
  readonly desc: string;
  readonly n: number;
  readonly total: number | null;
  readonly unit: string;
  /** Seconds since the start. */
  readonly elapsed: number;
  /** Units per second; `null` before the first. */
  readonly rate: number | null;
  /** Seconds until the total is reached; `null` when there is no telling. */
  readonly eta: number | null;
  /** What stands after the meter. */
  readonly postfix: unknown;
}

/** For a bar that is counted and not shown. */
export const silentRenderer: Renderer = {
  draw: () => true,
  clear() {},
  finish() {},
  erase() {},
};
