/** Time that passes when a test says so. */
import { mock, type TestContext } from 'node:test';
import { coarseNow } from '#metheus/system/clock.js';

/** From then on `Date` and `setTimeout` obey the function that it gives, which lets seconds pass. */
export async function startClock(t: TestContext, now = 1_700_000_000): Promise<(seconds: number) => void> {
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: now * 1000 });
  t.after(() => {
    // So that no part of the package goes on waiting for a timer that is gone.
    mock.timers.tick(1000);
    mock.timers.reset();
  });
  // Somebody may have asked for the time a moment ago, when it was another.
  while (coarseNow() !== now) await new Promise(setImmediate);
  return (seconds) => mock.timers.tick(seconds * 1000);
}
