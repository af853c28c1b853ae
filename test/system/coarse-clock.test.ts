/** The coarse clock under fake timers, which test runners switch on while the program is running. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { coarseNow } from '#metheus/system/clock.js';

const real = { Date, setTimeout };

/** Replaces `Date` and `setTimeout`, whose timers never fire. Returns a function that sets the time. */
function useFakeTimers(seconds: number, timer: unknown = { unref: () => {} }): (seconds: number) => void {
  let now = seconds;
  class FakeDate extends Date {
    static override now = () => now * 1000;
  }
  Object.assign(globalThis, { Date: FakeDate, setTimeout: () => timer });
  return (next) => {
    now = next;
  };
}

afterEach(() => {
  Object.assign(globalThis, real);
});

async function reaches(isReached: (now: number) => boolean): Promise<void> {
  while (!isReached(coarseNow())) await turn();
}

describe('the coarse clock', () => {
  it('follows a clock that is faked, advanced and restored', { timeout: 10_000 }, async () => {
    coarseNow();
    const setTime = useFakeTimers(1_000_000);
    await reaches((now) => now === 1_000_000);
    setTime(2_000_000);
    await reaches((now) => now === 2_000_000);
    Object.assign(globalThis, real);
    await reaches((now) => now > 1_700_000_000);
  });

  it('accepts timers that are numbers', { timeout: 10_000 }, async () => {
    useFakeTimers(1_000_000, 1);
    await reaches((now) => now === 1_000_000);
  });

  it('is never 0, which would mean that a series was never set', { timeout: 10_000 }, async () => {
    useFakeTimers(0);
    await reaches((now) => now < 1e-9);
    assert.ok(coarseNow() > 0);
  });
});
