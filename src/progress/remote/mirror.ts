/** The drawer's bar for a bar that another thread or process counts. */

import { Bar, type FormatDict } from '../bar/bar.js';
import { type BarEnvironment, createEnvironment } from '../bar/environment.js';
import { FAILED, privateRecord } from '../bar/record.js';
import type { BarLook } from './look.js';
import { isClosed, type SlotContent } from './slot.js';

/**
 * Drawn like any bar, in a row of this thread. What it counts is its own thread's business: here it is in a record
 * that nobody reads, so it is published once.
 */
export class MirrorBar extends Bar {
  readonly serial: number;
  readonly #environment: BarEnvironment;
  #content: SlotContent;
  #look: BarLook | null = null;
  #drawnN = Number.NaN;
  #drawnAt = Number.NEGATIVE_INFINITY;
  /** The constructor of `Bar` may ask for numbers that are not there yet. */
  private readonly isReady: boolean;

  constructor(content: SlotContent, surroundings: Partial<BarEnvironment>) {
    const { look, numbers, serial } = content;
    const environment = createEnvironment({ ...surroundings, openRecord: privateRecord });
    const { stream, ...options } = look;
    super(
      {
        ...options,
        total: numbers.total,
        file: stream === null ? null : environment[stream],
        // Not zero, so that nothing is drawn before the numbers are there.
        delay: Number.MIN_VALUE,
      },
      environment,
    );
    this.serial = serial;
    this.#environment = environment;
    this.#content = content;
    this.isReady = true;
    // Seen already, where it runs: so it leaves its last frame.
    this.state.lastPrintT = Number.POSITIVE_INFINITY;
    this.#take(content);
  }

  /** Draws what is new. `n` is the newest count, which may be ahead of what was written. */
  show(content: SlotContent, n: number): void {
    const now = this.#environment.clock.now();
    const isWritten = content.version !== this.#content.version || Number.isNaN(this.#drawnN);
    // A frame that the thread would have drawn is drawn; in between, the count is followed at the bar's own pace.
    const isDue = isWritten || (n !== this.#drawnN && now - this.#drawnAt >= content.look.mininterval);
    if (!isDue) return;
    this.#take(content);
    this.state.n = n;
    this.#drawnN = n;
    this.#drawnAt = now;
    this.refresh();
  }

  /** Draws the last frame, or goes. */
  finish(content: SlotContent): void {
    this.#take(content);
    if (content.state === FAILED) this.fail();
    else this.close();
  }

  override get elapsed(): number {
    if (!this.isReady) return 0;
    const { state, numbers } = this.#content;
    const since = isClosed(state) ? 0 : this.#environment.clock.unix() - numbers.written;
    return numbers.elapsed + Math.max(since, 0);
  }

  override get formatDict(): FormatDict {
    const dict = super.formatDict;
    // The last frame of a thread that is gone shows the average, as every last frame does.
    return this.isReady ? { ...dict, rate: this.disable ? null : this.#content.numbers.rate } : dict;
  }

  #take(content: SlotContent): void {
    const { look, numbers } = content;
    this.#content = content;
    this.state.n = numbers.n;
    this.total = numbers.total;
    if (look !== this.#look) this.#dress(look);
  }

  #dress(look: BarLook): void {
    this.#look = look;
    this.leave = look.leave;
    this.postfix = look.postfix;
    this.unit = look.unit;
    this.unitScale = look.unitScale;
    this.unitDivisor = look.unitDivisor;
    this.ascii = look.ascii;
    this.barFormat = look.barFormat;
    if (look.colour !== this.colour) this.colour = look.colour;
    this.setDescriptionStr(look.desc, false);
  }
}
