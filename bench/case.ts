/** What a case of the bench is, and the one way in which short operations are timed. */
import type { PromClient } from './peers.js';

export type Group = 'limits' | 'metrics' | 'scrape' | 'progress' | 'file' | 'redis' | 'growth';

/**
 * Nanoseconds for one operation, milliseconds for one scrape, bytes for one series, changed cells a second, and
 * the share of one processor.
 */
export type Unit = 'ns' | 'ms' | 'B' | 'kB' | 'cells/s' | '%';

/** How much work: less when a person waits for it. */
export interface Size {
  readonly quick: boolean;
}

/** One implementation of a case, set up and ready. */
export interface Subject {
  /** Does the work and throws unless the result is right. Comes before anything is timed. */
  check(): void | Promise<void>;
  /** One run: what one piece of the work took, in the unit of the case. */
  run(): number | Promise<number>;
  /** How many bytes one piece of the work makes, where it makes any. Asked for after the check. */
  readonly bytes?: number;
}

/** Costs against an amount: what several cases are points of. */
export interface Curve {
  readonly name: string;
  /** What there is more of from point to point. */
  readonly x: string;
  readonly unit: Unit;
  /** Of its picture, without the ending. */
  readonly file: string;
}

type Prepared = Subject | Promise<Subject>;

/** What ours was to reach: in the unit of the case, as a multiple of the limit, or a result that the check is for. */
export type Target =
  | { readonly max: number }
  | { readonly min: number }
  | { readonly maxTimesLimit: number }
  | { readonly result: string };

export interface Case {
  readonly group: Group;
  readonly name: string;
  readonly unit: Unit;
  readonly ours?: (size: Size) => Prepared;
  /** The same with another client. All of them have the interface of prom-client. */
  readonly theirs?: (client: PromClient, size: Size, peer: string) => Prepared;
  /** The same with packages that have interfaces of their own, by name. */
  readonly rivals?: Readonly<Record<string, (size: Size) => Prepared>>;
  /** What this machine needs for the least that any implementation must do. */
  readonly limit?: (size: Size) => Prepared;
  /** The case of the group `limits` that this one is compared with, where it has no limit of its own. */
  readonly limitedBy?: string;
  readonly target?: Target;
  readonly point?: { readonly curve: Curve; readonly x: number };
  /** For Node. */
  readonly flags?: readonly string[];
  /**
   * Whether one run takes so long, or is a process of its own, that one process and one run to warm up have to do:
   * for all, or for peers only.
   */
  readonly slow?: boolean | 'peers';
  /** What is less with `--quick`, and then stands behind the name; `false`: the case is left out. */
  readonly quick?: string | false;
}

/** What a child process is asked for. */
export interface Request {
  readonly module: string;
  readonly key: string;
  readonly peer: string;
  readonly size: Size;
  readonly warmUps: number;
  readonly runs: number;
}

/** What it answers, as JSON on its standard output. */
export interface Answer {
  readonly runs: readonly number[];
  readonly bytes?: number;
}

/** Long enough that reading the clock and one interruption do not show. */
const RUN_MS = 30;
const QUICK_RUN_MS = 10;

/**
 * Times a loop over an operation: nanoseconds a round. The rounds double until a run is long enough, which
 * also warms the loop up: it is called, and not only entered, many times before a run counts.
 */
export function perRound(loop: (rounds: number) => void, { quick }: Size): () => number {
  let rounds = 0;
  return () => {
    if (rounds === 0) rounds = enoughRounds(loop, quick ? QUICK_RUN_MS : RUN_MS);
    return (milliseconds(loop, rounds) * 1e6) / rounds;
  };
}

function enoughRounds(loop: (rounds: number) => void, least: number): number {
  let rounds = 1000;
  while (milliseconds(loop, rounds) < least) rounds *= 2;
  return rounds;
}

function milliseconds(loop: (rounds: number) => void, rounds: number): number {
  const start = performance.now();
  loop(rounds);
  return performance.now() - start;
}

/** @throws Error when the work was not done as it should be */
export function expectEqual(what: string, actual: number, expected: number): void {
  if (Math.abs(actual - expected) <= Math.abs(expected) * 1e-9) return;
  throw new Error(`${what}: ${actual}, where ${expected} is right`);
}
