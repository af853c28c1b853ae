/**
 * Bars of loops and blocks that an uncaught error has left. JavaScript closes an iterator before anything can catch the
 * error of its loop, so such a bar is closed at first as if the loop was left by a `break`. If the process reports an
 * uncaught error before the event loop goes on, the bar becomes a failed one.
 */

import { setImmediate as timersImmediate } from 'node:timers';
import type { BarState } from './bar-state.js';
import { errorName } from './frame.js';
import { FAILED, type Outcome } from './record.js';

/** Node's own function, saved at load: fake timers of a test may never fire. */
const nodeImmediate = timersImmediate;
/** Bars left early since the event loop went on and since the last bar was opened, with their outcomes. */
const left = new Map<BarState, Outcome>();
let isListening = false;

/** Notes that a bar is closed because its loop or block is left. */
export function noteLeft(state: BarState, outcome: Outcome): void {
  left.set(state, outcome);
  if (isListening) return;
  isListening = true;
  process.on('uncaughtExceptionMonitor', fail);
  nodeImmediate(stop).unref();
}

/** Forgets all bars noted so far, since the program has gone on and opens another bar. */
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
