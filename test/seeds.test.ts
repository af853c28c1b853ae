/**
 * The seeds to the letter: an obvious translation of every snippet in the READMEs of pytheus and of the Prometheus
 * exporter for tqdm. `docs/guides/from-pytheus.md` and `docs/guides/from-tqdm-exporter.md` compare name for name.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CollectorRegistry,
  Counter,
  createCounter,
  createGauge,
  createHistogram,
  createSummary,
  Gauge,
  generateMetrics,
  Histogram,
  loadBackend,
  REGISTRY,
  SingleProcessBackend,
  Summary,
} from 'metheus';
import { KeyValueBackend } from 'metheus/backends';
import { TqdmPromProxy, tqdm } from 'metheus/progress';

process.env.TQDM_OUTPUT = 'none';

/** Returns the samples of the default registry, without comments. */
async function samples(): Promise<string[]> {
  return (await generateMetrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const doSomething = () => 'done';

// Each snippet is a program of its own.
beforeEach(() => REGISTRY.setRegistry(new CollectorRegistry()));

describe('pytheus: labels', () => {
  it('partial labels', async () => {
    // without labels
    const plain = new Counter('plain_metric', 'desc');
    plain.inc(); // example for counter

    // with labels
    const myMetric = new Counter('metric_name', 'desc', { requiredLabels: ['req1', 'req2'] });

    myMetric.labels({ req1: '1', req2: '2' }).inc(); // you can pass all the labels at once
    const partialMyMetric = myMetric.labels({ req1: '1' }); // a cacheable object with one label already set
    const observableMyMetric = partialMyMetric.labels({ req2: '2' }); // finish setting the remaining values
    observableMyMetric.inc();

    assert.deepEqual(await samples(), ['plain_metric 1', 'metric_name{req1="1",req2="2"} 2']);
  });

  it('default labels', async () => {
    const myMetric = new Counter('metric_name', 'desc', {
      requiredLabels: ['req1', 'req2'],
      defaultLabels: { req2: 'me_set!' },
    });

    myMetric.labels({ req1: '1' }).inc(); // only the remaining labels
    myMetric.labels({ req1: '1', req2: '2' }); // you can still override default labels!

    assert.deepEqual(await samples(), [
      'metric_name{req1="1",req2="me_set!"} 1',
      'metric_name{req1="1",req2="2"} 0',
    ]);
  });
});

describe('pytheus: the quickstart', () => {
  it('a server with timed endpoints', async () => {
    const histogram = createHistogram('page_visits_latency_seconds', 'used for testing');

    const home = () => {
      using _timer = histogram.startTimer();
      return 'hello world!';
    };
    const slow = histogram.timed(async () => {
      await sleep(3);
      return 'hello world! from slow!';
    });
    const app = createServer(async ({ url }, response) => {
      if (url === '/metrics') response.end(await generateMetrics());
      else if (url === '/slow') response.end(await slow());
      else response.end(home());
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    const { port } = app.address() as AddressInfo;
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

    assert.equal(await get('/'), 'hello world!');
    assert.equal(await get('/slow'), 'hello world! from slow!');
    const metrics = await get('/metrics');
    assert.match(metrics, /^page_visits_latency_seconds_bucket\{le="0\.005"\} [12]$/m);
    assert.match(metrics, /^page_visits_latency_seconds_bucket\{le="\+Inf"\} 2$/m);
    assert.match(metrics, /^page_visits_latency_seconds_count 2$/m);
    app.close();
    app.closeAllConnections();
  });
});

describe('pytheus: metric types', () => {
  it('counter', async () => {
    const counter = new Counter('my_counter', 'My description');

    // increase by 1
    counter.inc();

    // increase by x
    counter.inc(7);

    const raise = (): never => {
      throw new RangeError('raised');
    };

    // it is possible to count errors
    assert.throws(() => counter.countErrors(raise), RangeError); // increases counter by 1

    // you can specify which errors to watch for
    assert.throws(() => counter.countErrors(raise, [TypeError, RangeError]), RangeError); // increases counter by 1

    // it is possible to use the counter as a decorator as a shortcut to count errors
    class Service {
      @counter.countErrors
      test(): never {
        throw new RangeError('raised'); // increases counter by 1 when called
      }

      // specifying which errors to look for also works with the decorator
      @counter.countErrors([TypeError, RangeError])
      other(): never {
        throw new RangeError('raised'); // increases counter by 1 when called
      }
    }
    assert.throws(() => new Service().test(), RangeError);
    assert.throws(() => new Service().other(), RangeError);

    // a function, which JavaScript does not decorate, is wrapped
    const test = counter.countErrors([TypeError, RangeError])(raise);
    assert.throws(() => test(), RangeError);

    assert.deepEqual(await samples(), ['my_counter 13']);
  });

  it('gauge', async () => {
    const gauge = new Gauge('my_gauge', 'My description');

    // increase by 1
    gauge.inc();

    // increase by x
    gauge.inc(7);

    // decrease by 1
    gauge.dec();
    assert.equal(gauge.get(), 7);

    // set a specific value
    gauge.set(7);

    // set to current unix timestamp
    gauge.setToCurrentTime();
    assert.ok(Math.abs(gauge.get() - Date.now() / 1000) < 60);

    // it is possible to track progress: 1 more when entered, 1 less when exited
    gauge.set(0);
    {
      using _tracked = gauge.trackInProgress();
      doSomething();
      assert.equal(gauge.get(), 1);
    }
    assert.equal(gauge.get(), 0);

    // you can also time a piece of code, will set the duration in seconds to value when exited
    gauge.time(() => doSomething());
    assert.ok(gauge.get() > 0);

    class Service {
      // tracking time can also be done as a decorator
      @gauge.time
      doSomething() {}

      // tracking progress is also available via decorator
      @gauge.trackInProgress
      doMore() {
        return gauge.get();
      }
    }
    new Service().doSomething();
    assert.ok(gauge.get() > 0);
    gauge.set(0);
    assert.equal(new Service().doMore(), 1);
    assert.deepEqual(await samples(), ['my_gauge 0']);
  });

  it('histogram', async () => {
    // by default it will have the following buckets: .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10
    // note: the +Inf bucket will be added automatically
    const byDefault = new Histogram('default_histogram', 'My description');
    assert.deepEqual(
      byDefault.get().buckets.map(([bound]) => bound),
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, Number.POSITIVE_INFINITY],
    );

    // create a histogram specifying buckets
    const histogram = new Histogram('my_histogram', 'My description', { buckets: [0.2, 1, 3] });

    // observe a value
    histogram.observe(0.4);

    // you can also time a piece of code
    histogram.time(() => doSomething());

    // tracking time can also be done as a decorator
    class Service {
      @histogram.time
      doSomething() {}
    }
    new Service().doSomething();

    const { count, buckets } = histogram.get();
    assert.deepEqual(
      [count, buckets],
      [
        3,
        [
          [0.2, 2],
          [1, 3],
          [3, 3],
          [Number.POSITIVE_INFINITY, 3],
        ],
      ],
    );
  });

  it('summary', async () => {
    const summary = new Summary('my_summary', 'My description');

    // observe a value
    summary.observe(0.4);

    // you can also time a piece of code
    summary.time(() => doSomething());

    // tracking time can also be done as a decorator
    class Service {
      @summary.time
      doSomething() {}
    }
    new Service().doSomething();

    const [sum, count] = await samples();
    assert.match(sum!, /^my_summary_sum 0\.4\d*$/);
    assert.equal(count, 'my_summary_count 3');
  });
});

describe('pytheus: custom collectors', () => {
  it('yield metrics that are not registered', async () => {
    class MyCustomCollector {
      *collect() {
        const counter = new Counter('name', 'desc', { registry: null }); // no automatic registering
        counter.inc();
        yield counter;
      }
    }

    REGISTRY.register(new MyCustomCollector());

    assert.deepEqual(await samples(), ['name 1']);
    assert.deepEqual(await samples(), ['name 1'], 'each scrape makes its own');
  });

  it('are ignored for names that are taken', async () => {
    createGauge('name', 'desc').set(5);
    REGISTRY.register({
      name: 'custom',
      collect: () => [createCounter('name', 'desc', { registry: null })],
    });
    assert.ok((await samples()).includes('name 5'));
  });
});

describe('pytheus: backends', () => {
  const requiredLabels = ['label_a', 'label_b'] as const;

  it('work out of the box with the SingleProcessBackend', () => {
    const counter = new Counter('my_metric', 'My description', { requiredLabels });
    assert.equal(counter.backend.constructor, SingleProcessBackend);
    assert.deepEqual(counter.backend.config, {});
  });

  /** Runs a program in a directory with `config.json`, and returns what it prints. */
  function run(config: object, env: Record<string, string>, program: string): unknown {
    const directory = mkdtempSync(join('build', 'seeds-'));
    try {
      writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        cwd: directory,
        env: { ...process.env, ...env },
        encoding: 'utf8',
      });
      assert.notEqual(stdout, '', stderr);
      return JSON.parse(stdout);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  const PRINT = `
    const counter = new Counter('my_metric', 'My description', { requiredLabels: ['label_a', 'label_b'] });
    const { host, port } = counter.backend.config;
    console.log(JSON.stringify([counter.backend.constructor.name, { host, port }]));
    await counter.backend.close();
  `;

  // No server listens there: the metrics are kept in memory until one does.
  const config = { host: '127.0.0.1', port: 1 };

  it('are chosen by the environment', () => {
    const env = {
      METHEUS_BACKEND_CLASS: 'MultiProcessRedisBackend',
      METHEUS_BACKEND_CONFIG: './config.json',
    };
    const program = `
      import { Counter, loadBackend } from 'metheus';
      await loadBackend(); // loading takes a moment, and has begun with the import
      ${PRINT}`;
    assert.deepEqual(run(config, env, program), ['MultiProcessRedisBackend', config]);
  });

  it('are chosen by code, which takes precedence', () => {
    const env = { METHEUS_BACKEND_CLASS: 'SingleProcessBackend' };
    const program = `
      import { Counter, loadBackend } from 'metheus';
      import { MultiProcessRedisBackend } from 'metheus/backends/redis';

      await loadBackend({
        backendClass: MultiProcessRedisBackend,
        backendConfig: {
          host: '127.0.0.1',
          port: 1,
        },
      });
      ${PRINT}`;
    assert.deepEqual(run({}, env, program), ['MultiProcessRedisBackend', config]);
  });

  it('can be your own, with a hook for its initialization', async () => {
    const calls: string[] = [];
    const values = new Map<string, number>();
    class MyBackend extends KeyValueBackend {
      override readonly config;

      constructor(config: { table: string }) {
        super();
        this.config = { ...config };
      }

      override async open(): Promise<void> {
        calls.push('initialized');
        await super.open();
      }

      increment(key: string, by: number): void {
        values.set(key, (values.get(key) ?? 0) + by);
      }

      set(key: string, value: number): void {
        values.set(key, value);
      }

      entries(): Iterable<[string, number]> {
        return values;
      }
    }
    REGISTRY.setRegistry(new CollectorRegistry({ scope: 'mine' }));
    await loadBackend({ backendClass: MyBackend, backendConfig: { table: 'metrics' } });
    try {
      const counter = new Counter('my_metric', 'My description');
      counter.inc(3);
      assert.deepEqual(counter.backend.config, { table: 'metrics' });
      assert.deepEqual(await samples(), ['my_metric 3']);
      assert.deepEqual(calls, ['initialized']);
      assert.ok([...values.values()].includes(3));
    } finally {
      await loadBackend(SingleProcessBackend);
    }
  });
});

describe('pytheus: what is different', () => {
  it('a label of a partial metric cannot be given twice', () => {
    const metric = createCounter('metric_name', 'desc', { requiredLabels: ['req1', 'req2'] });
    const partial = metric.labels({ req1: '1' });
    assert.throws(() => partial.labels({ req1: '2' } as never), { code: 'METHEUS_LABEL_ALREADY_GIVEN' });
  });

  it('empty buckets are an error', () => {
    assert.throws(() => createHistogram('h', 'desc', { buckets: [] }), { code: 'METHEUS_INVALID_BUCKETS' });
  });

  it('calls that fail are timed, and no longer in progress', () => {
    const summary = createSummary('s', 'desc');
    const gauge = createGauge('g', 'desc');
    const fail = () => {
      throw new Error('failed');
    };
    assert.throws(() => summary.time(() => gauge.trackInProgress(fail)), /failed/);
    assert.deepEqual([summary.get().count, gauge.get()], [1, 0]);
  });
});

describe('the exporter for tqdm', () => {
  let programs = 0;

  /** Starts a proxy on a free port, runs a program with it, and returns the samples that it serves. */
  async function served(
    options: ConstructorParameters<typeof TqdmPromProxy>[0],
    program: (proxy: TqdmPromProxy) => void,
  ): Promise<string[]> {
    programs += 1;
    // Proxies of one name publish their bars together.
    const own = { name: `program-${programs}`, registry: new CollectorRegistry() };
    const proxy = new TqdmPromProxy({ ...options, ...own, httpPort: 0 });
    await proxy.start();
    try {
      program(proxy);
      const response = await fetch(proxy.url!); // curl http://[::1]:3000/metrics
      return (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    } finally {
      await proxy.stop();
    }
  }

  const metricFormatterFunc = (metricName: string, metricProperty: string, metricScale: string): string =>
    `${metricName.replaceAll(' ', '_')}_${metricProperty}_${metricScale}`;

  it('replaces tqdm by proxy.tqdm, and names metrics by metricFunc', async () => {
    let done = 0;
    const samples = await served({ httpHost: '[::1]', metricFunc: metricFormatterFunc }, (proxy) => {
      for (const item of proxy.tqdm(100, { desc: 'My first bar' })) done += item;

      {
        using f = proxy.tqdm(100, { desc: 'My second bar' });
        f.update(50);
      }
    });
    assert.equal(done, 4950);
    for (const expected of [
      'My_first_bar_completed_it 100',
      'My_first_bar_total_it 100',
      'My_first_bar_active_it 0',
      'My_first_bar_finished_it 1',
      'My_second_bar_completed_it 50',
      'My_second_bar_total_it 100',
      'My_second_bar_active_it 0',
    ]) {
      assert.ok(samples.includes(expected), `${expected} in\n${samples.join('\n')}`);
    }
  });

  it('has the names of the exporter itself', async () => {
    const samples = await served({ names: 'python' }, (proxy) => {
      for (const _ of proxy.tqdm(100, { desc: 'My first bar' }));
    });
    for (const expected of [
      'My_first_bar_completed_it 100',
      'My_first_bar_total_it 100',
      'My_first_bar_active_count 0',
      'My_first_bar_finished_count 1',
    ]) {
      assert.ok(samples.includes(expected), `${expected} in\n${samples.join('\n')}`);
    }
  });

  it('calls metricFunc for the four properties of the exporter', async () => {
    const properties = new Set<string>();
    const metricFunc = (metricName: string, metricProperty: string) => {
      properties.add(metricProperty);
      return `${metricName}_${metricProperty}`;
    };
    await served({ metricFunc }, (proxy) => {
      for (const _ of proxy.tqdm(10, { desc: 'bar' }));
    });
    assert.deepEqual([...properties].sort(), ['active', 'completed', 'finished', 'total']);
  });

  it('takes an options object alone for a bar that is moved by hand', async () => {
    const samples = await served({ metricFunc: metricFormatterFunc }, (proxy) => {
      using bar = proxy.tqdm({ total: 100, desc: 'By hand' });
      bar.update(50);
    });
    assert.ok(samples.includes('By_hand_completed_it 50'), String(samples));
  });

  it('aggregates bars by bucketFunc', async () => {
    const samples = await served(
      {
        bucketFunc: (snapshot) => {
          if (snapshot.desc.toLowerCase().startsWith('upload')) return 'Upload';

          return snapshot.desc;
        },
      },
      (proxy) => {
        for (const desc of ['Upload a', 'upload b', 'Download']) {
          for (const _ of proxy.tqdm(10, { desc }));
        }
      },
    );
    for (const [bucket, completed, finished] of [
      ['Upload', 20, 2],
      ['Download', 10, 1],
    ] as const) {
      assert.ok(samples.includes(`progress_completed_total{bucket="${bucket}",unit="it"} ${completed}`));
      assert.ok(samples.includes(`progress_finished_bars_total{bucket="${bucket}"} ${finished}`));
    }
  });

  it('serves all bars at /debug, and publishes a bar that was made elsewhere', async () => {
    const proxy = new TqdmPromProxy({ httpPort: 0, name: 'debug', registry: new CollectorRegistry() });
    await proxy.start();
    using bar = tqdm({ total: 100, desc: 'Elsewhere' });
    proxy.add(bar);
    bar.update(50);
    try {
      const response = await fetch(new URL('/debug', proxy.url));
      assert.equal(response.status, 200);
      assert.match(JSON.stringify(await response.json()), /Elsewhere/);
      const metrics = await (await fetch(proxy.url!)).text();
      assert.match(metrics, /^progress_completed_total\{bucket="Elsewhere",unit="it"\} 50$/m);
    } finally {
      await proxy.stop();
    }
  });

  it('prints above the bars with tqdm.write', () => {
    let printed = '';
    tqdm.write('Job done', {
      file: {
        write: (text) => {
          printed += text;
          return true;
        },
      },
    });
    assert.equal(printed, 'Job done\n');
  });

  it('counts bars that are not drawn, other than tqdm', async () => {
    const samples = await served({}, (proxy) => {
      for (const _ of proxy.tqdm(10, { desc: 'Silent', disable: true }));
    });
    assert.ok(samples.includes('progress_completed_total{bucket="Silent",unit="it"} 10'), String(samples));
  });
});
