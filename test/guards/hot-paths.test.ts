/**
 * Allocations, deoptimizations and system calls of hot paths, counted and not timed, so that the tests hold
 * on any machine. Each guard also has to detect a deliberate fault.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requireTool } from '../support/tools.js';
import { MIN_FAULT_BYTES, OPERATIONS } from './operations.js';

const MEASURED_OPERATION = fileURLToPath(new URL('./measured-operation.js', import.meta.url));

/** Keeps garbage collections from hiding allocations between two measurements. */
const ONE_GENERATION = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'metheus-guards-'));
});
after(() => rmSync(folder, { recursive: true }));

function environment(backend: string): NodeJS.ProcessEnv {
  const METHEUS_BACKEND_CONFIG = JSON.stringify(backend === 'file' ? { directory: folder } : {});
  return { ...process.env, METHEUS_BACKEND_CLASS: backend, METHEUS_BACKEND_CONFIG };
}

function runNode(flags: readonly string[], operation: string, backend = 'single'): string {
  const options = { env: environment(backend), encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
  const output = execFileSync(process.execPath, [...flags, MEASURED_OPERATION, operation], options);
  assert.equal(output.includes('[backend MultiProcessFileBackend]'), backend === 'file');
  return output;
}

function allocated(operation: string, backend?: string): number {
  return Number(/\[allocated (-?\d+)\]/.exec(runNode(ONE_GENERATION, operation, backend))![1]);
}

/** Returns the output between each two marks. */
function betweenMarks(output: string): string[] {
  return output
    .split('[calls begin]')
    .slice(1)
    .map((part) => part.split('[calls end]')[0]!);
}

function deoptimizations(operation: string, backend?: string): number {
  const parts = betweenMarks(runNode(['--trace-deopt'], operation, backend));
  assert.ok(parts.length >= 5);
  return parts.join('').split('[bailout').length - 1;
}

/**
 * Returns the system calls of the main thread between the marks, from the repetition with the fewest: V8
 * makes some when it collects garbage or has compiled.
 */
function systemCalls(operation: string): string[] {
  const trace = join(folder, 'trace');
  const args = ['-o', trace, '-s', '64', process.execPath, MEASURED_OPERATION, operation];
  execFileSync('strace', args, { env: environment('file'), stdio: 'ignore' });
  const parts = betweenMarks(readFileSync(trace, 'utf8'));
  assert.ok(parts.length >= 5);
  // Each part begins with the rest of the line that wrote the mark, and ends with the start of such a line.
  const times = parts.map((part) => part.split('\n').slice(1, -1));
  return times.sort((a, b) => a.length - b.length)[0]!;
}

for (const backend of ['single', 'file']) {
  describe(`1,000,000 calls with the backend '${backend}'`, () => {
    for (const operation of Object.keys(OPERATIONS)) {
      test(`${operation} allocates nothing`, () => {
        const bytes = allocated(operation, backend);
        assert.ok(bytes < MIN_FAULT_BYTES, `${bytes} bytes`);
      });
    }
  });
}

for (const backend of ['single', 'file']) {
  describe(`once they are optimized, calls stay so with the backend '${backend}'`, () => {
    for (const operation of Object.keys(OPERATIONS)) {
      test(operation, () => assert.equal(deoptimizations(operation, backend), 0));
    }
  });
}

describe('1,000,000 calls into a file make no system call', { skip: requireTool('strace') }, () => {
  for (const operation of Object.keys(OPERATIONS)) {
    test(operation, () => assert.deepEqual(systemCalls(operation), []));
  }
});

describe('the guards find', () => {
  test('an allocation', () => assert.ok(allocated('allocation') > 10 * MIN_FAULT_BYTES));
  test('a deoptimization', () => assert.ok(deoptimizations('deoptimization') > 0));
  test('a system call', { skip: requireTool('strace') }, () => {
    assert.equal(systemCalls('systemCall').filter((line) => line.includes('"/"')).length, 2);
  });
});
