/** Thousands of random cases, compared with the installed tqdm; the seed makes them the same in every run. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';
import { PYTHON, requireTool } from '../../support/tools.js';
import { describeVectors, parseVectors } from './vector-checks.js';

const SEED = 4690;
const CASES = 4000;

const skip = requireTool('python3 with tqdm');
const name = `${CASES} cases of the installed tqdm, seed ${SEED}`;

function generateVectors(): string {
  const generator = join(process.cwd(), 'test', 'progress', 'meter', 'vectors', 'generate.py');
  const { stdout, stderr, status } = spawnSync(PYTHON, ['-B', generator, String(SEED), String(CASES)], {
    encoding: 'utf8',
    // No TQDM_* variables, which newer versions of tqdm read.
    env: { PYTHONUTF8: '1' },
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

if (skip === false) {
  const vectors = parseVectors(generateVectors());
  assert.equal(vectors.length, CASES);
  describeVectors(name, vectors);
} else {
  it(name, { skip });
}
