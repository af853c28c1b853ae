/**
 * The examples of bars over loops, streams, promises, tasks and threads, and of published bars, run as
 * programs.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { requireTerminal, runInTerminal } from '../support/terminal.js';
import { loopback, Run, scrapeUntil, temporaryFolder } from './hash-tree-run.js';

const exampleFile = (name: string) =>
  fileURLToPath(new URL(`../../examples/progress/${name}.js`, import.meta.url));

/** Runs an example without a terminal. Its bars leave one line each. */
function run(t: TestContext, name: string, ...args: string[]) {
  return new Run(t, [], { command: [process.execPath, exampleFile(name), ...args] }).ended;
}

const CONTENT = Buffer.from('all work and no play\n'.repeat(20_000));

function fileOf(t: TestContext, content = CONTENT): string {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, content);
  return file;
}

describe('examples/progress', { timeout: 120_000 }, () => {
  it('loops prints the most frequent words, with a bar for each kind of loop', async (t) => {
    const file = fileOf(t, Buffer.from('the cat and the dog\nand the cow\n'));
    const { code, stdout, stderr } = await run(t, 'loops', file);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '3 the\n2 and\n');
    assert.match(stderr, /^Read: 2line \[/m);
    assert.match(stderr, /^Split: 100%\|█+\| 2\/2 \[/m);
    // The round that `break` left is not counted.
    assert.match(stderr, /^Rank: {2}40%\|█+ +\| 2\/5 \[/m);
    assert.match(stderr, /^Letters: 30\.0it \[/m);
    assert.doesNotMatch(stderr, /Rows/);
  });

  it('workers draws the bars of its threads on one screen', { skip: requireTerminal() }, async () => {
    using program = runInTerminal(exampleFile('workers'), { cols: 80, args: ['100000'] });
    assert.deepEqual(await program.exited, { code: 0, signal: null }, program.output());
    const rows = program.screen();
    assert.deepEqual(rows.splice(-1), ['77031 takes 350 steps']);
    const parts = rows.map((row) => /^(.+): +100%\|█+\| (.+) \[.*\]$/.exec(row)?.slice(1) ?? row).sort();
    assert.deepEqual(parts, [
      ['Thread 1', '25.0k/25.0k'],
      ['Thread 2', '25.0k/25.0k'],
      ['Thread 3', '25.0k/25.0k'],
      ['Thread 4', '25.0k/25.0k'],
      ['Threads', '4/4'],
    ]);
  });

  it('proxy publishes its bars under its own names until it is interrupted', async (t) => {
    const program = new Run(t, ['0', await loopback()], {
      command: [process.execPath, exampleFile('proxy')],
    });
    const done = await scrapeUntil(await program.url(), ({ my_job_index_completed: n }) => n === 20);
    const properties = ['completed', 'total', 'active', 'finished', 'failed'];
    const numbers = (bucket: string) => properties.map((property) => done[`my_job_${bucket}_${property}`]);
    assert.deepEqual(numbers('import'), [600, 600, 0, 3, 0]);
    assert.deepEqual(numbers('index'), [20, 50, 1, 0, 0]);
    program.interrupt();
    const { code, stderr } = await program.ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^import orders: 100%\|█+\| 200\/200 \[/m);
  });

  it('streams compresses a file and counts bytes before and after', async (t) => {
    const file = fileOf(t);
    const { code, stdout, stderr } = await run(t, 'streams', file);
    assert.equal(code, 0, stderr);
    const packed = readFileSync(`${file}.gz`);
    assert.deepEqual(gunzipSync(packed), CONTENT);
    assert.equal(stdout, `${CONTENT.length} bytes became ${packed.length}.\n`);
    assert.match(stderr, /^Read: 100%\|█+\| 410k\/410k \[/m);
    assert.match(stderr, /^Written: \d\.\d+kB \[/m);
  });

  it('streams fails with the error, after both bars', async (t) => {
    const { code, stderr } = await run(t, 'streams', temporaryFolder(t));
    assert.equal(code, 1);
    assert.match(stderr, /EISDIR/);
    assert.match(stderr, /^Read: /m);
    assert.match(stderr, /^Written: /m);
  });

  it('promises prints formats as they complete and levels in order', async (t) => {
    const { code, stdout, stderr } = await run(t, 'promises', fileOf(t));
    assert.equal(code, 0, stderr);
    const lines = stdout.trimEnd().split('\n');
    const formats = {
      gzip: gzipSync(CONTENT),
      deflate: deflateSync(CONTENT),
      brotli: brotliCompressSync(CONTENT),
    };
    assert.deepEqual(
      lines.slice(0, 3).sort(),
      Object.entries(formats)
        .map(([name, { length }]) => `${name}: ${length} bytes`)
        .sort(),
    );
    assert.deepEqual(
      lines.slice(3),
      [1, 3, 6, 9].map((level) => `level ${level}: ${gzipSync(CONTENT, { level }).length} bytes`),
    );
    assert.match(stderr, /^Formats: 100%\|█+\| 3\/3 \[/m);
    assert.match(stderr, /^Levels: 100%\|█+\| 4\/4 \[/m);
  });

  it('nested-tasks leaves one bar and the digests on a terminal', { skip: requireTerminal() }, async (t) => {
    const folder = temporaryFolder(t);
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) writeFileSync(join(folder, name), name.repeat(200_000));
    using program = runInTerminal(exampleFile('nested-tasks'), { cols: 100, args: [folder] });
    assert.deepEqual(await program.exited, { code: 0, signal: null }, program.output());
    const [bar, ...digests] = program.history();
    assert.match(bar!, /^Files: 100%\|█+\| 5\/5 \[.*file\/s\]$/);
    assert.deepEqual(
      digests,
      names.map((name) => `${createHash('sha256').update(name.repeat(200_000)).digest('hex')}  ${name}`),
    );
    // Each file had a bar below the total.
    for (const name of names) assert.ok(program.output().includes(`${name}: `), name);
  });
});
