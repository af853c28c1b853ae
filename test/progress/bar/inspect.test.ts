/** The text of `util.inspect` and `console.log` for bars. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inspect } from 'node:util';
import { tqdm } from 'metheus/progress';

it('a bar is shown with its description, count, total and state', () => {
  const bar = tqdm({ desc: 'Copy', total: 5, output: 'none' });
  bar.update(2);
  assert.equal(inspect(bar), "Bar { desc: 'Copy', n: 2, total: 5, state: 'running' }");
  bar.fail();
  assert.equal(inspect(bar), "Bar { desc: 'Copy', n: 2, total: 5, state: 'failed' }");
  const loop = tqdm([1, 2], { output: 'none' });
  assert.equal(inspect({ loop }), "{ loop: IterableBar { desc: '', n: 0, total: 2, state: 'running' } }");
  loop.close();
  assert.match(inspect(loop), /state: 'incomplete'/);
});
