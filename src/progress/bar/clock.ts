/**
 * The clock of bars, and the alarm: a thread that makes fast loops read the clock in time.
 *
 * Reading the clock takes longer than a round of a fast loop, and a loop that runs without a pause blocks all timers of
 * its thread. So each bar has a threshold in shared memory, the count at which it reads the clock again. While the
 * alarm rings, bars set their thresholds to infinity, and the alarm sets them back to 0 many times a second. Thus a
 * loop reads the clock after a bounded time, even if it suddenly becomes a million times slower.
 *
 * The thread is started by the first loop that is fast for a while. Until then, a bar reads the clock at every count.
 */

import { Worker } from 'node:worker_threads';

/** Source of time for bars. Injected, so that tests can control it. */
export interface Clock {
  /** Returns the seconds since an arbitrary fixed moment; never goes back. */
  now(): number;
  /** Returns Unix time in seconds. */
  unix(): number;
}

/** The original functions of Node, saved at load, so that fake timers installed by a test do not stop the bars. */
const { performance } = globalThis;
const { now: monotonic } = performance;
const { now: unix } = Date;

export const systemClock: Clock = {
  now: () => monotonic.call(performance) / 1000,
  unix: () => unix() / 1000,
};

/** Milliseconds between two rings. */
const RING_MS = 20;
/** Number of unused rings after which the alarm stops until its next use. */
const MAX_UNUSED_RINGS = 50;
/** Number of clock readings within {@link MANY_SECONDS} that makes the alarm's thread worth its cost. */
const MANY_READINGS = 10_000;
const MANY_SECONDS = 0.2;

/** Index of the threshold of closed bars, and of bars for which no other one was free. It is always reached. */
export const ALWAYS = 0;
const FIRST = 1;
const MAX_THRESHOLDS = 65_536;

/** Counts at which bars read the clock again, by the number that {@link takeThreshold} returned. */
export const thresholds: Float64Array = new Float64Array(new SharedArrayBuffer(MAX_THRESHOLDS * 8));
thresholds[ALWAYS] = Number.NEGATIVE_INFINITY;
const free: number[] = [];
let used = FIRST;

const STATE = 0;
const IS_USED = 1;
const END = 2;
/** States of the alarm. While it is stopped, its thread waits for the next use. */
const OFF = 0;
const STARTING = 1;
const RINGING = 2;
const STOPPED = 3;
/** Updates or rounds between two readings of the clock, by state of the alarm. */
const COUNTS = [Number.NEGATIVE_INFINITY, 128, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
/** Cells: the state; whether the alarm was used since the last ring; the end of the used thresholds. */
const control = new Int32Array(new SharedArrayBuffer(12));

const THREAD = `
const { workerData: { control, thresholds } } = require('node:worker_threads');
const reset = () => thresholds.fill(0, ${FIRST}, Atomics.load(control, ${END}));
for (;;) {
  Atomics.store(control, ${STATE}, ${RINGING});
  for (let unused = 0; unused < ${MAX_UNUSED_RINGS}; unused += 1) {
    Atomics.wait(control, ${STATE}, ${RINGING}, ${RING_MS});
    reset();
    if (Atomics.exchange(control, ${IS_USED}, 0) !== 0) unused = 0;
  }
  Atomics.store(control, ${STATE}, ${STOPPED});
  // A bar that read the state just before it changed may still set its threshold.
  if (Atomics.wait(control, ${STATE}, ${STOPPED}, 1000) !== 'timed-out') continue;
  reset();
  Atomics.wait(control, ${STATE}, ${STOPPED});
}`;

let canStart = true;
/** Readings of the clock since the time {@link since}, while the alarm is off. */
let readings = 0;
let since = 0;

function start(): void {
  canStart = false;
  const giveUp = () => Atomics.store(control, STATE, OFF);
  control[STATE] = STARTING;
  try {
    // The thread gets no environment variables or flags, so that no `--require` or `NODE_OPTIONS` loads code into it.
    const options = { eval: true, env: {}, execArgv: [], workerData: { control, thresholds } };
    new Worker(THREAD, options).on('error', giveUp).on('exit', giveUp).unref();
  } catch {
    giveUp();
  }
}

/** Returns the number of a threshold for a new bar or loop. */
export function takeThreshold(): number {
  let number = free.pop();
  if (number === undefined) {
    if (used === MAX_THRESHOLDS) return ALWAYS;
    number = used;
    used += 1;
    Atomics.store(control, END, used);
  }
  thresholds[number] = 0;
  return number;
}

/** Gives a threshold back. */
export function releaseThreshold(number: number): void {
  if (number >= FIRST) free.push(number);
}

/** Sets a threshold. */
export function setThreshold(number: number, count: number): void {
  if (number >= FIRST) thresholds[number] = count;
}

/**
 * Reports whether the clock is read so often that the threshold should be raised. Called after each reading of the
 * clock. Kept short so that V8 inlines it. The rest of the work is in {@link nextReading}, which is called rarely.
 */
export function isClockReadTooOften(): boolean {
  readings += 1;
  return control[STATE] !== OFF || readings >= MANY_READINGS;
}

/**
 * Tolerance for rounding errors in a threshold that `miniters` determines. The clock may then be read one count early,
 * which is harmless. Without it, the clock might be read one count late, and the frame with it.
 */
const EARLY = 1e-9;

/**
 * Returns the count at which a bar reads its clock again. Called after the clock was read.
 *
 * @param done - units or rounds done
 * @param enough - the count at which `miniters` is reached
 * @param step - units of the last update, which are assumed for the next updates too
 */
export function nextReading(clock: Clock, done: number, enough: number, step = 1): number {
  const counts = clock === systemClock ? countsToNextReading() : Number.NEGATIVE_INFINITY;
  return Math.max(done + counts * step, enough - EARLY);
}

/** Returns how many times a bar may count before it reads the clock again; `-Infinity` if it may read it now. */
function countsToNextReading(): number {
  if (readings >= MANY_READINGS) {
    const now = systemClock.now();
    if (now - since < MANY_SECONDS && canStart) start();
    readings = 0;
    since = now;
  }
  // Set even in states that ignore the cell, so that a change of the state does not deoptimize the code.
  control[IS_USED] = 1;
  const state = control[STATE]!;
  if (state === STOPPED) wake();
  return COUNTS[state]!;
}

function wake(): void {
  Atomics.store(control, STATE, RINGING);
  Atomics.notify(control, STATE);
}
