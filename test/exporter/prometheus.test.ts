/** End to end: counted here, scraped and queried by a Prometheus server. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CollectorRegistry, createCounter, createGauge, createHistogram, createSummary } from 'metheus';
import { type MetricsServer, startMetricsServer } from 'metheus/http';
import { until } from '../support/processes.js';
import { type PrometheusServer, startPrometheus } from '../support/prometheus-server.js';
import { requireTool } from '../support/tools.js';

describe('a Prometheus server', { skip: requireTool('prometheus') }, () => {
  const registry = new CollectorRegistry({ prefix: 'shop' });
  const orders = createCounter('orders_total', 'Orders "placed" \\ paid.\nBoth.', {
    requiredLabels: ['country', 'note'],
    registry,
  });
  let isBroken = false;
  let ours: MetricsServer;
  let prometheus: PrometheusServer;

  before(async () => {
    const served = {
      collect: () => (isBroken ? Promise.reject(new Error('for a while')) : registry.collect()),
    };
    ours = await startMetricsServer({ port: 0, registry: served });
    prometheus = await startPrometheus(`127.0.0.1:${ours.port}`);
  });
  after(async () => {
    await prometheus?.stop();
    await ours?.close();
  });

  /** Resolves with the stored series of a metric, once there are `count` and one of them has `value`. */
  async function stored(name: string, count: number, value: number): Promise<Record<string, number>> {
    const found = await until(`${name} in Prometheus`, async () => {
      const series = await prometheus.query(name);
      const isThere = series.length === count && series.some((one) => Object.is(one.value, value));
      return isThere ? series : undefined;
    });
    const texts = found.map(({ labels, value }) => {
      const { __name__, instance, job, ...own } = labels;
      return [JSON.stringify(Object.entries(own).sort()), value];
    });
    return Object.fromEntries(texts);
  }

  /** Waits for a scrape that went so. A slow machine may have others before, whose time ran out. */
  function scrapeThat(what: string, matches: (error: string) => boolean): Promise<true> {
    return until(what, async () => (matches((await prometheus.lastError()) ?? 'none') ? true : undefined));
  }

  it('scrapes without an error', async () => {
    await scrapeThat('a scrape without an error', (error) => error === '');
  });

  it('has counters with every label value', async () => {
    const notes = ['plain', 'quote " backslash \\ line\nfeed', 'return \r tab \t nul \0', '😀 漢字 {},='];
    notes.forEach((note, i) => void orders.labels({ country: 'nz', note }).inc(i + 1));
    // Prometheus does not tell an empty label from none.
    orders.labels({ country: '', note: '\ud800' }).inc(1e21);
    const expected = notes.map((note, i) => [
      JSON.stringify([
        ['country', 'nz'],
        ['note', note],
      ]),
      i + 1,
    ]);
    assert.deepEqual(await stored('shop_orders_total', 5, 1e21), {
      ...Object.fromEntries(expected),
      [JSON.stringify([['note', '\ufffd']])]: 1e21,
    });
  });

  it('has gauges with every kind of number', async () => {
    const level = createGauge('level', 'l', { requiredLabels: ['n'], registry });
    const numbers = [Number.NaN, 1 / 0, -1 / 0, -0, 1e308, 5e-324, 2 ** 53, 1e-7, -1.5, 0.1 + 0.2];
    numbers.forEach((number, n) => void level.labels({ n }).set(number));
    const expected = numbers.map((number, n) => [JSON.stringify([['n', String(n)]]), number]);
    assert.deepEqual(await stored('shop_level', numbers.length, -1.5), Object.fromEntries(expected));
  });

  it('has histograms whose quantiles can be queried', async () => {
    const seconds = createHistogram('wait_seconds', 'w', { buckets: [1e-5, 0.1, 1, 1e6], registry });
    for (const value of [0.05, 0.5, 0.5, 2e6]) seconds.observe(value);
    assert.deepEqual(await stored('shop_wait_seconds_bucket', 5, 4), {
      '[["le","1e-05"]]': 0,
      '[["le","0.1"]]': 1,
      '[["le","1.0"]]': 3,
      '[["le","1e+06"]]': 3,
      '[["le","+Inf"]]': 4,
    });
    assert.deepEqual(await stored('shop_wait_seconds_count', 1, 4), { '[]': 4 });
    assert.deepEqual(await stored('shop_wait_seconds_sum', 1, 2000001.05), { '[]': 2000001.05 });
    const median = await until('the median', async () => {
      const [found] = await prometheus.query('histogram_quantile(0.5, shop_wait_seconds_bucket)');
      return found?.value;
    });
    assert.equal(median, 0.55);
  });

  it('has summaries', async () => {
    const size = createSummary('size_bytes', 's', { registry });
    size.observe(100);
    size.observe(23);
    assert.deepEqual(await stored('shop_size_bytes_sum', 1, 123), { '[]': 123 });
    assert.deepEqual(await stored('shop_size_bytes_count', 1, 2), { '[]': 2 });
  });

  it('stores the other families and the number of failures when a collector fails', async () => {
    const failing = { name: 'failing', collect: () => Promise.reject(new Error('for a while')) };
    registry.register(failing);
    const failures = await until('a failure in Prometheus', async () => {
      const series = await prometheus.query('shop_metheus_collector_errors_total > 0');
      return series.length > 0 ? series : undefined;
    });
    registry.unregister(failing);
    const { collector, cause } = failures[0]!.labels;
    assert.deepEqual([collector, cause], ['failing', 'error']);
    await scrapeThat('a scrape without an error', (error) => error === '');
  });

  it('reports a failed scrape when a registry fails, and scrapes again when it recovers', async () => {
    isBroken = true;
    await scrapeThat('a scrape that fails', (error) => /500/.test(error));
    isBroken = false;
    await scrapeThat('the recovery', (error) => error === '');
  });
});
