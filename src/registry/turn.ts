/** Long work in turns, between which the event loop runs. */

/** How long a turn may be, and after how many steps to look at the clock. */
const TURN_MS = 4;
const LOOK_AFTER = 16;

export class Turn {
  #start = performance.now();
  #steps = 0;

  /** Whether it is time for others. Asked after each step, which takes microseconds. */
  isDue(): boolean {
    this.#steps += 1;
    return this.#steps % LOOK_AFTER === 0 && performance.now() - this.#start >= TURN_MS;
  }

  async next(): Promise<void> {
    await new Promise(setImmediate);
    this.#start = performance.now();
  }
}
