/** The server: addresses, errors, and closing, which waits for running responses only. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { generateMetrics, MetheusError } from 'metheus';
import { type MetricsServer, type MetricsServerOptions, startMetricsServer } from 'metheus/http';
import { get, open } from '../support/http.js';
import { Slow, smallRegistry, Watched } from '../support/scrapes.js';

let server: MetricsServer | undefined;

async function start(options: MetricsServerOptions = {}): Promise<MetricsServer> {
  server = await startMetricsServer({ port: 0, registry: smallRegistry(), ...options });
  return server;
}

async function connectTo({ host, port }: MetricsServer): Promise<Socket> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the connection has ended, in whatever way. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {}).once('close', () => resolve());
  });
}

afterEach(() => server?.close());

describe('startMetricsServer', () => {
  it('serves /metrics on the loopback interface', async () => {
    const registry = smallRegistry();
    const { host, port, url } = await start({ registry });
    assert.equal(host, '127.0.0.1');
    assert.ok(port > 0);
    assert.equal(url, `http://127.0.0.1:${port}/metrics`);
    const { status, body } = await get(url);
    assert.equal(status, 200);
    assert.equal(body.toString(), await generateMetrics(registry));
  });

  for (const host of ['::1', '[::1]']) {
    it(`puts the IPv6 address ${host} in brackets in its URL`, async (t) => {
      try {
        await start({ host });
      } catch (error) {
        if (error instanceof MetheusError && /EADDRNOTAVAIL|EAFNOSUPPORT/.test(error.message)) {
          t.skip('this machine has no IPv6');
          return;
        }
        throw error;
      }
      assert.equal(server?.host, '::1');
      assert.equal(server?.url, `http://[::1]:${server?.port}/metrics`);
      assert.equal((await get(server!.url)).status, 200);
    });
  }

  it('serves another path, and a page with a link to it', async () => {
    const { url, port } = await start({ path: '/a&b/"metrics' });
    assert.equal((await get(url.replaceAll('"', '%22'), { path: '/a&b/"metrics' })).status, 200);
    const { status, headers, body } = await get(`http://127.0.0.1:${port}/`);
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.match(body.toString(), /<a href="\/a&amp;b\/&quot;metrics">/);
    assert.equal((await get(`http://127.0.0.1:${port}/metrics`)).status, 404);
    assert.equal((await get(`http://127.0.0.1:${port}/`, { method: 'POST' })).status, 405);
    assert.equal((await get(`http://127.0.0.1:${port}/`, { method: 'HEAD' })).body.length, 0);
  });

  it('serves metrics at / with the option path', async () => {
    const { url } = await start({ path: '/' });
    assert.match((await get(url)).body.toString(), /^# HELP/);
  });

  describe('rejects', () => {
    it('a port in use, with the address and a remedy', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      await assert.rejects(startMetricsServer({ port }), (error: MetheusError) => {
        assert.equal(error.code, 'METHEUS_PORT_IN_USE');
        assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}\\b`));
        assert.match(error.message, /another port; port 0 takes any free one/);
        assert.equal((error.cause as NodeJS.ErrnoException).code, 'EADDRINUSE');
        return true;
      });
      other.close();
      await once(other, 'close');
      await start({ port });
    });

    it('an address that is not of this machine', async () => {
      await assert.rejects(startMetricsServer({ host: '192.0.2.1', port: 0 }), {
        code: 'METHEUS_LISTEN_FAILED',
        message: /192\.0\.2\.1:0 .*EADDRNOTAVAIL/,
      });
    });

    const options: readonly MetricsServerOptions[] = [
      { port: -1 },
      { port: 65536 },
      { port: 1.5 },
      { port: Number.NaN },
      { port: '3000' as unknown as number },
      { host: '' },
      { host: 5 as unknown as string },
      { path: 'metrics' },
      { closeTimeout: -1 },
      { closeTimeout: Number.NaN },
      { closeTimeout: Number.POSITIVE_INFINITY },
    ];
    for (const wrong of options) {
      const [[name, value] = []] = Object.entries(wrong);
      it(`${name}: ${JSON.stringify(value)}`, async () => {
        await assert.rejects(startMetricsServer({ port: 0, ...wrong }), { code: 'METHEUS_INVALID_OPTIONS' });
      });
    }

    it('an aborted signal', async () => {
      const signal = AbortSignal.abort(new Error('too late'));
      await assert.rejects(startMetricsServer({ port: 0, signal }), /too late/);
    });
  });

  describe('close', () => {
    it('frees the port, and may be called again', async () => {
      const { close, host, port, url } = await start();
      const closed = close();
      assert.equal(close(), closed);
      await closed;
      await close();
      await assert.rejects(get(url), { code: 'ECONNREFUSED' });
      await start({ host, port });
    });

    it('is done by a signal', async () => {
      const aborting = new AbortController();
      const { close, url } = await start({ signal: aborting.signal });
      aborting.abort();
      await close();
      await assert.rejects(get(url), { code: 'ECONNREFUSED' });
    });

    it('frees the port when a signal aborts the start', async () => {
      const aborting = new AbortController();
      const starting = startMetricsServer({ port: 0, signal: aborting.signal });
      aborting.abort(new Error('changed my mind'));
      await assert.rejects(starting, /changed my mind/);
    });

    it('is done by `await using`', async () => {
      const { url, ...disposable } = await start();
      await disposable[Symbol.asyncDispose]();
      await assert.rejects(get(url), { code: 'ECONNREFUSED' });
    });

    it('waits for a running response, and ends its connection with it', async () => {
      const registry = new Slow();
      const { close, url } = await start({ registry });
      const agent = new Agent({ keepAlive: true });
      const answer = get(url, { agent });
      await registry.asked;
      const closed = close();
      registry.finish();
      const { status, headers, body } = await answer;
      assert.equal(status, 200);
      assert.equal(headers.connection, 'close');
      assert.match(body.toString(), /slow 1\n/);
      await closed;
    });

    it('waits for a response whose headers are sent', async () => {
      const registry = new Watched({ families: 300 });
      // The client does not read on, so only the end of a running response can close the connection.
      const { close, url } = await start({ registry, closeTimeout: 2_147_483 });
      const response = await open(url, { agent: new Agent({ keepAlive: true }) });
      const closed = close();
      let length = 0;
      for await (const chunk of response) length += (chunk as Buffer).length;
      assert.ok(length > 300 * 65_000);
      await closed;
    });

    it('does not wait for idle connections, or those that never sent a request', async () => {
      const started = await start({ closeTimeout: 2_147_483 });
      const agent = new Agent({ keepAlive: true });
      await get(started.url, { agent });
      const silent = await connectTo(started);
      const half = await connectTo(started);
      half.write('GET /metrics HTTP/1.1\r\nHos');
      const gone = Promise.all([silent, half].map(closing));
      await started.close();
      await gone;
      agent.destroy();
    });

    it('does not wait longer than its limit for a client that never reads', async () => {
      const registry = new Watched();
      const { close, url } = await start({ registry, closeTimeout: 0 });
      const response = await open(url);
      response.on('error', () => {});
      await close();
      await registry.ended;
    });
  });
});
