/** The base of all loops over a bar. A round is counted when the next item is requested, thus after the body ran. */

import type { BarState } from '../bar/bar-state.js';
import { nextReading, releaseThreshold, setThreshold, takeThreshold, thresholds } from '../bar/clock.js';
import type { BarRecord, COMPLETED, Outcome, RunningLoop } from '../bar/record.js';

/** Local copies of {@link COMPLETED} and {@link thresholds}, for speed. See docs/v8.md: imported constants. */
const FIRST_CELL: typeof COMPLETED = 0;
const THRESHOLDS = thresholds;

/** Ends the bar of a loop. The outcome is undefined if the loop was left early. */
export type EndLoop = (outcome: Outcome | undefined, error?: unknown) => void;

export class Loop implements RunningLoop {
  readonly threshold = takeThreshold();
  /** Number of items yielded. The last of them is counted when the next is requested. */
  protected given = 0;
  record: BarRecord;
  readonly #state: BarState;
  readonly #end: EndLoop;
  readonly #minStartT: number;
  /** Time of the last frame. As in Python, `unpause` in the body of the loop does not change it. */
  #lastPrintT: number;
  /** Units that the loop has added to the state's `n`. */
  #advanced = 0;
  /** Units that the loop had added at the last frame. */
  #drawn = 0;
  #isStopped = false;

  constructor(state: BarState, end: EndLoop) {
    this.#state = state;
    this.#end = end;
    this.record = state.record;
    this.#minStartT = state.startT + state.settings.delay;
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
    if (rounds >= THRESHOLDS[this.threshold]! && this.#state.isTimeToCheck()) this.check(rounds);
  }

  /** Draws a frame if one is due after `rounds` rounds, and sets the threshold. */
  protected check(rounds: number): void {
    const state = this.#state;
    if (state.outcome !== undefined) {
      state.countLate(1);
      return;
    }
    const since = rounds - this.#drawn;
    if (state.n + rounds - this.#advanced - state.lastPrintN >= state.minUnits) {
      const now = state.clock.now();
      if (now - this.#lastPrintT >= state.settings.mininterval && now >= this.#minStartT) {
        this.#advanced += since;
        // After `unpause`, no frame is drawn. As in Python, the next frame then contains these rounds twice.
        if (state.advance(since)) this.#drawn = this.#advanced;
        this.#lastPrintT = state.lastPrintT;
      }
    }
    const enough = this.#advanced + state.lastPrintN + state.minUnits - state.n;
    setThreshold(this.threshold, nextReading(state.clock, rounds, enough));
  }

  /** Ends the bar after `rounds` counted rounds. @param outcome - undefined if the loop was left early */
  protected stop(rounds: number, outcome?: Outcome, error?: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    releaseThreshold(this.threshold);
    const state = this.#state;
    state.n += rounds - this.#advanced;
    if (state.loop === this) state.loop = undefined;
    this.#end(outcome, error);
  }

  settle(): void {
    const { pending } = this;
    this.#advanced += pending;
    this.#drawn += pending;
    this.#state.n += pending;
  }

  /** Number of rounds whose body ran to its end. The body of the last item yielded may still be running. */
  protected get completeRounds(): number {
    return Math.max(this.given - 1, 0);
  }
}
