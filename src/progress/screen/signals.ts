/** Signals that end or stop the process by default, while there is something to put in order first. */

import { constants } from 'node:os';
import { loopWatch } from './loop-watch.js';

/** Ctrl-C, `kill`, the end of the terminal; Ctrl-\ and what nodemon sends; Ctrl-Break. */
const DEADLY: readonly NodeJS.Signals[] =
  process.platform === 'win32'
    ? ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']
    : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
/** Ctrl-Z, and `fg` afterwards. */
const STOPPING: readonly NodeJS.Signals[] = process.platform === 'win32' ? [] : ['SIGTSTP'];
const CONTINUING: readonly NodeJS.Signals[] = process.platform === 'win32' ? [] : ['SIGCONT'];

/** What is to be done when a signal comes. */
export interface SignalActions {
  /** The process dies of it. */
  die(exitCode: number): void;
  /** Others will see to it, or the process is stopped: they must find the screen in order. */
  prepare(): void;
  /** The process goes on after it was stopped: others have written on the screen. */
  resume(): void;
}

/**
 * Listens to those signals while somebody holds it, and changes nothing about what they do: where nobody else
 * listens the process dies of the signal, or is stopped by it, as it would have been, after `die` or `prepare`; where
 * somebody does, what happens is theirs, after `prepare`. A listener does not keep the process alive.
 *
 * While the event loop is blocked it does not listen: a signal would wait for the loop, and nothing could end the
 * program. Displays leave the cursor below their bars then.
 */
export class SignalGuard {
  readonly #actions: SignalActions;
  readonly #holders = new Set<object>();

  constructor(actions: SignalActions) {
    this.#actions = actions;
    loopWatch.listen({ blocked: () => this.#unlisten(), turned: () => this.#listen() });
  }

  hold(holder: object): void {
    this.#holders.add(holder);
    if (this.#holders.size === 1) this.#listen();
  }

  release(holder: object): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#unlisten();
  }

  #listen(): void {
    this.#unlisten();
    if (this.#holders.size === 0 || loopWatch.blocked) return;
    // First of all, so that a listener that is there for one time only is still there to be seen.
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
    // Others count the listeners too, and must not see this one.
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
      // The next frame may be due before anybody hears that the process goes on.
      this.#actions.resume();
    }
    this.#listenAgain();
  };

  #listenAgain(): void {
    setImmediate(() => this.#listen()).unref?.();
  }
}
