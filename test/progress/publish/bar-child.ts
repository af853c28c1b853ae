/** A child process that opens a bar, executes commands, and reports when they are done. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { type BarOptions, TqdmPromProxy } from 'metheus/progress';

/** The argument of a child, as JSON. */
export interface ChildOpening {
  readonly options: BarOptions;
  /** The proxy's name. @defaultValue that of proxies without a name */
  readonly name?: string;
  /** Runs everything in a child or in a worker thread of this child. */
  readonly nested?: 'child' | 'worker';
}

export type ChildOrder =
  | { readonly update: number }
  /** Runs a loop over a bar, without a pause for the event loop, until the file exists. */
  | { readonly loopUntil: string }
  /** Loads the file backend. */
  | { readonly load: string }
  | { readonly exit: number }
  | 'close'
  | 'open'
  | 'leave';

const FILE = fileURLToPath(import.meta.url);
const opening = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as ChildOpening;
const { options, name, nested } = opening;
const report = (text: string) => (isMainThread ? process.send!(text) : parentPort!.postMessage(text));

function count(): void {
  // The proxy is not started, since the parent's proxy serves the bars.
  const proxy = new TqdmPromProxy(name === undefined ? {} : { name });
  let bar = proxy.tqdm(options);
  const perform = async (order: ChildOrder) => {
    if (order === 'close') bar.close();
    else if (order === 'open') bar = proxy.tqdm(options);
    else if (order === 'leave')
      (isMainThread ? process.disconnect! : parentPort!.close).call(isMainThread ? process : parentPort);
    else if ('update' in order) bar.update(order.update);
    else if ('loopUntil' in order) loopUntil(proxy, order.loopUntil);
    else if ('load' in order) await loadBackend(MultiProcessFileBackend, { directory: order.load });
    else process.exit(order.exit);
    if (order !== 'leave') report('done');
  };
  if (isMainThread) process.on('message', perform);
  else parentPort!.on('message', perform);
}

function loopUntil({ tqdm }: TqdmPromProxy, file: string): void {
  function* rounds() {
    for (let round = 0; !existsSync(file); round++) yield round;
  }
  for (const _ of tqdm(rounds(), { ...options, desc: 'Busy', mininterval: 0, miniters: 1 }));
}

function passOn(): void {
  const inner = { ...opening, nested: undefined };
  if (nested === 'child') {
    const child = fork(FILE, [JSON.stringify(inner)]);
    child.on('message', report);
    process.on('message', (order) => child.send(order as object));
    child.once('exit', () => process.disconnect?.());
  } else {
    const worker = new Worker(FILE, { workerData: inner });
    worker.on('message', report);
    process.on('message', (order) =>
      order === 'end thread' ? worker.terminate() : worker.postMessage(order),
    );
  }
}

if (nested !== undefined) passOn();
else {
  count();
  report('done');
}
