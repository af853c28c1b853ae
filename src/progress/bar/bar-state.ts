/**
 * The numbers of a bar: its counts, its speed, and the time of its next frame.
 *
 * Counting and drawing are separate. Every unit is added to the record at once. The clock is read when the count
 * reaches a threshold, and a frame is drawn if enough time (`mininterval`) has passed since the last one.
 */

import { Speed } from '../meter/ema.js';
import {
  type Clock,
  isClockReadTooOften,
  NEVER,
  releaseThreshold,
  setThreshold,
  systemClock,
  takeThreshold,
  thresholds,
  unitsToNextReading,
} from './clock.js';
import { averageRate, type BarSettings, errorName } from './frame.js';
import {
  type BarRecord,
  type COMPLETED,
  ETA,
  EXPECTED,
  expectedUnits,
  FINISHED,
  knownTotal,
  type Outcome,
  RATE,
  type RunningLoop,
  STARTED,
  UPDATED,
} from './record.js';

/** Local copies of {@link COMPLETED} and {@link thresholds}, for speed. See docs/v8.md: imported constants. */
const FIRST_CELL: typeof COMPLETED = 0;
const THRESHOLDS = thresholds;

/**
 * Tolerance for rounding errors in a threshold that `miniters` determines. The clock may then be read one count early,
 * which is harmless. Without it, the clock might be read one count late, and the frame with it.
 */
const EARLY = 1e-9;

export class BarState {
  readonly clock: Clock;
  record: BarRecord;
  settings: BarSettings;
  /** Draws a frame. */
  readonly refresh: () => void;

  /** Units done, without those that a running loop still has {@link RunningLoop.pending}. */
  n: number;
  /** Minimum units between two frames, as given or adapted to the speed. Set by {@link setMiniters}. */
  miniters: number;
  startT!: number;
  lastPrintN!: number;
  lastPrintT!: number;
  /** Undefined while the bar is open. */
  outcome: Outcome | undefined;
  /** Name of the error that failed the bar. */
  error: string | undefined;
  loop: RunningLoop | undefined;
  /** Whether the time passes by itself, so that the alarm can make the bar read the clock. */
  readonly #isRealTime: boolean;
  /** Number of the threshold of `n` at which an update reads the clock. */
  #threshold = takeThreshold();
  #total: number | null;
  #speed!: Speed;

  constructor(
    settings: BarSettings,
    total: number | null,
    clock: Clock,
    record: BarRecord,
    refresh: () => void,
  ) {
    this.clock = clock;
    this.record = record;
    this.refresh = refresh;
    this.settings = settings;
    this.miniters = settings.miniters ?? 0;
    this.n = settings.initial;
    this.#total = total;
    this.#isRealTime = clock === systemClock;
    this.#begin();
    this.count(settings.initial);
  }

  get total(): number | null {
    return this.#total;
  }

  set total(total: number | null) {
    if (total === this.#total) return;
    this.#add(EXPECTED, expectedUnits(total) - expectedUnits(this.#total));
    this.#total = total;
  }

  /** Units done now, those of a running loop included. */
  get currentN(): number {
    return this.loop === undefined ? this.n : this.n + this.loop.pending;
  }

  /** Seconds since the start. */
  get elapsed(): number {
    return this.clock.now() - this.startT;
  }

  /** Units per second by the moving average; `null` before it has a value. */
  get smoothedRate(): number | null {
    return this.#speed.rate;
  }

  /** Units per second at the time `now`: smoothed, else the average; `null` at the very start. */
  rateAt(now: number): number | null {
    return this.smoothedRate ?? averageRate(this.currentN - this.settings.initial, now - this.startT);
  }

  /** Counts `amount` units. Returns whether a frame was drawn. */
  update(amount: number): boolean {
    this.count(amount);
    this.n -= -amount;
    if (amount < 0) {
      this.lastPrintN += amount;
      return this.outcome === undefined && this.#check();
    }
    return this.n >= THRESHOLDS[this.#threshold]! && this.isTimeToCheck() && this.#check();
  }

  /** Reports, at a threshold, whether a frame may be due or the threshold may be raised. */
  isTimeToCheck(): boolean {
    return (
      !this.#isRealTime ||
      this.clock.now() - this.lastPrintT >= this.settings.mininterval ||
      isClockReadTooOften()
    );
  }

  /**
   * Adds to `n` units that a loop has already counted into the record, and draws a frame if one is due. Returns whether
   * it was drawn.
   */
  advance(amount: number): boolean {
    this.n += amount;
    return this.#check();
  }

  /** Adds units to the record. Its sum only grows and stays finite: other amounts are ignored. */
  count(amount: number): void {
    if (amount > 0 && amount < Number.POSITIVE_INFINITY) {
      const { record } = this;
      record.page[record.offset + FIRST_CELL]! -= -amount;
    }
  }

  setMiniters(miniters: number): void {
    this.miniters = miniters;
    this.#readClockSoon();
  }

  /** Whether `miniters` is adapted to the speed. */
  get isAdapted(): boolean {
    return this.settings.miniters === null;
  }

  /**
   * Minimum units between two frames. In real time, there is none unless the user gave one: a frame is drawn as soon as
   * it is due. With another clock, frames are those of Python, which draws none before `miniters` is reached.
   */
  get minUnits(): number {
    return this.isAdapted && this.#isRealTime ? Number.NEGATIVE_INFINITY : this.miniters;
  }

  /**
   * Returns the count, `done` or later, at which to read the clock again.
   *
   * @param done - units or rounds done
   * @param enough - the count at which `miniters` is reached
   * @param now - the time when it was just read
   */
  nextReading(done: number, enough: number, now?: number): number {
    const isAlarmed = this.#isRealTime && now !== undefined;
    return Math.max(done + (isAlarmed ? unitsToNextReading(now) : Number.NEGATIVE_INFINITY), enough - EARLY);
  }

  /** Excludes the time since the last frame from the elapsed time. */
  unpause(): void {
    const now = this.clock.now();
    this.startT += now - this.lastPrintT;
    this.lastPrintT = now;
  }

  /** Starts over: the run so far counts as finished, and a new one begins. */
  reset(total: number | null): void {
    this.n = 0;
    const end = total === null ? this.#total : knownTotal(total);
    if (this.outcome !== undefined) {
      this.total = end;
      return;
    }
    this.#add(FINISHED, 1);
    this.#total = end;
    this.#begin();
  }

  /** Ends the bar and releases its record. Later updates still count, but draw no frames. */
  end(outcome: Outcome, error: unknown): void {
    this.outcome = outcome;
    this.error = errorName(error);
    releaseThreshold(this.#threshold);
    this.#threshold = NEVER;
    // Without smoothed values, the last frame shows the average since the start.
    this.#speed = new Speed(0);
    this.#add(outcome, 1);
    this.#set(RATE, 0);
    this.#set(ETA, 0);
    this.#set(UPDATED, this.clock.unix());
    this.record.release();
  }

  /** Draws the bar if it had no frame for `maxinterval`, and makes the next update read the clock. */
  rescue(): void {
    const now = this.clock.now();
    if (now - this.lastPrintT < this.settings.maxinterval) return;
    const wasSilent = this.miniters > 1;
    // Called even if the value stays the same: the call also makes the next update read the clock.
    this.setMiniters(Math.min(this.miniters, 1));
    if (!wasSilent) return;
    this.#publish(now);
    this.refresh();
  }

  /** Writes the bar's speed and remaining time for the next scrape. */
  #publish(now: number): void {
    const rate = Math.max(this.rateAt(now) ?? 0, 0);
    this.#set(RATE, rate);
    this.#set(ETA, rate > 0 && this.#total !== null ? Math.max(this.#total - this.currentN, 0) / rate : 0);
    this.#set(UPDATED, this.clock.unix());
  }

  #begin(): void {
    this.lastPrintN = this.n;
    this.startT = this.clock.now();
    this.lastPrintT = this.startT;
    this.#speed = new Speed(this.settings.smoothing);
    this.#readClockSoon();
    this.#add(STARTED, 1);
    this.#add(EXPECTED, expectedUnits(this.#total));
    this.#set(UPDATED, this.clock.unix());
  }

  /** Makes the next update, and the next round of a loop, check whether a frame is due. */
  #readClockSoon(): void {
    setThreshold(this.#threshold, Number.NEGATIVE_INFINITY);
    if (this.loop !== undefined) setThreshold(this.loop.threshold, 0);
  }

  /** Draws a frame if one is due. Returns whether it was drawn. */
  #check(): boolean {
    let isDrawn = false;
    let now: number | undefined;
    if (this.n - this.lastPrintN >= this.minUnits) {
      now = this.clock.now();
      isDrawn =
        now - this.lastPrintT >= this.settings.mininterval && now >= this.startT + this.settings.delay;
      if (isDrawn) this.#draw(now);
    }
    setThreshold(this.#threshold, this.nextReading(this.n, this.lastPrintN + this.minUnits, now));
    return isDrawn;
  }

  #draw(now: number): void {
    const dn = this.n - this.lastPrintN;
    const dt = now - this.lastPrintT;
    this.#speed.add(dn, dt);
    this.#publish(now);
    this.refresh();
    if (this.isAdapted) this.setMiniters(this.#speed.adaptMiniters(dn, dt, this.miniters, this.settings));
    this.lastPrintN = this.n;
    this.lastPrintT = now;
  }

  #add(cell: number, amount: number): void {
    this.record.page[this.record.offset + cell]! += amount;
  }

  #set(cell: number, value: number): void {
    this.record.page[this.record.offset + cell] = value;
  }
}
