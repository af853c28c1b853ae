/** Time slices: long work pauses for the event loop, so that a scrape of any size does not block the program. */

const SLICE_MS = 4;
/** Number of small steps between two readings of the clock. */
const STEPS_PER_READING = 16;

/** A stretch of synchronous work, after which the event loop runs. */
export class TimeSlice {
  #start = performance.now();
  #steps = 0;

  /** Reports whether the work should pause. */
  isOver(): boolean {
    return performance.now() - this.#start >= SLICE_MS;
  }

  /**
   * Reports whether the work should pause. For use after steps of a few microseconds: reads the clock every 16th time.
   */
  isOverAfterStep(): boolean {
    this.#steps += 1;
    return this.#steps % STEPS_PER_READING === 0 && this.isOver();
  }

  /** Lets the event loop run, then begins the next slice. */
  async next(): Promise<void> {
    await new Promise(setImmediate);
    this.#start = performance.now();
  }
}

/** Runs work that yields at least once per millisecond, and pauses it whenever a slice is over. */
export async function runInSlices<T>(work: Iterator<void, T>, slice: TimeSlice): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (slice.isOver()) await slice.next();
  }
}

/** Runs the same kind of work as {@link runInSlices}, but without pauses. */
export function runAtOnce<T>(work: Iterator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
