/**
 * A bar without its picture: what is counted, when a frame is due, how fast it goes.
 *
 * Counting and drawing are apart. Every unit is added to the record at once; the clock is read and a frame drawn
 * only when enough units (`miniters`) and enough time (`mininterval`) have passed since the last one.
 */

import type { Clock } from '../../system/clock.js';
import { Ema } from '../meter/ema.js';
import { Pace } from '../pace.js';
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

/** The cell of what is completed. A copy for the hot path, where V8 would load an imported constant each time. */
const FIRST_CELL: typeof COMPLETED = 0;

/** How a bar ended: at its end or by `break`, or by an error. */
export type Outcome = typeof FINISHED | typeof FAILED;

/** The loop that runs over the bar, which keeps a count of its own between two frames. */
export interface RunningLoop {
  /** The round at which the loop looks at the clock; 0 makes it look after this one. */
  lookAt: number;
  /** Units that the loop has counted and `n` does not contain yet. */
  readonly pending: number;
}

export interface BarStateOptions {
  readonly initial: number;
  readonly total: number | null;
  readonly mininterval: number;
  readonly maxinterval: number;
  readonly miniters: number | null;
  readonly smoothing: number;
  readonly delay: number;
}

/** An infinite total is one that is not known. */
export function knownTotal(total: number | null): number | null {
  return total === Number.POSITIVE_INFINITY ? null : total;
}

/** What a total adds to the record: an unknown or infinite one adds nothing. */
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

  /** Units done, as far as frames know; a running loop may be ahead. */
  n: number;
  /** Units between two frames, at least. Set it by {@link setMiniters}. */
  miniters: number;
  startT: number;
  lastPrintN: number;
  lastPrintT: number;
  closed = false;
  /** How the bar ended. */
  outcome: Outcome | null = null;
  loop: RunningLoop | null = null;

  readonly #pace: Pace;
  /** Updates until the clock may be read again. */
  #wait = 1;
  #total: number | null;
  #emaDn: Ema;
  #emaDt: Ema;
  #emaMiniters: Ema;

  constructor(options: BarStateOptions, clock: Clock, record: BarRecord, refresh: () => void) {
    this.clock = clock;
    this.record = record;
    this.refresh = refresh;
    this.initial = options.initial;
    this.mininterval = options.mininterval;
    this.maxinterval = options.maxinterval;
    this.smoothing = options.smoothing;
    this.delay = options.delay;
    this.dynamicMiniters = options.miniters === null;
    this.miniters = options.miniters ?? 0;
    this.n = options.initial;
    this.lastPrintN = options.initial;
    this.#total = options.total;
    this.#pace = new Pace(clock);
    this.#emaDn = new Ema(options.smoothing);
    this.#emaDt = new Ema(options.smoothing);
    this.#emaMiniters = new Ema(options.smoothing);
    this.startT = clock.now();
    this.lastPrintT = this.startT;
    this.#begin();
    this.count(options.initial);
  }

  get total(): number | null {
    return this.#total;
  }

  set total(total: number | null) {
    this.#bump(EXPECTED, expected(total) - expected(this.#total));
    this.#total = total;
  }

  /** Units per second by the moving average; `null` while there is none. */
  get smoothedRate(): number | null {
    const seconds = this.#emaDt.next();
    return seconds ? this.#emaDn.next() / seconds : null;
  }

  /** Counts `amount` units. Returns whether a frame was drawn. */
  update(amount: number): boolean {
    this.count(amount);
    if (amount < 0) this.lastPrintN += amount;
    this.n -= -amount;
    if (this.n - this.lastPrintN >= this.miniters) {
      if (this.#wait <= 1) return this.#look();
      this.#wait -= 1;
    }
    return false;
  }

  /** Takes over units that a loop has counted already. */
  advance(amount: number): void {
    if (amount < 0) this.lastPrintN += amount;
    this.n += amount;
    if (this.n - this.lastPrintN >= this.miniters) this.#look();
  }

  /** Adds to the record. Its sum only grows and stays finite: work that was taken back is not uncounted. */
  count(amount: number): void {
    if (amount > 0 && amount < Number.POSITIVE_INFINITY) {
      const { record } = this;
      record.page[record.offset + FIRST_CELL]! -= -amount;
    }
  }

  setMiniters(miniters: number): void {
    this.miniters = miniters;
    this.#wait = 1;
    if (this.loop !== null) this.loop.lookAt = 0;
  }

  /** Units until a loop may look at the clock again, after a look at `now`. */
  nextLook(now: number): number {
    return this.#pace.next(now);
  }

  /** Leaves the time since the last frame out of the elapsed time. */
  unpause(): void {
    const now = this.clock.now();
    this.startT += now - this.lastPrintT;
    this.lastPrintT = now;
  }

  /** Starts over in the same row: the run so far is finished, a new one begins. */
  reset(total: number | null): void {
    this.n = 0;
    const end = total === null ? this.#total : knownTotal(total);
    if (this.closed) {
      this.total = end;
      return;
    }
    this.#bump(FINISHED, 1);
    this.#total = end;
    this.lastPrintN = 0;
    this.startT = this.clock.now();
    this.lastPrintT = this.startT;
    this.#emaDn = new Ema(this.smoothing);
    this.#emaDt = new Ema(this.smoothing);
    this.#emaMiniters = new Ema(this.smoothing);
    this.#begin();
  }

  /** From here on the final frame shows the average since the start. */
  forgetSmoothing(): void {
    this.#emaDt = new Ema(this.smoothing);
  }

  /** Closes the record. Updates go on counting, and no frame is due any more. */
  end(outcome: Outcome): void {
    this.closed = true;
    this.outcome = outcome;
    this.setMiniters(Number.POSITIVE_INFINITY);
    this.#bump(outcome, 1);
    this.#put(RATE, 0);
    this.#put(ETA, 0);
    this.#put(UPDATED, this.clock.unix());
    this.record.release();
  }

  /** Writes what a scrape should know of the bar's speed. */
  publish(now: number): void {
    const elapsed = now - this.startT;
    const rate = this.smoothedRate ?? (elapsed > 0 ? (this.n - this.initial) / elapsed : 0);
    const remaining = rate > 0 && this.#total !== null ? Math.max(this.#total - this.n, 0) / rate : 0;
    this.#put(RATE, Math.max(rate, 0));
    this.#put(ETA, remaining);
    this.#put(UPDATED, this.clock.unix());
  }

  #begin(): void {
    this.#bump(STARTED, 1);
    this.#bump(EXPECTED, expected(this.#total));
    this.#put(UPDATED, this.clock.unix());
  }

  #look(): boolean {
    const now = this.clock.now();
    const dt = now - this.lastPrintT;
    if (dt >= this.mininterval && now >= this.startT + this.delay) {
      this.#wait = 1;
      this.#frame(now, dt);
      return true;
    }
    this.#wait = this.#pace.next(now);
    return false;
  }

  #frame(now: number, dt: number): void {
    const dn = this.n - this.lastPrintN;
    if (this.smoothing && dt && dn) {
      this.#emaDn.next(dn);
      this.#emaDt.next(dt);
    }
    this.publish(now);
    this.refresh();
    if (this.dynamicMiniters) this.setMiniters(this.#adapted(dn, dt));
    this.lastPrintN = this.n;
    this.lastPrintT = now;
  }

  /** `miniters` for the speed seen: as many units as `mininterval` takes. */
  #adapted(dn: number, dt: number): number {
    if (this.maxinterval && dt >= this.maxinterval) {
      return (dn * (this.mininterval || this.maxinterval)) / dt;
    }
    if (this.smoothing) {
      return this.#emaMiniters.next(dn * (this.mininterval && dt ? this.mininterval / dt : 1));
    }
    return Math.max(this.miniters, dn);
  }

  #bump(cell: number, by: number): void {
    this.record.page[this.record.offset + cell]! += by;
  }

  #put(cell: number, value: number): void {
    this.record.page[this.record.offset + cell] = value;
  }
}
