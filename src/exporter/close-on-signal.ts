/** The orderly end of a program by a signal. */
import { constants } from 'node:os';
import { activeBackend } from '../backends/active-backend.js';
import { messageOf, warnOnce } from '../errors.js';
import { checkOptionNames, invalidValue, MAX_TIMER_SECONDS } from '../model/options.js';
import { runExitSteps } from '../system/exit-steps.js';

/** Options of {@link closeOnSignal}. */
export interface CloseOptions {
  /** @defaultValue `['SIGTERM', 'SIGINT']` */
  readonly signals?: readonly NodeJS.Signals[];
  /** Seconds after which the process ends even if something is still open. @defaultValue 10 */
  readonly timeout?: number;
}

/**
 * Ends the program in order when it receives a signal:
 *
 * 1. The resources are closed one after another: a server stops listening and answers the running requests, a pusher
 *    sends the last numbers.
 * 2. The backend sends or writes its remaining numbers, and is closed.
 * 3. Open bars are closed, and the process ends by the signal.
 *
 * A second signal, and the time limit, end the process at once. A resource that fails emits a warning.
 *
 * @param resources - servers, proxies and pushers, in the order in which they are closed: servers first
 * @returns a function that cancels it
 * @throws `METHEUS_INVALID_OPTIONS`
 * @example
 * ```ts
 * const server = await startMetricsServer();
 * closeOnSignal([server]);
 * ```
 */
export function closeOnSignal(resources: readonly AsyncDisposable[], options: CloseOptions = {}): () => void {
  checkOptionNames('closeOnSignal', options, ['signals', 'timeout']);
  const { signals = ['SIGTERM', 'SIGINT'], timeout = 10 } = options;
  const isResource = (given: unknown) =>
    typeof (given as AsyncDisposable | null)?.[Symbol.asyncDispose] === 'function';
  if (!Array.isArray(resources) || !resources.every(isResource)) {
    throw invalidValue(
      'resources',
      resources,
      'servers, proxies, pushers, or others with [Symbol.asyncDispose]',
    );
  }
  if (!Array.isArray(signals) || !signals.every((signal) => Object.hasOwn(constants.signals, signal))) {
    throw invalidValue('signals', signals, "names of signals, such as 'SIGTERM'");
  }
  if (typeof timeout !== 'number' || !(timeout >= 0 && timeout <= MAX_TIMER_SECONDS)) {
    throw invalidValue('timeout', timeout, `seconds from 0 to ${MAX_TIMER_SECONDS}`);
  }
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    for (const signal of signals) process.off(signal, end);
  };
  const endBy = (signal: NodeJS.Signals): void => {
    clearTimeout(timer);
    cancel();
    const exitCode = 128 + constants.signals[signal];
    // The kernel ignores a signal that process 1, as in a container, sends to itself.
    if (process.pid === 1) process.exit(exitCode);
    // A listener of the program would keep the signal from ending the process.
    process.removeAllListeners(signal);
    try {
      runExitSteps(exitCode);
    } catch (error) {
      warnOnce('close on signal: exit', `A step at the end of the program failed: ${messageOf(error)}`);
    }
    process.kill(process.pid, signal);
  };
  const end = (signal: NodeJS.Signals): void => {
    if (timer !== undefined) endBy(signal);
    else {
      timer = setTimeout(() => endBy(signal), 1000 * timeout);
      void closeAll(resources).then(() => endBy(signal));
    }
  };
  for (const signal of signals) process.on(signal, end);
  return cancel;
}

/** Closes the resources in order, then the backend. Never rejects. */
async function closeAll(resources: readonly AsyncDisposable[]): Promise<void> {
  const steps = resources.map((resource) => () => resource[Symbol.asyncDispose]());
  const backend = activeBackend();
  for (const close of [...steps, () => backend.flush(), () => backend.backend.close()]) {
    try {
      await close();
    } catch (error) {
      warnOnce('close on signal', `The program ends, but something was not closed: ${messageOf(error)}`);
    }
  }
}
