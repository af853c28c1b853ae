/** Worker threads for tests: their program is a function, which sees nothing around it. */
import { once } from 'node:events';
import { type MessagePort, Worker } from 'node:worker_threads';

type Metheus = typeof import('metheus');

/** Runs in the worker. `say` posts to the test. */
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

/** The exit codes of workers, from their start on: a test may ask when they are gone already. */
const exits = new WeakMap<Worker, Promise<number>>();

/** @param metheus - where the package is; left out: where programs find it */
export function startWorker<Data>(program: Program<Data>, data?: Data, metheus?: string): Worker {
  const code = source(program as Program<never>, metheus);
  const worker = new Worker(code, { eval: true, workerData: data });
  exits.set(worker, new Promise((resolve) => worker.once('exit', resolve)));
  return worker;
}

/** What the worker says next. An error of the worker rejects. */
export async function said(worker: Worker): Promise<unknown> {
  const [message] = await once(worker, 'message');
  return message;
}

/** Resolves with the exit code when the worker is gone. */
export function gone(worker: Worker): Promise<number> {
  return exits.get(worker)!;
}
