/** Native histograms are loaded when they are needed, and by whoever imports them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const DIST = dirname(fileURLToPath(import.meta.resolve('metheus')));
const CREATE = "metheus.createHistogram('h', 'H.', { native: true }).observe(1); console.log('observed');";

test('nothing of them is loaded before the first is created', () => {
  const program = `
    import { createRequire } from 'node:module';
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.endsWith('native.js'));
    const metheus = await import('metheus');
    metheus.createHistogram('classic', 'C.').observe(1);
    console.log(loaded());
    metheus.createSummary('quantiles', 'Q.', { quantiles: [0.5] }).observe(1);
    console.log(loaded());
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.equal(output, 'false\ntrue\n');
});

test('where they cannot be found, the error says what to write, and that helps', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'metheus-bundle-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(DIST, folder, { recursive: true });
  writeMissing(folder);
  const run = (...lines: string[]) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', lines.join('\n')], {
      cwd: folder,
      encoding: 'utf8',
    });
  const without = run("const metheus = await import('./index.js');", CREATE);
  assert.notEqual(without.status, 0);
  assert.match(without.stderr, /METHEUS_DEPENDENCY_MISSING/);
  assert.match(without.stderr, /import 'metheus\/native'/);
  const beforehand = run(
    "const metheus = await import('./index.js');",
    "await import('./metrics/native/bundled.js');",
    CREATE,
  );
  assert.equal(beforehand.stdout, 'observed\n', beforehand.stderr);
});

/** As in a bundle: the module has another name. */
function writeMissing(folder: string): void {
  cpSync(join(folder, 'metrics', 'native', 'native.js'), join(folder, 'metrics', 'native', 'bundled.js'));
  rmSync(join(folder, 'metrics', 'native', 'native.js'));
}
