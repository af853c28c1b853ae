/** A worker thread with an open bar at 100 of 100. */
import { parentPort } from 'node:worker_threads';
import { TqdmPromProxy } from 'metheus/progress';

const proxy = new TqdmPromProxy({ name: 'shared' });
proxy.tqdm(null, { desc: 'Job', total: 100, disable: true }).update(100);
parentPort!.postMessage('ready');
setInterval(() => {}, 1000);
