/** Frames of loops that suddenly become slow. The loops block the event loop, so no timer can draw their frames. */

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Bar } from '#metheus/progress/bar/bar.js';
import { tqdm, trange } from '#metheus/progress/tqdm.js';

const SLOW_MS = 200;
/** Number of slow rounds in a second. */
const MAX_LATE_ROUNDS = 1000 / SLOW_MS;

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

type Loop = (rounds: number, options: object) => Iterable<unknown>;

function* updates(rounds: number, options: object) {
  const bar: Bar = tqdm(null, { total: rounds, ...options });
  for (let i = 0; i < rounds; i += 1) {
    yield i;
    bar.update(1);
  }
  bar.close();
}

const LOOPS: Readonly<Record<string, Loop>> = {
  'an array': (rounds, options) => tqdm(new Array<number>(rounds).fill(1), options),
  'a range': (rounds, options) => trange(rounds, options),
  'an iterator': (rounds, options) => tqdm(new Array<number>(rounds).fill(1).values(), options),
  'calls of update': updates,
};

/** Runs fast rounds and then slow ones, until a frame is drawn. Returns the number of slow rounds that had ended. */
function lateRounds(loop: Loop, fastRounds: number, options: object): number {
  let frames = 0;
  const file = { write: () => (frames += 1) };
  let round = 0;
  let framesBefore = 0;
  for (const _ of loop(fastRounds + 2 * MAX_LATE_ROUNDS, { file, leave: false, ...options })) {
    const slowRounds = round - fastRounds;
    if (slowRounds === 0) framesBefore = frames;
    if (slowRounds > 0 && frames > framesBefore) return slowRounds;
    if (slowRounds >= 0) block(SLOW_MS);
    round += 1;
  }
  return Number.POSITIVE_INFINITY;
}

/** Runs a fast loop for some seconds, so that the thread of the alarm has started however busy the machine is. */
function startAlarm(): void {
  const end = performance.now() + 3000;
  for (const i of trange(1e12, { file: { write: () => true } })) {
    if (i % 1000 === 0 && performance.now() > end) break;
  }
}

describe('a loop that becomes slow draws a frame within a second', () => {
  before(startAlarm);

  for (const [name, loop] of Object.entries(LOOPS)) {
    for (const fastRounds of [0, 2_000, 2_000_000]) {
      it(`over ${name}, after ${fastRounds} fast rounds`, () => {
        assert.ok(lateRounds(loop, fastRounds, {}) <= MAX_LATE_ROUNDS);
      });
    }
    it(`over ${name}, with miniters: 1`, () => {
      assert.ok(lateRounds(loop, 100_000, { miniters: 1 }) <= MAX_LATE_ROUNDS);
    });
  }

  it('again after the bars have been idle', async () => {
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.ok(lateRounds(LOOPS['a range']!, 2_000_000, {}) <= MAX_LATE_ROUNDS);
  });
});
