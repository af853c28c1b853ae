/** The examples of bars over streams, promises and parallel tasks, as programs. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { requireTerminal, runInTerminal } from '../support/terminal.js';
import { Run, temporaryFolder } from './hash-tree-run.js';

const exampleFile = (name: string) =>
  fileURLToPath(new URL(`../../examples/progress/${name}.js`, import.meta.url));

/** An example with no terminal: its bars leave one line each. */
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
  it('streams packs a file and counts both sides of it', async (t) => {
    const file = fileOf(t);
    const { code, stdout, stderr } = await run(t, 'streams', file);
    assert.equal(code, 0, stderr);
    const packed = readFileSync(`${file}.gz`);
    assert.deepEqual(gunzipSync(packed), CONTENT);
    assert.equal(stdout, `${CONTENT.length} bytes became ${packed.length}.\n`);
    assert.match(stderr, /^Read: 100%\|█+\| 410k\/410k \[/m);
    assert.match(stderr, /^Written: \d\.\d+kB \[/m);
  });

  it('streams ends with what made it fail, and both its bars', async (t) => {
    const { code, stderr } = await run(t, 'streams', temporaryFolder(t));
    assert.equal(code, 1);
    assert.match(stderr, /EISDIR/);
    assert.match(stderr, /^Read: /m);
    assert.match(stderr, /^Written: /m);
  });

  it('promises tells formats as they come and levels in order', async (t) => {
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
    // Each file had a bar below the one of all.
    for (const name of names) assert.ok(program.output().includes(`${name}: `), name);
  });
});
