/** The number of updates between two readings of the clock, while the thread of the alarm starts. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isClockReadTooOften, nextReading, systemClock } from '#metheus/progress/bar/clock.js';

it('depends on the number of updates, and not on their units', () => {
  // So many readings in a short time start the thread. The time is that between the ends of two rounds.
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 10_000; i++) isClockReadTooOften();
    nextReading(systemClock, 0, Number.NEGATIVE_INFINITY);
  }
  for (const units of [0.001, 1, 65_536]) {
    const updates = nextReading(systemClock, 5 * units, Number.NEGATIVE_INFINITY, units) / units - 5;
    // Once the alarm rings, it is infinite.
    assert.ok(updates > 127, `${updates} updates of ${units}`);
    assert.ok(updates < 129 || updates === Number.POSITIVE_INFINITY, `${updates} updates of ${units}`);
  }
});
