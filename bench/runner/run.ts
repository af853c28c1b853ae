/** Runs each implementation of a case in separate processes, and summarizes the runs in one result. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Answer, Case, Group, Request, Size, Unit } from '../case.js';
import type { LocatedCase } from './catalog.js';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
const TIMEOUT_MS = 600_000;
/** Runs of each process. */
const RUNS = 7;

export interface Result {
  readonly group: Group;
  readonly case: string;
  readonly peer: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly unit: Unit;
  /** Number of runs of all processes. */
  readonly runs: number;
  readonly bytes?: number;
}

/** @param executable - the Node that runs the case */
export async function run(given: LocatedCase, peer: string, size: Size, executable: string): Promise<Result> {
  const { group, name, unit, module, key, flags = [] } = given;
  const isShort = !isSlow(given, peer);
  const request: Request = { module, key, peer, size, warmUps: isShort ? 3 : 1, runs: RUNS };
  // The decisions of the optimizer are partly chance, so one process shows one outcome of several.
  const processes = isShort && !size.quick ? 3 : 1;
  const answers: Answer[] = [];
  for (let i = 0; i < processes; i++) answers.push(await ask(request, flags, executable));
  const runs = answers.flatMap((answer) => answer.runs).sort((a, b) => a - b);
  const bytes = answers[0]!.bytes;
  return {
    group,
    case: name,
    peer,
    median: median(runs),
    min: runs[0]!,
    max: runs.at(-1)!,
    unit,
    runs: runs.length,
    ...(bytes === undefined ? {} : { bytes }),
  };
}

function isSlow({ slow = false }: Case, peer: string): boolean {
  return slow === 'peers' ? peer !== 'metheus' && peer !== 'limit' : slow;
}

async function ask(request: Request, flags: readonly string[], executable: string): Promise<Answer> {
  const args = ['--expose-gc', ...flags, CHILD, JSON.stringify(request)];
  const { stdout } = await promisify(execFile)(executable, args, { timeout: TIMEOUT_MS });
  return JSON.parse(stdout);
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
