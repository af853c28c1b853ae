/** Bars as plain data: their settings, and their frames. */

import type { BarCharacters } from '../meter/glyphs.js';
import type { StreamName } from '../screen/terminal.js';

/** Values of the option `output`. */
export const OUTPUTS = ['auto', 'terminal', 'lines', 'json', 'none'] as const;
export type Output = (typeof OUTPUTS)[number];

export function isOutput(text: unknown): text is Output {
  return OUTPUTS.some((output) => output === text);
}

/**
 * Everything that a user sets, with the defaults filled in; `null` is tqdm's `None`. Plain data, except that `postfix`
 * may be anything. Settings are never changed in place: a bar replaces them, so `===` detects a change.
 */
export interface BarSettings {
  /** Text before the bar, with its colon when it has one. */
  readonly desc: string;
  readonly leave: boolean | null;
  readonly ncols: number | null;
  readonly nrows: number | null;
  readonly dynamicNcols: boolean;
  readonly mininterval: number;
  readonly maxinterval: number;
  readonly miniters: number | null;
  readonly smoothing: number;
  readonly delay: number;
  readonly ascii: BarCharacters;
  readonly disable: boolean | null;
  readonly unit: string;
  readonly unitScale: boolean | number;
  readonly unitDivisor: number;
  readonly barFormat: string | null;
  readonly initial: number;
  readonly position: number | null;
  readonly postfix: unknown;
  readonly colour: string | null;
  readonly output: Output;
  readonly taskbar: boolean;
  readonly redirect: boolean;
  readonly tick: boolean;
  /** The standard stream that was given as `file`; `null` when none was given. */
  readonly stream: StreamName | null;
}

export type FrameState = 'running' | 'finished' | 'incomplete' | 'failed';

/** Numbers, settings and state of a bar at one moment: the data of its line, its JSON and its taskbar button. */
export interface BarFrame {
  readonly state: FrameState;
  /**
   * Units done. As in tqdm, units that a running loop has counted since the last due frame are not included, except in
   * the frames of an idle bar.
   */
  readonly n: number;
  /** `null` when not known. */
  readonly total: number | null;
  /** Seconds since the start. */
  readonly elapsed: number;
  /** Smoothed units per second; `null` before there are any: the line then shows the average since the start. */
  readonly rate: number | null;
  /** Units that an idle bar is assumed to have done since the last update. */
  readonly ahead?: number | undefined;
  /** Unix time of the frame, in seconds. */
  readonly time: number;
  /** Name of the error that failed the bar. */
  readonly error?: string | undefined;
  readonly settings: BarSettings;
}

/** Returns units per second since the start; `null` at the very start. */
export function averageRate(done: number, elapsed: number): number | null {
  return elapsed > 0 ? done / elapsed : null;
}

const MAX_ERROR_NAME = 80;

/** Returns the name of an error, short and without control characters; undefined for anything but an error. */
export function errorName(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const name: unknown = error.name;
  if (typeof name !== 'string') return undefined;
  return name.replace(/\p{Cc}/gu, '').slice(0, MAX_ERROR_NAME) || undefined;
}
