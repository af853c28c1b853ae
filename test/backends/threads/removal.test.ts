/** Removing series that worker threads have counted in. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createCounter, generateMetrics } from 'metheus';
import { gone, said, startWorker } from '../../support/workers.js';

async function samples(prefix: string): Promise<string[]> {
  const text = await generateMetrics();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${prefix}{`))
    .toSorted();
}

/** Starts a worker that counts 100 in each of the series, and ends when it receives a message. */
function startCounting(name: string, labels: readonly string[]) {
  return startWorker(
    ({ createCounter }, { say, port, data: { name, labels } }) => {
      const counter = createCounter(name, 'C.', { requiredLabels: ['a'] });
      for (const a of labels) counter.labels({ a }).inc(100);
      port.once('message', ({ clear }: { clear?: boolean }) => {
        if (clear) counter.clear();
        say();
      });
      say();
    },
    { name, labels },
  );
}

async function end(worker: ReturnType<typeof startCounting>): Promise<void> {
  worker.postMessage({});
  await said(worker);
  await gone(worker);
}

it('remove() deletes the series of ended threads, and keeps those of living ones', async () => {
  const counter = createCounter('threads_total', 'C.', { requiredLabels: ['a'] });
  for (const a of ['x', 'y']) counter.labels({ a }).inc();
  const ended = startCounting('threads_total', ['x', 'y', 'z']);
  await said(ended);
  await end(ended);
  const living = startCounting('threads_total', ['x']);
  await said(living);
  assert.deepEqual(await samples('threads_total'), [
    'threads_total{a="x"} 201',
    'threads_total{a="y"} 101',
    'threads_total{a="z"} 100',
  ]);
  counter.remove({ a: 'x' });
  assert.deepEqual(await samples('threads_total'), [
    'threads_total{a="x"} 100',
    'threads_total{a="y"} 101',
    'threads_total{a="z"} 100',
  ]);
  counter.clear();
  assert.deepEqual(await samples('threads_total'), ['threads_total{a="x"} 100']);
  counter.labels({ a: 'y' }).inc();
  await end(living);
  assert.deepEqual(await samples('threads_total'), ['threads_total{a="x"} 100', 'threads_total{a="y"} 1']);
});

it('clear() in a worker deletes its own series and those of ended threads', async () => {
  const counter = createCounter('cleared_total', 'C.', { requiredLabels: ['a'] });
  counter.labels({ a: 'main' }).inc();
  const ended = startCounting('cleared_total', ['x', 'y']);
  await said(ended);
  await end(ended);
  const clearing = startCounting('cleared_total', ['x']);
  await said(clearing);
  assert.deepEqual(await samples('cleared_total'), [
    'cleared_total{a="main"} 1',
    'cleared_total{a="x"} 200',
    'cleared_total{a="y"} 100',
  ]);
  clearing.postMessage({ clear: true });
  await said(clearing);
  await gone(clearing);
  assert.deepEqual(await samples('cleared_total'), ['cleared_total{a="main"} 1']);
});
