/** The base of all loops over a bar. A round is counted when the next item is requested, that is, after the body ran. */

import type { BarState, Outcome } from '../bar/bar-state.js';
import type { RunningLoop } from '../bar/pace.js';
import type { BarRecord, COMPLETED } from '../bar/record.js';

/** Local copy of {@link COMPLETED}, for speed. See docs/v8.md: imported constants. */
const FIRST_CELL: typeof COMPLETED = 0;

/** Absorbs the rounding of `checkAt`: a reading of the clock one round early is harmless, one late is not. */
const EARLY = 1e-9;

/** Ends the bar of a loop. */
export type EndLoop = (outcome: Outcome, error?: unknown) => void;

export class Loop implements RunningLoop {
  checkAt = 1;
  /** Items yielded; the last of them is counted when the next is requested. */
  protected given = 0;
  protected readonly record: BarRecord;
  readonly #state: BarState;
  readonly #end: EndLoop;
  readonly #firstN: number;
  readonly #minStartT: number;
  #lastPrintN: number;
  #lastPrintT: number;
  /** Rounds that the state's `n` contains. */
  #advanced = 0;
  #isStopped = false;

  constructor(state: BarState, end: EndLoop) {
    this.#state = state;
    this.#end = end;
    this.record = state.record;
    this.#firstN = state.n;
    this.#minStartT = state.startT + state.delay;
    this.#lastPrintN = state.lastPrintN;
    this.#lastPrintT = state.lastPrintT;
    state.loop = this;
  }

  get pending(): number {
    // While a frame is drawn, `#advanced` includes the round that caused it and `given` does not yet.
    return Math.max(this.completeRounds - this.#advanced, 0);
  }

  /** Counts one more round. @param rounds - the rounds done, this one included */
  protected count(rounds: number): void {
    const { record } = this;
    record.page[record.offset + FIRST_CELL]! -= -1;
    if (rounds >= this.checkAt) this.check(rounds);
  }

  /** Draws a frame if one is due after `rounds` rounds, and sets the round of the next reading of the clock. */
  protected check(rounds: number): void {
    const state = this.#state;
    if (state.outcome !== undefined) {
      this.checkAt = Number.POSITIVE_INFINITY;
      return;
    }
    const n = this.#firstN + rounds;
    if (n - this.#lastPrintN >= state.miniters) {
      const now = state.clock.now();
      if (now - this.#lastPrintT < state.mininterval || now < this.#minStartT) {
        this.checkAt = rounds + state.pace.next(now);
        return;
      }
      this.#advanced = rounds;
      state.advance(n - this.#lastPrintN);
      this.#lastPrintN = state.lastPrintN;
      this.#lastPrintT = state.lastPrintT;
    }
    const reached = this.#lastPrintN + state.miniters - this.#firstN;
    this.checkAt = Math.max(rounds + 1, Math.ceil(reached - EARLY));
  }

  /** Ends the bar after `rounds` counted rounds. */
  protected stop(rounds: number, outcome: Outcome, error?: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const state = this.#state;
    state.n = this.#firstN + rounds;
    if (state.loop === this) state.loop = undefined;
    this.#end(outcome, error);
  }

  /** Rounds that are done when the loop is left in the middle of one. */
  protected get completeRounds(): number {
    return Math.max(this.given - 1, 0);
  }
}
