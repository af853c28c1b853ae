/** A worker thread with a bar. Moves it at each message, and answers with the files that this takes. */
import { parentPort } from 'node:worker_threads';
import { TqdmPromProxy } from 'metheus/progress';
import { Coverage } from './coverage.js';

const port = parentPort!;
const proxy = new TqdmPromProxy();
const bar = proxy.tqdm(null, { total: 100, desc: 'work', mininterval: 0, miniters: 1 });
const coverage = new Coverage();

port.on('message', () => {
  coverage.take();
  bar.update(1);
  port.postMessage(coverage.take());
});
port.postMessage('ready');
