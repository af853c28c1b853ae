/**
 * Bars whose loop or block was left by an uncaught error. JavaScript closes an iterator before the error of its loop
 * can be caught, so such a bar is first closed as if `break` had left the loop. If the process reports an uncaught
 * error in the same turn of the event loop, the bar is marked as failed.
 */

import { setImmediate as timersImmediate } from 'node:timers';
import type { BarState } from './bar-state.js';
import { errorName } from './frame.js';
import { FAILED, type Outcome } from './record.js';

/** The original function of Node, saved at load, since fake timers installed by a test may never fire. */
const nodeImmediate = timersImmediate;
/** Bars left in this turn of the event loop and since the last bar was opened, with their outcomes. */
const left = new Map<BarState, Outcome>();
let isListening = false;

/** Notes a bar that is closed because its loop or block is left. */
export function noteLeft(state: BarState, outcome: Outcome): void {
  left.set(state, outcome);
  if (isListening) return;
  isListening = true;
  process.on('uncaughtExceptionMonitor', fail);
  nodeImmediate(stop).unref();
}

/** Forgets all noted bars. Called when another bar is opened, which shows that the program has continued. */
export function forgetLeft(): void {
  if (left.size > 0) left.clear();
}

function stop(): void {
  isListening = false;
  process.off('uncaughtExceptionMonitor', fail);
  left.clear();
}

function fail(error: unknown): void {
  for (const [state, outcome] of left) {
    const { page, offset } = state.record;
    page[offset + outcome]! -= 1;
    page[offset + FAILED]! += 1;
    state.outcome = FAILED;
    state.error = errorName(error);
  }
  left.clear();
}
