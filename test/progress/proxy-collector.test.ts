/** A proxy as a collector: in registries, and served by `metheus/http`. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter, generateMetrics, REGISTRY } from 'metheus';
import { createFetchHandler, startMetricsServer } from 'metheus/http';
import { TqdmPromProxy } from 'metheus/progress';
import { get } from '../support/http.js';
import { bucketOf, COUNTED, listenForWarnings, samples, scrape } from './served-proxy.js';

let proxies = 0;

/** Returns a proxy with one bar that has counted `count` units. */
function countedProxy(registry: CollectorRegistry, count: number): TqdmPromProxy {
  const proxy = new TqdmPromProxy({
    httpHost: '127.0.0.1',
    httpPort: 0,
    registry,
    name: `proxy-${++proxies}`,
  });
  proxy.tqdm({ ...COUNTED, desc: 'Rows', total: 10 }).update(count);
  return proxy;
}

describe('a registered proxy', () => {
  it('is served with the metrics of the default registry', async (t) => {
    const before = REGISTRY.registry;
    REGISTRY.setRegistry(new CollectorRegistry());
    t.after(() => REGISTRY.setRegistry(before));
    const proxy = countedProxy(REGISTRY.registry, 4);
    createCounter('jobs_total', 'Jobs.').inc();
    REGISTRY.register(proxy);
    assert.equal(REGISTRY.has(proxy), true);
    await using server = await startMetricsServer({ port: 0 });
    const text = (await get(server.url)).body.toString();
    assert.equal(samples(text).jobs_total, 1);
    assert.equal(bucketOf(text, 'Rows')['completed_total it'], 4);
    assert.equal(REGISTRY.unregister(proxy), true);
    assert.equal(REGISTRY.has(proxy), false);
    assert.doesNotMatch(await generateMetrics(), /progress_/);
  });

  it('gets the prefix of the registry', async () => {
    const registry = new CollectorRegistry({ prefix: 'app' });
    registry.register(countedProxy(registry, 5));
    const served = samples(await generateMetrics(registry));
    assert.equal(served['app_progress_completed_total{bucket="Rows",unit="it"}'], 5);
  });

  it('serves its bars only once if it is started too', async (t) => {
    const warnings = listenForWarnings(t);
    for (const prefix of ['', 'app']) {
      const registry = new CollectorRegistry({ prefix });
      const proxy = countedProxy(registry, 6);
      registry.register(proxy);
      await using _ = proxy;
      await proxy.start();
      const lines = (await scrape(proxy)).match(/^.*progress_completed_total\{.*$/gm);
      const name = prefix === '' ? '' : `${prefix}_`;
      assert.deepEqual(lines, [`${name}progress_completed_total{bucket="Rows",unit="it"} 6`]);
    }
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
  });
});

describe('a proxy that is given to a server', () => {
  it('is served without a registry', async () => {
    const registry = new CollectorRegistry();
    createCounter('jobs_total', 'Jobs.', { registry }).inc();
    const proxy = countedProxy(registry, 7);
    await using server = await startMetricsServer({ port: 0, registry: proxy });
    const text = (await get(server.url)).body.toString();
    assert.equal(bucketOf(text, 'Rows')['completed_total it'], 7);
    assert.equal(samples(text).jobs_total, undefined);
    const response = await createFetchHandler({ registry: proxy })(new Request('http://localhost/metrics'));
    assert.equal(bucketOf(await response.text(), 'Rows')['completed_total it'], 7);
  });
});
