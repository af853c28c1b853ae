/** The screen of the hash-tree example on a terminal. */

import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { requireTerminal, runInTerminal } from '../support/terminal.js';
import { PROGRAM, scrapeUntil, temporaryFolder } from './hash-tree-run.js';

const BARS = ['All files', 'Thread 1', 'Thread 2', 'Thread 3', 'Thread 4'];
const METRICS = /^Metrics: (http:\S+\/metrics)$/;
const start = (cwd: string, args: readonly string[]) => {
  const env = { METHEUS_BACKEND_CLASS: undefined, METHEUS_BACKEND_CONFIG: undefined };
  return runInTerminal(PROGRAM, { cwd, args, env, cols: 100, rows: 40 });
};

describe('hash-tree on a terminal', { skip: requireTerminal(), timeout: 300_000 }, () => {
  it('leaves its bars in their rows and the summary below them', async (t) => {
    const cwd = temporaryFolder(t);
    for (let i = 0; i < 20; i++) writeFileSync(join(cwd, `file ${i}`), 'x'.repeat(1000));
    using program = start(cwd, ['--port', '0', '--no-serve', '.']);
    const { code } = await program.exited;
    const rows = program.screen();
    assert.equal(code, 0, rows.join('\n'));
    assert.match(rows[0]!, METRICS);
    for (const [i, bar] of BARS.entries()) assert.ok(rows[1 + i]!.startsWith(`${bar}: `), rows[1 + i]);
    assert.match(rows[1]!, /^All files: 100%\|█+\| 19\.5k\/19\.5k \[\d\d:\d\d<00:00, .*B\/s\]$/);
    assert.deepEqual(
      rows.slice(6).map((text) => text.split(':')[0]),
      ['Files', 'Bytes', 'Time', 'Rate', 'Errors', 'Slowest'],
    );
    assert.equal(rows[7], 'Bytes:    19.5kB (20000)');
    // The prompt of the shell gets its own line.
    assert.deepEqual(program.cursor(), { row: rows.length, column: 0 });
  });

  it('serves after the end until Ctrl-C, and says so', async (t) => {
    const cwd = temporaryFolder(t);
    writeFileSync(join(cwd, 'file'), 'x'.repeat(1000));
    using program = start(cwd, ['--port', '0', '.']);
    const serving = /^Serving at (\S+) until Ctrl-C\.$/;
    const rows = await program.waitFor((all) => all.some((row) => serving.test(row)));
    const [, url] = serving.exec(rows.find((row) => serving.test(row))!)!;
    await scrapeUntil(url!, (served) => served.hash_files_total === 1);
    program.write('\x03');
    const { code } = await program.exited;
    assert.equal(code, 0, program.screen().join('\n'));
  });

  it('leaves the same after Ctrl-C', async (t) => {
    const cwd = temporaryFolder(t);
    mkdirSync(join(cwd, 'tree'));
    writeFileSync(join(cwd, 'tree', 'sparse'), '');
    truncateSync(join(cwd, 'tree', 'sparse'), 2 ** 40);
    using program = start(cwd, ['--port', '0', 'tree']);
    const [metrics] = await program.waitFor(([first = '']) => METRICS.test(first));
    await scrapeUntil(METRICS.exec(metrics!)![1]!, (served) => served.hash_bytes_total! > 0);
    program.write('\x03');
    const { code } = await program.exited;
    const rows = program.screen();
    assert.equal(code, 130, rows.join('\n'));
    for (const [i, bar] of BARS.entries()) assert.ok(rows[1 + i]!.startsWith(`${bar}: `), rows[1 + i]);
    assert.equal(rows[6], 'Files:    0 (interrupted)');
    assert.match(rows.at(-1)!, /^Errors: {3}0$/);
    assert.deepEqual(program.cursor(), { row: rows.length, column: 0 });
  });
});
