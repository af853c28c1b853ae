import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { addExitStep, removeExitStep, runExitSteps } from '#metheus/system/exit-steps.js';

const MODULE = import.meta.resolve('#metheus/system/exit-steps.js');

/** Runs a program that may call `addExitStep` of two copies of the module, and returns its output. */
function outputOf(program: string): string[] {
  const code = `
    const { addExitStep } = await import('${MODULE}');
    const copy = await import('${MODULE}?copy');
    const print = (text) => () => require('fs').writeSync(1, text + '\\n');
    ${program}`;
  const imports = `import { createRequire } from 'node:module'; const require = createRequire('${MODULE}');`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', imports + code]);
  return stdout.toString().trim().split('\n');
}

describe('exit steps', () => {
  it('run in the order of the table, whatever the order in which they were added', () => {
    const lines = outputOf(`
      for (const step of ['files', 'redis', 'terminal', 'worker numbers', 'open bars', 'remote bars'])
        addExitStep(step, print(step));
    `);
    assert.deepEqual(lines, [
      'worker numbers',
      'redis',
      'remote bars',
      'open bars',
      'terminal',
      'worker numbers',
      'files',
    ]);
  });

  it('are one list for two copies of the package', () => {
    const lines = outputOf(`
      const before = process.listenerCount('exit');
      copy.addExitStep('files', print('files of the copy'));
      addExitStep('open bars', print('bars'));
      addExitStep('files', print('files'));
      copy.addExitStep('open bars', print('bars of the copy'));
      console.log(process.listenerCount('exit') - before);
    `);
    assert.deepEqual(lines, ['2', 'bars', 'bars of the copy', 'files of the copy', 'files']);
  });

  it('let listeners of the program run after bars are closed and before numbers are written', () => {
    const lines = outputOf(`
      addExitStep('files', print('files'));
      addExitStep('open bars', print('bars'));
      process.on('exit', print('program'));
      await 0;
      process.exit();
    `);
    assert.deepEqual(lines, ['bars', 'program', 'files']);
  });

  it('run also when one of them throws', () => {
    const lines = outputOf(`
      addExitStep('open bars', () => { throw new Error('broken'); });
      addExitStep('open bars', print('bars'));
    `);
    assert.deepEqual(lines, ['bars']);
  });

  it('include those that an earlier step adds', () => {
    const ran: string[] = [];
    const close = () => ran.push('closed');
    const open = () => addExitStep('open bars', close);
    addExitStep('remote bars', open);
    runExitSteps(0);
    removeExitStep('remote bars', open);
    removeExitStep('open bars', close);
    assert.deepEqual(ran, ['closed']);
  });

  it('have listeners only while there is a step', () => {
    const events = ['exit', 'beforeExit', 'newListener'];
    const count = () => events.map((event) => process.listenerCount(event));
    const before = count();
    const action = () => {};
    addExitStep('terminal', action);
    addExitStep('terminal', action);
    assert.notDeepEqual(count(), before);
    removeExitStep('files', action);
    removeExitStep('terminal', action);
    removeExitStep('terminal', action);
    assert.deepEqual(count(), before);
  });
});
