/** Long work in turns with the event loop: a scrape must not hold up the program, however many series there are. */

/** How long work may hold the event loop before others run. */
const TURN_MS = 4;
/** Small steps between two looks at the clock. */
const LOOK_AFTER = 16;

/** A stretch of work, after which the event loop has its turn. */
export class Turn {
  #start = performance.now();
  #steps = 0;

  get isOver(): boolean {
    return performance.now() - this.#start >= TURN_MS;
  }

  /** The same, asked after each step of some microseconds: it looks at the clock now and then only. */
  isDue(): boolean {
    this.#steps += 1;
    return this.#steps % LOOK_AFTER === 0 && this.isOver;
  }

  async next(): Promise<void> {
    await new Promise(setImmediate);
    this.#start = performance.now();
  }
}

/** Does work that pauses every now and then, for less than a millisecond at a time, in turns with the event loop. */
export async function inTurns<T>(work: Iterator<void, T>, turn: Turn): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (turn.isOver) await turn.next();
  }
}

/** Does the same work in one go. */
export function inOneGo<T>(work: Iterator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
