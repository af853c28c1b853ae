/** Series that come and go leave nothing behind. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SHORT_LIVED_SERIES = fileURLToPath(new URL('./short-lived-series.js', import.meta.url));

/** One byte for each of the series that are made and removed in 200 rounds would be 80,000. */
const MOST_GROWTH = 20_000;

test('rounds of new series that are removed again need no more memory than those before', () => {
  const grown = Number(
    execFileSync(process.execPath, ['--expose-gc', SHORT_LIVED_SERIES, '1000'], { encoding: 'utf8' }),
  );
  assert.ok(grown < MOST_GROWTH, `${grown} bytes`);
});
