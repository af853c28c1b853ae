/** The base of all loops over a bar. A round is counted when the next item is requested, thus after the body ran. */

import type { BarState, Outcome } from '../bar/bar-state.js';
import type { RunningLoop } from '../bar/pace.js';
import type { BarRecord, COMPLETED } from '../bar/record.js';

/** Local copy of {@link COMPLETED}, for speed. See docs/v8.md: imported constants. */
const FIRST_CELL: typeof COMPLETED = 0;

/**
 * Tolerance for rounding errors in `checkAt`. The clock may then be read one round early, which is harmless. Without
 * it, the clock might be read one round late, and the frame with it.
 */
const EARLY = 1e-9;

/** Ends the bar of a loop. */
export type EndLoop = (outcome: Outcome, error?: unknown) => void;

export class Loop implements RunningLoop {
  checkAt = 1;
  /** Number of items yielded. The last of them is counted when the next is requested. */
  protected given = 0;
  protected readonly record: BarRecord;
  readonly #state: BarState;
  readonly #end: EndLoop;
  readonly #firstN: number;
  readonly #minStartT: number;
  #lastPrintN: number;
  #lastPrintT: number;
  /** Number of rounds that are included in the state's `n`. */
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
    // While `check` draws a frame, `#advanced` includes the round that has just ended, but `completeRounds` does not
    // yet. The difference is then -1.
    return Math.max(this.completeRounds - this.#advanced, 0);
  }

  /** Counts one more round. @param rounds - the rounds done, this one included */
  protected count(rounds: number): void {
    const { record } = this;
    record.page[record.offset + FIRST_CELL]! -= -1;
    if (rounds >= this.checkAt) this.check(rounds);
  }

  /** Draws a frame if one is due after `rounds` rounds. Sets `checkAt` to the round after which to check again. */
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

  /** Number of rounds whose body ran to its end. The body of the last item yielded may still be running. */
  protected get completeRounds(): number {
    return Math.max(this.given - 1, 0);
  }
}
