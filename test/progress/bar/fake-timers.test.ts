/** Fake timers of test runners, which replace the clocks and timers of the global object while bars are running. */

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { systemClock } from '#metheus/progress/bar/clock.js';
import { tqdm } from '#metheus/progress/tqdm.js';

const real = { performance, Date, setTimeout, setInterval };

/** Replaces clocks and timers as `useFakeTimers` of Jest and Vitest does. The time is 0 and does not advance. */
function useFakeTimers(): void {
  class FakeDate extends Date {
    static override now = () => 0;
  }
  const never = () => ({ unref: () => {} });
  const performance = { now: () => 0 };
  Object.assign(globalThis, { Date: FakeDate, setTimeout: never, setInterval: never });
  Object.defineProperty(globalThis, 'performance', {
    value: performance,
    configurable: true,
    writable: true,
  });
}

afterEach(() => {
  Object.assign(globalThis, real);
  Object.defineProperty(globalThis, 'performance', {
    value: real.performance,
    configurable: true,
    writable: true,
  });
});

describe('fake timers', () => {
  it('do not stop the clock of bars', () => {
    const [now, unix] = [systemClock.now(), systemClock.unix()];
    useFakeTimers();
    assert.ok(systemClock.now() >= now);
    assert.ok(systemClock.unix() >= unix);
  });

  it('do not freeze a running bar', () => {
    let frames = 0;
    const bar = tqdm(null, { total: 1e9, mininterval: 0.001, file: { write: () => (frames += 1) } });
    useFakeTimers();
    const end = systemClock.now() + 10;
    const before = frames;
    while (frames === before && systemClock.now() < end) bar.update(1);
    assert.ok(frames > before);
    assert.ok(Number.isFinite(bar.rate));
    bar.close();
  });
});
