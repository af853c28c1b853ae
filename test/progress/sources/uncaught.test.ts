/** Outcomes of bars whose loop or block is left by an error that nothing catches. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';

const FAKES = import.meta.resolve('../fakes.js');

type Case = readonly [name: string, program: string, ...outcomes: readonly number[][]];

const FINISHED = [1, 0, 0];
const FAILED = [0, 1, 0];
const INCOMPLETE = [0, 0, 1];

const CASES: readonly Case[] = [
  ['a loop over an array', 'for (const _ of tqdm([1, 2, 3])) fail();', FAILED],
  ['a loop over numbers', 'for (const i of tqdm(3)) if (i === 2) fail();', FAILED],
  ['a loop of unknown length', 'for (const _ of tqdm(words())) fail();', FAILED],
  ['nested loops', 'for (const _ of tqdm(3)) for (const _ of tqdm(2)) fail();', FAILED, FAILED],
  ['an asynchronous loop', 'for (const _ of tqdm(3)) { await null; fail(); }', FAILED],
  ['for await', 'for await (const _ of tqdm([1, 2])) fail();', FAILED],
  ['a callback', 'setTimeout(() => { for (const _ of tqdm(3)) fail(); });', FAILED],
  [
    'a block that disposes of its bar',
    'const bar = tqdm({ total: 3 }); try { fail(); } finally { bar[Symbol.dispose](); }',
    FAILED,
  ],
  ['a loop that had ended', 'for (const _ of tqdm(3)); fail();', FINISHED],
  [
    'a block whose bar had reached its total',
    'const bar = tqdm({ total: 3 }); bar.update(3); bar[Symbol.dispose](); fail();',
    FINISHED,
  ],
  ['a closed bar', 'tqdm({ total: 3 }).close(); fail();', INCOMPLETE],
  ['a loop left by break, and no error', 'for (const _ of tqdm(3)) break;', INCOMPLETE],
  ['an error that is caught', 'try { for (const _ of tqdm(3)) fail(); } catch {}', INCOMPLETE],
  ['a later error', 'for (const _ of tqdm(3)) break; await sleep(1); fail();', INCOMPLETE],
  [
    'an error after the next bar was opened',
    'for (const _ of tqdm(3)) break; for (const _ of tqdm(3)); fail();',
    INCOMPLETE,
    FINISHED,
  ],
];

/** Returns a program that prints the numbers of finished, failed and incomplete bars of each record at its exit. */
function programOf(programs: readonly string[]): string {
  return `
    const { fakeTqdm } = await import('${FAKES}');
    const { setTimeout: sleep } = await import('node:timers/promises');
    const all = [];
    process.on('exit', () => {
      const outcomes = (record) => [3, 4, 8].map((cell) => record.cell(cell));
      process.stdout.write(JSON.stringify(all.map((records) => records.map(outcomes))));
    });
    function* words() { yield 'a'; yield 'b'; }
    const fail = () => { throw new TypeError('of the program'); };
    const start = () => {
      const { tqdm, records } = fakeTqdm();
      all.push(records);
      return tqdm;
    };
    ${programs.join('\n')}`;
}

function outcomesOf(program: string): Promise<number[][][]> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '-e', program], (_, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr));
      else resolve(JSON.parse(stdout));
    });
  });
}

describe('an uncaught error', () => {
  it('that ends the process fails the bars whose loops it has left', async () => {
    const program = 'const tqdm = start(); for (const _ of tqdm(3)) for (const _ of tqdm(2)) fail();';
    assert.deepEqual(await outcomesOf(programOf([program])), [[FAILED, FAILED]]);
  });

  it('that the program handles does so too, and fails no other bars', async () => {
    const programs = CASES.map(
      ([, program]) => `(async (tqdm) => { ${program} })(start());\nawait sleep(20);`,
    );
    const handler = "process.on('uncaughtException', () => {});";
    const outcomes = await outcomesOf(programOf([handler, ...programs]));
    const names = CASES.map(([name]) => name);
    assert.deepEqual(
      outcomes.map((given, i) => [names[i], ...given]),
      CASES.map(([name, , ...expected]) => [name, ...expected]),
    );
  });
});
