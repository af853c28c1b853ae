/** Signals that end or stop the process, handled so that the screen is left in order. */

import { constants } from 'node:os';
import { loopWatch } from './loop-watch.js';

const isWindows = process.platform === 'win32';
/** Ctrl-C, `kill`, the end of the terminal; Ctrl-\ and nodemon's signal; Ctrl-Break. */
const DEADLY: readonly NodeJS.Signals[] = isWindows
  ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']
  : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

export interface SignalActions {
  /** Called before the process dies of a signal. */
  die(exitCode: number): void;
  /** Called before other listeners handle a signal and before the process is stopped. */
  prepare(): void;
  /** Called when a stopped process goes on; others have written to the screen meanwhile. */
  resume(): void;
}

/**
 * Listens to signals that end or stop the process while it has holders, without changing their effect. Without other
 * listeners the process dies of the signal after `die`, or is stopped by it after `prepare`. Other listeners are called
 * after `prepare` and decide what happens. A listener does not keep the process alive.
 *
 * While the event loop is blocked it does not listen: the signal would wait for the loop, and the program could not be
 * ended. Displays leave the cursor below their bars during that time.
 */
export class SignalGuard {
  readonly #actions: SignalActions;
  readonly #holders = new Set<object>();
  readonly #listeners = new Map<NodeJS.Signals, (signal: NodeJS.Signals) => void>();

  constructor(actions: SignalActions) {
    this.#actions = actions;
    for (const signal of DEADLY) this.#listeners.set(signal, this.#onDeadly);
    // Ctrl-Z, and `fg` afterwards.
    if (!isWindows) this.#listeners.set('SIGTSTP', this.#onStop).set('SIGCONT', actions.resume);
    loopWatch.listen({ onBlock: () => this.#unlisten(), onTurn: () => this.#listen() });
  }

  hold(holder: object): void {
    this.#holders.add(holder);
    // Listening starts later: in a loop that blocks from its first round on, no signal would reach the listener.
    if (this.#holders.size === 1) loopWatch.start();
  }

  release(holder: object): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#unlisten();
  }

  #listen(): void {
    this.#unlisten();
    if (this.#holders.size === 0 || !loopWatch.isTurning) return;
    // Before all others, so that a listener added with `once` can still be counted.
    for (const [signal, listener] of this.#listeners) process.prependListener(signal, listener);
  }

  #unlisten(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
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
