/** Signals that end the process by default, while there is something to put in order first. */

import { constants } from 'node:os';

const DEADLY = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Deadly = (typeof DEADLY)[number];

/**
 * Listens to those signals while somebody holds it, and changes nothing about what they do: where nobody else
 * listens the process dies of the signal as it would have, after `die`; where somebody does, what happens is theirs,
 * after `prepare`. A listener does not keep the process alive.
 */
export class SignalGuard {
  readonly #die: (exitCode: number) => void;
  readonly #prepare: () => void;
  readonly #holders = new Set<object>();

  constructor(die: (exitCode: number) => void, prepare: () => void) {
    this.#die = die;
    this.#prepare = prepare;
  }

  hold(holder: object): void {
    this.#holders.add(holder);
    if (this.#holders.size === 1) this.#listen();
  }

  release(holder: object): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.#unlisten();
  }

  #listen(): void {
    // First of all, so that a listener that is there for one time only is still there to be seen.
    for (const signal of DEADLY) process.prependListener(signal, this.#onSignal);
  }

  #unlisten(): void {
    for (const signal of DEADLY) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // Others count the listeners too, and must not see this one.
    this.#unlisten();
    if (process.listenerCount(signal) === 0) {
      this.#die(128 + constants.signals[signal as Deadly]);
      process.kill(process.pid, signal);
      return;
    }
    this.#prepare();
    setImmediate(() => {
      if (this.#holders.size > 0) this.#listen();
    }).unref?.();
  };
}
