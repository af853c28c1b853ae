/** Signals that end or stop the process, handled so that the screen is left in order. */

import { constants } from 'node:os';
import { loopWatch } from './loop-watch.js';

const isWindows = process.platform === 'win32';
/** Signals of Ctrl-C, `kill` and a closed terminal; also of Ctrl-Break on Windows, of Ctrl-\ and nodemon elsewhere. */
const DEADLY: readonly NodeJS.Signals[] = isWindows
  ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']
  : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];

export interface SignalActions {
  /** Called before the process dies of a signal. */
  die(exitCode: number): void;
  /** Called before other listeners handle a signal and before the process is stopped. */
  prepare(): void;
  /** Called when a stopped process goes on. Other programs may have written to the screen meanwhile. */
  resume(): void;
}

/**
 * Listens, while it has holders, to signals that end or stop the process. Their effect stays the same. If the program
 * has no listener, the process dies of the signal after `die`, or is stopped by it after `prepare`. If it has one, that
 * is called after `prepare` and decides what happens. The guard does not keep the process alive.
 *
 * While the event loop is blocked, the guard does not listen: a signal would wait for the loop, and Ctrl-C could not
 * end the program. Displays leave the cursor below their bars during that time.
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
    // Listening starts with the next turn of the event loop. If the loop is blocked until then, signals keep their
    // default effect.
    if (this.#holders.size === 1) loopWatch.start();
  }

  release(holder: object): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#unlisten();
  }

  #listen(): void {
    this.#unlisten();
    if (this.#holders.size === 0 || !loopWatch.isTurning) return;
    // Placed first: a listener added with `once` is removed when it is called, and could not be counted later.
    for (const [signal, listener] of this.#listeners) process.prependListener(signal, listener);
  }

  #unlisten(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }

  readonly #onDeadly = (signal: NodeJS.Signals): void => {
    // The count below, and other listeners that count, must not include this listener.
    this.#unlisten();
    if (process.listenerCount(signal) === 0) {
      const exitCode = 128 + constants.signals[signal];
      // The kernel ignores signals that process 1, such as the main process of a container, sends to itself.
      if (process.pid === 1) process.exit(exitCode);
      this.#actions.die(exitCode);
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
      // The process was stopped here and goes on. A frame may be due before the listener of SIGCONT is called.
      this.#actions.resume();
    }
    this.#listenAgain();
  };

  #listenAgain(): void {
    setImmediate(() => this.#listen()).unref?.();
  }
}
