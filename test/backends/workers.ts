/** Worker threads for tests: their program is a function, which sees nothing around it. */
import { once } from 'node:events';
import { type MessagePort, Worker } from 'node:worker_threads';

type Metheus = typeof import('metheus');

/** Runs in the worker. `say` posts to the test. */
export type Program<Data> = (
  metheus: Metheus,
  tools: { readonly say: (message?: unknown) => void; readonly data: Data; readonly port: MessagePort },
) => unknown;

export const source = (program: Program<never>) => `
  const { parentPort: port, workerData: data } = require('node:worker_threads');
  const say = (message) => port.postMessage(message);
  import('metheus').then((metheus) => (${program})(metheus, { port, data, say }));
`;

export function startWorker<Data>(program: Program<Data>, data?: Data): Worker {
  return new Worker(source(program as Program<never>), { eval: true, workerData: data });
}

/** What the worker says next. An error of the worker rejects. */
export async function said(worker: Worker): Promise<unknown> {
  const [message] = await once(worker, 'message');
  return message;
}

/** Resolves with the exit code when the worker is gone. */
export async function gone(worker: Worker): Promise<number> {
  const [code] = await once(worker, 'exit');
  return code;
}
