import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoopWatch } from '#metheus/progress/screen/loop-watch.js';

/** Lets the loop turn, and so timers that are due run. */
const turn = () => sleep(2);

function watch() {
  const clock = { ms: 0 };
  const seen: string[] = [];
  const loop = new LoopWatch(() => clock.ms);
  loop.listen({ onBlock: () => seen.push('blocked'), onTurn: () => seen.push('turned') });
  return { clock, seen, loop };
}

describe('LoopWatch', () => {
  it('finds the loop blocked when frames are drawn for a while and it never turns', async () => {
    const { clock, seen, loop } = watch();
    for (const ms of [0, 100, 200]) {
      clock.ms = ms;
      loop.onFrame();
    }
    assert.deepEqual([loop.isBlocked, seen], [false, []]);
    for (const ms of [300, 400]) {
      clock.ms = ms;
      loop.onFrame();
    }
    assert.deepEqual([loop.isBlocked, seen], [true, ['blocked']]);
    await turn();
    assert.deepEqual([loop.isBlocked, seen], [false, ['blocked', 'turned']]);
  });

  it('does not know whether the loop turns before its first turn', async () => {
    const { seen, loop } = watch();
    loop.start();
    loop.onFrame();
    assert.deepEqual([loop.isTurning, loop.isBlocked], [false, false]);
    await turn();
    assert.deepEqual([loop.isTurning, seen], [true, ['turned']]);
  });

  it('does not find a loop blocked that is idle between two frames', async () => {
    const { clock, seen, loop } = watch();
    for (const ms of [0, 5000, 10_000]) {
      clock.ms = ms;
      loop.onFrame();
      await turn();
    }
    assert.deepEqual(seen, []);
  });

  it('finds a loop blocked sooner when it was blocked before', async () => {
    const { clock, seen, loop } = watch();
    for (const ms of [0, 300]) {
      clock.ms = ms;
      loop.onFrame();
    }
    await turn();
    for (const ms of [1000, 1100]) {
      clock.ms = ms;
      loop.onFrame();
    }
    assert.deepEqual(seen, ['blocked', 'turned', 'blocked']);
    await turn();
  });
});
