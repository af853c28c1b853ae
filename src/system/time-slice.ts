/** Time slices: long work pauses for the event loop, so that a scrape of any size does not block the program. */

const SLICE_MS = 4;
/** Number of small steps between two readings of the clock. */
const STEPS_PER_READING = 16;

/** A stretch of synchronous work, after which the event loop runs. Several tasks can share it. */
export class TimeSlice {
  #start = performance.now();
  #steps = 0;
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;

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

  /** Lets the event loop run. Resolves in the next slice, or in a later slice if other tasks use up the time. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isScheduled) this.#schedule();
    });
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => void this.#begin());
  }

  /** Begins a slice, and resumes waiting tasks one after another until the slice is over. */
  async #begin(): Promise<void> {
    this.#start = performance.now();
    do {
      this.#waiting.shift()!();
      await undefined;
    } while (this.#waiting.length > 0 && !this.isOver());
    if (this.#waiting.length > 0) this.#schedule();
    else this.#isScheduled = false;
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

/** Maximum number of tasks that run at a time. Limits the replies that can arrive, and be handled, together. */
const MAX_TASKS = 64;

/**
 * Runs a task for each item, at most {@link MAX_TASKS} at a time, and pauses whenever a time slice is over. Resolves
 * with the results in the order of the items. After a task has rejected, no further tasks are started.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  task: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  const slice = new TimeSlice();
  let next = 0;
  const run = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      try {
        results[index] = await task(items[index]!);
      } catch (error) {
        next = items.length;
        throw error;
      }
      if (slice.isOver()) await slice.next();
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_TASKS, items.length) }, run));
  return results;
}
