/** A Prometheus server stores native histograms as they were observed. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { CollectorRegistry, createHistogram, createSummary, type NativeOptions } from 'metheus';
import { createMetricsHandler } from 'metheus/http';
import { PowerIndex } from '#metheus/metrics/native/power-index.js';
import { upperBound } from '#metheus/model/native/powers.js';
import { until } from '../support/processes.js';
import { type PrometheusServer, startPrometheus } from '../support/prometheus-server.js';
import { requireTool } from '../support/tools.js';

/** Pseudorandom numbers from 0 to 1, the same in each run. */
let state = 7;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

const CASES: readonly { name: string; native: NativeOptions; buckets?: number[]; values: number[] }[] = [
  {
    name: 'latency_seconds',
    native: {},
    values: Array.from({ length: 1000 }, () => 10 ** (random() * 4 - 3)),
  },
  {
    name: 'fine',
    native: { schema: 8, maxBuckets: 1000 },
    values: Array.from({ length: 500 }, () => 1 + random()),
  },
  { name: 'coarse', native: { schema: -4 }, values: [1e-30, 1e-10, 1, 1, 1e10, 1e30] },
  {
    name: 'signed',
    native: { factor: 1.5 },
    values: Array.from({ length: 999 }, () => 200 * random() - 100),
  },
  {
    name: 'limited',
    native: { schema: 6, maxBuckets: 12 },
    values: Array.from({ length: 800 }, (_, i) => i + 1),
  },
  {
    name: 'widened',
    native: { maxBuckets: 20, maxZeroThreshold: 0.01 },
    values: Array.from({ length: 600 }, (_, i) => (i < 100 ? 10 ** (-i / 10 - 3) : 1 + random())),
  },
  { name: 'both', native: {}, buckets: [1, 10], values: [0.5, 5, 50, 0, -0.25] },
  { name: 'sparse', native: {}, values: [1e-300, 2 ** -1074, 0, 1, 1e300] },
];
const QUANTILES = [0.1, 0.5, 0.9, 0.99];

describe('a native histogram in Prometheus', { skip: requireTool('prometheus') }, () => {
  const registry = new CollectorRegistry();
  let ours: Server;
  let prometheus: PrometheusServer;

  before(async () => {
    for (const { name, values, ...options } of CASES) {
      const histogram = createHistogram(name, 'N.', { ...options, registry, requiredLabels: ['a'] });
      const child = histogram.labels({ a: 'ä "quoted"' });
      // In two turns, since the limit is kept from the second on.
      for (const value of values.slice(0, values.length / 2)) child.observe(value);
      await registry.collect();
      for (const value of values.slice(values.length / 2)) child.observe(value);
    }
    createHistogram('empty', 'E.', { registry, native: true });
    const summary = createSummary('quantiles_seconds', 'Q.', { registry, quantiles: [0.5, 0.99] });
    for (let i = 1; i <= 100; i++) summary.observe(i);
    ours = createServer(createMetricsHandler({ registry }));
    await new Promise<void>((resolve) => ours.listen(0, '127.0.0.1', resolve));
    const { port } = ours.address() as AddressInfo;
    prometheus = await startPrometheus(`127.0.0.1:${port}`, ['native-histograms']);
  });
  after(async () => {
    await prometheus?.stop();
    ours?.closeAllConnections();
    ours?.close();
  });

  async function ask(query: string): Promise<number> {
    const [series] = await until(query, async () => {
      const found = await prometheus.query(query);
      return found.length > 0 ? found : undefined;
    });
    return series!.value;
  }

  for (const { name, values, native } of CASES) {
    it(`has count, sum and quantiles of '${name}'`, async () => {
      assert.equal(await ask(`histogram_count(${name})`), values.length);
      const sum = values.slice(0, values.length / 2).concat(values.slice(values.length / 2));
      assert.equal(
        await ask(`histogram_sum(${name})`),
        sum.reduce((total, value) => total + value, 0),
      );
      const family = (await registry.collect()).find((one) => one.family.name === name)!;
      const { schema, zeroThreshold } = family.native![0]!;
      assert.ok(schema <= (native.schema ?? 8));
      const inOrder = values.toSorted((a, b) => a - b);
      for (const quantile of QUANTILES) {
        const found = await ask(`histogram_quantile(${quantile}, ${name})`);
        // Its rank is that of no value where it is between two: both ends are right then.
        const rank = quantile * values.length;
        const around = [Math.ceil(rank), Math.floor(rank) + 1].map((one) => inOrder[Math.max(one, 1) - 1]!);
        const fits = around.some((value) => {
          if (Math.abs(value) <= zeroThreshold) return Math.abs(found) <= zeroThreshold;
          const index = PowerIndex.of(schema).indexOf(Math.abs(value));
          const [low, high] = [upperBound(schema, index - 1), upperBound(schema, index)];
          const distance = Math.abs(found);
          return Math.sign(found) === Math.sign(value) && distance >= low && distance <= high;
        });
        assert.ok(fits, `${quantile}: ${found}, where ${around} are`);
      }
    });
  }

  it('is stored while it is empty', async () => {
    assert.equal(await ask('histogram_count(empty)'), 0);
  });

  it('is accepted with all other families of its scrape, and no hidden family is seen', async () => {
    await until('a scrape without an error', async () => (await prometheus.lastError()) === '' || undefined);
    assert.deepEqual(await prometheus.query('{__part!=""}'), []);
  });

  it('differs from a summary, which has its quantiles', async () => {
    for (const [quantile, value] of [
      [0.5, 50],
      [0.99, 99],
    ]) {
      const found = await ask(`quantiles_seconds{quantile="${quantile}"}`);
      assert.ok(Math.abs(found - value!) <= 0.01 * value!, `${quantile}: ${found}`);
    }
  });
});
