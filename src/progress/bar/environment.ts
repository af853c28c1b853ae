/** All that a bar takes from outside, so that the proxy and tests can bring their own. */

import { type Clock, systemClock } from '../../system/clock.js';
import type { Board } from '../remote/board.js';
import { ownBoard } from '../remote/own-board.js';
import { Redirection } from '../screen/above.js';
import { LiveBars } from '../screen/live-bars.js';
import type { OutputFile } from '../screen/terminal.js';
import { type OpenRecord, privateRecord } from './record.js';

/** What is known of a bar when it starts. */
export interface BarSnapshot {
  /** The description as given: without the colon that the line adds. */
  readonly desc: string;
  readonly unit: string;
  readonly total: number | null;
  readonly initial: number;
}

export interface BarEnvironment {
  readonly clock: Clock;
  /** Where bars are drawn that name no file. */
  readonly stderr: OutputFile;
  /** Where `tqdm.write` prints when no file is named. */
  readonly stdout: OutputFile;
  /** Variables: `TQDM_*`, `COLUMNS`, `LINES`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where bars are shown that another thread or process draws; `null`: this thread draws. */
  readonly board: Board | null;
  /** Bars that share a screen share this. */
  readonly live: LiveBars;
  /** What the program writes on the screen of its bars. */
  readonly redirection: Redirection;
  /** Where a bar counts. */
  readonly openRecord: OpenRecord;
  /** The bucket that a bar is counted in. */
  readonly bucketOf: (bar: BarSnapshot) => string;
}

/** The process: its terminal, its clock, and rows that nobody reads. Streams are opened only when they are used. */
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
  get board() {
    return ownBoard();
  },
  live: new LiveBars(),
  get redirection() {
    return processRedirection;
  },
  openRecord: (bucket, unit) => (ownBoard()?.memory.openRecord ?? privateRecord)(bucket, unit),
  bucketOf: (bar) => bar.desc,
};

const processRedirection = new Redirection(processEnvironment);

/** The process's environment with some parts replaced. */
export function createEnvironment(replaced: Partial<BarEnvironment> = {}): BarEnvironment {
  // Not a spread: that would open the process's streams.
  const environment: BarEnvironment = Object.defineProperties(
    Object.create(processEnvironment),
    Object.getOwnPropertyDescriptors(replaced),
  );
  const sameScreen = !('stdout' in replaced || 'stderr' in replaced || 'live' in replaced);
  if (sameScreen || 'redirection' in replaced) return environment;
  return Object.defineProperty(environment, 'redirection', { value: new Redirection(environment) });
}
