/** Signals that end or stop the process, handled so that the screen is left in order. */

import { constants } from 'node:os';
import { loopWatch } from './loop-watch.js';

/** Ctrl-C, `kill`, the end of the terminal; Ctrl-\ and nodemon's signal; Ctrl-Break. */
const DEADLY: readonly NodeJS.Signals[] =
  process.platform === 'win32'
    ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']
    : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
/** Ctrl-Z, and `fg` afterwards. */
const STOPPING: readonly NodeJS.Signals[] = process.platform === 'win32' ? [] : ['SIGTSTP'];
const CONTINUING: readonly NodeJS.Signals[] = process.platform === 'win32' ? [] : ['SIGCONT'];

export interface SignalActions {
  /** Called before the process dies of a signal. */
  die(exitCode: number): void;
  /** Called before other listeners handle a signal and before the process is stopped. */
  prepare(): void;
  /** Called when a stopped process goes on; others have written to the screen meanwhile. */
  resume(): void;
}

/**
 * Listens to those signals while it has holders, without changing their effect. Without other listeners the process
 * dies of the signal, or is stopped by it, after `die` or `prepare`; other listeners decide what happens after
 * `prepare`. A listener does not keep the process alive.
 *
 * While the event loop is blocked it does not listen: the signal would wait for the loop, and the program could not be
 * ended. Displays leave the cursor below their bars during that time.
 */
export class SignalGuard {
  readonly #actions: SignalActions;
  readonly #holders = new Set<object>();

  constructor(actions: SignalActions) {
    this.#actions = actions;
    loopWatch.listen({ onBlock: () => this.#unlisten(), onTurn: () => this.#listen() });
  }

  hold(holder: object): void {
    this.#holders.add(holder);
    // Not at once: in a loop that blocks from its first round on, the signal would never reach the listener.
    if (this.#holders.size === 1) loopWatch.start();
  }

  release(holder: object): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#unlisten();
  }

  #listen(): void {
    this.#unlisten();
    if (this.#holders.size === 0 || !loopWatch.isTurning) return;
    // Before all others, so that a listener added with `once` is still there to be counted.
    for (const signal of DEADLY) process.prependListener(signal, this.#onDeadly);
    for (const signal of STOPPING) process.prependListener(signal, this.#onStop);
    for (const signal of CONTINUING) process.on(signal, this.#actions.resume);
  }

  #unlisten(): void {
    for (const signal of DEADLY) process.off(signal, this.#onDeadly);
    for (const signal of STOPPING) process.off(signal, this.#onStop);
    for (const signal of CONTINUING) process.off(signal, this.#actions.resume);
  }

  readonly #onDeadly = (signal: NodeJS.Signals): void => {
    // Other code that counts the listeners must not see this one.
    this.#unlisten();
    if (process.listenerCount(signal) === 0) {
      this.#actions.die(128 + constants.signals[signal]);
      process.kill(process.pid, signal);
      return;
    }
    this.#actions.prepare();
    this.#listenAgain();
  };

  readonly #onStop = (signal: NodeJS.Signals): void => {
    this.#unlisten();
    this.#actions.prepare();
    if (process.listenerCount(signal) === 0) {
      process.kill(process.pid, signal);
      // The next frame may be due before SIGCONT reaches its listener.
      this.#actions.resume();
    }
    this.#listenAgain();
  };

  #listenAgain(): void {
    setImmediate(() => this.#listen()).unref?.();
  }
}
