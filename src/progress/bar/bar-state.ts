/**
 * The numbers of a bar: its counts, its speed, and the time of its next frame.
 *
 * Counting and drawing are separate. Every unit is added to the record at once. The clock is read only after enough
 * units (`miniters`) since the last frame, and a frame is drawn only if enough time (`mininterval`) has passed too.
 */

import type { Clock } from '../../system/clock.js';
import { Ema } from '../meter/ema.js';
import { averageRate, type BarSettings, errorName } from './frame.js';
import { Pace, type RunningLoop } from './pace.js';
import {
  type BarRecord,
  type COMPLETED,
  ETA,
  EXPECTED,
  type FAILED,
  FINISHED,
  RATE,
  STARTED,
  UPDATED,
} from './record.js';

/** Local copy of {@link COMPLETED}, for speed. See docs/v8.md: imported constants. */
const FIRST_CELL: typeof COMPLETED = 0;

/** The state in which a bar was closed: finished, also by `break`, or failed by an error. */
export type Outcome = typeof FINISHED | typeof FAILED;

/** Returns the total, or `null` if it is infinite, which means unknown. */
export function knownTotal(total: number | null): number | null {
  return total === Number.POSITIVE_INFINITY ? null : total;
}

/** Returns the units that a total adds to {@link EXPECTED}; 0 when it is unknown. */
function expected(total: number | null): number {
  return total !== null && Number.isFinite(total) ? total : 0;
}

export class BarState {
  readonly clock: Clock;
  readonly record: BarRecord;
  readonly initial: number;
  mininterval: number;
  maxinterval: number;
  readonly smoothing: number;
  readonly delay: number;
  readonly dynamicMiniters: boolean;
  /** Draws a frame. */
  readonly refresh: () => void;

  /** Units done, without those that a running loop still has {@link RunningLoop.pending}. */
  n: number;
  /** Minimum units between two frames. Set by {@link setMiniters}. */
  miniters: number;
  startT!: number;
  lastPrintN!: number;
  lastPrintT!: number;
  /** Undefined while the bar is open. */
  outcome: Outcome | undefined;
  /** Name of the error that failed the bar. */
  error: string | undefined;
  loop: RunningLoop | undefined;

  /** The pace at which updates, or rounds of a loop, read the clock. */
  readonly pace: Pace;
  /** Updates until the clock may be read again. */
  #wait = 1;
  #total: number | null;
  #emaDn!: Ema;
  #emaDt!: Ema;
  #emaMiniters!: Ema;

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
    this.initial = settings.initial;
    this.mininterval = settings.mininterval;
    this.maxinterval = settings.maxinterval;
    this.smoothing = settings.smoothing;
    this.delay = settings.delay;
    this.dynamicMiniters = settings.miniters === null;
    this.miniters = settings.miniters ?? 0;
    this.n = settings.initial;
    this.#total = total;
    this.pace = new Pace(clock);
    this.#begin();
    this.count(settings.initial);
  }

  get total(): number | null {
    return this.#total;
  }

  set total(total: number | null) {
    this.#add(EXPECTED, expected(total) - expected(this.#total));
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
    const seconds = this.#emaDt.next();
    return seconds ? this.#emaDn.next() / seconds : null;
  }

  /** Units per second at the time `now`: smoothed, else the average; `null` at the very start. */
  rateAt(now: number): number | null {
    return this.smoothedRate ?? averageRate(this.currentN - this.initial, now - this.startT);
  }

  /** Counts `amount` units. Returns whether a frame was drawn. */
  update(amount: number): boolean {
    this.count(amount);
    if (amount < 0) this.lastPrintN += amount;
    this.n -= -amount;
    if (this.n - this.lastPrintN >= this.miniters) {
      if (this.#wait <= 1) return this.#drawIfDue();
      this.#wait -= 1;
    }
    return false;
  }

  /** Adds to `n` units that a loop has already counted into the record. Draws a frame if one is due. */
  advance(amount: number): void {
    if (amount < 0) this.lastPrintN += amount;
    this.n += amount;
    if (this.n - this.lastPrintN >= this.miniters) this.#drawIfDue();
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
    this.#wait = 1;
    if (this.loop !== undefined) this.loop.checkAt = 0;
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
    this.setMiniters(Number.POSITIVE_INFINITY);
    // Without smoothed values, the last frame shows the average since the start.
    this.#emaDt = new Ema(this.smoothing);
    this.#add(outcome, 1);
    this.#set(RATE, 0);
    this.#set(ETA, 0);
    this.#set(UPDATED, this.clock.unix());
    this.record.release();
  }

  /** Draws the bar if it had no frame for `maxinterval`, and makes the next update read the clock. */
  rescue(): void {
    const now = this.clock.now();
    if (now - this.lastPrintT < this.maxinterval) return;
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
    this.#emaDn = new Ema(this.smoothing);
    this.#emaDt = new Ema(this.smoothing);
    this.#emaMiniters = new Ema(this.smoothing);
    this.#add(STARTED, 1);
    this.#add(EXPECTED, expected(this.#total));
    this.#set(UPDATED, this.clock.unix());
  }

  #drawIfDue(): boolean {
    const now = this.clock.now();
    const dt = now - this.lastPrintT;
    if (dt >= this.mininterval && now >= this.startT + this.delay) {
      this.#wait = 1;
      this.#draw(now, dt);
      return true;
    }
    this.#wait = this.pace.next(now);
    return false;
  }

  #draw(now: number, dt: number): void {
    const dn = this.n - this.lastPrintN;
    if (this.smoothing && dt && dn) {
      this.#emaDn.next(dn);
      this.#emaDt.next(dt);
    }
    this.#publish(now);
    this.refresh();
    if (this.dynamicMiniters) this.setMiniters(this.#adaptedMiniters(dn, dt));
    this.lastPrintN = this.n;
    this.lastPrintT = now;
  }

  /** Returns `miniters` for the current speed: about the units that are done in `mininterval`. */
  #adaptedMiniters(dn: number, dt: number): number {
    if (this.maxinterval && dt >= this.maxinterval) {
      return (dn * (this.mininterval || this.maxinterval)) / dt;
    }
    if (this.smoothing) {
      return this.#emaMiniters.next(dn * (this.mininterval && dt ? this.mininterval / dt : 1));
    }
    return Math.max(this.miniters, dn);
  }

  #add(cell: number, amount: number): void {
    this.record.page[this.record.offset + cell]! += amount;
  }

  #set(cell: number, value: number): void {
    this.record.page[this.record.offset + cell] = value;
  }
}
