/** The handler for servers of `Request` and `Response`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  CollectorRegistry,
  generateMetrics,
  OPENMETRICS_CONTENT_TYPE,
  PROMETHEUS_CONTENT_TYPE,
} from 'metheus';
import { createFetchHandler } from 'metheus/http';
import { MAX_STALL_MS } from '#metheus/exporter/node-handler.js';
import { largeRegistry, smallRegistry, Watched } from '../support/scrapes.js';

const URL = 'http://localhost/metrics';
const GZIP = { headers: { 'Accept-Encoding': 'gzip' } };

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

describe('createFetchHandler', () => {
  it('serves the registry', async () => {
    const registry = smallRegistry();
    const response = await createFetchHandler({ registry })(new Request(URL));
    const text = await generateMetrics(registry);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), `${PROMETHEUS_CONTENT_TYPE}; escaping=underscores`);
    assert.equal(response.headers.get('content-length'), String(text.length));
    assert.equal(response.headers.get('vary'), 'Accept, Accept-Encoding');
    assert.equal(await response.text(), text);
  });

  it('responds in the format that the client prefers', async () => {
    const headers = { Accept: 'application/openmetrics-text;version=1.0.0' };
    const response = await createFetchHandler({ registry: smallRegistry() })(new Request(URL, { headers }));
    const contentType = response.headers.get('content-type');
    assert.equal(contentType, `${OPENMETRICS_CONTENT_TYPE}; escaping=underscores`);
    assert.match(await response.text(), /\njobs_total\{kind="mail"\} 3\n# EOF\n$/);
  });

  it('serves the default registry by default', async () => {
    const response = await createFetchHandler()(new Request(URL));
    assert.equal(await response.text(), await generateMetrics());
  });

  it('streams large responses, compressed where the client accepts it', async () => {
    const registry = largeRegistry();
    const handler = createFetchHandler({ registry });
    const text = Buffer.from(await generateMetrics(registry));
    assert.ok((await bytesOf(await handler(new Request(URL)))).equals(text));
    const response = await handler(new Request(URL, GZIP));
    assert.equal(response.headers.get('content-encoding'), 'gzip');
    assert.equal(response.headers.get('content-length'), null);
    assert.ok(gunzipSync(await bytesOf(response)).equals(text));
  });

  it('compresses small responses as a whole', async () => {
    const registry = smallRegistry();
    const response = await createFetchHandler({ registry })(new Request(URL, GZIP));
    const body = await bytesOf(response);
    assert.equal(response.headers.get('content-length'), String(body.length));
    assert.equal(gunzipSync(body).toString(), await generateMetrics(registry));
  });

  it('responds to HEAD without a body', async () => {
    for (const registry of [smallRegistry(), largeRegistry()]) {
      const response = await createFetchHandler({ registry })(new Request(URL, { method: 'HEAD' }));
      assert.equal(response.status, 200);
      assert.equal(response.body, null);
      assert.equal(response.headers.get('content-type'), `${PROMETHEUS_CONTENT_TYPE}; escaping=underscores`);
    }
  });

  it('rejects other methods and paths', async () => {
    const handler = createFetchHandler({ registry: smallRegistry(), path: '/metrics' });
    const posted = await handler(new Request(URL, { method: 'POST', body: 'x' }));
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
    assert.equal((await handler(new Request(`${URL}?a=b`))).status, 200);
    assert.equal((await handler(new Request('http://localhost/'))).status, 404);
  });

  it("responds with 500 when a collector fails, with onError 'fail'", async () => {
    const registry = new CollectorRegistry();
    registry.register({ collect: () => Promise.reject(new Error('out of order')) });
    const response = await createFetchHandler({ registry, onError: 'fail' })(new Request(URL));
    assert.equal(response.status, 500);
    assert.match(await response.text(), /^An error has occurred while serving metrics:\n\n.*out of order/);
  });

  for (const [encoding, init] of [
    ['plain', {}],
    ['gzip', GZIP],
  ] as const) {
    it(`breaks the body when the encoding fails on the way (${encoding})`, async () => {
      const handler = createFetchHandler({ registry: new Watched({ failAt: 20 }) });
      const response = await handler(new Request(URL, init));
      assert.equal(response.status, 200);
      await assert.rejects(response.text(), /a broken family/);
    });

    it(`stops when the body is cancelled (${encoding})`, async () => {
      const registry = new Watched();
      const response = await createFetchHandler({ registry })(new Request(URL, init));
      const reader = response.body!.getReader();
      await reader.read();
      await reader.cancel();
      await registry.ended;
      assert.ok(registry.taken < 1000);
    });
  }

  it('ends a body that is not read with an error', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const registry = new Watched();
    const response = await createFetchHandler({ registry })(new Request(URL));
    const reader = response.body!.getReader();
    await reader.read();
    t.mock.timers.tick(MAX_STALL_MS - 1);
    await reader.read();
    t.mock.timers.tick(MAX_STALL_MS - 1);
    assert.equal((await reader.read()).done, false);
    let hasEnded = false;
    registry.ended.then(() => {
      hasEnded = true;
    });
    // The time limit begins with the chunk that is made ahead, which may take some turns of the event loop.
    while (!hasEnded) {
      await new Promise(setImmediate);
      t.mock.timers.tick(MAX_STALL_MS);
    }
    await assert.rejects(reader.read(), /does not read/);
  });

  it('makes no more chunks than are read', async () => {
    const registry = new Watched();
    const response = await createFetchHandler({ registry })(new Request(URL));
    const reader = response.body!.getReader();
    for (let i = 0; i < 5; i++) await reader.read();
    await new Promise(setImmediate);
    assert.ok(registry.taken < 12, `${registry.taken} families for 5 chunks`);
    await reader.cancel();
  });
});
