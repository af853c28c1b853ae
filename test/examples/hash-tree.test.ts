/** The hash-tree example: its digests, files, messages and metrics. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from '../support/processes.js';
import { requireTool } from '../support/tools.js';
import { promtoolCheck } from '../support/validators.js';
import { loopback, PROGRAM, Run, scrape, scrapeUntil, temporaryFolder } from './hash-tree-run.js';

const MIB = 1 << 20;

/** Makes a file with unique contents. Names are bytes, written here as Latin-1. */
function makeFile(folder: string, name: string, size: number): void {
  const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
  writeFileSync(path, Buffer.alloc(size, `${name} ${size}\n`));
}

/** Makes a tree with every kind of name, and files that need several reads and several batches. */
function makeTree(folder: string): { files: number; bytes: number } {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'deep', 'er', 'and deeper'), { recursive: true });
  mkdirSync(join(tree, 'empty'));
  mkdirSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from('d\xff', 'latin1')]));
  const sizes: Record<string, number> = {
    empty_file: 0,
    one: 1,
    'with space  two': 2,
    'back\\slash': 10,
    '\\': 11,
    'line\nfeed': 20,
    'carriage\rreturn': 30,
    'all\\of\nthem\r': 40,
    'not utf-8 \xff\xfe': 50,
    'd\xff/caf\xe9': 60,
    [Buffer.from('Größe 🚀').toString('latin1')]: 70,
    '-n': 80,
    'deep/er/and deeper/exactly': MIB,
    'deep/er/large': 3 * MIB + 5,
    'deep/larger': 9 * MIB,
  };
  for (let i = 0; i < 200; i++) sizes[`deep/er/${i}`] = i;
  for (const [name, size] of Object.entries(sizes)) makeFile(tree, name, size);
  // Files that are not regular are not hashed.
  symlinkSync('one', join(tree, 'link'));
  symlinkSync('..', join(tree, 'deep', 'circle'));
  symlinkSync('nowhere', join(tree, 'dangling'));
  execFileSync('mkfifo', [join(tree, 'pipe')]);
  const all = Object.values(sizes);
  return { files: all.length, bytes: all.reduce((sum, size) => sum + size, 0) };
}

/** Returns the output of `sha256sum` for a tree. */
function sumsOf(cwd: string, directory: string): Buffer {
  const script = 'find "$1" -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum --';
  return execFileSync('sh', ['-c', script, 'sh', directory], { cwd, maxBuffer: 64 * MIB });
}

/** Makes a tree of sparse files, which takes minutes to hash and no space on the disk. */
function makeEndlessTree(folder: string): void {
  mkdirSync(join(folder, 'tree'));
  for (let i = 0; i < 4; i++) {
    const file = join(folder, 'tree', `sparse-${i}`);
    writeFileSync(file, '');
    truncateSync(file, 2 ** 38);
  }
}

const SUMMARY =
  /^Files: {4}(.*)\nBytes: {4}(.*)\nTime: {5}\d+\.\d\d s\nRate: {5}\d+\.\d MB\/s\nErrors: {3}(\d+)\n/m;

function summaryOf(stdout: string): { files: string; bytes: string; errors: number } {
  const found = SUMMARY.exec(stdout);
  assert.ok(found !== null, `There is no summary in:\n${stdout}`);
  return { files: found[1]!, bytes: found[2]!, errors: Number(found[3]) };
}

// A limit for all tests together: on a busy machine, each takes half a minute to start its five threads.
describe('hash-tree', { timeout: 1_200_000 }, () => {
  it('hashes a tree, writes the output of sha256sum, prints a summary, and ends', async (t) => {
    const cwd = temporaryFolder(t);
    const { files, bytes } = makeTree(cwd);
    const run = new Run(t, ['--port', '0', '--output', 'sums', 'tree'], { cwd });
    const { code, signal, stdout, stderr } = await run.ended;
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
    assert.deepEqual(summaryOf(stdout), {
      files: String(files),
      bytes: `${(bytes / MIB).toFixed(1)}MB (${bytes})`,
      errors: 0,
    });
    assert.match(stdout, /\nSlowest: {2}\d+\.\d ms, tree\/.+\n/);
    assert.deepEqual(readFileSync(join(cwd, 'sums')), sumsOf(cwd, 'tree'));
    const checked = spawnSync('sha256sum', ['-c', '--strict', 'sums'], { cwd, encoding: 'latin1' });
    assert.equal(checked.status, 0, checked.stderr);
    assert.equal(checked.stdout.match(/: OK$/gm)?.length, files);
    // Without a terminal, bars are plain lines, the last of which is complete.
    assert.match(stderr, /All files: 100%/);
    assert.ok(!stderr.includes('\x1b'));
  });

  it('hashes node_modules by default', async (t) => {
    const cwd = temporaryFolder(t);
    mkdirSync(join(cwd, 'node_modules'));
    makeFile(join(cwd, 'node_modules'), 'index.js', 100);
    const { code, stdout } = await new Run(t, ['--port', '0', '--output', 'sums'], { cwd }).ended;
    assert.equal(code, 0);
    assert.equal(summaryOf(stdout).bytes, '100B (100)');
    assert.deepEqual(readFileSync(join(cwd, 'sums')), sumsOf(cwd, 'node_modules'));
  });

  it('serves its metrics until Ctrl-C', { skip: requireTool('promtool') }, async (t) => {
    const cwd = temporaryFolder(t);
    const { files, bytes } = makeTree(cwd);
    const run = new Run(t, ['--port', '0', '--serve', 'tree'], { cwd });
    const url = await run.says(/^Serving at (\S+) until Ctrl-C\.\n/m);
    assert.equal(url, await run.url());
    const served = await scrape(url);
    assert.equal(served.hash_files_total, files);
    assert.equal(served.hash_bytes_total, bytes);
    assert.equal(served.hash_duration_seconds_count, files);
    assert.equal(served['hash_duration_seconds_bucket{le="+Inf"}'], files);
    assert.ok(served.hash_duration_seconds_sum! > 0);
    assert.equal(served['progress_completed_total{bucket="All files",unit="B"}'], bytes);
    assert.equal(served['progress_expected{bucket="All files",unit="B"}'], bytes);
    assert.equal(served['progress_active_bars{bucket="All files"}'], 0);
    assert.equal(served['progress_finished_bars_total{bucket="All files"}'], 1);
    let together = 0;
    for (const thread of ['Thread 1', 'Thread 2', 'Thread 3', 'Thread 4']) {
      const completed = served[`progress_completed_total{bucket="${thread}",unit="B"}`]!;
      assert.equal(served[`progress_expected{bucket="${thread}",unit="B"}`], completed);
      together += completed;
      assert.equal(served[`progress_active_bars{bucket="${thread}"}`], 0);
      assert.equal(served[`progress_finished_bars_total{bucket="${thread}"}`], 1);
      assert.equal(served[`progress_failed_bars_total{bucket="${thread}"}`], 0);
    }
    assert.equal(together, bytes);
    assert.equal(served['progress_finished_bars_total{bucket="Scan"}'], 1);
    assert.equal(served['progress_completed_total{bucket="Scan",unit="file"}'], files);
    const text = await (await fetch(url, { headers: { connection: 'close' } })).text();
    assert.deepEqual(await promtoolCheck(text), { exitCode: 0, output: '' });

    run.interrupt();
    const { code, signal, stderr } = await run.ended;
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
    await assert.rejects(fetch(url));
  });

  it('serves its progress while it runs, and ends with 130 on Ctrl-C', async (t) => {
    const cwd = temporaryFolder(t);
    makeEndlessTree(cwd);
    const run = new Run(t, ['--port', '0', '--serve', '--output', 'sums', 'tree'], { cwd });
    const url = await run.url();
    const bytesOf = (bucket: string) => `progress_completed_total{bucket="${bucket}",unit="B"}`;
    const threads = ['Thread 1', 'Thread 2', 'Thread 3', 'Thread 4'];
    const first = await scrapeUntil(url, (served) =>
      [...threads, 'All files'].every((bucket) => served[bytesOf(bucket)]! > 0),
    );
    const second = await scrapeUntil(url, (served) => served.hash_bytes_total! > first.hash_bytes_total!);
    assert.equal(second['progress_expected{bucket="All files",unit="B"}'], 2 ** 40);
    for (const bucket of [...threads, 'All files']) {
      assert.ok(second[bytesOf(bucket)]! >= first[bytesOf(bucket)]!);
      assert.equal(second[`progress_active_bars{bucket="${bucket}"}`], 1);
    }
    assert.equal(second.hash_files_total, 0);

    run.interrupt();
    const { code, signal, stdout, stderr } = await run.ended;
    assert.deepEqual({ code, signal }, { code: 130, signal: null }, stderr);
    assert.equal(summaryOf(stdout).files, '0 (interrupted)');
    assert.doesNotMatch(stdout, /Serving at/);
    assert.equal(statSync(join(cwd, 'sums'), { throwIfNoEntry: false }), undefined);
  });

  it('counts and reports unreadable files, and continues', async (t) => {
    const cwd = temporaryFolder(t);
    const tree = join(cwd, 'tree');
    mkdirSync(join(tree, 'locked'), { recursive: true });
    mkdirSync(join(tree, 'open'));
    makeFile(tree, 'locked/unseen', 5);
    makeFile(tree, 'secret', 7);
    makeFile(tree, 'open/secret too', 8);
    makeFile(tree, 'open/fine', 9);
    execFileSync('chmod', ['000', 'locked', 'secret', 'open/secret too'], { cwd: tree });
    // Root can read locked files unless it drops two of its capabilities. (Another user may not be able to
    // read this package.)
    const dropped = '-dac_override,-dac_read_search';
    const asOthers = [
      'setpriv',
      `--inh-caps=${dropped}`,
      `--bounding-set=${dropped}`,
      process.execPath,
      PROGRAM,
    ];
    const command = process.getuid?.() === 0 ? { command: asOthers } : {};
    const run = new Run(t, ['--port', '0', '--serve', 'tree'], { cwd, ...command });
    const url = await run.says(/^Serving at (\S+) until Ctrl-C\.\n/m);
    const served = await scrape(url);
    run.interrupt();
    const { code, stdout } = await run.ended;
    execFileSync('chmod', ['755', 'locked'], { cwd: tree });
    assert.equal(served['hash_errors_total{kind="EACCES"}'], 3);
    assert.equal(served.hash_files_total, 1);
    assert.equal(served.hash_duration_seconds_count, 1);
    assert.equal(code, 0);
    assert.deepEqual(summaryOf(stdout), { files: '1', bytes: '9.00B (9)', errors: 3 });
    for (const path of ['tree/locked', 'tree/secret', 'tree/open/secret too']) {
      assert.match(stdout, new RegExp(`^Cannot read ${path}: .*EACCES`, 'm'));
    }
  });

  const places: Record<string, string> = {
    'a directory that does not exist': 'nowhere',
    'a file in place of the directory': 'file',
  };
  for (const [what, directory] of Object.entries(places)) {
    it(`ends with 1 and one line about ${what}`, async (t) => {
      const cwd = temporaryFolder(t);
      makeFile(cwd, 'file', 10);
      const { code, stdout, stderr } = await new Run(t, ['--port', '0', directory], { cwd }).ended;
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`^.*\\b${directory}\\b.*\n$`));
    });
  }

  it('accepts an empty directory', async (t) => {
    const cwd = temporaryFolder(t);
    const { code, stdout } = await new Run(t, ['--port', '0', '--output', 'sums', '.'], { cwd }).ended;
    assert.equal(code, 0);
    assert.deepEqual(summaryOf(stdout), { files: '0', bytes: '0.00B (0)', errors: 0 });
    assert.equal(readFileSync(join(cwd, 'sums'), 'utf8'), '');
  });

  it('takes the next port when one is in use, and reports it', async (t) => {
    const cwd = temporaryFolder(t);
    const host = await loopback();
    const port = await freePort(host);
    const blocker = createServer().listen(port, host);
    await once(blocker, 'listening');
    t.after(() => blocker.close());
    const run = new Run(t, ['--port', String(port), '--serve', '.'], { cwd });
    const url = new URL(await run.says(/^Serving at (\S+) until/m));
    const served = Number(url.port);
    assert.ok(served > port && served < port + 100);
    assert.equal((await scrape(url.href)).hash_files_total, 0);
    run.interrupt();
    const { code, stderr } = await run.ended;
    assert.equal(code, 0);
    assert.ok(stderr.includes(`are served at ${url.href}`), stderr);
  });

  it('serves at the given address', async (t) => {
    const cwd = temporaryFolder(t);
    const port = await freePort(await loopback());
    const run = new Run(t, ['--port', String(port), '.'], { cwd });
    assert.equal(new URL(await run.url()).port, String(port));
    const { code, stderr } = await run.ended;
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, /served at/);
  });

  it('takes any free port when the last one is in use', async (t) => {
    const host = await loopback();
    const blocker = createServer();
    // If another program has the port, the test holds as well.
    const taken = new Promise((resolve) => blocker.once('listening', resolve).once('error', resolve));
    blocker.listen(65_535, host);
    await taken;
    t.after(() => blocker.close());
    const run = new Run(t, ['--port', '65535', '--serve', temporaryFolder(t)]);
    const url = await run.says(/^Serving at (\S+) until/m);
    assert.equal((await scrape(url)).hash_files_total, 0);
    run.interrupt();
    assert.equal((await run.ended).code, 0);
  });

  it('ends with 1 when the digests cannot be written', async (t) => {
    const cwd = temporaryFolder(t);
    makeFile(cwd, 'file', 10);
    const { code, stdout, stderr } = await new Run(t, ['--port', '0', '--output', 'no/where', '.'], { cwd })
      .ended;
    assert.equal(code, 1);
    assert.equal(summaryOf(stdout).files, '1');
    assert.match(stderr, /^ENOENT: .*no\/where'\n$/m);
    assert.doesNotMatch(stderr, /^ {4}at /m);
  });

  it('prints its usage', async (t) => {
    const { code, stdout, stderr } = await new Run(t, ['--help']).ended;
    assert.equal(code, 0);
    assert.equal(stderr, '');
    for (const word of [
      '--output FILE',
      '--port PORT',
      '--serve',
      '--no-serve',
      '--help',
      'node_modules',
      'sha256sum -c',
    ]) {
      assert.ok(stdout.includes(word), word);
    }
  });

  const mistakes: Record<string, string[]> = {
    'an unknown option': ['--prot', '1'],
    'a port that is no number': ['--port', 'http'],
    'a port beyond the last': ['--port', '65536'],
    'a port that is empty': ['--port', ''],
    'an option without its value': ['--output'],
    'two directories': ['a', 'b'],
  };
  for (const [what, args] of Object.entries(mistakes)) {
    it(`ends with 1 and one line about ${what}`, async (t) => {
      const { code, stdout, stderr } = await new Run(t, args).ended;
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^[A-Z-].* See --help\.\n$/);
    });
  }
});
