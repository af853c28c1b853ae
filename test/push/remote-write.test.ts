/** Remote write to a real Prometheus, whose samples are queried back. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  createSummary,
  generateMetrics,
} from 'metheus';
import { parseMetrics } from 'metheus/parse';
import { type Pusher, startRemoteWrite } from 'metheus/push';
import { type PrometheusReceiver, startReceiver } from '../support/prometheus-server.js';
import { requireTool } from '../support/tools.js';

/** Never collects by itself within a test. */
const interval = 1_000_000;

describe('remote write to Prometheus', { skip: requireTool('prometheus') }, () => {
  let prometheus: PrometheusReceiver;

  before(async () => {
    prometheus = await startReceiver();
  });
  after(() => prometheus?.stop());

  /** Returns the values of a metric's series over the last hour, oldest first, by the labels of the series. */
  async function stored(name: string): Promise<Record<string, number[]>> {
    const found = await prometheus.samples(`${name}[1h]`);
    const texts = found.map(({ labels: { __name__, job, instance, ...own }, values }) => [
      JSON.stringify(Object.entries(own).sort()),
      values.map(([, value]) => value),
    ]);
    return Object.fromEntries(texts);
  }

  const start = (job: string, registry: CollectorRegistry): Promise<Pusher> =>
    startRemoteWrite({ url: prometheus.writeUrl, labels: { job, instance: 'a' }, registry, interval });

  it('stores each flushed value of every type once and in order', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('rw_total', 'C.', { requiredLabels: ['Path', 'b'], registry });
    const gauge = createGauge('rw_gauge', 'G.', { registry });
    const histogram = createHistogram('rw_seconds', 'H.', { buckets: [0.5, 1], registry });
    const summary = createSummary('rw_bytes', 'S.', { registry });
    const pusher = await start('types', registry);
    for (let i = 1; i <= 3; i++) {
      counter.labels({ Path: 'a "b" \\ 漢', b: '' }).inc(i);
      gauge.set(-i);
      histogram.observe(i / 2);
      summary.observe(i);
      await pusher.flush();
    }
    assert.deepEqual(await stored('rw_total'), { '[["Path","a \\"b\\" \\\\ 漢"]]': [1, 3, 6] });
    assert.deepEqual(await stored('rw_gauge'), { '[]': [-1, -2, -3] });
    assert.deepEqual(await stored('rw_seconds_bucket'), {
      '[["le","0.5"]]': [1, 1, 1],
      '[["le","1"]]': [1, 2, 2],
      '[["le","+Inf"]]': [1, 2, 3],
    });
    assert.deepEqual(await stored('rw_seconds_sum'), { '[]': [0.5, 1.5, 3] });
    assert.deepEqual(await stored('rw_bytes_count'), { '[]': [1, 2, 3] });
    assert.deepEqual(pusher.samples, { sent: 3 * 9, dropped: 0, pending: 0 });
    await pusher.close();
  });

  it('ends the series that are gone, and all series when it closes', async () => {
    const registry = new CollectorRegistry();
    const gauge = createGauge('rw_ends', 'G.', { requiredLabels: ['id'], registry });
    gauge.labels({ id: 'a' }).set(1);
    gauge.labels({ id: 'b' }).set(2);
    const pusher = await start('ends', registry);
    const current = async () => (await prometheus.query('rw_ends')).map(({ labels }) => labels.id).sort();
    await pusher.flush();
    assert.deepEqual(await current(), ['a', 'b']);
    gauge.remove({ id: 'a' });
    await pusher.flush();
    assert.deepEqual(await current(), ['b']);
    await pusher.close();
    assert.deepEqual(await current(), []);
  });

  it('stores native histograms', async () => {
    const registry = new CollectorRegistry();
    const native = createHistogram('rw_native_seconds', 'N.', { native: true, registry });
    for (const value of [0, 0.001, 0.5, 0.5, -3, 1e6]) native.observe(value);
    const pusher = await start('native', registry);
    await pusher.flush();
    assert.deepEqual((await prometheus.query('histogram_count(rw_native_seconds)'))[0]?.value, 6);
    assert.deepEqual((await prometheus.query('histogram_sum(rw_native_seconds)'))[0]?.value, 999_998.001);
    const [median] = await prometheus.query('histogram_quantile(0.6, rw_native_seconds)');
    assert.ok(Math.abs(median!.value - 0.5) < 0.05, String(median?.value));
    native.observe(0.5, { trace_id: 'abc' });
    await pusher.flush();
    const exemplars = await prometheus.exemplars('rw_native_seconds');
    assert.deepEqual(
      exemplars.map(({ labels, value }) => [labels, value]),
      [[{ trace_id: 'abc' }, 0.5]],
    );
    await pusher.close();
  });

  it('sends exemplars', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('rw_traced_total', 'C.', { registry });
    counter.inc(1, { trace_id: 'abc' });
    const pusher = await start('exemplars', registry);
    await pusher.flush();
    const found = await prometheus.exemplars('rw_traced_total');
    assert.deepEqual(
      found.map(({ labels, value }) => [labels, value]),
      [[{ trace_id: 'abc' }, 1]],
    );
    await pusher.close();
  });

  it('sends timestamps of a collector, each once', async () => {
    const time = Math.floor(Date.now() / 1000) - 5;
    const family = createFamily('rw_stamped', 'S.', {
      type: 'gauge',
      series: [{ value: 7, timestamp: time }],
    });
    const registry = { collect: async () => [family] } as unknown as CollectorRegistry;
    const pusher = await start('stamped', registry);
    await pusher.flush();
    await pusher.flush();
    const [series] = await prometheus.samples('rw_stamped[1h]');
    assert.deepEqual(series?.values, [[time, 7]]);
    assert.deepEqual(pusher.samples, { sent: 1, dropped: 0, pending: 0 });
    await pusher.close();
  });

  it('sends the same samples as a scrape would store', async () => {
    const registry = new CollectorRegistry();
    const summary = createSummary('rw_same', 'S.', { quantiles: [0.5, 0.99], registry });
    const histogram = createHistogram('rw_same_seconds', 'H.', { requiredLabels: ['x'], registry });
    for (let i = 0; i < 50; i++) {
      summary.observe(i);
      histogram.labels({ x: i % 3 }).observe(i / 10);
    }
    const pusher = await start('same', registry);
    await pusher.flush();
    const text = await generateMetrics(registry);
    const expected = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const found = await prometheus.query('{job="same"}');
    const lines = found.map(({ labels: { __name__, job, instance, ...own }, value }) => {
      const labels = Object.entries(own)
        .sort()
        .map(([name, text]) => `${name}="${text}"`);
      return `${__name__}${labels.length > 0 ? `{${labels}}` : ''} ${value}`;
    });
    const ordered = expected.map((line) =>
      line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(',').sort()}}`),
    );
    assert.deepEqual(lines.sort(), ordered.sort());
    assert.ok(parseMetrics(text).length > 0);
    await pusher.close();
  });

  it('sends each sample once and in order when it is flushed many times at once, and closed meanwhile', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('rw_at_once_total', 'C.', { requiredLabels: ['id'], registry });
    for (let id = 0; id < 3000; id++) counter.labels({ id }).inc();
    const pusher = await start('at once', registry);
    await Promise.all([pusher.flush(), pusher.flush(), pusher.flush()]);
    const late = [pusher.flush(), pusher.close(), pusher.flush()];
    await Promise.all(late);
    assert.equal(pusher.samples.dropped, 0);
    const found = await prometheus.samples('rw_at_once_total[1h]');
    assert.equal(found.length, 3000);
    for (const { values } of found) {
      assert.ok(values.length >= 4, String(values.length));
      assert.ok(values.every(([, value]) => value === 1));
    }
    assert.deepEqual(await prometheus.query('rw_at_once_total'), []);
  });

  it('delivers the last numbers of a program that ends', async () => {
    const program = `
      import { createCounter } from 'metheus';
      import { startRemoteWrite } from 'metheus/push';
      const rows = createCounter('rw_last_total', 'Rows.');
      await startRemoteWrite({ url: ${JSON.stringify(prometheus.writeUrl)}, labels: { job: 'last' } });
      setTimeout(() => rows.inc(7), 1);`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    assert.deepEqual(await stored('rw_last_total'), { '[]': [7] });
    assert.deepEqual(await prometheus.query('rw_last_total'), []);
  });

  it('delivers every sample in order after an outage', async () => {
    const registry = new CollectorRegistry();
    const counter = createCounter('rw_outage_total', 'C.', { registry });
    let refusals = 5;
    const proxy = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (refusals-- > 0) {
        if (refusals % 2 === 0) request.socket.destroy();
        else response.writeHead(503, { 'Retry-After': '0' }).end('down');
        return;
      }
      const { host: _, ...headers } = request.headers as Record<string, string>;
      const answer = await fetch(prometheus.writeUrl, {
        method: 'POST',
        headers,
        body: Buffer.concat(chunks),
      });
      response.writeHead(answer.status).end(await answer.text());
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const pusher = await startRemoteWrite({ url, labels: { job: 'outage' }, registry, interval });
    for (let i = 0; i < 4; i++) {
      counter.inc();
      await pusher.flush().catch((error) => assert.equal(error.code, 'METHEUS_PUSH_FAILED'));
    }
    await pusher.close();
    assert.deepEqual(await stored('rw_outage_total'), { '[]': [1, 2, 3, 4, 4] });
    assert.deepEqual(pusher.samples, { sent: 6, dropped: 0, pending: 0 });
    proxy.close();
  });
});

describe('remote write to a server', () => {
  async function withServer(answer: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
    const server = createServer((request, response) => {
      request.resume().on('end', () => answer(request, response));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/write`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const labels = { job: 'j' };

  it('drops what is refused, and says so', async () => {
    const registry = new CollectorRegistry();
    createCounter('refused_total', 'R.', { registry }).inc();
    let requests = 0;
    await withServer(
      (_, response) => {
        requests += 1;
        response.writeHead(400).end('out of order sample');
      },
      async (url) => {
        const pusher = await startRemoteWrite({ url, labels, registry, interval });
        await assert.rejects(pusher.flush(), { status: 400, message: /out of order sample/ });
        assert.deepEqual(pusher.samples, { sent: 0, dropped: 1, pending: 0 });
        assert.equal(requests, 1);
        await pusher.close();
      },
    );
  });

  it('keeps no more than the limit in an outage, and the newest samples', async () => {
    const registry = new CollectorRegistry();
    const gauge = createGauge('kept', 'K.', { requiredLabels: ['id'], registry });
    for (let id = 0; id < 100; id++) gauge.labels({ id }).set(Math.random());
    await withServer(
      (_, response) => response.writeHead(500).end(),
      async (url) => {
        const pusher = await startRemoteWrite({
          ...{ url, labels, registry, interval, closeTimeout: 0.2 },
          maxQueueBytes: 10_000,
        });
        for (let i = 0; i < 30; i++) await assert.rejects(pusher.flush(), { status: 500 });
        const { dropped, pending } = pusher.samples;
        assert.equal(dropped + pending, 3000);
        assert.ok(pending < 1000, String(pending));
        await pusher.close();
        assert.deepEqual(pusher.samples, { sent: 0, dropped: 3200, pending: 0 });
      },
    );
  });

  it('rejects a flush whose collection fails, and goes on', async () => {
    let fails = true;
    const registry = {
      collect: async () => {
        if (fails) throw new Error('no numbers');
        return [];
      },
    };
    await withServer(
      (_, response) => response.end(),
      async (url) => {
        const pusher = await startRemoteWrite({ url, labels, registry, interval });
        await assert.rejects(pusher.flush(), { message: 'no numbers' });
        fails = false;
        await pusher.flush();
        await pusher.close();
      },
    );
  });

  it('gives up after the time limit when it closes', async () => {
    const registry = new CollectorRegistry();
    createCounter('hung_total', 'H.', { registry }).inc();
    await withServer(
      () => {},
      async (url) => {
        const pusher = await startRemoteWrite({ url, labels, registry, interval, closeTimeout: 0.1 });
        await pusher.close();
        assert.equal(pusher.samples.sent, 0);
        assert.equal(pusher.samples.pending, 0);
      },
    );
  });

  const wrong: readonly [string, object][] = [
    ['no labels', { labels: undefined }],
    ['empty labels', { labels: {} }],
    ['a reserved label', { labels: { __name__: 'x' } }],
    ['an empty value', { labels: { job: '' } }],
    ['an interval of 0', { interval: 0 }],
    ['a text as a limit', { maxQueueBytes: '1' }],
    ['an unknown option', { externalLabels: {} }],
  ];
  for (const [what, options] of wrong) {
    it(`is refused with ${what}`, async () => {
      const given = { url: 'http://127.0.0.1:9090', labels, ...options } as Parameters<
        typeof startRemoteWrite
      >[0];
      await assert.rejects(startRemoteWrite(given), { code: 'METHEUS_INVALID_OPTIONS' });
    });
  }
});
