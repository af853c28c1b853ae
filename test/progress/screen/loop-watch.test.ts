import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoopWatch } from '#metheus/progress/screen/loop-watch.js';

/** The loop turns: timers that are due are heard. */
const turn = () => sleep(2);

function watch() {
  const clock = { ms: 0 };
  const seen: string[] = [];
  const loop = new LoopWatch(() => clock.ms);
  loop.listen({ blocked: () => seen.push('blocked'), turned: () => seen.push('turned') });
  return { clock, seen, loop };
}

describe('an event loop that is watched', () => {
  it('is blocked when frames come for a while and it never turns', async () => {
    const { clock, seen, loop } = watch();
    for (const ms of [0, 100, 200]) {
      clock.ms = ms;
      loop.frame();
    }
    assert.deepEqual([loop.blocked, seen], [false, []]);
    for (const ms of [300, 400]) {
      clock.ms = ms;
      loop.frame();
    }
    assert.deepEqual([loop.blocked, seen], [true, ['blocked']]);
    await turn();
    assert.deepEqual([loop.blocked, seen], [false, ['blocked', 'turned']]);
  });

  it('is not known to turn before it has', async () => {
    const { seen, loop } = watch();
    loop.start();
    loop.frame();
    assert.deepEqual([loop.turns, loop.blocked], [false, false]);
    await turn();
    assert.deepEqual([loop.turns, seen], [true, ['turned']]);
  });

  it('is not, however long it has nothing to do between two frames', async () => {
    const { clock, seen, loop } = watch();
    for (const ms of [0, 5000, 10_000]) {
      clock.ms = ms;
      loop.frame();
      await turn();
    }
    assert.deepEqual(seen, []);
  });

  it('is found blocked sooner when it was before', async () => {
    const { clock, seen, loop } = watch();
    for (const ms of [0, 300]) {
      clock.ms = ms;
      loop.frame();
    }
    await turn();
    for (const ms of [1000, 1100]) {
      clock.ms = ms;
      loop.frame();
    }
    assert.deepEqual(seen, ['blocked', 'turned', 'blocked']);
    await turn();
  });
});
