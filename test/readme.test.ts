/** The first example of README.md. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { blocksOf } from './support/markdown.js';
import { ROOT, Snippets } from './support/snippets.js';

it('the first example of README.md compiles, and prints the output below it', async (t) => {
  const example = blocksOf('README.md', readFileSync(join(ROOT, 'README.md'), 'utf8')).find(
    ({ info }) => info === 'ts',
  );
  assert.ok(example !== undefined, 'README.md has an example');
  assert.ok(example.output !== undefined, 'the example is followed by what it prints');
  const snippets = new Snippets([example]);
  t.after(() => snippets.remove());
  assert.deepEqual([...(await snippets.compile()).values()], []);
  assert.deepEqual(await snippets.run(example), { code: 0, stdout: example.output, stderr: '' });
});
