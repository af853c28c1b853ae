/**
 * The end of the process: every step that has to run before it, in one order.
 *
 * | event | step | purpose | order |
 * | --- | --- | --- | --- |
 * | `beforeExit` | `worker numbers` | copies the numbers of worker threads into the backend | before they are sent |
 * | `beforeExit` | `redis` | sends the last numbers, which needs the event loop | |
 * | `beforeExit` | `push` | delivers the last numbers to a Pushgateway | |
 * | `beforeExit` | `compaction` | compacts metrics files, if there are many | |
 * | `exit` | `remote bars` | draws the last frames of worker threads and child processes | before bars are closed: it may open some |
 * | `exit` | `open bars` | closes the bars on the screen and leaves the cursor below them | before listeners of the program print |
 * | `exit` | *listeners of the program* | may print and count | |
 * | `exit` | `terminal` | writes text that a slow terminal has not taken | after all that may print |
 * | `exit` | `worker numbers` | as above, for threads that still run | after all that may count |
 * | `exit` | `files` | writes metrics files that are not mapped | after all numbers are in place |
 *
 * A listener of the program runs at that place if it was added after the first step. Otherwise it runs before all steps
 * of `exit`. All copies of this package in a thread share one list, which listens to the process only while it has
 * steps.
 */

const BEFORE_EXIT = ['worker numbers', 'redis', 'push', 'compaction'] as const;
const EXIT_FIRST = ['remote bars', 'open bars'] as const;
const EXIT_LAST = ['terminal', 'worker numbers', 'files'] as const;

export type ExitStep = (typeof BEFORE_EXIT | typeof EXIT_FIRST | typeof EXIT_LAST)[number];

/** Work of a step. `beforeExit` and `exit` give it the exit code. */
export type ExitAction = (exitCode: number) => void;

class ExitSteps {
  readonly #actions = new Map<ExitStep, Set<ExitAction>>();

  add(step: ExitStep, action: ExitAction): void {
    if (this.#actions.size === 0) this.#listen('on');
    const actions = this.#actions.get(step) ?? new Set();
    this.#actions.set(step, actions.add(action));
  }

  remove(step: ExitStep, action: ExitAction): void {
    const actions = this.#actions.get(step);
    if (!actions?.delete(action) || actions.size > 0) return;
    this.#actions.delete(step);
    if (this.#actions.size === 0) this.#listen('off');
  }

  runAll(exitCode: number): void {
    this.#run([...EXIT_FIRST, ...EXIT_LAST], exitCode);
  }

  /** Adds or removes the listeners of the process. */
  #listen(method: 'on' | 'off'): void {
    process[method]('beforeExit', this.#onBeforeExit);
    process[method]('exit', this.#onExitFirst);
    process[method]('exit', this.#onExitLast);
    process[method]('newListener', this.#onNewListener);
  }

  readonly #onBeforeExit = (exitCode: number): void => this.#run(BEFORE_EXIT, exitCode);
  readonly #onExitFirst = (exitCode: number): void => this.#run(EXIT_FIRST, exitCode);
  readonly #onExitLast = (exitCode: number): void => this.#run(EXIT_LAST, exitCode);

  /** Moves the last steps behind a listener that was added after them. */
  readonly #onNewListener = (event: string | symbol, listener: unknown): void => {
    if (event !== 'exit' || listener === this.#onExitLast) return;
    queueMicrotask(() => {
      // Without steps there is no listener to move.
      if (this.#actions.size > 0) process.off('exit', this.#onExitLast).on('exit', this.#onExitLast);
    });
  };

  /** Runs all actions of some steps, even if one throws; then throws the first error. */
  #run(steps: readonly ExitStep[], exitCode: number): void {
    const errors: unknown[] = [];
    for (const step of steps) {
      for (const action of [...(this.#actions.get(step) ?? [])]) {
        try {
          action(exitCode);
        } catch (error) {
          errors.push(error);
        }
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

const KEY = Symbol.for('metheus.exit-steps.v1');
const global = globalThis as { [KEY]?: ExitSteps };

function exitSteps(): ExitSteps {
  global[KEY] ??= new ExitSteps();
  return global[KEY];
}

/** Adds an action to a step. Adding it again has no effect. */
export function addExitStep(step: ExitStep, action: ExitAction): void {
  exitSteps().add(step, action);
}

/** Removes an action from a step, if it is there. */
export function removeExitStep(step: ExitStep, action: ExitAction): void {
  exitSteps().remove(step, action);
}

/** Runs the steps of `exit` at once, for a process that is about to die of a signal. */
export function runExitSteps(exitCode: number): void {
  exitSteps().runAll(exitCode);
}
