/** The format protobuf over HTTP: scraped by a Prometheus server, and written without other packages. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  createSummary,
} from 'metheus';
import { createMetricsHandler, negotiate } from 'metheus/http';
import type { FamilySnapshot, NativeBuckets } from '#metheus/model/family.js';
import { until } from '../support/processes.js';
import { type PrometheusServer, startPrometheus } from '../support/prometheus-server.js';
import { requireTool } from '../support/tools.js';

describe('a Prometheus server with native histograms', { skip: requireTool('prometheus') }, () => {
  const registry = new CollectorRegistry({ prefix: 'shop' });
  const formats = new Set<string>();
  let ours: Server;
  let prometheus: PrometheusServer;

  before(async () => {
    const handler = createMetricsHandler({ registry });
    ours = createServer((request, response) => {
      formats.add(negotiate(request.headers.accept).format);
      handler(request, response);
    });
    await new Promise<void>((resolve) => ours.listen(0, '127.0.0.1', resolve));
    const { port } = ours.address() as AddressInfo;
    prometheus = await startPrometheus(`127.0.0.1:${port}`, ['native-histograms']);
  });
  after(async () => {
    await prometheus?.stop();
    ours?.closeAllConnections();
    ours?.close();
  });

  /** Resolves with the result of a query by label values, once one of its values is `value`. */
  async function stored(query: string, value: number): Promise<Record<string, number>> {
    const found = await until(`${query} in Prometheus`, async () => {
      const series = await prometheus.query(query);
      return series.some((one) => Object.is(one.value, value)) ? series : undefined;
    });
    const texts = found.map(({ labels, value }) => {
      const { __name__, instance, job, ...own } = labels;
      return [Object.entries(own).sort().join(';'), value];
    });
    return Object.fromEntries(texts);
  }

  it('requests protobuf, and receives it', async () => {
    await until('a scrape', async () => ((await prometheus.lastError()) === '' ? true : undefined));
    assert.deepEqual([...formats], ['protobuf']);
  });

  it('stores counters, gauges, histograms and summaries as they were counted', async () => {
    const orders = createCounter('orders_total', 'o', { requiredLabels: ['note'], registry });
    orders.labels({ note: 'quote " backslash \\ line\nfeed 漢' }).inc(3);
    orders.labels({ note: 'x'.repeat(300) }).inc(0.1 + 0.2);
    createGauge('level', 'l', { registry }).set(Number.NEGATIVE_INFINITY);
    const wait = createHistogram('wait_seconds', 'w', { unit: 'seconds', buckets: [0.1, 1, 1e6], registry });
    for (const value of [0.05, 0.5, 0.5, 2e6]) wait.observe(value);
    const size = createSummary('size_bytes', 's', { registry });
    for (const value of [100, 23]) size.observe(value);

    assert.deepEqual(await stored('shop_orders_total', 3), {
      'note,quote " backslash \\ line\nfeed 漢': 3,
      [`note,${'x'.repeat(300)}`]: 0.1 + 0.2,
    });
    assert.deepEqual(await stored('shop_level', Number.NEGATIVE_INFINITY), { '': Number.NEGATIVE_INFINITY });
    assert.deepEqual(await stored('shop_wait_seconds_bucket', 4), {
      'le,0.1': 1,
      'le,1.0': 3,
      'le,1e+06': 3,
      'le,+Inf': 4,
    });
    assert.deepEqual(await stored('shop_wait_seconds_sum', 2000001.05), { '': 2000001.05 });
    assert.deepEqual(await stored('shop_wait_seconds_count', 4), { '': 4 });
    assert.deepEqual(await stored('shop_size_bytes_sum', 123), { '': 123 });
    assert.deepEqual(await stored('shop_size_bytes_count', 2), { '': 2 });
  });

  it('stores native histograms, an empty one too', async () => {
    registry.register({ collect: () => [native()] });
    const query = (what: string) => `histogram_${what}(shop_native_seconds)`;
    assert.deepEqual(await stored(query('count'), 12), { 'id,empty': 0, 'id,full': 12 });
    assert.deepEqual(await stored(query('sum'), 34.5), { 'id,empty': 0, 'id,full': 34.5 });
    const inBucket = (from: number, to: number) =>
      stored(`histogram_fraction(${from}, ${to}, shop_native_seconds) * 12`, 4);
    assert.deepEqual(await inBucket(1, 2), { 'id,empty': Number.NaN, 'id,full': 4 });
    assert.deepEqual(await inBucket(-1, -0.5), { 'id,empty': Number.NaN, 'id,full': 4 });
  });
});

/** Two series, the empty one first, since the first decides how the others are read. */
function native(): FamilySnapshot {
  const labels = ['empty', 'full'].map((id) => ({ labels: { id }, value: [0, 0, 0] }));
  const base = createFamily('native_seconds', 'n', {
    type: 'histogram',
    labelNames: ['id'],
    buckets: [1],
    series: labels,
  });
  const none = { index: new Int32Array(), counts: new Float64Array() };
  const empty: NativeBuckets = {
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    positive: none,
    negative: none,
  };
  const full: NativeBuckets = {
    schema: 0,
    zeroThreshold: 2 ** -128,
    zeroCount: 1,
    count: 12,
    positive: { index: Int32Array.of(1, 3, 20), counts: Float64Array.of(4, 1, 2) },
    negative: { index: Int32Array.of(0), counts: Float64Array.of(4) },
  };
  return {
    ...base,
    family: { ...base.family, bounds: [], cells: 2 },
    values: Float64Array.of(0, 0, 12, 34.5),
    native: [empty, full],
  };
}

describe('without any other package', () => {
  let folder: string;
  const dist = dirname(fileURLToPath(import.meta.resolve('#metheus/index.js')));

  before(async () => {
    // A copy of the build where no package can be found.
    folder = await mkdtemp(join(tmpdir(), 'metheus-alone-'));
    await cp(dist, join(folder, 'dist'), { recursive: true });
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  function run(code: string): string {
    const program = ['--input-type=module', '-e', code];
    const { stdout, stderr } = spawnSync(process.execPath, program, { cwd: folder, encoding: 'utf8' });
    return stdout + stderr;
  }

  it('the format is written, and served to clients that prefer it', () => {
    const output = run(`
      import { createCounter, generateBytes } from './dist/index.js';
      import { negotiate } from './dist/exporter/index.js';
      createCounter('c_total', '').inc();
      const bytes = await generateBytes(undefined, { format: 'protobuf' });
      const protobuf = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
      console.log(bytes.includes(0x63), negotiate(protobuf + ',text/plain;q=0.5').format);
    `);
    assert.equal(output, 'true protobuf\n');
  });
});
