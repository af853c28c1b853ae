/** Exemplars of worker threads in scrapes of the main thread. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import {
  createCounter,
  generateMetrics,
  loadBackend,
  REGISTRY,
  SingleProcessBackend,
  seriesOf,
} from 'metheus';
import { ThreadPageWriter } from '#metheus/backends/threads/page.js';
import { ThreadPageReader } from '#metheus/backends/threads/page-reader.js';
import { gone, said, startWorker } from '../../support/workers.js';
import { makeFamily } from '../contract.js';

/** Returns the lines with exemplars, without times. */
async function exemplarsOf(name: string): Promise<string[]> {
  const text = await generateMetrics(REGISTRY, { format: 'openmetrics' });
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && line.includes(' # '))
    .map((line) => line.replace(/ [\d.]+$/, ''));
}

const assertExemplars = async (name: string, expected: readonly string[]) =>
  assert.deepEqual(await exemplarsOf(name), expected);

function end(t: TestContext, worker: Worker): void {
  t.after(() => worker.terminate());
}

/** Returns functions that write and read the exemplar of one cell of a page, both in this thread. */
function exemplarRecord() {
  const reader = new ThreadPageReader();
  const writer = new ThreadPageWriter((buffer) => reader.add(0, buffer));
  const cells = writer.reserve(makeFamily({ labelNames: [] }), []);
  assert.equal([...reader.newRecords()].length, 1);
  return {
    write: (character: string) =>
      writer.putExemplar(cells, 0, { labels: { k: character.repeat(120) }, value: 1 }),
    read(): unknown[] {
      assert.equal([...reader.newRecords()].length, 0);
      return [...reader.newExemplars()].map(({ exemplar }) => exemplar.labels.k);
    },
  };
}

describe('exemplars of worker threads', () => {
  it('appear beside those of the main thread, the newest of each cell', async (t) => {
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
    await assertExemplars('shared_total', [
      'shared_total{id="1"} 1 # {from="main"} 1',
      'shared_total{id="2"} 2 # {from="worker 2"} 2',
    ]);
    await assertExemplars('worker_seconds', ['worker_seconds_bucket{le="2.0"} 1 # {from="worker 2"} 2']);
    worker.postMessage(1);
    await said(worker);
    await assertExemplars('shared_total', [
      'shared_total{id="1"} 2 # {from="worker 1"} 1',
      'shared_total{id="2"} 2 # {from="worker 2"} 2',
    ]);
    await assertExemplars('worker_seconds', [
      'worker_seconds_bucket{le="1.0"} 1 # {from="worker 1"} 1',
      'worker_seconds_bucket{le="2.0"} 2 # {from="worker 2"} 2',
    ]);
    counter.labels({ id: 1 }).inc(1, { from: 'main again' });
    assert.equal((await exemplarsOf('shared_total'))[0], 'shared_total{id="1"} 3 # {from="main again"} 1');
  });

  it('stay when their thread ends, the last ones included', async (t) => {
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
    await assertExemplars('ending_total', ['ending_total 1 # {n="first"} 1']);
    worker.postMessage('end');
    await gone(worker);
    await assertExemplars('ending_total', ['ending_total 2 # {n="last"} 1']);
  });

  it('are dropped with their series', async (t) => {
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
    await assertExemplars('leaving_total', ['leaving_total{id="1"} 1 # {n="old"} 1']);
    for (const again of [false, true]) {
      worker.postMessage(again);
      await said(worker);
      assert.deepEqual(await exemplarsOf('leaving_total'), []);
    }
    assert.match(await generateMetrics(), /^leaving_total\{id="1"\} 1$/m);
  });

  it('appear while their thread blocks its event loop', async (t) => {
    const worker = startWorker(({ createCounter }, { say }) => {
      const stop = new Int32Array(new SharedArrayBuffer(4));
      createCounter('busy_total', 'B.').inc(1, { n: 'seen' });
      say();
      Atomics.wait(stop, 0, 0);
    });
    end(t, worker);
    await said(worker);
    assert.deepEqual(await exemplarsOf('busy_total'), ['busy_total 1 # {n="seen"} 1']);
  });

  it('are never torn while their thread writes them in a loop', async (t) => {
    const texts = ['a', 'é', '\u{1f600}'].map((character) => character.repeat(120));
    const worker = startWorker(({ createCounter }, { say, data }) => {
      const counter = createCounter('rewritten_total', 'R.', { requiredLabels: ['a'] });
      const [first, second] = [counter.labels({ a: 1 }), counter.labels({ a: 2 })];
      say();
      for (let i = 1; ; i++) {
        const exemplar = { k: data[i % 3]!, n: i % 3 };
        first.inc(1, exemplar);
        second.inc(1, exemplar);
      }
    }, texts);
    end(t, worker);
    await said(worker);
    const seen = new Set<number>();
    for (const until = Date.now() + 1000; Date.now() < until; ) {
      const [snapshot] = (await REGISTRY.collect()).filter(({ family }) => family.name === 'rewritten_total');
      for (const { labels } of snapshot?.exemplars?.values() ?? []) {
        assert.deepEqual(labels, { k: texts[Number(labels.n)], n: labels.n });
        seen.add(Number(labels.n));
      }
    }
    assert.deepEqual([...seen].sort(), [0, 1, 2]);
  });

  it('are copied again when they are written during the copy', (t) => {
    const { write, read } = exemplarRecord();
    write('a');
    const slice = Uint8Array.prototype.slice;
    const copying = t.mock.method(
      Uint8Array.prototype,
      'slice',
      function (this: Uint8Array, from?: number, to?: number) {
        const copy = slice.call(this, from, to);
        if (copying.mock.callCount() === 0) write('b');
        // The second half of the bytes is from after the write.
        const middle = copy.length >> 1;
        copy.set(slice.call(this, from, to).subarray(middle), middle);
        return copy;
      },
    );
    assert.deepEqual(read(), ['b'.repeat(120)]);
    assert.equal(copying.mock.callCount(), 2);
    assert.deepEqual(read(), []);
  });

  it('are left for the next read while they are being written', (t) => {
    const { write, read } = exemplarRecord();
    const encodeInto = TextEncoder.prototype.encodeInto;
    t.mock.method(
      TextEncoder.prototype,
      'encodeInto',
      function (this: InstanceType<typeof TextEncoder>, text: string, to: Uint8Array) {
        const written = encodeInto.call(this, text, to);
        assert.deepEqual(read(), []);
        return written;
      },
    );
    write('a');
    assert.deepEqual(read(), ['a'.repeat(120)]);
  });

  it('have the longest labels, and stay with their series when others are removed', async (t) => {
    const longest = [{ k: '\u0001'.repeat(127) }, { k: '\u{1f600}'.repeat(127) }, { k: '"'.repeat(127) }];
    const worker = startWorker(({ createCounter }, { say, data }) => {
      const counter = createCounter('longest_total', 'L.', { requiredLabels: ['a'] });
      for (const [a, exemplar] of data.entries()) counter.labels({ a }).inc(1, exemplar);
      counter.remove({ a: 1 });
      counter.labels({ a: 3 }).inc(1, { from: 'new' });
      say();
    }, longest);
    end(t, worker);
    await said(worker);
    const [snapshot] = (await REGISTRY.collect()).filter(({ family }) => family.name === 'longest_total');
    const series = [...seriesOf(snapshot!)].map(({ labels }) => labels.a);
    const shown = [...snapshot!.exemplars!].map(([row, { labels }]) => [series[row], labels]);
    assert.deepEqual(shown.sort(), [
      ['0', longest[0]],
      ['2', longest[2]],
      ['3', { from: 'new' }],
    ]);
  });

  it('move to another backend with their numbers', async (t) => {
    const worker = startWorker(({ createCounter }, { say }) => {
      createCounter('moving_total', 'M.').inc(1, { from: 'worker' });
      say();
    });
    end(t, worker);
    createCounter('own_moving_total', 'M.').inc(2, { from: 'main' });
    await said(worker);
    await generateMetrics();
    await loadBackend(SingleProcessBackend);
    assert.deepEqual(await exemplarsOf('moving_total'), ['moving_total 1 # {from="worker"} 1']);
    assert.deepEqual(await exemplarsOf('own_moving_total'), ['own_moving_total 2 # {from="main"} 2']);
    await gone(worker);
    assert.deepEqual(await exemplarsOf('moving_total'), ['moving_total 1 # {from="worker"} 1']);
  });
});
