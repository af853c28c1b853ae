/**
 * The numbers of a bar: its counts, its speed, and the time of its next frame.
 *
 * Counting and drawing are separate. Every unit is added to the record at once. The clock is read when the count
 * reaches a threshold, and a frame is drawn if enough time (`mininterval`) has passed since the last one.
 */

import { checkedNumber } from '../meter/arguments.js';
import { NO_SPEED, Speed } from '../meter/ema.js';
import {
  ALWAYS,
  type Clock,
  isClockReadTooOften,
  nextReading,
  releaseThreshold,
  setThreshold,
  systemClock,
  takeThreshold,
  thresholds,
} from './clock.js';
import { averageRate, type BarFrame, type BarSettings, errorName } from './frame.js';
import * as cells from './record.js';

/** Local copies of {@link cells.COMPLETED} and {@link thresholds}, for speed. See docs/v8.md: imported constants. */
const FIRST_CELL: typeof cells.COMPLETED = 0;
const THRESHOLDS = thresholds;

export class BarState {
  /** Units done, except the {@link cells.RunningLoop.pending} units of a running loop. */
  n: number;
  /** Minimum units between two frames, as given or adapted to the speed. Set by {@link setMiniters}. */
  miniters: number;
  speed!: Speed;
  startT!: number;
  lastPrintN!: number;
  lastPrintT!: number;
  /** Undefined while the bar is open. */
  outcome: cells.Outcome | undefined;
  /** Name of the error that failed the bar. */
  error: string | undefined;
  loop: cells.RunningLoop | undefined;
  /** Whether the clock is the system clock. The alarm has no effect on bars with another clock. */
  readonly #isRealTime: boolean;
  /** Number of the threshold of `n` at which an update reads the clock. */
  #threshold = takeThreshold();
  #total: number | null;
  #sampledN = 0;

  constructor(
    public settings: BarSettings,
    total: number | null,
    readonly clock: Clock,
    public record: cells.BarRecord,
    readonly bar: { refresh(): void },
  ) {
    this.miniters = settings.miniters ?? 0;
    this.n = settings.initial;
    this.#total = total;
    this.#isRealTime = clock === systemClock;
    this.#begin();
  }

  get total(): number | null {
    return this.#total;
  }

  set total(total: number | null) {
    if (total === this.#total) return;
    this.#add(cells.EXPECTED, (total ?? 0) - (this.#total ?? 0));
    this.#total = total;
    if (this.outcome === undefined) this.#set(cells.TOTAL, total ?? cells.UNKNOWN);
  }

  /** Units done now, those of a running loop included. */
  get currentN(): number {
    return this.loop === undefined ? this.n : this.n + this.loop.pending;
  }

  /** Seconds since the start. */
  get elapsed(): number {
    return this.clock.now() - this.startT;
  }

  /** Returns the units per second: the smoothed rate or, while there is none, the average; `null` at the very start. */
  rateAt(now: number): number | null {
    const rate = this.speed.rateAfter(this.currentN - this.lastPrintN, now - this.lastPrintT);
    return rate ?? averageRate(this.currentN - this.settings.initial, now - this.startT);
  }

  /** Numbers for a frame of an idle bar. Its remaining time decreases until the next units are overdue. */
  get idle(): Pick<BarFrame, 'n' | 'rate' | 'ahead'> {
    const now = this.clock.now();
    const rate = this.rateAt(now);
    return { n: this.currentN, rate, ahead: this.speed.unitsAfter(now - this.lastPrintT, rate ?? 0) };
  }

  /** The outcome if the bar is closed now: incomplete below a known total, otherwise finished. */
  get outcomeOfClose(): cells.Outcome {
    return this.currentN < (this.#total ?? 0) ? cells.INCOMPLETE : cells.FINISHED;
  }

  /**
   * Counts `amount` units. Returns whether a frame was drawn.
   *
   * @throws `METHEUS_INVALID_BAR_OPTION` unless the amount is a finite number
   */
  update(amount: number): boolean {
    if (!(amount > 0 && amount < Number.POSITIVE_INFINITY) || typeof amount !== 'number') {
      this.setN(this.n + checkedNumber('the amount of update()', amount), amount);
      return this.outcome === undefined && this.#check(1);
    }
    const { record } = this;
    record.page[record.offset + FIRST_CELL]! -= -amount;
    this.n -= -amount;
    return this.n >= THRESHOLDS[this.#threshold]! && this.isTimeToCheck() && this.#check(amount);
  }

  /** Reports whether a bar that has reached its threshold must do more than count. */
  isTimeToCheck(): boolean {
    return (
      !this.#isRealTime ||
      this.outcome !== undefined ||
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
    return this.#check(1);
  }

  /** Keeps units counted after the bar was closed from being attributed to a bar that uses the record now. */
  countLate(amount: number): false {
    this.#add(cells.BASE, amount);
    return false;
  }

  /**
   * Sets `n`. The published count never decreases: it stays the same if `n` becomes smaller.
   *
   * @param shift - units by which `n` jumps without work, which do not count for the speed
   */
  setN(n: number, shift = 0): void {
    const amount = n - this.n;
    if (amount > 0) this.#add(cells.COMPLETED, amount);
    this.n = n;
    this.lastPrintN += shift;
    if (this.outcome === undefined) this.rebase();
    else this.countLate(Math.max(amount, 0));
    if (amount < 0) this.#readClockSoon();
  }

  setMiniters(miniters: number): void {
    this.miniters = miniters;
    this.#readClockSoon();
  }

  /**
   * Minimum units between two frames. With the system clock, there is no minimum unless `miniters` is given: a frame is
   * drawn as soon as it is due. With a custom clock, `miniters` is adapted to the speed, as in Python.
   */
  get minUnits(): number {
    return this.settings.miniters === null && this.#isRealTime ? Number.NEGATIVE_INFINITY : this.miniters;
  }

  /** Excludes the time since the last frame from the elapsed time. */
  unpause(): void {
    const { lastPrintT } = this;
    this.lastPrintT = this.clock.now();
    this.startT += this.lastPrintT - lastPrintT;
  }

  /** Starts over: the run so far counts as finished, and a new one begins. */
  reset(total: number | null): void {
    const end = total === null ? this.#total : cells.knownTotal(total);
    if (this.outcome !== undefined) {
      this.n = 0;
      this.total = end;
      return;
    }
    this.#add(this.outcomeOfClose, 1);
    this.loop?.settle();
    this.n = 0;
    this.#total = end;
    if (this.settings.miniters === null && this.#isRealTime) this.miniters = 0;
    this.#begin();
  }

  /** Ends the bar and releases its record. Later updates still count, but draw no frames. */
  end(outcome: cells.Outcome, error: unknown): void {
    this.outcome = outcome;
    this.error = errorName(error);
    releaseThreshold(this.#threshold);
    this.#threshold = ALWAYS;
    this.#readClockSoon();
    // Without smoothed values, the last frame shows the average since the start.
    this.speed = NO_SPEED;
    this.#add(outcome, 1);
    this.#set(cells.RATE, 0);
    this.#set(cells.ETA, 0);
    this.#set(cells.UPDATED, this.clock.unix());
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
    this.sample(now);
    this.bar.refresh();
  }

  /** Writes the bar's speed to the record, at each frame and each second. Reports whether to draw an idle frame. */
  sample(now = this.clock.now()): boolean {
    const n = this.currentN;
    const rate = Math.max(this.rateAt(now) ?? 0, 0);
    const left = this.#total === null ? cells.UNKNOWN : Math.max(this.#total - n, 0);
    const unix = this.clock.unix();
    this.#set(cells.RATE, rate);
    this.#set(cells.ETA, left > 0 ? (rate > 0 ? left / rate : cells.UNKNOWN) : left);
    this.#set(cells.STEP, this.speed.lastUnits);
    this.#set(cells.SAMPLED, unix);
    const isIdle = n === this.#sampledN;
    if (!isIdle) this.#set(cells.UPDATED, unix);
    this.#sampledN = n;
    return isIdle && this.#isRealTime && this.settings.tick;
  }

  #begin(): void {
    this.lastPrintN = this.n;
    this.startT = this.clock.now();
    this.lastPrintT = this.startT;
    this.speed = NO_SPEED;
    this.#readClockSoon();
    this.#add(cells.COMPLETED, Math.max(this.n, 0));
    this.rebase();
    this.#add(cells.STARTED, 1);
    this.#add(cells.EXPECTED, this.#total ?? 0);
    this.#set(cells.TOTAL, this.#total ?? cells.UNKNOWN);
    this.#sampledN = Number.NaN;
    this.sample(this.startT);
  }

  /** Updates the cell `BASE` after the record's count and `n` have changed by different amounts. */
  rebase(): void {
    const { page, offset } = this.record;
    this.#set(cells.BASE, page[offset + cells.COMPLETED]! - this.currentN);
  }

  /** Makes the next update, and the next round of a loop, check whether a frame is due. */
  #readClockSoon(): void {
    setThreshold(this.#threshold, Number.NEGATIVE_INFINITY);
    if (this.loop !== undefined) setThreshold(this.loop.threshold, 0);
  }

  /** Draws a frame if one is due. Returns whether it was drawn. @param step - units just counted */
  #check(step: number): boolean {
    if (this.outcome !== undefined) return this.countLate(step);
    let isDrawn = false;
    if (this.n - this.lastPrintN >= this.minUnits) {
      const now = this.clock.now();
      const { mininterval, delay } = this.settings;
      isDrawn = now - this.lastPrintT >= mininterval && now >= this.startT + delay;
      if (isDrawn) this.#draw(now);
    }
    setThreshold(this.#threshold, nextReading(this.clock, this.n, this.lastPrintN + this.minUnits, step));
    return isDrawn;
  }

  #draw(now: number): void {
    const dn = this.n - this.lastPrintN;
    const dt = now - this.lastPrintT;
    if (this.speed === NO_SPEED) this.speed = new Speed(this.settings.smoothing);
    this.speed.add(dn, dt);
    this.bar.refresh();
    if (this.settings.miniters === null)
      this.setMiniters(this.speed.adaptMiniters(dn, dt, this.miniters, this.settings));
    this.lastPrintN = this.n;
    this.lastPrintT = now;
    this.sample(now);
  }

  #add(cell: number, amount: number): void {
    this.record.page[this.record.offset + cell]! += amount;
  }

  #set(cell: number, value: number): void {
    this.record.page[this.record.offset + cell] = value;
  }
}
