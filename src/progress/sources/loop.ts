/** A loop over a bar: it counts a round when the next item is asked for, that is, after the body ran. */

import type { BarState, Outcome, RunningLoop } from '../bar/bar-state.js';
import type { BarRecord, COMPLETED } from '../bar/record.js';

/**
 * The cell of what is completed, here again because V8 loads an imported constant anew in every round. Its type holds
 * the two together.
 */
const FIRST_CELL: typeof COMPLETED = 0;

/** Absorbs the rounding of `lookAt`: to look one round early is harmless, late is not. */
const EARLY = 1e-9;

/** The part that all loops share. */
export class Loop implements RunningLoop {
  lookAt = 1;
  /** Items given out; the last of them is not counted before the next is asked for. */
  protected given = 0;
  protected readonly record: BarRecord;
  readonly #state: BarState;
  readonly #end: (outcome: Outcome) => void;
  readonly #firstN: number;
  readonly #minStartT: number;
  #lastPrintN: number;
  #lastPrintT: number;
  /** Rounds that the state's `n` contains. */
  #taken = 0;
  #stopped = false;

  constructor(state: BarState, end: (outcome: Outcome) => void) {
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
    return this.completeRounds - this.#taken;
  }

  /** Counts one more round, the `rounds`th. */
  protected count(rounds: number): void {
    const { record } = this;
    record.page[record.offset + FIRST_CELL]! -= -1;
    if (rounds >= this.lookAt) this.look(rounds);
  }

  /** Asks the clock whether a frame is due after `rounds` rounds, and decides when to ask again. */
  protected look(rounds: number): void {
    const state = this.#state;
    if (state.closed) {
      this.lookAt = Number.POSITIVE_INFINITY;
      return;
    }
    const n = this.#firstN + rounds;
    if (n - this.#lastPrintN >= state.miniters) {
      const now = state.clock.now();
      if (now - this.#lastPrintT < state.mininterval || now < this.#minStartT) {
        this.lookAt = rounds + state.nextLook(now);
        return;
      }
      this.#taken = rounds;
      state.advance(n - this.#lastPrintN);
      this.#lastPrintN = state.lastPrintN;
      this.#lastPrintT = state.lastPrintT;
    }
    const reached = this.#lastPrintN + state.miniters - this.#firstN;
    this.lookAt = Math.max(rounds + 1, Math.ceil(reached - EARLY));
  }

  /** Ends the bar after `rounds` counted rounds. */
  protected stop(rounds: number, outcome: Outcome): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const state = this.#state;
    state.n = this.#firstN + rounds;
    if (state.loop === this) state.loop = null;
    this.#end(outcome);
  }

  /** Rounds that are over when the loop is left in the middle of one. */
  protected get completeRounds(): number {
    return Math.max(this.given - 1, 0);
  }
}
