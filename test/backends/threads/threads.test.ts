/** Metrics of worker threads are part of the main thread's without set-up, however the worker ends. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { threadId } from 'node:worker_threads';
import {
  CollectorRegistry,
  createCounter,
  createGauge,
  createHistogram,
  type FamilyDescriptor,
  generateMetrics,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import type { CellRequest, Cells } from 'metheus/backends';
import { gone, said, source, startWorker } from '../../support/workers.js';

/** Returns the samples of the default registry whose names begin with `prefix`. */
async function samples(prefix: string): Promise<string[]> {
  const text = await generateMetrics();
  return text.split('\n').filter((line) => line.startsWith(prefix));
}

describe('a metric of a worker', () => {
  it('is shown by the main thread while the worker lives', async () => {
    const worker = startWorker(({ createCounter }, { say, port }) => {
      const counter = createCounter('alive_total', 'A.', { requiredLabels: ['a'] }).labels({ a: '"😀\n' });
      counter.inc(3);
      say();
      port.once('message', () => {
        counter.inc(4);
        say();
      });
    });
    await said(worker);
    assert.deepEqual(await samples('alive'), ['alive_total{a="\\"😀\\n"} 3']);
    worker.postMessage('more');
    await said(worker);
    assert.deepEqual(await samples('alive'), ['alive_total{a="\\"😀\\n"} 7']);
    await gone(worker);
    assert.deepEqual(await samples('alive'), ['alive_total{a="\\"😀\\n"} 7']);
  });

  it('is shown while the worker never returns to its event loop', async () => {
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const worker = startWorker(({ createCounter }, { say, data }) => {
      const counter = createCounter('busy_total', 'B.');
      counter.inc();
      say();
      Atomics.wait(data, 0, 0);
      counter.inc();
    }, shared);
    await said(worker);
    assert.deepEqual(await samples('busy'), ['busy_total 1']);
    Atomics.store(shared, 0, 1);
    Atomics.notify(shared, 0);
    await gone(worker);
    assert.deepEqual(await samples('busy'), ['busy_total 2']);
  });

  it('stays when the worker ends, exits, throws or is terminated', async () => {
    const ends = {
      end: startWorker(({ createCounter }) => {
        createCounter('ended_total', 'E.', { requiredLabels: ['by'] })
          .labels({ by: 'end' })
          .inc(1);
      }),
      exit: startWorker(({ createCounter }) => {
        createCounter('ended_total', 'E.', { requiredLabels: ['by'] })
          .labels({ by: 'exit' })
          .inc(2);
        process.exit(7);
      }),
      throw: startWorker(({ createCounter }) => {
        createCounter('ended_total', 'E.', { requiredLabels: ['by'] })
          .labels({ by: 'throw' })
          .inc(3);
        throw new Error('on purpose');
      }),
      terminate: startWorker(({ createCounter }, { say }) => {
        createCounter('ended_total', 'E.', { requiredLabels: ['by'] })
          .labels({ by: 'terminate' })
          .inc(4);
        say();
        setInterval(() => {}, 1000);
      }),
    };
    const failed = once(ends.throw, 'error');
    const all = Promise.all(Object.values(ends).map(gone));
    await said(ends.terminate);
    await ends.terminate.terminate();
    assert.deepEqual(await all, [0, 7, 1, 1]);
    assert.equal((await failed)[0].message, 'on purpose');
    assert.deepEqual((await samples('ended')).toSorted(), [
      'ended_total{by="end"} 1',
      'ended_total{by="exit"} 2',
      'ended_total{by="terminate"} 4',
      'ended_total{by="throw"} 3',
    ]);
  });

  it('adds up with those of other workers and of the main thread, for every type', async () => {
    const labels = { requiredLabels: ['a'], defaultLabels: { a: 'x' } } as const;
    const histogram = createHistogram('sum_h', 'H.', { ...labels, buckets: [1, 2] });
    histogram.observe(0.5);
    createCounter('sum_c_total', 'C.').inc(100);
    const work = () =>
      startWorker(({ createCounter, createHistogram, createSummary, createGauge }) => {
        const labels = { requiredLabels: ['a'], defaultLabels: { a: 'x' } } as const;
        createHistogram('sum_h', 'H. In other words.', { ...labels, buckets: [1, 2] }).observe(1.5);
        createHistogram('sum_h', 'H. In other words.', { ...labels, buckets: [1, 2] })
          .labels({ a: 'y' })
          .observe(9);
        createSummary('sum_s', 'S.', labels).observe(2.5);
        createCounter('sum_c_total', 'C.').inc(10);
        createGauge('sum_g', 'G.', { multiprocessMode: 'sum' }).set(4);
      });
    await Promise.all([gone(work()), gone(work())]);
    const expected = [
      'sum_h_bucket{a="x",le="1"} 1',
      'sum_h_bucket{a="x",le="2"} 3',
      'sum_h_bucket{a="x",le="+Inf"} 3',
      'sum_h_sum{a="x"} 3.5',
      'sum_h_count{a="x"} 3',
      'sum_h_bucket{a="y",le="1"} 0',
      'sum_h_bucket{a="y",le="2"} 0',
      'sum_h_bucket{a="y",le="+Inf"} 2',
      'sum_h_sum{a="y"} 18',
      'sum_h_count{a="y"} 2',
      'sum_c_total 120',
    ];
    // Series of workers alone come after those of the main thread.
    const theirs = ['sum_s_sum{a="x"} 5', 'sum_s_count{a="x"} 2', 'sum_g 8'];
    assert.deepEqual(await samples('sum_'), [...expected, ...theirs]);
    assert.equal(histogram.get().count, 1, 'get() is of this thread');
  });

  it('belongs to the registry of the same scope', async () => {
    const registry = new CollectorRegistry({ scope: 'shared-scope', prefix: 'app' });
    const worker = startWorker(({ createCounter, CollectorRegistry }) => {
      const registry = new CollectorRegistry({ scope: 'shared-scope' });
      createCounter('scoped_total', 'S.', { registry }).inc(5);
      createCounter('nowhere_total', 'N.', { registry: null }).inc(5);
    });
    await gone(worker);
    assert.equal(
      await generateMetrics(registry),
      '# HELP app_scoped_total S.\n# TYPE app_scoped_total counter\napp_scoped_total 5\n',
    );
    assert.deepEqual(await samples('scoped'), []);
    assert.deepEqual(await samples('nowhere'), []);
  });

  it('has any number of series, and labels of any length', async () => {
    const worker = startWorker(({ createCounter }) => {
      const counter = createCounter('many_total', 'M.', { requiredLabels: ['a', 'b'] });
      for (let i = 0; i < 20_000; i++) counter.labels({ a: i, b: 'é' }).inc(i);
      counter.labels({ a: 'long', b: '😀'.repeat(300_000) }).inc(7);
    });
    await gone(worker);
    const lines = await samples('many_total');
    assert.equal(lines.length, 20_001);
    for (let i = 0; i < 20_000; i++) assert.equal(lines[i], `many_total{a="${i}",b="é"} ${i}`);
    assert.equal(lines[20_000], `many_total{a="long",b="${'😀'.repeat(300_000)}"} 7`);
  });

  it('disappears when the worker removes it, and starts again at 0', async () => {
    const worker = startWorker(({ createCounter }, { say, port }) => {
      const counter = createCounter('removed_total', 'R.', { requiredLabels: ['a'] });
      const plain = createCounter('removed_plain_total', 'R.');
      for (const a of [1, 2, 3]) counter.labels({ a }).inc(a);
      plain.inc(5);
      const steps = [
        () => counter.remove({ a: 2 }),
        () => counter.labels({ a: 2 }).inc(20),
        () => plain.clear(),
        () => plain.inc(),
        () => counter.clear(),
      ];
      const kept = counter.labels({ a: 1 });
      port.on('message', () => {
        steps.shift()?.();
        if (steps.length === 0) kept.inc();
        say();
        if (steps.length === 0) port.close();
      });
      say();
    });
    const line = (a: number, value: number) => `removed_total{a="${a}"} ${value}`;
    const plain = (value: number) => `removed_plain_total ${value}`;
    const all = [line(1, 1), line(2, 2), line(3, 3)];
    await said(worker);
    assert.deepEqual((await samples('removed')).toSorted(), [...all, plain(5)].toSorted());
    const left = [line(1, 1), line(3, 3)];
    for (const expected of [
      [...left, plain(5)],
      [line(1, 1), line(2, 20), line(3, 3), plain(5)],
      [line(1, 1), line(2, 20), line(3, 3), plain(0)],
      [line(1, 1), line(2, 20), line(3, 3), plain(1)],
      [plain(1)],
    ]) {
      worker.postMessage('next');
      await said(worker);
      assert.deepEqual((await samples('removed')).toSorted(), expected.toSorted());
    }
    await gone(worker);
    assert.deepEqual(await samples('removed'), [plain(1)]);
  });

  it('is shown by a scrape in the worker, without those of other threads', async () => {
    createCounter('inside_main_total', 'I.').inc(1);
    const worker = startWorker(async ({ createCounter, createGauge, generateMetrics }, { say }) => {
      const counter = createCounter('inside_worker_total', 'I.', { requiredLabels: ['a'] });
      counter.labels({ a: 1 }).inc(3);
      const first = await generateMetrics();
      counter.labels({ a: 1 }).inc();
      counter.labels({ a: 2 }).inc();
      createGauge('inside_gauge', 'G.');
      const second = await generateMetrics();
      counter.remove({ a: 1 });
      say([first, second, await generateMetrics()]);
    });
    const head = '# HELP inside_worker_total I.\n# TYPE inside_worker_total counter\n';
    const gauge = '# HELP inside_gauge G.\n# TYPE inside_gauge gauge\ninside_gauge 0\n';
    assert.deepEqual(await said(worker), [
      `${head}inside_worker_total{a="1"} 3\n`,
      `${head}inside_worker_total{a="1"} 4\ninside_worker_total{a="2"} 1\n${gauge}`,
      `${head}inside_worker_total{a="2"} 1\n${gauge}`,
    ]);
    await gone(worker);
  });
});

describe('a metric of a worker that conflicts with one of the main thread', () => {
  it('is left out of the scrape, with a warning', async (t) => {
    const warnings = t.mock.method(process, 'emitWarning', () => {});
    createHistogram('conflict', 'C.', { buckets: [1] }).observe(1);
    const worker = startWorker(({ createCounter, createHistogram }) => {
      createHistogram('conflict', 'C.', { buckets: [2] }).observe(1);
      createCounter('conflicted_total', 'C.').inc();
    });
    const other = startWorker(({ createCounter }) => createCounter('conflict_count', 'C.').inc(7));
    await Promise.all([gone(worker), gone(other)]);
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await samples('conflict'), [
        'conflict_bucket{le="1"} 1',
        'conflict_bucket{le="+Inf"} 1',
        'conflict_sum 1',
        'conflict_count 1',
        'conflicted_total 1',
      ]);
    }
    const texts = warnings.mock.calls.map(({ arguments: [text] }) => String(text)).toSorted();
    const rest = 'that differs from the one here; it is not served.';
    assert.deepEqual(texts, [
      `Another thread or process has a counter 'conflict_count' ${rest}`,
      `Another thread or process has a histogram 'conflict' ${rest}`,
    ]);
  });
});

describe('a worker', () => {
  it('has workers of its own', async () => {
    const inner = source(({ createCounter }, { say }) => {
      createCounter('nested_total', 'N.', { requiredLabels: ['depth'] })
        .labels({ depth: 2 })
        .inc(20);
      say();
      setInterval(() => {}, 1000);
    });
    const outer = startWorker(async ({ createCounter }, { say, data }) => {
      const { Worker } = await import('node:worker_threads');
      createCounter('nested_total', 'N.', { requiredLabels: ['depth'] })
        .labels({ depth: 1 })
        .inc(10);
      const worker = new Worker(data, { eval: true });
      worker.once('message', say);
    }, inner);
    await said(outer);
    const expected = ['nested_total{depth="1"} 10', 'nested_total{depth="2"} 20'];
    assert.deepEqual((await samples('nested')).toSorted(), expected);
    await outer.terminate();
    assert.deepEqual((await samples('nested')).toSorted(), expected);
  });

  it('that ends also ends its own workers', async () => {
    const inner = source(({ createGauge }, { say }) => {
      createGauge('nested_live', 'N.', { multiprocessMode: 'liveall' }).set(2);
      say();
      setInterval(() => {}, 1000);
    });
    const outer = startWorker(async ({ createGauge }, { say, data }) => {
      const { Worker } = await import('node:worker_threads');
      createGauge('nested_live', 'N.', { multiprocessMode: 'liveall' }).set(1);
      new Worker(data, { eval: true }).once('message', say);
    }, inner);
    await said(outer);
    assert.equal((await samples('nested_live')).length, 2);
    await outer.terminate();
    assert.deepEqual(await samples('nested_live'), []);
  });

  it('keeps its backend when it loads another', async () => {
    const worker = startWorker(async ({ createCounter, loadBackend, SingleProcessBackend }, { say }) => {
      const counter = createCounter('kept_total', 'K.');
      const before = counter.backend;
      counter.inc();
      const loaded = await loadBackend(SingleProcessBackend);
      counter.inc();
      say([loaded === before, counter.backend === before, { ...counter.backend.config }]);
    });
    assert.deepEqual(await said(worker), [true, true, {}]);
    await gone(worker);
    assert.deepEqual(await samples('kept'), ['kept_total 2']);
  });
});

describe('gauges of workers', () => {
  it('are merged by their mode, which distinguishes living and ended workers', async () => {
    const modes = ['shared', 'min', 'livemin', 'max', 'livemax', 'sum', 'livesum', 'all', 'liveall'] as const;
    const start = (value: number) =>
      startWorker(
        async ({ createGauge }, { say, data, port }) => {
          for (const mode of data.modes) {
            const gauge = createGauge(`by_${mode}`, 'G.', { multiprocessMode: mode });
            if (mode === 'shared') gauge.inc(data.value);
            else gauge.set(data.value);
          }
          port.once('message', () => {});
          say();
        },
        { modes, value },
      );
    for (const mode of modes) createGauge(`by_${mode}`, 'G.', { multiprocessMode: mode });
    const [five, three] = [start(5), start(3)];
    const id = (worker: { threadId: number }) => `${process.pid}-${worker.threadId}`;
    const ids = [id(five), id(three)];
    await Promise.all([said(five), said(three)]);
    assert.deepEqual(
      (await samples('by_')).toSorted(),
      [
        `by_all{pid="${ids[0]}"} 5`,
        `by_all{pid="${ids[1]}"} 3`,
        `by_liveall{pid="${ids[0]}"} 5`,
        `by_liveall{pid="${ids[1]}"} 3`,
        'by_livemax 5',
        'by_livemin 3',
        'by_livesum 8',
        'by_max 5',
        'by_min 3',
        'by_shared 8',
        'by_sum 8',
      ].toSorted(),
    );
    five.postMessage('end');
    await gone(five);
    assert.deepEqual(
      (await samples('by_')).toSorted(),
      [
        `by_all{pid="${ids[1]}"} 3`,
        `by_all{pid="${process.pid}-departed"} 5`,
        `by_liveall{pid="${ids[1]}"} 3`,
        'by_livemax 3',
        'by_livemin 3',
        'by_livesum 3',
        'by_max 5',
        'by_min 3',
        'by_shared 3',
        'by_sum 8',
      ].toSorted(),
    );
    three.postMessage('end');
    await gone(three);
    const after = await samples('by_');
    assert.deepEqual(after.filter((line) => !line.startsWith('by_all')).toSorted(), [
      'by_livemax 0',
      'by_livemin 0',
      'by_livesum 0',
      'by_max 5',
      'by_min 3',
      'by_shared 0',
      'by_sum 8',
    ]);
  });

  it('that were set win over increments, and the last set wins', async () => {
    const gauge = createGauge('last_set', 'G.');
    gauge.inc(100);
    const set = (value: number, at: number) =>
      gone(
        startWorker(
          ({ createGauge }, { data }) => {
            Date.now = () => data.at;
            createGauge('last_set', 'G.').set(data.value);
          },
          { value, at },
        ),
      );
    await set(7, 2_000_000_000_000);
    assert.deepEqual(await samples('last_set'), ['last_set 7']);
    await set(8, 1_900_000_000_000);
    assert.deepEqual(await samples('last_set'), ['last_set 7']);
    await set(9, 2_100_000_000_000);
    assert.deepEqual(await samples('last_set'), ['last_set 9']);
  });
});

describe('loading a backend in the main thread', () => {
  it('moves the numbers of living and ended workers to it', async () => {
    const work = (value: number, stay: boolean) =>
      startWorker(
        ({ createCounter, createGauge }, { say, port, data }) => {
          const counter = createCounter('moved_total', 'M.', { requiredLabels: ['a'] }).labels({
            a: data.value,
          });
          const sum = createCounter('moved_sum_total', 'M.');
          const gauge = createGauge('moved_gauge', 'M.', { multiprocessMode: 'max' });
          const use = () => {
            counter.inc(data.value);
            sum.inc();
            gauge.set(data.value);
          };
          use();
          if (data.stay) {
            port.once('message', () => {
              use();
              say();
            });
          }
          say();
        },
        { value, stay },
      );
    const departed = work(1, false);
    await gone(departed);
    const living = work(2, true);
    await said(living);
    createCounter('moved_sum_total', 'M.').inc(10);
    const lines = (two: number, sum: number) => [
      'moved_gauge 2',
      `moved_sum_total ${sum}`,
      'moved_total{a="1"} 1',
      `moved_total{a="2"} ${two}`,
    ];
    assert.deepEqual((await samples('moved')).toSorted(), lines(2, 12));
    class Loaded extends SingleProcessBackend {}
    for (let i = 0; i < 3; i++) {
      await loadBackend(Loaded);
      assert.deepEqual((await samples('moved')).toSorted(), lines(2, 12));
    }
    living.postMessage('again');
    await said(living);
    assert.deepEqual((await samples('moved')).toSorted(), lines(4, 13));
    await gone(living);
    await loadBackend(Loaded);
    assert.deepEqual((await samples('moved')).toSorted(), lines(4, 13));
  });
});

describe('many workers that start and end', () => {
  it('leave as many series as one', async () => {
    let held = 0;
    class Counting extends SingleProcessBackend {
      override reserve(request: CellRequest): Cells {
        held += 1;
        return super.reserve(request);
      }
      override release(family: FamilyDescriptor, cells: Cells): void {
        held -= 1;
        super.release(family, cells);
      }
    }
    await loadBackend(Counting);
    const before = held;
    const run = () =>
      gone(
        startWorker(({ createCounter, createGauge }) => {
          const counter = createCounter('come_and_go_total', 'C.', { requiredLabels: ['a'] });
          for (let a = 0; a < 10; a++) counter.labels({ a }).inc();
          for (const mode of ['all', 'liveall', 'min'] as const) {
            createGauge(`come_and_go_${mode}`, 'G.', { multiprocessMode: mode }).set(1);
          }
        }),
      );
    const counts: number[] = [];
    for (let i = 0; i < 12; i++) {
      await run();
      counts.push(held - before);
    }
    // 10 counters and the gauges that outlive their writer.
    assert.deepEqual(counts, Array(12).fill(12));
    assert.deepEqual(
      await samples('come_and_go_total'),
      Array.from({ length: 10 }, (_, a) => `come_and_go_total{a="${a}"} 12`),
    );
  });
});

describe('a main thread that imports the package late', () => {
  const run = (program: string) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const text = '# HELP late_total L.\n# TYPE late_total counter\nlate_total 3\n';

  it('reads workers that started before', () => {
    const worker = source(({ createCounter }, { say, port }) => {
      createCounter('late_total', 'L.').inc(3);
      port.once('message', () => {});
      say();
    });
    const program = `
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
      await once(worker, 'message');
      const { generateMetrics } = await import('metheus');
      let text = '';
      // The worker answers when its event loop runs.
      while (text === '') {
        await new Promise(setImmediate);
        text = await generateMetrics();
      }
      process.stdout.write(text);
      worker.postMessage('end');
    `;
    assert.equal(run(program), text);
  });

  it('keeps numbers of ended workers, also when it has no metric and was not scraped before', () => {
    const worker = source(({ createCounter }) => {
      createCounter('late_total', 'L.').inc(3);
    });
    const program = `
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      import { generateMetrics } from 'metheus';
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
      await once(worker, 'exit');
      process.stdout.write(await generateMetrics());
    `;
    assert.equal(run(program), text);
  });

  it('ends when its work is done, since the package does not keep it alive', () => {
    const program = `
      import { createCounter, generateMetrics } from 'metheus';
      createCounter('late_total', 'L.').inc(3);
      process.stdout.write(await generateMetrics());
    `;
    assert.equal(run(program), text);
  });
});

it('this is the main thread', () => assert.equal(threadId, 0));
