/** The clock of a server, as a program estimates it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerClock } from '#metheus/system/clock.js';

describe('ServerClock', () => {
  let now = 0;
  /** Returns a clock of which one reading took from second 100 to second 102 of this machine. */
  function adjusted(server: number): ServerClock {
    const clock = new ServerClock(() => now);
    now = 100;
    const sent = clock.local();
    now = 102;
    clock.adjust(server, sent);
    return clock;
  }

  it('is that of this machine while a reading can be explained by the time of the reply', () => {
    for (const server of [100, 101, 102, 102.001]) assert.equal(adjusted(server).now(), 102);
  });

  it('is moved only as far as a reading requires', () => {
    assert.equal(adjusted(1000).now(), 999.999);
    assert.equal(adjusted(10).now(), 12);
  });

  it('gives past times, and none in the future', () => {
    const clock = adjusted(1000);
    assert.equal(clock.timeOf(52), 949.999);
    assert.equal(clock.timeOf(5000), 999.999, 'the clock of this machine was set back in the meantime');
  });

  it('ignores a reading that is no number', () => {
    assert.equal(adjusted(Number.NaN).now(), 102);
  });
});
