/** Series that are created and removed leave no memory behind. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SHORT_LIVED_SERIES = fileURLToPath(new URL('./short-lived-series.js', import.meta.url));

/** Less than a byte for each of the 80,000 series of 200 rounds. */
const MAX_GROWTH = 20_000;

test('rounds of short-lived series do not add memory', () => {
  const grown = Number(
    execFileSync(process.execPath, ['--expose-gc', SHORT_LIVED_SERIES, '1000'], { encoding: 'utf8' }),
  );
  assert.ok(grown < MAX_GROWTH, `${grown} bytes`);
});
