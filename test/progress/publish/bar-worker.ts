/** A worker thread that opens a bar, executes commands, and reports when they are done. */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { TqdmPromProxy } from 'metheus/progress';

/** The data of a worker. */
export interface Opening {
  readonly desc: string;
  readonly total: number;
  /** The proxy's name. @defaultValue that of proxies without a name */
  readonly name?: string;
  /** Whether to do everything in a worker of this worker. */
  readonly nested?: boolean;
}

export type Order = { readonly update: number } | 'close' | 'fail' | 'open' | 'leave' | 'throw';

const port = parentPort!;
const { desc, total, name, nested } = workerData as Opening;
// Not started, as in a program: the main thread's proxy serves.
const proxy = new TqdmPromProxy(name === undefined ? {} : { name });

function count(): void {
  const open = () => proxy.tqdm(null, { desc, total, disable: true, mininterval: 1e9 });
  let bar = open();
  port.on('message', (order: Order) => {
    if (order === 'close') bar.close();
    else if (order === 'fail') bar.fail();
    else if (order === 'open') bar = open();
    else if (order === 'leave') port.close();
    else if (order === 'throw') throw new Error('told to');
    else bar.update(order.update);
    port.postMessage('done');
  });
}

function passOn(): void {
  const inner = new Worker(new URL(import.meta.url), { workerData: { ...workerData, nested: false } });
  inner.on('message', (answer) => port.postMessage(answer));
  port.on('message', (order) => inner.postMessage(order));
  inner.once('exit', () => port.close());
}

if (nested === true) passOn();
else {
  count();
  port.postMessage('done');
}
