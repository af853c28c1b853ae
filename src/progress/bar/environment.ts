/** The environment of a bar: its streams, clock and records. The proxy, boards and tests replace parts of it. */

import { LiveBars } from '../screen/live-bars.js';
import { Redirection } from '../screen/print.js';
import type { OutputFile, StreamName } from '../screen/terminal.js';
import { type Clock, systemClock } from './clock.js';
import { type OpenRecord, privateRecord } from './record.js';
import type { BarHost, Renderer } from './renderer.js';

/** The state of a bar at one moment, from which its bucket is chosen. */
export interface BarSnapshot {
  /** Number of the bar, unique in its thread. */
  readonly id: number;
  /** The description, without the colon that is added for the line. */
  readonly desc: string;
  /** Units done. */
  readonly n: number;
  /** Units expected; `null` if unknown. */
  readonly total: number | null;
  /** Units done before the start. */
  readonly initial: number;
  /** Seconds since the start. */
  readonly elapsed: number;
  /** Units per second; `null` while no time has passed. */
  readonly rate: number | null;
  readonly unit: string;
  readonly unitScale: boolean | number;
  readonly unitDivisor: number;
  readonly postfix: unknown;
  /** Row of the bar, from 0. */
  readonly position: number;
  readonly mininterval: number;
  readonly maxinterval: number;
  readonly miniters: number;
}

/** Provides the buckets and records in which bars are counted. */
export interface BarPublisher {
  readonly openRecord: OpenRecord;
  /** Returns the bucket that a bar is counted in. Undefined where bars are not published. */
  readonly bucketOf?: ((bar: BarSnapshot) => string) | undefined;
  /** Whether `bucketOf` is called again after changes of a bar, which moves if it returns another bucket. */
  readonly followsBuckets?: boolean;
}

/** Passes the frames of this thread's bars to the thread or process that draws them. */
export interface FrameBoard {
  createRenderer(bar: BarHost): Renderer;
  /** Prints above the bars. Returns false when no bar is on the screen of the stream. */
  print(stream: StreamName, text: string): boolean;
}

export interface BarEnvironment extends BarPublisher {
  readonly clock: Clock;
  /** File of bars that name none. */
  readonly stderr: OutputFile;
  /** File to which `tqdm.write` prints by default. */
  readonly stdout: OutputFile;
  /** Environment variables: `TQDM_*`, `COLUMNS`, `LINES`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined when this thread draws its bars itself. */
  readonly board: FrameBoard | undefined;
  /** Open bars. Bars that may share a screen must share this object. */
  readonly live: LiveBars;
  /** The redirection by which the program's output is printed above the bars on the same terminal. */
  readonly redirection: Redirection;
}

/** The environment of the process: its streams, opened only when they are used, its clock, and private records. */
export const processEnvironment: BarEnvironment = {
  clock: systemClock,
  get stderr() {
    return process.stderr;
  },
  get stdout() {
    return process.stdout;
  },
  get env() {
    return process.env;
  },
  board: undefined,
  live: new LiveBars(),
  get redirection() {
    return processRedirection;
  },
  openRecord: privateRecord,
};

const processRedirection = new Redirection(processEnvironment);

/** Returns an environment in which some properties are replaced. */
export function createEnvironment(
  replaced: Partial<BarEnvironment> = {},
  base: BarEnvironment = processEnvironment,
): BarEnvironment {
  // A spread would call the getters of `base`, and so open the process's streams.
  const environment: BarEnvironment = Object.defineProperties(
    Object.create(base),
    Object.getOwnPropertyDescriptors(replaced),
  );
  const hasOwnScreen = ['stdout', 'stderr', 'live', 'board'].some((name) => name in replaced);
  if (!hasOwnScreen || 'redirection' in replaced) return environment;
  return Object.defineProperty(environment, 'redirection', { value: new Redirection(environment) });
}
