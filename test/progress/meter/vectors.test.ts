/** Output of Python's tqdm, operation by operation and character by character: see `vectors/`. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeVectors, parseVectors } from './vector-checks.js';

const VECTORS = join(process.cwd(), 'test', 'progress', 'meter', 'vectors');

for (const name of ['tqdm-vectors.jsonl', 'tqdm-vectors-4.69.jsonl', 'found.jsonl']) {
  describeVectors(name, parseVectors(readFileSync(join(VECTORS, name), 'utf8')));
}
