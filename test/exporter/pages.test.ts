/** Pages of a server, chosen families, time limits of scrapes, and metrics of the handler. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  loadBackend,
  SingleProcessBackend,
} from 'metheus';
import { type MetricsServer, type MetricsServerOptions, startMetricsServer } from 'metheus/http';

let registry: CollectorRegistry;
let server: MetricsServer;

beforeEach(() => {
  registry = new CollectorRegistry();
});
afterEach(() => server?.close());

async function start(options: MetricsServerOptions = {}): Promise<void> {
  server = await startMetricsServer({ port: 0, registry, ...options });
}

async function get(path = '/metrics', headers: Record<string, string> = {}) {
  const response = await fetch(new URL(path, server.url), { headers });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

/** Returns the names of the families of a scrape. */
async function namesOf(query: string): Promise<string[]> {
  const { text } = await get(`/metrics?${query}`);
  return Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name]) => name!);
}

describe('the page /', () => {
  it('lists the families with the most series first, and the number of values of each label', async () => {
    const big = createCounter('big_total', 'Big & <b>bold</b>.', {
      requiredLabels: ['route', 'code'],
      registry,
    });
    createGauge('small_seconds', 'Small.', { unit: 'seconds', registry }).set(1);
    for (let route = 0; route < 5; route++) {
      for (const code of [200, 500]) big.labels({ route, code }).inc();
    }
    await start();
    const { type, text } = await get('/');
    assert.equal(type, 'text/html; charset=utf-8');
    assert.match(text, /has 11 series of 2 metrics/);
    assert.match(
      text,
      /big_total<\/code><td>counter<td class="number">10<td class="number">10<td>route: 5, code: 2/,
    );
    assert.match(text, /small_seconds<\/code><td>gauge, seconds<td class="number">1/);
    assert.ok(text.indexOf('big_total') < text.indexOf('small_seconds'));
    assert.match(text, /Big &amp; &lt;b&gt;bold&lt;\/b&gt;\./);
    assert.doesNotMatch(text, /<script|src=|https?:/);
  });

  it('counts the values of 10,000 series of a family at most', async () => {
    const gauge = createGauge('large', 'L.', { requiredLabels: ['id'], registry });
    for (let id = 0; id < 10_001; id++) gauge.labels({ id }).set(1);
    await start();
    assert.match(
      (await get('/')).text,
      /<td class="number">10001<td class="number">20002<td>id: 10000 or more/,
    );
  });
});

describe('health checks', () => {
  it('succeed while the server listens and the backend is there', async () => {
    await start();
    assert.deepEqual(await get('/-/healthy'), {
      status: 200,
      type: 'text/plain; charset=utf-8',
      text: 'Healthy.\n',
    });
    assert.equal((await get('/-/ready')).status, 200);
  });

  it('report a backend that is being loaded as not ready', async () => {
    await start();
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    class SlowBackend extends SingleProcessBackend {
      open(): Promise<void> {
        return opened;
      }
    }
    const loading = loadBackend(SlowBackend);
    assert.deepEqual([(await get('/-/ready')).status, (await get('/-/healthy')).status], [503, 200]);
    open();
    await loading;
    assert.equal((await get('/-/ready')).status, 200);
  });
});

describe('name[]', () => {
  beforeEach(async () => {
    createCounter('a_total', 'A.', { registry }).inc();
    createGauge('b', 'B.', { registry }).set(1);
    createGauge('c', 'C.', { registry }).set(1);
    await start();
  });

  const queries: readonly [query: string, names: string[]][] = [
    ['', ['a_total', 'b', 'c']],
    ['name[]=b', ['b']],
    ['name%5B%5D=b&name[]=a_total', ['a_total', 'b']],
    ['name[]=a', ['a_total']],
    ['name[]=unknown', []],
    ['name[]=', []],
    ['name=b', ['a_total', 'b', 'c']],
    [Array.from({ length: 1024 }, (_, i) => `name[]=${i === 9 ? 'c' : i}`).join('&'), ['c']],
  ];
  for (const [query, names] of queries) {
    it(`chooses ${names.join() || 'nothing'} with ${query.slice(0, 40)}`, async () => {
      assert.deepEqual(await namesOf(query), names);
    });
  }

  it('is refused more than 1,024 times', async () => {
    const query = Array.from({ length: 1025 }, (_, i) => `name[]=${i}`).join('&');
    const { status, text } = await get(`/metrics?${query}`);
    assert.deepEqual([status, text], [400, 'At most 1024 names can be requested, not 1025.\n']);
  });
});

describe('the time limit of a scrape', () => {
  it('bounds collectors, and the rest is served', async () => {
    createGauge('there', 'T.', { registry }).set(1);
    registry.register({ name: 'hung', collect: () => new Promise<never>(() => {}) });
    await start();
    const { status, text } = await get('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': '0.2' });
    assert.equal(status, 200);
    assert.match(text, /^there 1$/m);
    assert.match(text, /^metheus_collector_errors_total\{collector="hung",cause="timeout"\} 1$/m);
  });

  it('is not that of other scrapes, nor of a wrong header', async () => {
    let limit: number | undefined;
    const collected = {
      collect: async (options: { timeout?: number } = {}) => {
        limit = options.timeout;
        return [createFamily('x', 'X.', { type: 'gauge', series: [{ value: 1 }] })];
      },
    };
    await start({ registry: collected });
    for (const [header, expected] of [
      ['10', 9.5],
      ['nonsense', Number.POSITIVE_INFINITY],
      ['-1', Number.POSITIVE_INFINITY],
      ['0.4', 0.2],
    ] as const) {
      await get('/metrics', { 'X-Prometheus-Scrape-Timeout-Seconds': header });
      assert.equal(limit, expected, header);
    }
    await get();
    assert.equal(limit, Number.POSITIVE_INFINITY);
  });
});

describe('metrics of the handler', () => {
  it('count scrapes by status, and measure them', async () => {
    await start({ handlerMetrics: true });
    const { text } = await get();
    assert.match(text, /^promhttp_metric_handler_requests_in_flight 1$/m);
    assert.match(text, /^promhttp_metric_handler_requests_total\{code="200"\} 0$/m);
    assert.match(text, /^promhttp_metric_handler_errors_total\{cause="gathering"\} 0$/m);
    await get('/metrics', { 'Accept-Encoding': 'identity' });
    const third = (await get()).text;
    assert.match(third, /^promhttp_metric_handler_requests_total\{code="200"\} 2$/m);
    assert.match(third, /^metheus_scrape_duration_seconds_count 2$/m);
    assert.match(third, /^metheus_scrape_size_bytes_count 2$/m);
  });

  it('count failed scrapes', async () => {
    registry.register({
      collect: () => {
        throw new Error('no');
      },
    });
    await start({ handlerMetrics: true, onError: 'fail' });
    assert.equal((await get()).status, 500);
    await server.close();
    await start({ handlerMetrics: true, onError: 'partial' });
    const { text } = await get();
    assert.match(text, /^promhttp_metric_handler_requests_total\{code="500"\} 1$/m);
    assert.match(text, /^promhttp_metric_handler_errors_total\{cause="gathering"\} 1$/m);
  });

  it('end with a large response, whole or abandoned', async () => {
    const gauge = createGauge('large', 'L.', { requiredLabels: ['id'], registry });
    for (let id = 0; id < 20_000; id++) gauge.labels({ id: `${id}`.padStart(50, 'x') }).set(1);
    await start({ handlerMetrics: true, compress: false });
    const whole = (await get()).text;
    const controller = new AbortController();
    const response = await fetch(server.url, { signal: controller.signal });
    await response.body!.getReader().read();
    controller.abort();
    let text = '';
    do text = (await get('/metrics?name[]=promhttp_metric_handler_requests_in_flight')).text;
    while (!/in_flight 1$/m.test(text));
    const { text: sizes } = await get('/metrics?name[]=metheus_scrape_size_bytes');
    const [, sum] = /^metheus_scrape_size_bytes_sum (\d+)$/m.exec(sizes)!;
    assert.ok(Number(sum) >= whole.length, sum);
  });

  it('need a registry', async () => {
    const options = { handlerMetrics: true, registry: { collect: async () => [] } };
    await assert.rejects(startMetricsServer({ port: 0, ...options }), { code: 'METHEUS_INVALID_OPTIONS' });
  });
});
