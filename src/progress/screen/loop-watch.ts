/**
 * Detection of a blocked event loop.
 *
 * A program that counts in one long loop never returns to the event loop, so no signal reaches a listener and Ctrl-C
 * would do nothing. Listeners must therefore be removed in time, and drawing frames is the only code that still runs.
 */

/** Milliseconds without a turn of the loop after which it counts as blocked: at first, and once it has been blocked. */
const PATIENCE_MS = 200;
const LATER_PATIENCE_MS = 50;

export interface LoopListener {
  /** Called when the loop is found blocked. */
  onBlock?(): void;
  /** Called when the loop turns again. */
  onTurn(): void;
}

export class LoopWatch {
  readonly #now: () => number;
  readonly #listeners: LoopListener[] = [];
  #patience = PATIENCE_MS;
  /** When a turn was requested that has not happened yet; undefined when none was. */
  #requested: number | undefined;
  #isBlocked = false;
  #isStarting = false;

  /** @param now - returns milliseconds since an arbitrary fixed moment */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the event loop has been blocked while frames were drawn. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Whether the loop is known to turn. */
  get isTurning(): boolean {
    return !this.#isBlocked && !this.#isStarting;
  }

  listen(listener: LoopListener): void {
    this.#listeners.push(listener);
  }

  /** Starts watching: listeners are called when the loop turns for the first time, which may be never. */
  start(): void {
    this.#isStarting = true;
    if (this.#requested === undefined) this.#requestTurn();
  }

  /** Called for every frame. */
  onFrame(): void {
    if (this.#requested === undefined) {
      this.#requestTurn();
    } else if (!this.#isBlocked && this.#now() - this.#requested > this.#patience) {
      this.#isBlocked = true;
      // Signals that arrived meanwhile are lost when the listeners go, so the next time it must be noticed sooner.
      this.#patience = LATER_PATIENCE_MS;
      for (const listener of this.#listeners) listener.onBlock?.();
    }
  }

  #requestTurn(): void {
    this.#requested = this.#now();
    // A timer wakes a loop that waits for events; unref lets the process end.
    setTimeout(this.#turn, 0).unref();
  }

  readonly #turn = (): void => {
    this.#requested = undefined;
    if (this.isTurning) return;
    this.#isBlocked = false;
    this.#isStarting = false;
    for (const listener of this.#listeners) listener.onTurn();
  };
}

/** The event loop of this thread. */
export const loopWatch = new LoopWatch();
