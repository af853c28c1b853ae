/** Collectors that create metrics instead of families at each scrape, like the custom collectors of pytheus. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Collector,
  CollectorRegistry,
  createCounter,
  createFamily,
  createGauge,
  createHistogram,
  createInfo,
  createStateSet,
  createSummary,
  generateMetrics,
  streamMetrics,
} from 'metheus';

const unregistered = { registry: null } as const;

/** Returns the exposition of a registry with one collector, without comment lines. */
async function exposedBy(collector: Collector, registry = new CollectorRegistry()): Promise<string[]> {
  registry.register(collector);
  const lines = (await generateMetrics(registry)).split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

describe('a collector that yields metrics', () => {
  it('exposes the values that it set in the same scrape', async () => {
    class MyCollector {
      *collect() {
        const counter = createCounter('name_total', 'Description.', unregistered);
        counter.inc();
        yield counter;
      }
    }
    const registry = new CollectorRegistry();
    registry.register(new MyCollector());
    for (let scrape = 0; scrape < 3; scrape++) {
      assert.equal(
        await generateMetrics(registry),
        '# HELP name_total Description.\n# TYPE name_total counter\nname_total 1\n',
      );
    }
    let streamed = '';
    for await (const chunk of streamMetrics(registry)) streamed += Buffer.from(chunk).toString();
    assert.equal(streamed, await generateMetrics(registry));
  });

  it('may use every kind of metric, with all series of each', async () => {
    const lines = await exposedBy({
      *collect() {
        const gauge = createGauge('g', 'G.', { ...unregistered, requiredLabels: ['a'] });
        gauge.labels({ a: 'x' }).set(1);
        gauge.labels({ a: 'y' }).set(2);
        yield gauge;
        const histogram = createHistogram('h', 'H.', { ...unregistered, buckets: [1] });
        histogram.observe(0.5);
        yield histogram;
        const summary = createSummary('s', 'S.', { ...unregistered, quantiles: [0.5] });
        summary.observe(4);
        yield summary;
        const info = createInfo('i', 'I.', { ...unregistered, requiredLabels: ['version'] });
        info.info({ version: '1' });
        yield info;
        const states = createStateSet('t', 'T.', { ...unregistered, states: ['on', 'off'] });
        states.set('on');
        yield states;
        yield createGauge('untouched', 'U.', unregistered);
      },
    });
    const quantile = lines.findIndex((line) => line.startsWith('s{quantile="0.5"} '));
    assert.ok(Math.abs(Number(lines[quantile]!.split(' ')[1]) - 4) <= 0.04, lines[quantile]);
    lines.splice(quantile, 1);
    assert.deepEqual(lines, [
      'g{a="x"} 1',
      'g{a="y"} 2',
      'h_bucket{le="1"} 1',
      'h_bucket{le="+Inf"} 1',
      'h_sum 0.5',
      'h_count 1',
      's_sum 4',
      's_count 1',
      'i_info{version="1"} 1',
      't{t="on"} 1',
      't{t="off"} 0',
      'untouched 0',
    ]);
  });

  it('may be asynchronous, and may mix metrics and families', async () => {
    const counter = createCounter('c_total', 'C.', unregistered);
    const family = createFamily('f', 'F.', { series: [{ value: 3 }] });
    const expected = ['f 3', 'c_total 2'];
    counter.inc(2);
    const collectors: Collector[] = [
      {
        async *collect() {
          yield family;
          await new Promise(setImmediate);
          yield counter;
        },
      },
      { collect: async () => [family, counter] },
      { collect: () => new Set([family, counter]) },
    ];
    for (const collector of collectors) assert.deepEqual(await exposedBy(collector), expected);
  });

  it('has the prefix of its registry', async () => {
    const collect = () => [createGauge('g', 'G.', unregistered)];
    assert.deepEqual(await exposedBy({ collect }, new CollectorRegistry({ prefix: 'app' })), ['app_g 0']);
  });

  it('exposes all series of a metric when it yields one of its children', async () => {
    const counter = createCounter('c_total', 'C.', { ...unregistered, requiredLabels: ['a'] });
    counter.labels({ a: 'x' }).inc();
    counter.labels({ a: 'y' }).inc();
    const collect = () => [counter.labels({ a: 'x' })];
    assert.deepEqual(await exposedBy({ collect }), ['c_total{a="x"} 1', 'c_total{a="y"} 1']);
  });

  it('exposes no metric whose name a metric of the registry has', async () => {
    const registry = new CollectorRegistry();
    createGauge('taken', 'T.', { registry }).set(1);
    const collect = () => [createGauge('taken', 'T.', unregistered), createGauge('free', 'F.', unregistered)];
    const lines = await exposedBy({ name: 'mine', collect }, registry);
    assert.ok(lines.includes('taken 1'), String(lines));
    assert.ok(lines.includes('free 0'), String(lines));
    assert.ok(lines.includes('metheus_collector_errors_total{collector="mine",cause="duplicate"} 1'));
  });

  it('fails with its name in the error for any other value', async () => {
    const registry = new CollectorRegistry({ onError: 'fail' });
    registry.register({ name: 'mine', collect: () => [{ name: 'c_total', value: 1 }] as never });
    await assert.rejects(generateMetrics(registry), {
      code: 'METHEUS_COLLECTOR_FAILED',
      message: /given mine \(.*c_total.*\), expected families made by createFamily, or metrics/,
    });
  });
});
