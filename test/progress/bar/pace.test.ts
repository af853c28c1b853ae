/** Readings of the clock in fast and slow loops. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pace } from '#metheus/progress/bar/pace.js';

describe('Pace', () => {
  const clock = { now: () => 0, unix: () => 0, stride: 16 };

  it('skips readings after 64 fast rounds, and reads the clock in every round again after a slow one', () => {
    const pace = new Pace(clock);
    let now = 0;
    let readings = 0;
    while (pace.next(now) === 1) {
      now += 1e-7;
      readings += 1;
    }
    assert.equal(readings, 64);
    assert.equal(pace.next(now + 16e-7), 16);
    assert.equal(pace.next(now + 1), 1);
  });

  it('reads the clock in every round when it has no stride', () => {
    const pace = new Pace({ now: () => 0, unix: () => 0 });
    for (let i = 0; i < 200; i += 1) assert.equal(pace.next(0), 1);
  });
});
