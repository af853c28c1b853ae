/** The main job on a terminal: what it leaves on the screen. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROGRAM, Run, scrapeUntil, temporaryFolder } from './hash-tree-run.js';
import { screenOf } from './screen.js';

/** A terminal of 100 columns, in which the program's exit code is that of `script`. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const onTerminal = (args: string) => [
  'script',
  '-qec',
  `stty cols 100 rows 40; exec ${quoted(process.execPath)} ${quoted(PROGRAM)} ${args}`,
  '/dev/null',
];
const skip =
  spawnSync('script', ['--version']).status === 0 ? false : 'script is missing (Debian package bsdutils)';

const BARS = ['All files', 'Thread 1', 'Thread 2', 'Thread 3', 'Thread 4'];

describe('hash-tree on a terminal', { skip, timeout: 300_000 }, () => {
  it('leaves its bars in their rows and the summary below them', async (t) => {
    const cwd = temporaryFolder(t);
    for (let i = 0; i < 20; i++) writeFileSync(join(cwd, `file ${i}`), 'x'.repeat(1000));
    const run = new Run(t, [], { cwd, command: onTerminal('--port 0 .') });
    const { code, stdout } = await run.ended;
    assert.equal(code, 0, stdout);
    const { rows, row, column } = screenOf(stdout);
    assert.match(rows[0]!, /^Metrics: http/);
    for (const [i, bar] of BARS.entries()) assert.ok(rows[1 + i]!.startsWith(`${bar}: `), rows[1 + i]);
    assert.match(rows[1]!, /^All files: 100%\|█+\| 19\.5k\/19\.5k \[\d\d:\d\d<00:00, .*B\/s\]$/);
    assert.deepEqual(
      rows.slice(6).map((text) => text.split(':')[0]),
      ['Files', 'Bytes', 'Time', 'Rate', 'Errors', 'Slowest'],
    );
    assert.equal(rows[7], 'Bytes:    19.5kB (20000)');
    // The shell's prompt gets a line of its own.
    assert.deepEqual([row, column], [rows.length, 0]);
    assert.ok(stdout.endsWith('\r\n'));
  });

  it('leaves the same after Ctrl-C', async (t) => {
    const cwd = temporaryFolder(t);
    mkdirSync(join(cwd, 'tree'));
    writeFileSync(join(cwd, 'tree', 'sparse'), '');
    truncateSync(join(cwd, 'tree', 'sparse'), 2 ** 40);
    const run = new Run(t, [], { cwd, command: onTerminal('--port 0 tree') });
    await scrapeUntil(await run.url(), (served) => served.hash_bytes_total! > 0);
    run.type('\x03');
    const { code, stdout } = await run.ended;
    assert.equal(code, 130, stdout);
    // The terminal itself shows the key, wherever the cursor was. That nothing else was sent than moves of the
    // cursor is seen here too: nothing is hidden or coloured that would have to be put back.
    const { rows, row, column } = screenOf(stdout.replace('^C', ''));
    for (const [i, bar] of BARS.entries()) assert.ok(rows[1 + i]!.startsWith(`${bar}: `), rows[1 + i]);
    assert.equal(rows[6], 'Files:    0 (interrupted)');
    assert.match(rows.at(-1)!, /^Errors: {3}0$/);
    assert.deepEqual([row, column], [rows.length, 0]);
    assert.ok(stdout.endsWith('\r\n'));
  });
});
