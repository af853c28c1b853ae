/** A clock that tests move. */
import { mock, type TestContext } from 'node:test';
import { coarseNow } from '#metheus/system/clock.js';

/** Mocks `Date` and `setTimeout`, and returns a function that lets seconds pass. */
export async function startClock(t: TestContext, now = 1_700_000_000): Promise<(seconds: number) => void> {
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: now * 1000 });
  t.after(() => {
    // Lets pending timers of the package fire before they are restored.
    mock.timers.tick(1000);
    mock.timers.reset();
  });
  // The coarse clock may still hold a time from before the mock.
  while (coarseNow() !== now) await new Promise(setImmediate);
  return (seconds) => mock.timers.tick(seconds * 1000);
}
