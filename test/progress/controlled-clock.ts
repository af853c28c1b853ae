/**
 * Clocks that a test can stop. Must be imported before `metheus/progress`, since bars save the clocks of Node when
 * their module is loaded.
 */
import type { TestContext } from 'node:test';

/** The times of both clocks in milliseconds; undefined while the clocks run. */
let stopped: { unix: number; monotonic: number } | undefined;

const { now: unix } = Date;
const monotonic = performance.now.bind(performance);
Date.now = () => stopped?.unix ?? unix();
performance.now = () => stopped?.monotonic ?? monotonic();

/** Stops both clocks until the test ends, and returns a function that advances the monotonic one, in seconds. */
export function stopClocks(t: TestContext): (seconds: number) => void {
  const times = { unix: 1_700_000_000_500, monotonic: 1000 };
  stopped = times;
  t.after(() => {
    stopped = undefined;
  });
  return (seconds) => {
    times.monotonic += seconds * 1000;
  };
}
