/**
 * Tells whether the event loop still turns.
 *
 * A program that counts in one long loop never gives it back, and no signal comes to a listener then: Ctrl-C would do
 * nothing at all. Whoever listens to signals has to know, and the one thing that such a program still comes by is a
 * frame.
 */

/** Milliseconds without a turn after which the loop is taken for blocked: at first, and once it has been. */
const PATIENCE = 200;
const PATIENCE_AFTERWARDS = 50;

/** Told when the loop stops turning, and when it turns again. */
export interface LoopListener {
  blocked?(): void;
  turned(): void;
}

export class LoopWatch {
  readonly #now: () => number;
  readonly #listeners: LoopListener[] = [];
  #patience = PATIENCE;
  /** When a turn was asked for that has not come; `null`: none was. */
  #asked: number | null = null;
  #blocked = false;

  /** @param now - milliseconds since any fixed moment */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  listen(listener: LoopListener): void {
    this.#listeners.push(listener);
  }

  /** A frame is due. */
  frame(): void {
    if (this.#asked === null) {
      this.#asked = this.#now();
      // It comes when the loop does, and neither hurries it nor keeps the process alive.
      setImmediate(this.#turn).unref();
    } else if (!this.#blocked && this.#now() - this.#asked > this.#patience) {
      this.#blocked = true;
      // What came to a listener in the meantime is lost when nobody listens any more: so it is noticed sooner now.
      this.#patience = PATIENCE_AFTERWARDS;
      for (const listener of this.#listeners) listener.blocked?.();
    }
  }

  readonly #turn = (): void => {
    this.#asked = null;
    if (!this.#blocked) return;
    this.#blocked = false;
    for (const listener of this.#listeners) listener.turned();
  };
}

/** The event loop of this thread. */
export const loopWatch = new LoopWatch();
