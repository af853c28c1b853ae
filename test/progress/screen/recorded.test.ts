/** The frame that README.md shows, compared with a terminal. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { blocksOf } from '../../support/markdown.js';
import { ROOT } from '../../support/snippets.js';
import { requireTerminal, runInTerminal } from '../../support/terminal.js';

const PROGRAM = fileURLToPath(new URL('./recorded/upload.js', import.meta.url));

it('README.md shows the frame that a terminal shows', { skip: requireTerminal() }, async () => {
  const frame = blocksOf('README.md', readFileSync(join(ROOT, 'README.md'), 'utf8')).find(({ text }) =>
    text.startsWith('Upload: '),
  );
  assert.ok(frame !== undefined, 'README.md has a frame');
  using program = runInTerminal(PROGRAM, { cols: 78, rows: 10 });
  await program.shows(frame.text.trimEnd().split('\n'));
  program.write(' ');
  assert.deepEqual(await program.exited, { code: 0, signal: null });
});
