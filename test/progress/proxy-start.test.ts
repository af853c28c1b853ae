/** Starting and stopping a proxy, in every order. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { CollectorRegistry, createCounter, REGISTRY } from 'metheus';
import { TqdmPromProxy } from 'metheus/progress';
import { get } from '../support/http.js';
import { freePort } from '../support/processes.js';
import { bucketOf, COUNTED, samples, scrape, serve } from './served-proxy.js';

const hasIPv6 = () =>
  Object.values(networkInterfaces()).some((interfaces) =>
    interfaces?.some(({ address }) => address === '::1'),
  );

const anywhere = () => ({ httpHost: '127.0.0.1', httpPort: 0, registry: new CollectorRegistry() });

describe('a proxy', () => {
  it('has a URL while it serves, and can be started again', async () => {
    const httpPort = await freePort();
    const proxy = new TqdmPromProxy({ ...anywhere(), httpPort });
    const url = `http://127.0.0.1:${httpPort}/metrics`;
    assert.equal(proxy.url, undefined);
    for (let round = 0; round < 3; round++) {
      await proxy.start();
      assert.equal(proxy.url, url);
      const { status, headers } = await get(url);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores');
      await proxy.stop();
      assert.equal(proxy.url, undefined);
      await assert.rejects(get(url), { code: 'ECONNREFUSED' });
    }
  });

  it('listens on an IPv6 address with or without brackets', { skip: !hasIPv6() }, async (t) => {
    for (const httpHost of ['::1', '[::1]']) {
      const proxy = new TqdmPromProxy({ ...anywhere(), httpHost });
      t.after(() => proxy.stop());
      await proxy.start();
      assert.match(proxy.url!, /^http:\/\/\[::1\]:\d+\/metrics$/);
    }
  });

  it('starts once and stops once, however often it is called', async (t) => {
    const proxy = new TqdmPromProxy(anywhere());
    t.after(() => proxy.stop());
    await proxy.stop();
    await Promise.all([proxy.start(), proxy.start()]);
    const { url } = proxy;
    await proxy.start();
    assert.equal(proxy.url, url);
    await Promise.all([proxy.stop(), proxy.stop()]);
    assert.equal(proxy.url, undefined);
    await assert.rejects(get(url!), { code: 'ECONNREFUSED' });
  });

  it('ends in the state of the last call when start and stop are not awaited', async (t) => {
    const httpPort = await freePort();
    const proxy = new TqdmPromProxy({ ...anywhere(), httpPort });
    t.after(() => proxy.stop());
    proxy.tqdm(null, { ...COUNTED, desc: 'bar' }).update();
    const url = `http://127.0.0.1:${httpPort}/metrics`;

    await Promise.all([proxy.start(), proxy.stop()]);
    assert.equal(proxy.url, undefined);
    await assert.rejects(get(url), { code: 'ECONNREFUSED' });

    await proxy.start();
    await Promise.all([proxy.stop(), proxy.start()]);
    assert.equal(proxy.url, url);
    assert.equal(bucketOf(await scrape(proxy), 'bar')['completed_total it'], 1);
  });

  it('rejects if the option required is set and the port is in use, and starts once the port is free', async (t) => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    t.after(() => blocker.close());
    const { port } = blocker.address() as AddressInfo;
    const proxy = new TqdmPromProxy({ ...anywhere(), httpPort: port, required: true });
    t.after(() => proxy.stop());
    const inUse = { code: 'METHEUS_PORT_IN_USE', message: new RegExp(`127\\.0\\.0\\.1:${port}`) };
    await assert.rejects(proxy.start(), inUse);
    assert.equal(proxy.url, undefined);
    await assert.rejects(Promise.all([proxy.start(), proxy.start()]), inUse);
    // Stopping a server that never listened is not an error.
    const started = assert.rejects(proxy.start(), inUse);
    await proxy.stop();
    await started;

    blocker.close();
    await once(blocker, 'close');
    await proxy.start();
    assert.equal(proxy.url, `http://127.0.0.1:${port}/metrics`);
    assert.match(await scrape(proxy), /^# HELP progress_completed_total /);
  });

  it('rejects an invalid port, and can be started again', async () => {
    const proxy = new TqdmPromProxy({ ...anywhere(), httpPort: 65_536 });
    await assert.rejects(proxy.start(), { code: 'METHEUS_INVALID_OPTIONS' });
    await assert.rejects(proxy.start(), { code: 'METHEUS_INVALID_OPTIONS' });
    await proxy.stop();
  });

  it('stops at the end of its block', async () => {
    let url: string | undefined;
    {
      await using proxy = new TqdmPromProxy(anywhere());
      await proxy.start();
      url = proxy.url;
      assert.equal((await get(url!)).status, 200);
    }
    await assert.rejects(get(url!), { code: 'ECONNREFUSED' });
  });

  it('serves the registry that is the default when it is scraped', async (t) => {
    const proxy = await serve(t, { registry: REGISTRY });
    const { registry: before } = REGISTRY;
    t.after(() => REGISTRY.setRegistry(before));
    createCounter('before_total', 'Made before.').inc();
    proxy.tqdm(null, { ...COUNTED, desc: 'bar' }).update(3);
    assert.equal(samples(await scrape(proxy)).before_total, 1);

    REGISTRY.setRegistry(new CollectorRegistry());
    createCounter('after_total', 'Made afterwards.').inc(2);
    const text = await scrape(proxy);
    assert.equal(samples(text).before_total, undefined);
    assert.equal(samples(text).after_total, 2);
    assert.equal(bucketOf(text, 'bar')['completed_total it'], 3);
  });
});
