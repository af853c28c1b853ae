/** Worker threads for tests. Their program is a function that cannot use anything around it. */
import { once } from 'node:events';
import { type MessagePort, Worker } from 'node:worker_threads';

type Metheus = typeof import('metheus');

/** A program that runs in the worker. `say` posts a message to the test. */
export type Program<Data> = (
  metheus: Metheus,
  tools: { readonly say: (message?: unknown) => void; readonly data: Data; readonly port: MessagePort },
) => unknown;

export const source = (program: Program<never>, metheus = 'metheus') => `
  Promise.all([import('node:worker_threads'), import(${JSON.stringify(metheus)})]).then(
    ([{ parentPort: port, workerData: data }, metheus]) =>
      (${program})(metheus, { port, data, say: (message) => port.postMessage(message) }),
  );
`;

/**
 * The exit codes of workers, recorded from their start, since a worker may end before a test waits for it.
 */
const exits = new WeakMap<Worker, Promise<number>>();

/** @param metheus - the specifier or path of the package. @defaultValue `'metheus'` */
export function startWorker<Data>(program: Program<Data>, data?: Data, metheus?: string): Worker {
  const code = source(program as Program<never>, metheus);
  const worker = new Worker(code, { eval: true, workerData: data });
  exits.set(worker, new Promise((resolve) => worker.once('exit', resolve)));
  return worker;
}

/** Resolves with the next message of the worker. Rejects with an error of the worker. */
export async function said(worker: Worker): Promise<unknown> {
  const [message] = await once(worker, 'message');
  return message;
}

/** Resolves with the exit code when the worker has ended. */
export function gone(worker: Worker): Promise<number> {
  return exits.get(worker)!;
}
