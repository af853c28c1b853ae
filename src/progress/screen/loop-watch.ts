/**
 * Detection of a blocked event loop.
 *
 * A program that counts in one long loop never returns to the event loop, so no signal reaches a listener and Ctrl-C
 * would do nothing. Listeners must therefore be removed while the loop is blocked. The block is noticed when a frame is
 * drawn, since no other code of this package runs during it.
 */

/** Milliseconds without a turn after which the loop counts as blocked for the first time. */
const FIRST_LIMIT_MS = 200;
/** Milliseconds without a turn after which the loop counts as blocked again. */
const LATER_LIMIT_MS = 50;

export interface LoopListener {
  /** Called when the loop is found blocked. */
  onBlock?(): void;
  /** Called when the loop turns again. */
  onTurn(): void;
}

export class LoopWatch {
  readonly #now: () => number;
  readonly #listeners: LoopListener[] = [];
  #limit = FIRST_LIMIT_MS;
  /** Time at which a turn was requested; undefined when none is awaited. */
  #requested: number | undefined;
  #state: 'starting' | 'turning' | 'blocked' = 'turning';

  /** @param now - returns milliseconds since an arbitrary fixed moment */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the loop was found blocked and has not turned since. */
  get isBlocked(): boolean {
    return this.#state === 'blocked';
  }

  /** Whether the loop is known to turn. */
  get isTurning(): boolean {
    return this.#state === 'turning';
  }

  listen(listener: LoopListener): void {
    this.#listeners.push(listener);
  }

  /** Starts watching. Listeners are called at the next turn of the loop, which may never come. */
  start(): void {
    if (this.isTurning) this.#state = 'starting';
    if (this.#requested === undefined) this.#requestTurn();
  }

  /** Checks whether the loop is blocked. Called for every frame. */
  onFrame(): void {
    if (this.#requested === undefined) {
      this.#requestTurn();
    } else if (!this.isBlocked && this.#now() - this.#requested > this.#limit) {
      this.#state = 'blocked';
      // Signals that arrived since the last turn are lost, because `onBlock` removes the listeners. The next block must
      // be noticed sooner.
      this.#limit = LATER_LIMIT_MS;
      for (const listener of this.#listeners) listener.onBlock?.();
    }
  }

  #requestTurn(): void {
    this.#requested = this.#now();
    // A pending timer makes an idle event loop turn. It does not keep the process running.
    setTimeout(this.#turn, 0).unref();
  }

  readonly #turn = (): void => {
    this.#requested = undefined;
    if (this.isTurning) return;
    this.#state = 'turning';
    for (const listener of this.#listeners) listener.onTurn();
  };
}

/** The event loop of this thread. */
export const loopWatch = new LoopWatch();
