import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type WorkerPage, workerChannel } from '#metheus/system/worker-channel.js';

const MODULE = import.meta.resolve('#metheus/system/worker-channel.js');

/** Code that keeps a worker alive until it is terminated. */
const STAY = 'setInterval(() => {}, 1000);';

/** Starts a worker with `channel` and `copy`, the channels of two copies of the module. */
async function start(code: string): Promise<Worker> {
  const source = `
    import { parentPort, Worker } from 'node:worker_threads';
    const { workerChannel } = await import('${MODULE}');
    const channel = workerChannel();
    const copy = (await import('${MODULE}?copy')).workerChannel();
    ${code}
    parentPort.postMessage('ready');`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  await once(worker, 'message');
  return worker;
}

const channel = workerChannel();
const pages: WorkerPage[] = [];
const ended: number[] = [];
channel.on('metrics page', (page) => pages.push(page));
channel.on('thread ended', (thread) => ended.push(thread));

describe('the worker channel', { timeout: 60_000 }, () => {
  it('delivers a page to a thread that has not reached its event loop yet', async () => {
    const worker = await start(`${STAY}
      const buffer = new SharedArrayBuffer(8);
      new Int32Array(buffer)[1] = 7;
      channel.announce('metrics page', buffer);`);
    channel.drain();
    const page = pages.find(({ thread }) => thread === worker.threadId)!;
    assert.deepEqual([page.number, page.lineage], [0, [worker.threadId]]);
    assert.equal(new Int32Array(page.buffer)[1], 7);
    await worker.terminate();
  });

  it('is one for two copies of the package', async () => {
    const worker = await start(`${STAY}
      if (channel !== copy) throw new Error('two channels');
      channel.announce('bar page', new SharedArrayBuffer(8));
      copy.announce('bar page', new SharedArrayBuffer(8));`);
    const numbers: number[] = [];
    channel.on('bar page', ({ number }) => numbers.push(number));
    while (numbers.length < 2) await new Promise(setImmediate);
    assert.deepEqual(numbers, [0, 1]);
    await worker.terminate();
  });

  it('announces pages again to a thread that listens later', async () => {
    const worker = await start(`${STAY} channel.announce('board page', new SharedArrayBuffer(16));`);
    channel.drain();
    const found = new Promise<WorkerPage>((resolve) => channel.on('board page', resolve));
    const { thread, buffer } = await found;
    assert.deepEqual([thread, buffer.byteLength], [worker.threadId, 16]);
    await worker.terminate();
  });

  it('reports the end of a worker after its last page', async () => {
    const events: string[] = [];
    const worker = await start(`${STAY}
      parentPort.once('message', () => {
        channel.announce('metrics page', new SharedArrayBuffer(8));
        process.exit();
      });`);
    const { threadId } = worker;
    channel.on('metrics page', ({ thread }) => thread === threadId && events.push('page'));
    channel.on('thread ended', (thread) => thread === threadId && events.push('ended'));
    const exit = once(worker, 'exit');
    worker.postMessage('');
    await exit;
    assert.deepEqual(events, ['page', 'ended']);
  });

  it('gives a worker of a worker the lineage of both, and reports its end', async () => {
    const inner = `
      import { parentPort } from 'node:worker_threads';
      const { workerChannel } = await import('${MODULE}');
      workerChannel().announce('metrics page', new SharedArrayBuffer(24));
      parentPort.postMessage('ready');
      parentPort.once('message', () => process.exit());`;
    const outer = await start(`${STAY}
      const inner = new Worker(new URL(${JSON.stringify(`data:text/javascript,${encodeURIComponent(inner)}`)}));
      await new Promise((resolve) => inner.once('message', resolve));
      parentPort.once('message', () => inner.postMessage(''));`);
    channel.drain();
    const { thread, lineage } = pages.find(({ buffer }) => buffer.byteLength === 24)!;
    assert.deepEqual(lineage, [outer.threadId, thread]);
    outer.postMessage('');
    while (!ended.includes(thread)) await new Promise(setImmediate);
    await outer.terminate();
  });

  it('does not keep a thread alive', async () => {
    const worker = await start('');
    if (worker.threadId !== -1) await once(worker, 'exit');
  });
});
