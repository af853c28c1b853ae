/**
 * pytheus for Python, the nearest peer of the Redis backend. It runs in a Python process beside its own
 * Redis, when the variable `PYTHEUS_CHECKOUT` names the directory of its package and Debian's `python3-redis`
 * is installed.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expectEqual, type Size, type Subject } from '../case.js';
import { PYTHON } from '../peers.js';
import { samplesOf } from '../workload/exposition-samples.js';
import { atExit } from './fleet-processes.js';
import { startRedisServer } from './redis-server.js';

/** A path in the source tree, since the build does not contain the Python program. */
const PROGRAM = fileURLToPath(new URL('../../../bench/cases/pytheus.py', import.meta.url));

/** Sends a command to the program, and resolves with its answer. */
type Ask = (command: string) => Promise<unknown>;

async function start(): Promise<Ask> {
  const { host, port } = await startRedisServer();
  const python = spawn(PYTHON, [PROGRAM, host, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  atExit(() => python.kill('SIGKILL'));
  python.stdin.on('error', () => {});
  const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  python.unref();
  return async (command) => {
    python.stdin.write(`${command}\n`);
    const { done, value } = await answers.next();
    if (done) throw new Error(`pytheus ended at '${command}'`);
    return JSON.parse(value);
  };
}

/** @throws Error unless the scrape has this number of series, with this sum */
function checkSamples(text: string, series: number, sum: number): void {
  const values = [...samplesOf(text).values()];
  expectEqual('series', values.length, series);
  expectEqual(
    'sum of all series',
    values.reduce((total, value) => total + value, 0),
    sum,
  );
}

/** Measures the nanoseconds of one `inc`. */
export async function incrementing({ quick }: Size): Promise<Subject> {
  const ask = await start();
  const rounds = quick ? 100 : 1000;
  return {
    async check() {
      await ask(`inc ${rounds}`);
      checkSamples((await ask('text')) as string, 1, rounds);
    },
    run: async () => (((await ask(`inc ${rounds}`)) as number) / rounds) * 1e9,
  };
}

/** Measures the milliseconds of one scrape by the program that counts. */
export async function scraping(series: number): Promise<Subject> {
  const ask = await start();
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    async check() {
      await ask(`fill ${series}`);
      const text = (await ask('text')) as string;
      bytes = Buffer.byteLength(text);
      const sum = Array.from({ length: series }, (_, i) => 1 + (i % 1000)).reduce((a, b) => a + b);
      checkSamples(text, series, sum);
    },
    run: async () => ((await ask('scrape 1')) as number) * 1000,
  };
}
