/** Series that come and go leave nothing behind. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const CHURNING = fileURLToPath(new URL('./churning.js', import.meta.url));

/** One byte for each series that was made and removed would be 400,000. */
const MOST_GROWTH = 50_000;

test('1,000 rounds of new series that are removed again need no more memory than 200', () => {
  const grown = Number(
    execFileSync(process.execPath, ['--expose-gc', CHURNING, '1000'], { encoding: 'utf8' }),
  );
  assert.ok(grown < MOST_GROWTH, `${grown} bytes`);
});
