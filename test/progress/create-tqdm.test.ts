/** `createTqdm`: a `tqdm` with its own clock and outputs. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTqdm, tqdm as processTqdm } from 'metheus/progress';
import { FakeClock, FakeFile } from './fakes.js';

describe('createTqdm', () => {
  it('draws by its own clock, on its own output, in its own rows', () => {
    const others = processTqdm(null, { file: new FakeFile(), total: 2 });
    const [clock, stderr] = [new FakeClock(), new FakeFile()];
    const tqdm = createTqdm({ clock, stderr, env: {} });
    const bar = tqdm(null, { total: 4 });
    assert.equal(bar.position, 0);
    assert.equal(stderr.take(), '\r  0%|          | 0/4 [00:00<?, ?it/s]');
    clock.tick(2);
    bar.update(2);
    assert.equal(stderr.take(), '\r 50%|█████     | 2/4 [00:02<00:02,  1.00it/s]');
    bar.close();
    others.close();
  });

  it('takes its defaults from its own variables', () => {
    const stderr = new FakeFile();
    const tqdm = createTqdm({ stderr, env: { TQDM_DESC: 'from outside' } });
    tqdm(null, { total: 1 }).close();
    assert.match(stderr.take(), /^\rfrom outside: {3}0%/);
  });

  it('shares everything that is not replaced with the tqdm of the process', () => {
    const file = new FakeFile();
    const bar = createTqdm()(null, { file, total: 1 });
    const next = processTqdm(null, { file, total: 1 });
    assert.deepEqual([bar.position, next.position], [0, 1]);
    next.close();
    bar.close();
  });
});
