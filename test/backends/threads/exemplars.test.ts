/** Exemplars of worker threads, shown by the main thread. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { BroadcastChannel, type Worker } from 'node:worker_threads';
import { createCounter, generateMetrics, REGISTRY } from 'metheus';
import { until } from '../../support/processes.js';
import { gone, said, startWorker } from '../../support/workers.js';

/** Lines that have an exemplar, without its time. */
async function exemplarsOf(name: string): Promise<string[]> {
  const text = await generateMetrics(REGISTRY, { format: 'openmetrics' });
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && line.includes(' # '))
    .map((line) => line.replace(/ [\d.]+$/, ''));
}

/** A busy machine may take longer to answer than a scrape waits: then the next scrape shows it. */
const shown = (name: string, expected: readonly string[]) =>
  until(`${expected} to be shown`, async () => {
    const lines = await exemplarsOf(name);
    return JSON.stringify(lines) === JSON.stringify(expected) || undefined;
  });

function end(t: TestContext, worker: Worker): void {
  t.after(() => worker.terminate());
}

describe('exemplars of worker threads', () => {
  it('are shown beside those of the main thread, the newest of each cell', async (t) => {
    const counter = createCounter('shared_total', 'S.', { requiredLabels: ['id'] });
    counter.labels({ id: 1 }).inc(1, { from: 'main' });
    const worker = startWorker(({ createCounter, createHistogram }, { say, port }) => {
      const counter = createCounter('shared_total', 'S.', { requiredLabels: ['id'] });
      const histogram = createHistogram('worker_seconds', 'W.', { buckets: [1, 2] });
      const count = (by: number) => {
        counter.labels({ id: by }).inc(by, { from: `worker ${by}` });
        histogram.observe(by, { from: `worker ${by}` });
        say();
      };
      port.on('message', count);
      count(2);
    });
    end(t, worker);
    await said(worker);
    await shown('shared_total', [
      'shared_total{id="1"} 1 # {from="main"} 1',
      'shared_total{id="2"} 2 # {from="worker 2"} 2',
    ]);
    await shown('worker_seconds', ['worker_seconds_bucket{le="2.0"} 1 # {from="worker 2"} 2']);
    worker.postMessage(1);
    await said(worker);
    await shown('shared_total', [
      'shared_total{id="1"} 2 # {from="worker 1"} 1',
      'shared_total{id="2"} 2 # {from="worker 2"} 2',
    ]);
    await shown('worker_seconds', [
      'worker_seconds_bucket{le="1.0"} 1 # {from="worker 1"} 1',
      'worker_seconds_bucket{le="2.0"} 2 # {from="worker 2"} 2',
    ]);
    counter.labels({ id: 1 }).inc(1, { from: 'main again' });
    assert.equal((await exemplarsOf('shared_total'))[0], 'shared_total{id="1"} 3 # {from="main again"} 1');
  });

  it('stay when their thread is gone, with what it kept until its end', async (t) => {
    const worker = startWorker(({ createCounter }, { say, port }) => {
      const counter = createCounter('ending_total', 'E.');
      counter.inc(1, { n: 'first' });
      port.on('message', () => {
        counter.inc(1, { n: 'last' });
        process.exit(0);
      });
      say();
    });
    end(t, worker);
    await said(worker);
    await shown('ending_total', ['ending_total 1 # {n="first"} 1']);
    worker.postMessage('end');
    await gone(worker);
    await shown('ending_total', ['ending_total 2 # {n="last"} 1']);
  });

  it('go with their series', async (t) => {
    const worker = startWorker(({ createCounter }, { say, port }) => {
      const counter = createCounter('leaving_total', 'L.', { requiredLabels: ['id'] });
      counter.labels({ id: 1 }).inc(1, { n: 'old' });
      port.on('message', (again: boolean) => {
        if (again) counter.labels({ id: 1 }).inc();
        else counter.remove({ id: 1 });
        say();
      });
      say();
    });
    end(t, worker);
    await said(worker);
    await shown('leaving_total', ['leaving_total{id="1"} 1 # {n="old"} 1']);
    for (const again of [false, true]) {
      worker.postMessage(again);
      await said(worker);
      assert.deepEqual(await exemplarsOf('leaving_total'), []);
    }
    assert.match(await generateMetrics(), /^leaving_total\{id="1"\} 1$/m);
  });

  it('are asked for where there are some: nobody waits for other threads', async (t) => {
    const worker = startWorker(({ createCounter }, { say, port }) => {
      const counter = createCounter('asked_total', 'A.');
      counter.inc();
      port.on('message', () => {
        counter.inc(1, { n: 'first' });
        say();
      });
      say();
    });
    end(t, worker);
    await said(worker);
    const channel = new BroadcastChannel('metheus.workers.v1');
    t.after(() => channel.close());
    let questions = 0;
    channel.onmessage = (event) => {
      if ((event as { data: { topic: string } }).data.topic === 'exemplars wanted') questions += 1;
    };
    assert.match(await generateMetrics(), /^asked_total 1$/m);
    // The others of this file are gone.
    assert.equal(questions, 0);
    worker.postMessage('keep one');
    await said(worker);
    await shown('asked_total', ['asked_total 2 # {n="first"} 1']);
    assert.ok(questions > 0);
  });

  it('do not hold up a scrape while their thread is busy', async (t) => {
    const worker = startWorker(({ createCounter }, { say }) => {
      const stop = new Int32Array(new SharedArrayBuffer(4));
      createCounter('busy_total', 'B.').inc(1, { n: 'unseen' });
      say();
      // It never comes back to its event loop.
      Atomics.wait(stop, 0, 0);
    });
    end(t, worker);
    await said(worker);
    await until('its count', async () => /^busy_total 1$/m.test(await generateMetrics()) || undefined);
    assert.deepEqual(await exemplarsOf('busy_total'), []);
  });
});
