/** Metrics and bars on Deno and Bun: the same program, with the same output as on Node. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { requireRuntime, runtimePath } from '../support/tools.js';

const PROGRAM = fileURLToPath(new URL('./runtime-program.js', import.meta.url));
const JOBS = ['jobs_total{thread="main"} 2', 'jobs_total{thread="worker"} 3'];

async function play(command: string, args: readonly string[]): Promise<{ readonly own?: string[] }> {
  const { stdout } = await promisify(execFile)(command, [...args, PROGRAM]);
  return JSON.parse(stdout);
}

function check({ own: _, ...printed }: object & { own?: unknown }): void {
  assert.deepEqual(printed, {
    running: JOBS,
    histogram: [
      'seconds_bucket{le="1"} 1',
      'seconds_bucket{le="+Inf"} 1',
      'seconds_sum 0.5',
      'seconds_count 1',
    ],
    jobs: JOBS,
    bars: [
      'progress_completed_total{bucket="Loop",unit="it"} 1000',
      'progress_completed_total{bucket="Worker",unit="it"} 4',
    ],
    active: ['progress_active_bars{bucket="Loop"} 0', 'progress_active_bars{bucket="Worker"} 0'],
  });
}

describe('a program with threads, bars and servers', () => {
  it('counts, draws and serves on Node', async () => check(await play(process.execPath, [])));

  for (const [name, args] of [
    ['deno', ['run', '-A']],
    ['bun', ['run']],
  ] as const) {
    it(`does the same on ${name}, also with the server of ${name}`, {
      skip: requireRuntime(name),
    }, async () => {
      const printed = await play(runtimePath(name), args);
      assert.deepEqual(printed.own, JOBS);
      check(printed);
    });
  }
});
