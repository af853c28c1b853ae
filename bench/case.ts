/** The interface of a benchmark case, and the timing of short operations. */
import type { PromClient } from './peers.js';

export type Group = 'limits' | 'service' | 'metrics' | 'scrape' | 'progress' | 'file' | 'redis' | 'growth';

/**
 * Nanoseconds of an operation, milliseconds of a scrape, bytes of a series, changed cells in a second, share
 * of one processor.
 */
export type Unit = 'ns' | 'ms' | 'B' | 'kB' | 'cells/s' | '%';

/** The amount of work. `quick` reduces it. */
export interface Size {
  readonly quick: boolean;
}

/** One implementation of a case, set up and ready. */
export interface Subject {
  /** Does the work once and throws unless the result is right. Called before anything is timed. */
  check(): void | Promise<void>;
  /** Measures one run, and returns the cost of one operation in the unit of the case. */
  run(): number | Promise<number>;
  /** The number of bytes that one operation makes. Read after the check. */
  readonly bytes?: number;
}

/** A curve of costs against an amount, whose points are cases. */
export interface Curve {
  readonly name: string;
  /** The amount on the horizontal axis. */
  readonly x: string;
  readonly unit: Unit;
  /** The name of its SVG file, without the ending. */
  readonly file: string;
}

type Prepared = Subject | Promise<Subject>;

/**
 * The goal of our implementation: in the unit of the case, as a multiple of the limit, or as a result that
 * the check verifies.
 */
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
  /** The same with packages that have other interfaces, by name. */
  readonly rivals?: Readonly<Record<string, (size: Size) => Prepared>>;
  /** The least work that any implementation has to do on this machine. */
  readonly limit?: (size: Size) => Prepared;
  /** The case of the group `limits` to compare with, for a case without its own limit. */
  readonly limitedBy?: string;
  readonly target?: Target;
  readonly point?: { readonly curve: Curve; readonly x: number };
  /** Command-line flags for Node. */
  readonly flags?: readonly string[];
  /**
   * Measures in one process with one run to warm up, since a run is long or is a process: for all
   * implementations, or for peers only.
   */
  readonly slow?: boolean | 'peers';
  /** The reduced amount with `--quick`, which is appended to the name; `false`: the case is left out. */
  readonly quick?: string | false;
}

/** The order to a process that measures, as JSON in its first argument. */
export interface Request {
  readonly module: string;
  readonly key: string;
  readonly peer: string;
  readonly size: Size;
  readonly warmUps: number;
  readonly runs: number;
}

/** The answer of a process that measures, as JSON on its standard output. */
export interface Answer {
  readonly runs: readonly number[];
  readonly bytes?: number;
}

/** Long enough to hide the cost of reading the clock and one interruption. */
const RUN_MS = 30;
const QUICK_RUN_MS = 10;

/**
 * Times a loop over an operation, in nanoseconds for each round. The number of rounds doubles until a run is
 * long enough, which also calls the loop often enough to optimize it.
 */
export function perRound(loop: (rounds: number) => void, { quick }: Size): () => number {
  let rounds = 0;
  return () => {
    if (rounds === 0) rounds = enoughRounds(loop, quick ? QUICK_RUN_MS : RUN_MS);
    return (milliseconds(loop, rounds) * 1e6) / rounds;
  };
}

function enoughRounds(loop: (rounds: number) => void, min: number): number {
  let rounds = 1000;
  while (milliseconds(loop, rounds) < min) rounds *= 2;
  return rounds;
}

function milliseconds(loop: (rounds: number) => void, rounds: number): number {
  const start = performance.now();
  loop(rounds);
  return performance.now() - start;
}

/** @throws Error when the numbers differ */
export function expectEqual(what: string, actual: number, expected: number): void {
  if (Math.abs(actual - expected) <= Math.abs(expected) * 1e-9) return;
  throw new Error(`${what}: ${actual}, expected ${expected}`);
}
