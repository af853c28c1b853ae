/** Decorators of TypeScript's option `experimentalDecorators`, compiled by the installed TypeScript. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { createHistogram } from 'metheus';

const run = (...args: string[]) => spawnSync(process.execPath, args, { encoding: 'utf8' });

describe('decorators of experimentalDecorators', () => {
  it('compile, and observe the calls of the methods', () => {
    const compiled = run('node_modules/typescript/bin/tsc', '-p', 'test/metrics/legacy-decorators');
    assert.equal(compiled.stdout + compiled.stderr, '');
    for (const program of [
      'build/legacy-decorators/program.js',
      'build/test/metrics/legacy-decorators/program.js',
    ]) {
      const { stdout, stderr } = run(program);
      assert.deepEqual(
        JSON.parse(stdout || '[]'),
        ['42 1', 'fixed', 'range', 'type', 2, 2, 2, 1, 0],
        `${program}: ${stderr}`,
      );
    }
  });

  it('are refused for anything but methods', () => {
    const { time } = createHistogram('h', 'H.', { registry: null });
    const decorate = time as unknown as (...args: unknown[]) => unknown;
    assert.throws(() => decorate({}, 'property', { get: () => 1 }), {
      code: 'METHEUS_INVALID_CALLBACK',
      message: 'Invalid callback: given undefined to time(), expected a method.',
    });
    assert.throws(() => decorate({}, 'property'), { code: 'METHEUS_INVALID_CALLBACK' });
  });
});
